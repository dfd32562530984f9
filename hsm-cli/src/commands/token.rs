//! `token`: list, init, delete, set-pin, unlock.

use std::path::Path;
use std::sync::Arc;

use hsm_core::hsm::Hsm;
use hsm_core::partition::{Partition, Tries};
use hsm_core::secret::Secret;
use hsm_core::session::{Access, Role};
use serde::Serialize;

use super::{Token, confirm, quoted};
use crate::cli::{self, Consent, NewPin, Pins, TokenChoice, TokenInit};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, Page, printable};
use crate::pin;

/// The length of a token's label in bytes. PKCS #11 3.2, section 3.4, CK_TOKEN_INFO.
const LABEL: usize = 32;

pub(super) fn run(hsm: &Hsm, command: cli::Token, output: Output) -> Result<()> {
    match command {
        cli::Token::List => list(hsm, output),
        cli::Token::Init(options) => match &options.replace {
            None => make(hsm, &options, output),
            Some(old) => replace(hsm, &options, old, output),
        },
        cli::Token::Delete { token, pins, consent } => delete(hsm, &token, &pins, &consent, output),
        cli::Token::SetPin { token, so, pins, new_pin } => {
            let token = Token::choose(hsm, &token)?;
            let pins = Desk { hsm, output, pins: &pins, new: Some(&new_pin) };
            match so {
                true => pins.change(&token, Role::So),
                false if token.info.user_pin_set => pins.change(&token, Role::User),
                false => pins.set_by_so(&token),
            }
        }
        cli::Token::Unlock { token, pins, new_pin } => {
            let token = Token::choose(hsm, &token)?;
            Desk { hsm, output, pins: &pins, new: Some(&new_pin) }.set_by_so(&token)
        }
    }
}

/// A token in a list. The names are those of `--json` and stay as they are.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    label: String,
    serial: String,
    user_pin: &'static str,
    user_tries_left: Option<u32>,
    so_pin: &'static str,
    so_tries_left: Option<u32>,
}

impl Listed {
    pub(super) fn of(token: &Token) -> Listed {
        Listed {
            label: token.label(),
            serial: token.serial(),
            user_pin: pin_state(token.info.user_pin_set, token.info.user_tries),
            user_tries_left: token.info.user_tries.map(|tries| tries.left),
            so_pin: pin_state(token.info.so_pin_set, token.info.so_tries),
            so_tries_left: token.info.so_tries.map(|tries| tries.left),
        }
    }
}

/// Of a sealed unit it is not known how many tries are left.
fn pin_state(set: bool, tries: Option<Tries>) -> &'static str {
    match (set, tries) {
        (false, _) => "not set",
        (true, Some(Tries { left: 0, .. })) => "locked",
        (true, Some(Tries { left: 1, limit: 2.. })) => "final try",
        (true, _) => "set",
    }
}

pub(super) fn table(page: &mut Page, tokens: &[Listed]) {
    if tokens.is_empty() {
        return page.line("There is no token yet; `softhsm-rs token init LABEL` makes one.");
    }
    let row = |token: &Listed| {
        [printable(&token.label), token.serial.clone(), token.user_pin.to_owned(), token.so_pin.to_owned()]
    };
    page.table(["TOKEN", "SERIAL", "USER PIN", "SO PIN"], &tokens.iter().map(row).collect::<Vec<_>>());
}

fn list(hsm: &Hsm, output: Output) -> Result<()> {
    let tokens: Vec<_> = Token::all(hsm)?.iter().map(Listed::of).collect();
    output.result(&tokens, |page| table(page, &tokens));
    Ok(())
}

fn make(hsm: &Hsm, options: &TokenInit, output: Output) -> Result<()> {
    let label = padded(&options.label)?;
    // Before any PIN is asked for.
    Token::all(hsm)?;
    let pins = Desk { hsm, output, pins: &options.pins, new: None };
    let so_pin = pins.so(&options.label).new_pin(&hsm.config().pins, output)?;
    let user_pin = pins.first_user_pin(options)?;
    let partition = hsm.create_partition(&label, so_pin.expose())?;
    finish(&partition, &so_pin, user_pin.as_ref(), "made", output)
}

/// C_InitToken on a token that exists: its keys go, its SO PIN stays.
fn replace(hsm: &Hsm, options: &TokenInit, old: &str, output: Output) -> Result<()> {
    let label = padded(&options.label)?;
    let token = Token::choose(hsm, &TokenChoice { token: Some(old.to_owned()) })?;
    let old = token.label();
    confirm(&options.consent, &format!("destroying all keys of token {}", quoted(&old)))?;
    let pins = Desk { hsm, output, pins: &options.pins, new: None };
    let so_pin = pins.so(&old).existing(output)?;
    let user_pin = pins.first_user_pin(options)?;
    hsm.reinitialise(&token.partition, &label, so_pin.expose())?;
    finish(&token.partition, &so_pin, user_pin.as_ref(), "emptied", output)
}

/// Sets the user PIN of a token that has none, if there is to be one, and says what was done.
fn finish(
    partition: &Arc<Partition>,
    so_pin: &Secret,
    user_pin: Option<&Secret>,
    done: &str,
    output: Output,
) -> Result<()> {
    if let Some(user_pin) = user_pin {
        with_login(partition, Role::So, so_pin, |session| session.init_pin(user_pin.expose()))?;
    }
    report(partition, done, output)
}

