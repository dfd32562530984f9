//! Change counters between processes: a small file per partition that a reader looks at instead of
//! asking SQLite whether anything changed. It holds a number and its complement (two little-endian
//! `u64`). The holder of the writer lock makes it odd, commits, and makes it even: an even number
//! that stands still means that nothing was committed.
//!
//! Readers map the files, so that looking at a counter costs no call of the system: every use of a key
//! looks at one.
//!
//! The files are not synced. After a power loss they may hold anything that was ever written, but
//! then no process lives that could have cached something under an old number.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::{PoisonError, RwLock};

use hsm_os::SharedPair;

use super::place::{Place, failure, write_failure};
use super::{PartitionId, StoreError, StoreResult};

/// The change counters of a store.
#[derive(Debug)]
pub(super) struct Counters {
    place: Place,
    /// Mapped files to read from, of the few partitions that are in use; `None` while the store is suspended.
    open: RwLock<Option<Vec<(PartitionId, SharedPair)>>>,
}

/// Counters made odd. They become even when this is dropped; a process that dies before leaves them
/// odd, and the next holder of the writer lock sets them right.
#[derive(Debug)]
pub(super) struct Moving<'a> {
    counters: &'a Counters,
    odd: Vec<(PartitionId, u64)>,
}

impl Counters {
    /// The counters of the store at `place`.
    pub(super) fn new(place: Place) -> Counters {
        Counters { place, open: RwLock::new(Some(Vec::new())) }
    }

    /// The partition's counter; `None` if it is odd, missing or no counter.
    pub(super) fn load(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        {
            let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let Some(mapped) = open.as_ref() else { return Ok(None) };
            let pair = mapped.iter().find(|(id, _)| *id == partition);
            if let Some(even) = pair.and_then(|(_, pair)| settled(pair)) {
                return Ok(Some(even));
            }
        }
        self.load_anew(partition)
    }

    /// As [`Counters::load`], from the file that has the name now: the one that was mapped may have
    /// been removed with its partition.
    fn load_anew(&self, partition: PartitionId) -> StoreResult<Option<u64>> {
        let path = self.place.file(&name(partition));
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let Some(mapped) = open.as_mut() else { return Ok(None) };
        mapped.retain(|(id, _)| *id != partition);
        let pair = match File::open(&path).and_then(|file| SharedPair::map(&file)) {
            Ok(Some(pair)) => pair,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failure(&path, error)),
        };
        let number = settled(&pair);
        mapped.push((partition, pair));
        Ok(number)
    }

    /// Whether the partition has a counter at all, right or wrong.
    pub(super) fn exists(&self, partition: PartitionId) -> bool {
        self.place.file(&name(partition)).exists()
    }

    /// Makes counters odd. For the holder of the writer lock.
    pub(super) fn begin(&self, partitions: impl IntoIterator<Item = PartitionId>) -> StoreResult<Moving<'_>> {
        let mut moving = Moving { counters: self, odd: Vec::new() };
        for partition in partitions {
            let file = self.place.open_or_make(&name(partition))?;
            let number = match read(&file) {
                // Left by a writer that died; another odd number, since its outcome is unknown.
                Some(odd) if !is_even(odd) => odd.wrapping_add(2),
                Some(even) => even.wrapping_add(1),
                None => self.fresh(partition)?,
            };
            self.write(partition, &file, number)?;
            moving.odd.push((partition, number));
        }
        Ok(moving)
    }

    /// Removes the counter of a partition that is gone. For the holder of the writer lock, before
    /// the counter becomes even: who has the file mapped then finds it odd for ever, and looks anew.
    pub(super) fn remove(&self, moving: &mut Moving<'_>, partition: PartitionId) {
        moving.odd.retain(|(other, _)| *other != partition);
        let path = self.place.file(&name(partition));
        if let Err(error) = fs::remove_file(&path) {
            log::warn!("{}: {error}", path.display());
        }
    }

    /// Gives every file back until [`Counters::resume`].
    pub(super) fn suspend(&self) {
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets files be mapped again.
    pub(super) fn resume(&self) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// An odd number that was not used before: what a process cached under a lost counter must not
    /// seem current under the new one.
    fn fresh(&self, partition: PartitionId) -> StoreResult<u64> {
        let random = crate::rng::array::<8>().map_err(|error| StoreError::Failed {
            path: self.place.file(&name(partition)),
            detail: error.to_string(),
        })?;
        Ok(u64::from_le_bytes(random) >> 1 | 1)
    }

    fn write(&self, partition: PartitionId, file: &File, number: u64) -> StoreResult<()> {
        let mut bytes = [0; 16];
        let (left, right) = bytes.split_at_mut(8);
        left.copy_from_slice(&number.to_le_bytes());
        right.copy_from_slice(&(!number).to_le_bytes());
        file.write_all_at(&bytes, 0).map_err(|error| write_failure(&self.place.file(&name(partition)), error))
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        for (partition, odd) in self.odd.drain(..) {
            let settled = self
                .counters
                .place
                .open_or_make(&name(partition))
                .and_then(|file| self.counters.write(partition, &file, odd.wrapping_add(1)));
            // It stays odd: slow, not wrong.
            if let Err(error) = settled {
                log::warn!("a change counter could not be settled: {error}");
            }
        }
    }
}

