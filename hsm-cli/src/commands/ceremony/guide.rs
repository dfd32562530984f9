//! The ceremony with whoever sits here: one step after the other, as long as everything for it is here. What has to
//! be signed elsewhere is written to a file, and the ceremony is left until it comes back.

use std::io::Write;
use std::path::{Path, PathBuf};

use hsm_core::hsm::Hsm;
use hsm_core::secret::Secret;
use hsm_core::unit::{
    Access, Administrator, Command, KeyPart, SignatureKey, SignedCommand, SignedPart, Unit, UnitKind,
};

use super::plan::{self, Kind, State, Step};
use super::situation::Situation;
use super::{steps, table};
use crate::cli::{KeyPassphrase, PartPassphrase, Plan};
use crate::commands::unit::files::{self, Carriage, PublicKeyFile};
use crate::commands::unit::view::View;
use crate::commands::unit::{self, describe, keys};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

/// How long signatures count that are to be given elsewhere, in seconds.
const WEEK: u64 = 7 * 24 * 3600;

/// Whether there is more to do here.
#[derive(PartialEq, Eq)]
enum Course {
    Goes,
    Waits,
}

pub(super) fn run(hsm: &Hsm, plan: &Plan, output: Output) -> Result<()> {
    let mut plan = plan.clone();
    loop {
        let guide = Guide { hsm, plan: &plan, output };
        let situation = Situation::here(hsm)?;
        let all = plan::steps(&situation, &plan);
        let next = all.iter().find(|step| step.state == State::Next && step.kind != Kind::InitToken);
        let course = match next {
            None => Course::Waits,
            Some(step) => {
                let done = all.iter().filter(|step| step.state == State::Done).count();
                let about = format!("{}/{} {}: {}", done + 1, all.len(), step.kind.name(), step.text);
                output.question(|page| page.line(&about));
                guide.act(step, situation.view.as_ref())?
            }
        };
        // One change was asked for.
        plan.rotate &= next.is_none_or(|step| step.kind != Kind::SetImmediate);
        if course == Course::Waits {
            let steps = plan::steps(&Situation::here(hsm)?, &plan);
            output.result(&serde_json::json!({ "steps": steps }), |page| table(&steps, page));
            return Ok(());
        }
    }
}

struct Guide<'run> {
    hsm: &'run Hsm,
    plan: &'run Plan,
    output: Output,
}