fn delete(hsm: &Hsm, choice: &TokenChoice, pins: &Pins, consent: &Consent, output: Output) -> Result<()> {
    let token = Token::choose(hsm, choice)?;
    let label = token.label();
    confirm(consent, &format!("deleting token {} and all its keys", quoted(&label)))?;
    let so_pin = Desk { hsm, output, pins, new: None }.so(&label).existing(output)?;
    hsm.delete_partition(&token.partition, so_pin.expose())?;
    output.result(&Listed::of(&token), |page| page.line(&format!("Token {} was deleted.", quoted(&label))));
    Ok(())
}

/// The PINs of one command.
struct Desk<'a> {
    hsm: &'a Hsm,
    output: Output,
    pins: &'a Pins,
    new: Option<&'a NewPin>,
}

impl<'a> Desk<'a> {
    fn so(&self, label: &str) -> pin::Source<'a> {
        pin::Source {
            name: format!("SO PIN of {}", quoted(label)),
            file: self.pins.so_pin_file.as_deref(),
            option: "--so-pin-file",
            variable: "SOFTHSM_RS_SO_PIN",
        }
    }

    fn user(&self, label: &str) -> pin::Source<'a> {
        pin::Source::user(label, self.pins.pin_file.as_deref())
    }

    fn successor(&self, name: &str) -> pin::Source<'a> {
        let file: Option<&Path> = self.new.and_then(|new| new.new_pin_file.as_deref());
        pin::Source { name: name.to_owned(), file, option: "--new-pin-file", variable: "SOFTHSM_RS_NEW_PIN" }
    }

    /// The user PIN of a token that is being made, unless it is to have none.
    fn first_user_pin(&self, options: &TokenInit) -> Result<Option<Secret>> {
        if options.so_only {
            return Ok(None);
        }
        self.user(&options.label).new_pin(&self.hsm.config().pins, self.output).map(Some)
    }

    /// A PIN's owner changes it.
    fn change(&self, token: &Token, role: Role) -> Result<()> {
        let source = match role {
            Role::User => self.user(&token.label()),
            Role::So => self.so(&token.label()),
        };
        let successor = self.successor(&source.name);
        let old = source.existing(self.output)?;
        let new = successor.new_pin(&self.hsm.config().pins, self.output)?;
        with_login(&token.partition, role, &old, |session| session.set_pin(old.expose(), new.expose()))?;
        let done = if role == Role::So { "given a new SO PIN" } else { "given a new user PIN" };
        report(&token.partition, done, self.output)
    }

    /// The SO sets the user PIN, which ends a lock.
    fn set_by_so(&self, token: &Token) -> Result<()> {
        let so_pin = self.so(&token.label()).existing(self.output)?;
        let name = format!("user PIN of {}", quoted(&token.label()));
        let new = self.successor(&name).new_pin(&self.hsm.config().pins, self.output)?;
        with_login(&token.partition, Role::So, &so_pin, |session| session.init_pin(new.expose()))?;
        report(&token.partition, "given a new user PIN", self.output)
    }
}

/// Does something in a read/write session of that role.
fn with_login(
    partition: &Arc<Partition>,
    role: Role,
    pin: &Secret,
    body: impl FnOnce(&hsm_core::session::Session) -> hsm_core::Result<()>,
) -> Result<()> {
    let session = partition.open_session(Access::ReadWrite)?;
    let outcome = session.login(role, pin.expose()).and_then(|()| body(&session));
    partition.close_session(&session);
    Ok(outcome?)
}

fn report(partition: &Arc<Partition>, done: &str, output: Output) -> Result<()> {
    let token = Token::of(Arc::clone(partition));
    let text = format!("Token {} (serial {}) was {done}.", quoted(&token.label()), token.serial());
    output.result(&Listed::of(&token), |page| page.line(&text));
    Ok(())
}

/// A label as C_InitToken takes it: padded with blanks.
fn padded(label: &str) -> Result<[u8; LABEL]> {
    let mut padded = [b' '; LABEL];
    let place = padded.get_mut(..label.len()).filter(|place| !place.is_empty());
    let place = place
        .ok_or_else(|| Failure::new(Outcome::Usage, format!("a token's label has 1 to {LABEL} bytes")))?;
    place.copy_from_slice(label.as_bytes());
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_padded_with_blanks() {
        assert_eq!(&padded("web").unwrap(), b"web                             ");
        assert!(padded(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn a_label_too_long_or_empty_is_refused() {
        assert_eq!(padded(&"x".repeat(33)).unwrap_err().outcome, Outcome::Usage);
        assert_eq!(padded("").unwrap_err().outcome, Outcome::Usage);
    }

    #[test]
    fn the_state_of_a_pin_warns_of_the_last_try() {
        let tries = |left, limit| Some(Tries { left, limit });
        assert_eq!(pin_state(false, tries(10, 10)), "not set");
        assert_eq!(pin_state(true, tries(10, 10)), "set");
        assert_eq!(pin_state(true, tries(1, 10)), "final try");
        assert_eq!(pin_state(true, tries(1, 1)), "set");
        assert_eq!(pin_state(true, tries(0, 10)), "locked");
        assert_eq!(pin_state(true, None), "set");
    }
}
