//! `token`: list, init, delete, give-pins, set-pin, unlock.

use std::path::Path;
use std::sync::Arc;

use hsm_core::Error;
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
        cli::Token::Delete { token, pins, without_pin, consent } => {
            let token = Token::choose(hsm, &token)?;
            match without_pin {
                true => delete_without_pin(hsm, &token, &consent, output),
                false => delete(hsm, &token, &pins, &consent, output),
            }
        }
        cli::Token::GivePins { token, pin_only, pins } => {
            let token = Token::choose(hsm, &token)?;
            Desk { hsm, output, pins: &pins, new: None }.give(&token, pin_only)
        }
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
    /// Whether a server opens it by the master key alone.
    opens_for_server: bool,
    /// RFC 7512.
    uri: String,
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
            opens_for_server: token.info.opens_for_server,
            uri: token.uri(),
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
        let opens = if token.opens_for_server { "opens for the server" } else { "" };
        let (user_pin, so_pin) = (token.user_pin.to_owned(), token.so_pin.to_owned());
        [printable(&token.label), token.serial.clone(), user_pin, so_pin, token.uri.clone(), opens.to_owned()]
    };
    page.table(
        ["TOKEN", "SERIAL", "USER PIN", "SO PIN", "URI", ""],
        &tokens.iter().map(row).collect::<Vec<_>>(),
    );
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
    check_so_pin_set(&token)?;
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

fn delete(hsm: &Hsm, token: &Token, pins: &Pins, consent: &Consent, output: Output) -> Result<()> {
    let label = token.label();
    check_so_pin_set(token).map_err(|failure| {
        failure.next("add --without-pin if it is to be deleted, with the keys of all clients of its server")
    })?;
    confirm(consent, &format!("deleting token {} and all its keys", quoted(&label)))?;
    let so_pin = Desk { hsm, output, pins, new: None }.so(&label).existing(output)?;
    hsm.delete_partition(&token.partition, so_pin.expose())?;
    report_deleted(token, output)
}

fn delete_without_pin(hsm: &Hsm, token: &Token, consent: &Consent, output: Output) -> Result<()> {
    if token.info.so_pin_set {
        return Err(Error::PinsSet.into());
    }
    let label = token.label();
    confirm(consent, &format!("deleting {} and the keys of all clients of its server", quoted(&label)))?;
    hsm.delete_server_partition(&token.partition)?;
    report_deleted(token, output)
}

fn report_deleted(token: &Token, output: Output) -> Result<()> {
    let text = format!("Token {} was deleted.", quoted(&token.label()));
    output.result(&Listed::of(token), |page| page.line(&text));
    Ok(())
}

/// Before a PIN is asked for that cannot be right.
fn check_so_pin_set(token: &Token) -> Result<()> {
    if token.info.so_pin_set { Ok(()) } else { Err(Error::SoPinNotSet.into()) }
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

    /// The first PINs of a server's partition.
    fn give(&self, token: &Token, pin_only: bool) -> Result<()> {
        if token.info.so_pin_set && pin_only {
            return self.close(token);
        }
        if token.info.so_pin_set {
            return Err(Error::PinsSet.into());
        }
        let policy = &self.hsm.config().pins;
        let so_pin = self.so(&token.label()).new_pin(policy, self.output)?;
        let user_pin = self.user(&token.label()).new_pin(policy, self.output)?;
        self.hsm.give_pins(&token.partition, so_pin.expose(), user_pin.expose(), !pin_only)?;
        report(&token.partition, "given an SO PIN and a user PIN", self.output)
    }

    /// Leaves a server's partition to the PINs that it was given before.
    fn close(&self, token: &Token) -> Result<()> {
        let user_pin = self.user(&token.label()).existing(self.output)?;
        self.hsm.close_for_server(&token.partition, user_pin.expose())?;
        report(&token.partition, "left to its PINs alone", self.output)
    }

    /// A PIN's owner changes it.
    fn change(&self, token: &Token, role: Role) -> Result<()> {
        if role == Role::So {
            check_so_pin_set(token)?;
        }
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
        check_so_pin_set(token)?;
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
pub(super) fn padded(label: &str) -> Result<[u8; LABEL]> {
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
