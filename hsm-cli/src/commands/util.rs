//! `util`: what SoftHSM2's softhsm2-util does, by its options and in its words where scripts read them.

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::Error;
use hsm_core::hsm::Hsm;
use hsm_core::object::{Template, Value};
use hsm_core::partition::Partition;
use hsm_core::secret::Secret;
use hsm_core::session::{Access, Role};
use serde_json::json;

use super::key::Desk;
use super::moving::{FileKey, import_key};
use super::token::padded;
use super::{Token, quoted};
use crate::cli::{ImportType, Util};
use crate::failure::{Failure, Outcome, Result};
use crate::material::read_secret;
use crate::output::{Output, Page};
use crate::pin::Source;

/// What the module calls itself, and its tokens.
const NAME: &str = "softhsm-rs";
/// Longer than any private key in PKCS #8, in bytes.
const LONGEST: usize = 1 << 15;

pub(super) fn run(hsm: &Hsm, options: &Util, output: Output) -> Result<()> {
    let slots = Slots::of(hsm)?;
    let util = Run { hsm, options, slots, output };
    if options.init_token {
        util.init_token()
    } else if options.delete_token {
        util.delete_token()
    } else if options.import.is_some() {
        util.import()
    } else {
        util.show_slots()
    }
}

/// The slots as the module numbers them in a process that begins now.
struct Slots {
    tokens: Vec<(u64, Token)>,
    free: u64,
}

impl Slots {
    fn of(hsm: &Hsm) -> Result<Slots> {
        let numbers = &hsm.config().slots;
        let mut tokens: Vec<(u64, Token)> = Vec::new();
        // Where there is no HSM the module shows a free slot, and its first token makes one.
        let is_to_come = !hsm.exists() && hsm.config().auto_init;
        for token in if is_to_come { Vec::new() } else { Token::all(hsm)? } {
            let used = |number| tokens.iter().any(|(other, _)| *other == number);
            let number = numbers.for_token(&token.info.serial, &token.info.label, &used);
            tokens.push((number, token));
        }
        let used = |number| tokens.iter().any(|(other, _)| *other == number);
        let free = numbers.for_free(tokens.len(), &used);
        Ok(Slots { tokens, free })
    }

    fn number_of(&self, partition: &Arc<Partition>) -> Option<u64> {
        let serial = partition.info().serial;
        self.tokens.iter().find(|(_, token)| token.info.serial == serial).map(|(number, _)| *number)
    }
}

struct Run<'a> {
    hsm: &'a Hsm,
    options: &'a Util,
    slots: Slots,
    output: Output,
}