impl Guide<'_> {
    fn act(&self, step: &Step, view: Option<&View>) -> Result<Course> {
        match (step.kind, view) {
            (Kind::MakeUnit, _) | (_, None) => self.make_unit(),
            (Kind::AddAdministrators, Some(view)) => self.add_administrator(view),
            (Kind::LoadKeyParts, Some(view)) => self.load(view),
            (Kind::WrapPartitions, _) => {
                unit::rotate::run(self.hsm, self.output)?;
                Ok(Course::Goes)
            }
            (kind, Some(view)) => match steps::command(kind, view, self.plan) {
                Some(command) => self.sign_and_submit(kind, &command, view),
                None => Ok(Course::Waits),
            },
        }
    }

    fn make_unit(&self) -> Result<Course> {
        let home = self.hsm.config().home.root.display();
        match ask(&format!("Make a crypto unit in {home}? Type yes: "))?.as_deref() {
            Some("yes") => {
                Unit::create(&self.hsm.unit_paths(), Access::Owner, UnitKind::Operational)?;
                self.keep_statement()?;
                Ok(Course::Goes)
            }
            _ => Ok(Course::Waits),
        }
    }

    /// What the unit says of itself, for those who make and sign commands elsewhere.
    fn keep_statement(&self) -> Result<()> {
        let statement = Unit::open(&self.hsm.unit_paths())?.statement(None)?;
        if let Some(fingerprint) = statement.fingerprint() {
            self.output.question(|page| page.fields([("fingerprint", fingerprint.to_string())]));
        }
        files::write_statement(Path::new("reply.json"), &statement)
    }

    fn add_administrator(&self, view: &View) -> Result<Course> {
        let number = view.administrators.len() + 1;
        let question =
            format!("Public key file of administrator {number} (nothing: a key is made here; -: stop): ");
        let file = match ask(&question)?.as_deref() {
            None | Some("-") => return Ok(Course::Waits),
            Some("") => match self.make_key()? {
                Some(file) => file,
                None => return Ok(Course::Waits),
            },
            Some(path) => path.into(),
        };
        let file = PublicKeyFile::read(&file)?;
        let public_key =
            file.key().ok_or(hsm_core::unit::Refusal::AdministratorKey).map_err(hsm_core::Error::from)?;
        let new = Administrator { name: file.name, public_key };
        self.sign_and_submit(Kind::AddAdministrators, &Command::AddAdministrator(new), view)
    }

    /// A signature key for somebody who sits here; the file of its public half.
    fn make_key(&self) -> Result<Option<PathBuf>> {
        let Some(name) = ask("The administrator's name: ")?.filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let file: PathBuf = match ask(&format!("File for the secret key [{}.sigkey]: ", printable(&name)))? {
            None => return Ok(None),
            Some(given) if given.is_empty() => format!("{name}.sigkey").into(),
            Some(given) => given.into(),
        };
        let secret = keys::new_passphrase(&keys::passphrase(&ASKED, &file), false, self.output)?;
        let key = SignatureKey::generate()?;
        let mut beside = file.clone().into_os_string();
        beside.push(".pub");
        key.save(&file, &name, &secret)?;
        PublicKeyFile::new(&name, &key.public_key()).write(Path::new(&beside))?;
        Ok(Some(beside.into()))
    }

    /// Every part is made or opened here, or comes encrypted from its holder.
    fn load(&self, view: &View) -> Result<Course> {
        let mut parts = Vec::new();
        for number in 1..=self.plan.parts {
            let question = format!(
                "File of key part {number} of {} (nothing: one is made here; -: stop): ",
                self.plan.parts
            );
            let path: PathBuf = match ask(&question)?.as_deref() {
                None | Some("-") => return Ok(Course::Waits),
                Some("") => match self.make_part(number)? {
                    Some(path) => path,
                    None => return Ok(Course::Waits),
                },
                Some(path) => path.into(),
            };
            match self.sealed(&path, number, view)? {
                Some(part) => parts.push(part),
                None => return Ok(Course::Waits),
            }
        }
        let target = Unit::open(&self.hsm.unit_paths())?.target();
        let command = SignedCommand::new(&target, &Command::LoadNewMasterKey(parts))?;
        self.submit(&command)
    }

    fn make_part(&self, number: u8) -> Result<Option<PathBuf>> {
        let file: PathBuf = match ask(&format!("File for the key part [part-{number}.keypart]: "))? {
            None => return Ok(None),
            Some(given) if given.is_empty() => format!("part-{number}.keypart").into(),
            Some(given) => given.into(),
        };
        let secret = keys::new_passphrase(&keys::part_passphrase(&PART_ASKED, &file), false, self.output)?;
        KeyPart::generate(&format!("part {number}"))?.save(&file, &secret)?;
        Ok(Some(file))
    }

    /// The part, encrypted to the importer key and signed.
    fn sealed(&self, path: &Path, number: u8, view: &View) -> Result<Option<SignedPart>> {
        if let Ok(Carriage::Part(part)) = files::carriage(path) {
            return Ok(Some(*part));
        }
        let part = opened(
            path,
            |secret| KeyPart::load(path, secret),
            || keys::existing(&keys::part_passphrase(&PART_ASKED, path), false, self.output),
        )?;
        let unit = Unit::open(&self.hsm.unit_paths())?;
        let importer = unit.state().secured().and_then(|secured| secured.importer());
        let importer = importer.ok_or(hsm_core::unit::Refusal::ImporterKeyMissing);
        let envelope = part.seal_to(&importer.map_err(hsm_core::Error::from)?)?;
        let place = (number, self.plan.parts);
        let mut part = SignedPart::until(&unit.target(), place, envelope, unit::expiry(WEEK))?;
        let who = format!("Signature key file of whoever brings it ({}): ", view.names().join(", "));
        match self.key(&who)? {
            Some(key) => part.sign(&key)?,
            None => return Ok(None),
        }
        Ok(Some(part))
    }

    fn sign_and_submit(&self, kind: Kind, command: &Command, view: &View) -> Result<Course> {
        let target = Unit::open(&self.hsm.unit_paths())?.target();
        let mut signed = SignedCommand::until(&target, command, unit::expiry(WEEK))?;
        let said = describe::fields(&signed, Some(view))?;
        self.output.question(|page| page.fields(said));
        while let Some(count) = view.count(&signed).filter(|count| !count.is_enough()) {
            match self.key(&format!("{count}. Signature key file (nothing: signed elsewhere): "))? {
                Some(key) if signed.signers().contains(&key.ski()) => {
                    self.output.warning("that key has signed already");
                }
                Some(key) => signed.sign(&key)?,
                None => return self.send_round(kind, &signed),
            }
        }
        self.submit(&signed)
    }

    /// A command that others have to sign.
    fn send_round(&self, kind: Kind, command: &SignedCommand) -> Result<Course> {
        let path = Path::new(steps::file(kind));
        files::write_command(path, command)?;
        self.output.notice(&format!(
            "{path}: have it signed by `softhsm-rs unit sign {path}`, then `softhsm-rs unit submit {path}`",
            path = path.display()
        ));
        Ok(Course::Waits)
    }

    fn submit(&self, command: &SignedCommand) -> Result<Course> {
        let submitted = self.hsm.submit(command)?;
        let counter = command.target()?.counter;
        for path in [format!("reply-{counter}.json"), "reply.json".to_owned()] {
            files::write_statement(Path::new(&path), &submitted.reply)?;
        }
        let events = submitted.events;
        self.output.question(|page| page.fields(events.iter().flat_map(unit::submit::of_event)));
        Ok(Course::Goes)
    }

    /// The signature key in a file that is named, asked again where it does not open.
    fn key(&self, question: &str) -> Result<Option<SignatureKey>> {
        loop {
            let Some(path) = ask(question)?.filter(|path| !path.is_empty() && path != "-") else {
                return Ok(None);
            };
            let path = PathBuf::from(path);
            let key = opened(
                &path,
                |secret| SignatureKey::load(&path, secret),
                || keys::existing(&keys::passphrase(&ASKED, &path), false, self.output),
            );
            match key {
                Ok(key) => return Ok(Some(key)),
                Err(failure) => self.output.warning(&failure.message),
            }
        }
    }
}

