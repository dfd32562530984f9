//! Slot numbers as SoftHSM2's users know them. A token's slot has a number that its serial gives (or
//! the configuration), and one more slot holds an uninitialised token. A number, once shown, stays
//! valid until C_Finalize.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hsm_core::config::SlotNumbers;
use hsm_core::hsm::Hsm;
use hsm_core::partition::Partition;

use crate::rv::{Outcome, Rejection};

/// The slots of this process.
pub(crate) struct Slots {
    numbers: Numbers,
    table: Mutex<Vec<Slot>>,
}

/// A slot and what is in it.
struct Slot {
    number: u64,
    token: Token,
    /// A token came or went, and C_WaitForSlotEvent has not told it.
    event: bool,
}

/// A slot's token.
#[derive(Clone)]
pub(crate) enum Token {
    /// Uninitialised, waiting for C_InitToken.
    Free,
    /// A partition of the HSM.
    Present(Arc<Partition>),
    /// A partition that was deleted since.
    Gone,
}

impl Slots {
    pub(crate) fn new(fixed: SlotNumbers) -> Slots {
        Slots { numbers: Numbers { fixed }, table: Mutex::default() }
    }

    /// Slot numbers, initialised tokens first and the free slot last. With `refresh`, tokens that were
    /// made or deleted meanwhile are taken in; otherwise the list is that of the last time.
    pub(crate) fn list(&self, hsm: &Hsm, refresh: bool, present_only: bool) -> Outcome<Vec<u64>> {
        let mut table = self.lock();
        if refresh || table.is_empty() {
            self.take_in(&mut table, hsm)?;
        }
        let (free, tokens): (Vec<&Slot>, Vec<&Slot>) =
            table.iter().partition(|slot| matches!(slot.token, Token::Free));
        let tokens = tokens.into_iter().filter(|slot| !present_only || !matches!(slot.token, Token::Gone));
        Ok(tokens.chain(free).map(|slot| slot.number).collect())
    }

    /// What is in a slot. A number that was never listed is looked for once more: applications keep
    /// numbers across runs.
    pub(crate) fn token(&self, hsm: &Hsm, number: u64) -> Outcome<Token> {
        let mut table = self.lock();
        if find(&table, number).is_none() {
            self.take_in(&mut table, hsm)?;
        }
        Ok(find(&table, number).ok_or(Rejection::SlotIdInvalid)?.token.clone())
    }

    /// The partition in a slot, if there is one.
    pub(crate) fn partition(&self, hsm: &Hsm, number: u64) -> Outcome<Arc<Partition>> {
        match self.token(hsm, number)? {
            Token::Present(partition) => Ok(partition),
            Token::Free => Err(hsm_core::Error::TokenNotInitialised.into()),
            Token::Gone => Err(Rejection::TokenNotPresent.into()),
        }
    }

    /// Fills the free slot with the partition that `create` makes; the slot keeps its number. Nobody
    /// sees the slots meanwhile, or the new partition would be listed under a second number. Answers
    /// what was in the slot otherwise, and creates nothing.
    pub(crate) fn fill(
        &self,
        number: u64,
        create: impl FnOnce() -> Outcome<Arc<Partition>>,
    ) -> Outcome<Option<Token>> {
        let mut table = self.lock();
        let slot = table.iter_mut().find(|slot| slot.number == number).ok_or(Rejection::SlotIdInvalid)?;
        if !matches!(slot.token, Token::Free) {
            return Ok(Some(slot.token.clone()));
        }
        slot.token = Token::Present(create()?);
        slot.event = true;
        Ok(None)
    }

    /// A slot whose token came or went since the last time, each event once. What was there when the slots were
    /// first looked at is none.
    pub(crate) fn event(&self, hsm: &Hsm) -> Outcome<Option<u64>> {
        let mut table = self.lock();
        self.take_in(&mut table, hsm)?;
        let slot = table.iter_mut().find(|slot| slot.event);
        Ok(slot.map(|slot| {
            slot.event = false;
            slot.number
        }))
    }