impl Run<'_> {
    /// A slot's number, and its token if it has one.
    fn slot(&self, may_be_free: bool) -> Result<(u64, Option<&Token>)> {
        let options = self.options;
        if let Some(number) = options.slot {
            if may_be_free && number == self.slots.free {
                return Ok((number, None));
            }
            let found = self.slots.tokens.iter().find(|(other, _)| *other == number);
            let missing =
                || Failure::new(Outcome::NotFound, format!("Slot {number} does not exist or has no token."));
            return found.map(|(number, token)| (*number, Some(token))).ok_or_else(missing);
        }
        if may_be_free && options.free {
            self.output.step(&format!("Slot {} has a free/uninitialized token.", self.slots.free));
            return Ok((self.slots.free, None));
        }
        if options.token.is_none() && options.serial.is_none() {
            let ways = if may_be_free {
                "--slot, --serial, --token or --free"
            } else {
                "--slot, --serial or --token"
            };
            return Err(
                Failure::new(Outcome::Usage, "A slot/token must be supplied.").next(format!("use {ways}"))
            );
        }
        let means = |token: &Token| {
            options.token.as_ref().is_none_or(|label| *label == token.label())
                && options.serial.as_ref().is_none_or(|serial| *serial == token.serial())
        };
        let mut found = self.slots.tokens.iter().filter(|(_, token)| means(token));
        let Some((number, token)) = found.next() else {
            return Err(Failure::new(
                Outcome::NotFound,
                "Could not find a slot/token using --serial, or --token",
            ));
        };
        if found.next().is_some() {
            return Err(Failure::new(Outcome::NotFound, "Found multiple matching slots/tokens.")
                .next("name one by --serial or --slot; --show-slots shows both"));
        }
        let by = match (&options.serial, &options.token) {
            (Some(_), Some(_)) => "serial and token label",
            (Some(_), None) => "serial",
            _ => "token label",
        };
        self.output.step(&format!("Found slot {number} with matching {by}."));
        Ok((*number, Some(token)))
    }

    fn so_pin(&self, label: &str) -> Source<'_> {
        Source {
            name: format!("SO PIN of {}", quoted(label)),
            file: None,
            option: "--so-pin",
            variable: "SOFTHSM_RS_SO_PIN",
        }
    }

    fn user_pin(&self, label: &str) -> Source<'_> {
        Source { option: "--pin", ..Source::user(label, None) }
    }

    /// A PIN within the limits, as it was given or asked for.
    fn new_pin(&self, given: Option<&String>, source: &Source<'_>) -> Result<Secret> {
        let policy = &self.hsm.config().pins;
        let Some(given) = given else { return source.new_pin(policy, self.output) };
        if given.len() < policy.min_length || given.len() > policy.max_length {
            return Err(Error::PinLength { min: policy.min_length, max: policy.max_length }.into());
        }
        Ok(Secret::copy_of(given.as_bytes()))
    }

    fn existing(&self, given: Option<&String>, source: &Source<'_>) -> Result<Secret> {
        match given {
            Some(given) => Ok(Secret::copy_of(given.as_bytes())),
            None => source.existing(self.output),
        }
    }

    fn init_token(&self) -> Result<()> {
        let options = self.options;
        let label = options.label.as_deref().ok_or_else(|| {
            Failure::new(Outcome::Usage, "A label for the token must be supplied.").next("use --label <text>")
        })?;
        let padded = padded(label)?;
        let (slot, token) = self.slot(true)?;
        let so_pin = match token {
            None => self.new_pin(options.so_pin.as_ref(), &self.so_pin(label))?,
            Some(token) => self.existing(options.so_pin.as_ref(), &self.so_pin(&token.label()))?,
        };
        let pin = self.new_pin(options.pin.as_ref(), &self.user_pin(label))?;
        let partition = match token {
            None => self.hsm.create_partition_and_hsm(&padded, so_pin.expose())?,
            Some(token) => {
                self.hsm.reinitialise(&token.partition, &padded, so_pin.expose())?;
                Arc::clone(&token.partition)
            }
        };
        let session = partition.open_session(Access::ReadWrite)?;
        let done = session.login(Role::So, so_pin.expose()).and_then(|()| session.init_pin(pin.expose()));
        partition.close_session(&session);
        done?;
        let now = Slots::of(self.hsm)?.number_of(&partition).unwrap_or(slot);
        let text = match now == slot {
            true => format!("The token has been initialized on slot {now}"),
            false => format!("The token has been initialized and is reassigned to slot {now}"),
        };
        let serial = String::from_utf8_lossy(&partition.info().serial).into_owned();
        self.output
            .result(&json!({ "slot": now, "label": label, "serial": serial }), |page| page.line(&text));
        Ok(())
    }

    fn delete_token(&self) -> Result<()> {
        let options = self.options;
        if options.token.is_none() && options.serial.is_none() {
            return Err(Failure::new(Outcome::Usage, "A token must be supplied.")
                .next("use --serial <serial> or --token <label>"));
        }
        let (_, Some(token)) = self.slot(false)? else { return Err(Error::NoSuchSlot.into()) };
        if !token.info.so_pin_set {
            return Err(Failure::from(Error::SoPinNotSet)
                .next("`softhsm-rs token delete --without-pin` deletes a server's partition"));
        }
        let so_pin = self.existing(options.so_pin.as_ref(), &self.so_pin(&token.label()))?;
        self.hsm.delete_partition(&token.partition, so_pin.expose())?;
        let text = format!("The token ({}) has been deleted.", token.serial());
        self.output
            .result(&json!({ "serial": token.serial(), "label": token.label() }), |page| page.line(&text));
        Ok(())
    }

    fn import(&self) -> Result<()> {
        let options = self.options;
        let usage = |what: &str, next: &str| Failure::new(Outcome::Usage, what).next(next);
        let label = options
            .label
            .as_deref()
            .ok_or_else(|| usage("A label for the object must be supplied.", "use --label <text>"))?;
        let id = options
            .id
            .as_deref()
            .ok_or_else(|| usage("An ID for the object must be supplied.", "use --id <hex>"))?;
        let id = hex::decode(id).ok().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| usage("The ID is no hexadecimal string.", "edit --id <hex>"))?;
        let Some(path) = options.import.as_deref() else { return self.show_slots() };
        let (_, Some(token)) = self.slot(false)? else { return Err(Error::NoSuchSlot.into()) };
        let bytes = read_secret(path, false, LONGEST, self.output)?;
        let is_aes = options.aes || options.import_type == ImportType::Aes;
        if is_aes && !matches!(bytes.len(), 16 | 24 | 32) {
            return Err(usage("An AES key has 16, 24 or 32 bytes.", "the file is taken as it is"));
        }
        let pin = self.existing(options.pin.as_ref(), &self.user_pin(&token.label()))?;
        let token = Token::of(Arc::clone(&token.partition));
        let desk = Desk::enter(token, &pin, Access::ReadWrite)?;
        let same: Template =
            vec![(CKA_CLASS, Value::Number(CKO_PRIVATE_KEY)), (CKA_ID, Value::Bytes(id.clone()))];
        if !is_aes && !options.force && !desk.find(same)?.is_empty() {
            return Err(Failure::new(Outcome::Exists, "The ID is already assigned to another object.")
                .next("use --force to override this message"));
        }
        let passphrase = options.file_pin.as_ref().map(|pin| Secret::copy_of(pin.as_bytes()));
        let key = FileKey {
            path: path.display().to_string(),
            bytes,
            passphrase,
            is_aes,
            no_public_key: options.no_public_key,
            label: label.to_owned(),
            id,
        };
        import_key(&desk, key, self.output)?;
        let text = if is_aes { "The key has been imported." } else { "The key pair has been imported." };
        self.output.result(&json!({ "label": label }), |page| page.line(text));
        Ok(())
    }

    fn show_slots(&self) -> Result<()> {
        let slots: Vec<_> = self.slots.tokens.iter().map(|(number, token)| (*number, Some(token))).collect();
        let slots = slots.into_iter().chain([(self.slots.free, None)]).collect::<Vec<_>>();
        let value: Vec<_> = slots
            .iter()
            .map(|(number, token)| {
                json!({
                    "slot": number,
                    "initialized": token.is_some(),
                    "label": token.map(Token::label),
                    "serial": token.map(Token::serial),
                    "user_pin_initialized": token.is_some_and(|token| token.info.user_pin_set),
                })
            })
            .collect();
        self.output.result(&value, |page| {
            page.line("Available slots:");
            slots.iter().for_each(|(number, token)| block(page, *number, *token));
        });
        Ok(())
    }
}