/// Passphrases come from the environment, or are asked for.
const ASKED: KeyPassphrase = KeyPassphrase { passphrase_file: None, no_passphrase: false };
const PART_ASKED: PartPassphrase = PartPassphrase { part_passphrase_file: None, no_part_passphrase: false };

/// What a file has in it: without a passphrase if it has none, else with the one that is asked for.
fn opened<T>(
    path: &Path,
    open: impl Fn(&Secret) -> hsm_core::Result<T>,
    passphrase: impl FnOnce() -> Result<Secret>,
) -> Result<T> {
    if !path.exists() {
        let message = format!("{}: there is no such file", path.display());
        return Err(Failure::new(Outcome::NotFound, message));
    }
    match open(&Secret::zeroed(0)) {
        Ok(found) => Ok(found),
        Err(_) => Ok(open(&passphrase()?)?),
    }
}

/// A line from whoever sits here; `None` where nobody answers any more.
fn ask(question: &str) -> Result<Option<String>> {
    let mut terminal = anstream::stderr();
    let asked = write!(terminal, "{question}").and_then(|()| terminal.flush());
    let mut line = String::new();
    let read = asked.and_then(|()| std::io::stdin().read_line(&mut line));
    let read = read.map_err(|error| Failure::new(Outcome::Failed, error.to_string()))?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}