    /// Brings the table up to date with the HSM's partitions.
    fn take_in(&self, table: &mut Vec<Slot>, hsm: &Hsm) -> Outcome {
        let partitions = hsm.partitions()?;
        let event = !table.is_empty();
        for slot in table.iter_mut() {
            let deleted = |partition| !partitions.iter().any(|other| Arc::ptr_eq(partition, other));
            if matches!(&slot.token, Token::Present(partition) if deleted(partition)) {
                slot.token = Token::Gone;
                slot.event = true;
            }
        }
        for partition in partitions {
            if !table.iter().any(|slot| slot.token.is(&partition)) {
                let info = partition.info();
                let number = self.numbers.for_token(&info.serial, &info.label, table);
                table.push(Slot { number, token: Token::Present(partition), event });
            }
        }
        if !table.iter().any(|slot| matches!(slot.token, Token::Free)) {
            table.push(Slot { number: self.numbers.for_free(table), token: Token::Free, event: false });
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn is(&self, other: &Arc<Partition>) -> bool {
        matches!(self, Token::Present(partition) if Arc::ptr_eq(partition, other))
    }
}

fn find(table: &[Slot], number: u64) -> Option<&Slot> {
    table.iter().find(|slot| slot.number == number)
}

/// How slots get their numbers.
struct Numbers {
    /// The configuration's.
    fixed: SlotNumbers,
}

impl Numbers {
    /// A token's number.
    fn for_token(&self, serial: &[u8; 16], label: &[u8; 32], table: &[Slot]) -> u64 {
        self.fixed.for_token(serial, label, &|number| find(table, number).is_some())
    }

    /// The free slot's number.
    fn for_free(&self, table: &[Slot]) -> u64 {
        self.fixed.for_free(table.len(), &|number| find(table, number).is_some())
    }
}

#[cfg(test)]
mod tests {
    use hsm_core::config::Config;

    use super::*;

    const SERIAL: &[u8; 16] = b"0123456789abcdef";

    fn label(text: &str) -> [u8; 32] {
        let mut label = [b' '; 32];
        label[..text.len()].copy_from_slice(text.as_bytes());
        label
    }

    fn slot(number: u64) -> Slot {
        Slot { number, token: Token::Free, event: false }
    }

    /// Numbers as a configuration file fixes them.
    fn numbers(fixed: &[(&str, u64)]) -> Numbers {
        let home = tempfile::tempdir().unwrap();
        let lines = fixed.iter().map(|(name, number)| format!("\"{name}\" = {number}\n"));
        let text = format!("[slots]\n{}", lines.collect::<String>());
        std::fs::write(home.path().join("softhsm-rs.toml"), text).unwrap();
        Numbers { fixed: Config::for_home(home.path()).unwrap().slots }
    }

    #[test]
    fn a_token_has_the_number_that_softhsm2_would_give() {
        assert_eq!(numbers(&[]).for_token(SERIAL, &label("t"), &[]), 0x09ab_cdef);
    }

    #[test]
    fn a_number_in_use_gives_the_next() {
        let table = [slot(0x09ab_cdef), slot(0x09ab_cdf0)];
        assert_eq!(numbers(&[]).for_token(SERIAL, &label("t"), &table), 0x09ab_cdf1);
    }

    #[test]
    fn the_configuration_fixes_a_number_by_label_or_serial() {
        assert_eq!(numbers(&[("my token", 7)]).for_token(SERIAL, &label("my token"), &[]), 7);
        assert_eq!(numbers(&[("0123456789abcdef", 8)]).for_token(SERIAL, &label("t"), &[]), 8);
    }

    #[test]
    fn a_fixed_number_is_not_given_to_others() {
        assert_eq!(numbers(&[("mine", 0)]).for_free(&[]), 1);
        assert_eq!(numbers(&[("mine", 0x09ab_cdef)]).for_token(SERIAL, &label("t"), &[]), 0x09ab_cdf0);
    }

    #[test]
    fn the_free_slot_counts_the_others() {
        assert_eq!(numbers(&[]).for_free(&[]), 0);
        assert_eq!(numbers(&[]).for_free(&[slot(77), slot(78)]), 2);
        assert_eq!(numbers(&[]).for_free(&[slot(2), slot(78)]), 3);
    }
}