/// A slot as softhsm2-util writes it: fields as wide as in PKCS #11's structures.
fn block(page: &mut Page, number: u64, token: Option<&Token>) {
    let yes = |is: bool| if is { "yes" } else { "no" };
    let version = format!("{}.{}", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    let (label, serial) = token.map_or_else(Default::default, |token| (token.label(), token.serial()));
    let description = format!("softhsm-rs slot {number}");
    page.line(&format!("Slot {number}"));
    page.line("    Slot info:");
    page.line(&format!("        Description:      {description:64}"));
    page.line(&format!("        Manufacturer ID:  {NAME:32}"));
    page.line(&format!("        Hardware version: {version}"));
    page.line(&format!("        Firmware version: {version}"));
    page.line("        Token present:    yes");
    page.line("    Token info:");
    page.line(&format!("        Manufacturer ID:  {NAME:32}"));
    page.line(&format!("        Model:            {NAME:16}"));
    page.line(&format!("        Hardware version: {version}"));
    page.line(&format!("        Firmware version: {version}"));
    page.line(&format!("        Serial number:    {serial:16}"));
    page.line(&format!("        Initialized:      {}", yes(token.is_some())));
    page.line(&format!(
        "        User PIN init.:   {}",
        yes(token.is_some_and(|token| token.info.user_pin_set))
    ));
    page.line(&format!("        Label:            {label:32}"));
}