/// The counter file's name.
fn name(partition: PartitionId) -> String {
    format!("{partition}.generation")
}

fn is_even(number: u64) -> bool {
    number & 1 == 0
}

/// The number in a counter file, for who may write it; `None` for a file cut off or of other origin.
fn read(file: &File) -> Option<u64> {
    let mut bytes = [0; 16];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let (left, right) = bytes.split_at(8);
    whole(u64::from_le_bytes(left.try_into().ok()?), u64::from_le_bytes(right.try_into().ok()?))
}

/// The number in a mapped counter; `None` if it is odd, or half written just now.
fn settled(pair: &SharedPair) -> Option<u64> {
    let (number, complement) = pair.read();
    whole(number, complement).filter(|number| is_even(*number))
}

/// A number, if its complement fits.
fn whole(number: u64, complement: u64) -> Option<u64> {
    (complement == !number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::place::make_file;
    use super::*;

    const ONE: PartitionId = PartitionId([1; 16]);
    const TWO: PartitionId = PartitionId([2; 16]);

    fn place() -> (tempfile::TempDir, Place) {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path(), "sqlite").unwrap();
        make_file(place.main(), None).unwrap();
        (directory, place)
    }

    #[test]
    fn a_counter_is_none_while_it_moves_and_another_number_afterwards() {
        let (_keep, place) = place();
        let (writer, reader) = (Counters::new(place.clone()), Counters::new(place));
        drop(writer.begin([ONE]).unwrap());
        let before = reader.load(ONE).unwrap().unwrap();
        let moving = writer.begin([ONE]).unwrap();
        assert_eq!(reader.load(ONE).unwrap(), None);
        drop(moving);
        let after = reader.load(ONE).unwrap().unwrap();
        assert_ne!(before, after);
    }

    #[test]
    fn partitions_have_counters_of_their_own() {
        let (_keep, place) = place();
        let counters = Counters::new(place);
        drop(counters.begin([ONE, TWO]).unwrap());
        let two = counters.load(TWO).unwrap();
        drop(counters.begin([ONE]).unwrap());
        assert_eq!(counters.load(TWO).unwrap(), two);
    }

    #[test]
    fn an_odd_number_of_a_dead_writer_becomes_a_new_even_one() {
        let (_keep, place) = place();
        let counters = Counters::new(place);
        drop(counters.begin([ONE]).unwrap());
        let before = counters.load(ONE).unwrap();
        std::mem::forget(counters.begin([ONE]).unwrap());
        assert_eq!(counters.load(ONE).unwrap(), None);
        drop(counters.begin([ONE]).unwrap());
        let after = counters.load(ONE).unwrap();
        assert!(after.is_some() && after != before);
    }

    #[test]
    fn a_lost_counter_begins_at_a_number_not_used_before() {
        let (_keep, place) = place();
        let counters = Counters::new(place.clone());
        drop(counters.begin([ONE]).unwrap());
        let before = counters.load(ONE).unwrap();
        fs::remove_file(place.file(&name(ONE))).unwrap();
        let other = Counters::new(place);
        assert_eq!(other.load(ONE).unwrap(), None);
        drop(other.begin([ONE]).unwrap());
        assert_ne!(other.load(ONE).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_counter_is_not_believed() {
        let (_keep, place) = place();
        for garbage in [&b""[..], &[0; 16], &[2; 7], b"0123456789abcdef"] {
            fs::write(place.file(&name(ONE)), garbage).unwrap();
            let counters = Counters::new(place.clone());
            assert_eq!(counters.load(ONE).unwrap(), None, "{garbage:?}");
            drop(counters.begin([ONE]).unwrap());
            assert!(counters.load(ONE).unwrap().is_some());
        }
    }

    #[test]
    fn a_removed_counter_is_none_for_those_who_had_it_open() {
        let (_keep, place) = place();
        let (writer, reader) = (Counters::new(place.clone()), Counters::new(place.clone()));
        drop(writer.begin([ONE]).unwrap());
        assert!(reader.load(ONE).unwrap().is_some());
        let mut moving = writer.begin([ONE]).unwrap();
        writer.remove(&mut moving, ONE);
        drop(moving);
        assert!(!place.file(&name(ONE)).exists());
        assert_eq!(reader.load(ONE).unwrap(), None);
        drop(writer.begin([ONE]).unwrap());
        assert!(reader.load(ONE).unwrap().is_some(), "a new file is found");
    }

    #[test]
    fn suspended_counters_open_no_file() {
        let (_keep, place) = place();
        let counters = Counters::new(place);
        drop(counters.begin([ONE]).unwrap());
        counters.suspend();
        assert_eq!(counters.load(ONE).unwrap(), None);
        counters.resume();
        assert!(counters.load(ONE).unwrap().is_some());
    }
}
