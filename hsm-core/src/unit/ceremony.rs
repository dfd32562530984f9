//! The quick ceremony: the whole key ceremony, run by one machine in one go. Nothing is bypassed: two
//! administrators are made and installed, imprint mode is left with thresholds of 2, three key parts
//! are loaded under an importer key, committed and activated, each command signed and verified as if
//! people had done it. What it lacks is the people: until its files are handed out, this machine
//! holds the quorum alone, and [`one_machine_holds_quorum`] says so.
//!
//! What to do next is read from the unit's state and from which files are there, so a ceremony that
//! was interrupted goes on where it stopped. Key files are written before the unit learns of their
//! keys, and an existing one is used, never replaced.

use std::path::PathBuf;

use super::command::{Attributes, Command};
use super::disk::{self, Access, Lock, UnitPaths};
use super::identity::Ski;
use super::key_file;
use super::keys::SignatureKey;
use super::loaded::{Unit, UnitStatus};
use super::parts::{KeyPart, combined_pattern};
use super::quorum::{SignedCommand, SignedPart};
use super::refusal::Refusal;
use super::state::{ADMINISTRATORS_MAX, Administrator, CurrentRegister, NewRegister, Secured, UnitKind};
use crate::error::{Error, Result};
use crate::secret::Secret;

pub(crate) mod rotation;

/// Administrators that the quick ceremony makes, and both its thresholds.
const ADMINISTRATORS: u8 = 2;
/// Key parts that it makes.
const PARTS: u8 = 3;

/// Choices of whoever starts a ceremony.
#[derive(Debug, Default)]
pub struct Options {
    /// The number of a group whose members may use the unit; its key files stay the owner's.
    pub group: Option<u32>,
    /// What protects signature keys and key parts; none is the empty passphrase.
    pub passphrase: Option<Secret>,
}

/// A step that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What kind of step: a command's name from the table of commands, or what was made.
    pub name: &'static str,
    /// What was done, for people.
    pub text: String,
    /// Signatures given and needed, if the step was a command.
    pub signatures: Option<SignatureCount>,
}

/// Signatures of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignatureCount {
    /// Given.
    pub given: u8,
    /// Needed.
    pub needed: u8,
}

/// Runs the ceremony until the unit is active. Started twice at once, one does it and the other
/// finds it done. An active unit is left as it is.
///
/// # Errors
/// `UnitNotActive` if people began another ceremony on this unit or took the key files away;
/// `FileDamaged` if an existing key file does not open with the passphrase.
pub fn run(paths: &UnitPaths, options: &Options, progress: &mut dyn FnMut(Step)) -> Result<UnitStatus> {
    let access = options.group.map_or(Access::Owner, Access::Group);
    let passphrase = options.passphrase.as_ref().map_or_else(|| Secret::zeroed(0), Secret::duplicate);
    let lock = Lock::take(&paths.lock, access)?;
    let unit = match Unit::open_locked(paths, &lock) {
        Err(Error::NoHsm(_)) => {
            let unit = Unit::create_locked(paths, access, UnitKind::Operational, &lock)?;
            progress(made("make unit", format!("unit of HSM {}, in imprint mode", unit.state().hsm_id())));
            unit
        }
        unit => unit?,
    };
    let mut ceremony = Ceremony { unit, lock, passphrase, progress };
    while ceremony.advance()? {}
    Ok(ceremony.unit.status())
}

/// Whether this machine alone could do all that the quorum can: enough signature keys of the unit's
/// administrators and all key parts are still in the ceremony's place.
pub fn one_machine_holds_quorum(paths: &UnitPaths) -> Result<bool> {
    let unit = Unit::open(paths)?;
    let Some(secured) = unit.state().secured() else { return Ok(false) };
    let most = u8::try_from(ADMINISTRATORS_MAX).unwrap_or(u8::MAX);
    let held = (1..=most)
        .filter_map(|number| key_file::signature_key_ski(&signature_key_path(paths, number)).ok())
        .filter(|ski| unit.state().administrator(ski).is_some())
        .count();
    let parts = (1..=PARTS).all(|number| key_part_path(paths, number).exists());
    Ok(parts && held >= usize::from(secured.thresholds().signature))
}

/// Where the ceremony keeps an administrator's signature key; the first is 1.
pub fn signature_key_path(paths: &UnitPaths, number: u8) -> PathBuf {
    paths.ceremony_file(&format!("administrator-{number}.sigkey"))
}

/// Where the ceremony keeps a key part; the first is 1.
pub fn key_part_path(paths: &UnitPaths, number: u8) -> PathBuf {
    paths.ceremony_file(&format!("part-{number}.keypart"))
}

/// A ceremony under way.
struct Ceremony<'run> {
    unit: Unit,
    lock: Lock,
    passphrase: Secret,
    progress: &'run mut dyn FnMut(Step),
}

/// What the unit's state asks for next.
enum Next {
    /// Both administrators, and the end of imprint mode.
    Own,
    /// An importer key.
    MakeImporter,
    /// The parts.
    Load,
    /// The agreement on the key.
    Commit,
    /// The activation.
    Activate,
    /// Nothing.
    Done,
}

impl Ceremony<'_> {
    /// Does what comes next; false when the unit is active.
    fn advance(&mut self) -> Result<bool> {
        match next(&self.unit) {
            Next::Done => return Ok(false),
            Next::Own => self.own()?,
            Next::MakeImporter => self.make_importer()?,
            Next::Load => self.load()?,
            Next::Commit => self.commit()?,
            Next::Activate => self.activate()?,
        }
        Ok(true)
    }

    /// Installs the administrators and leaves imprint mode.
    fn own(&mut self) -> Result<()> {
        let missing =
            if self.unit.state().administrators().is_empty() { Missing::Make } else { Missing::Refuse };
        let keys = self.signature_keys(missing)?;
        let ours: Vec<Ski> = keys.iter().map(SignatureKey::ski).collect();
        if !self.unit.state().administrators().iter().all(|installed| ours.contains(&installed.ski())) {
            return Err(Error::UnitNotActive("people began its ceremony: they go on with it"));
        }
        for (key, number) in keys.iter().zip(1_u8..) {
            if self.unit.state().administrator(&key.ski()).is_some() {
                continue;
            }
            let name = administrator_name(number);
            let text = format!("{name} with key {}", key.ski());
            let new = Administrator { name, public_key: key.public_key() };
            self.command(&Command::AddAdministrator(new), &[], text)?;
        }
        let attributes = Attributes {
            signature_threshold: Some(ADMINISTRATORS),
            revocation_threshold: Some(ADMINISTRATORS),
            permissions: None,
        };
        let text = format!("both thresholds {ADMINISTRATORS}; the unit leaves imprint mode");
        self.command(&Command::SetAttributes(attributes), &keys, text)
    }

    fn make_importer(&mut self) -> Result<()> {
        let keys = self.signature_keys(Missing::Refuse)?;
        let text = "a key pair for the transport of key parts".to_owned();
        self.command(&Command::GenerateImporter, &keys, text)
    }

    /// Loads the parts, each signed by the first administrator.
    fn load(&mut self) -> Result<()> {
        let keys = self.signature_keys(Missing::Refuse)?;
        let signer = keys.first().ok_or(KEYS_MISSING)?;
        let parts = self.key_parts(Missing::Make)?;
        let importer = self.unit.state().secured().and_then(Secured::importer);
        let importer = importer.ok_or(Refusal::ImporterKeyMissing)?;
        let target = self.unit.target();
        let mut signed = Vec::new();
        for (part, number) in parts.iter().zip(1..) {
            let mut part = SignedPart::new(&target, number, PARTS, part.seal_to(&importer)?)?;
            part.sign(signer)?;
            signed.push(part);
        }
        let pattern = combined_pattern(&parts);
        let text = format!("{PARTS} key parts, verification pattern {pattern}");
        self.command(&Command::LoadNewMasterKey(signed), &[], text)
    }

    fn commit(&mut self) -> Result<()> {
        let keys = self.signature_keys(Missing::Refuse)?;
        let pattern = combined_pattern(&self.key_parts(Missing::Refuse)?);
        let text = format!("verification pattern {pattern}");
        self.command(&Command::Commit(pattern), &keys, text)
    }

    fn activate(&mut self) -> Result<()> {
        let keys = self.signature_keys(Missing::Refuse)?;
        let pattern = combined_pattern(&self.key_parts(Missing::Refuse)?);
        let text = "the master key is in use".to_owned();
        self.command(&Command::SetImmediate(pattern), &keys, text)
    }

    /// Signs a command with as many keys as it needs and submits it.
    fn command(&mut self, command: &Command, keys: &[SignatureKey], text: String) -> Result<()> {
        let (signed, step) = signed(&self.unit, command, keys, text)?;
        self.unit.submit_locked(&signed, &self.lock)?;
        (self.progress)(step);
        Ok(())
    }

    /// The administrators' keys from their files.
    fn signature_keys(&mut self, missing: Missing) -> Result<Vec<SignatureKey>> {
        let mut keys = Vec::new();
        for number in 1..=ADMINISTRATORS {
            let path = signature_key_path(self.unit.paths(), number);
            if missing.to_be_made(&path)? {
                disk::make_parent(&path, Access::Owner)?;
                SignatureKey::generate()?.save(&path, &administrator_name(number), &self.passphrase)?;
                (self.progress)(made("make signature key", path.display().to_string()));
            }
            keys.push(SignatureKey::load(&path, &self.passphrase)?);
        }
        Ok(keys)
    }

    /// The key parts from their files.
    fn key_parts(&mut self, missing: Missing) -> Result<Vec<KeyPart>> {
        let mut parts = Vec::new();
        for number in 1..=PARTS {
            let path = key_part_path(self.unit.paths(), number);
            if missing.to_be_made(&path)? {
                disk::make_parent(&path, Access::Owner)?;
                KeyPart::generate(&format!("part {number}"))?.save(&path, &self.passphrase)?;
                (self.progress)(made("make key part", path.display().to_string()));
            }
            parts.push(KeyPart::load(&path, &self.passphrase)?);
        }
        Ok(parts)
    }
}

/// What to do about a key file that is not there.
#[derive(Clone, Copy)]
enum Missing {
    /// Make it: nothing depends on it yet.
    Make,
    /// Stop: the unit knows its key, and another would not do.
    Refuse,
}

/// The unit goes on with the people who have its keys.
const KEYS_MISSING: Error =
    Error::UnitNotActive("its key files are not here: whoever holds them goes on with its ceremony");

impl Missing {
    fn to_be_made(self, path: &std::path::Path) -> Result<bool> {
        let there = path.try_exists().map_err(Error::file(path))?;
        match self {
            _ if there => Ok(false),
            Missing::Make => Ok(true),
            Missing::Refuse => Err(KEYS_MISSING),
        }
    }
}

fn next(unit: &Unit) -> Next {
    let Some(secured) = unit.state().secured() else { return Next::Own };
    match (secured.current_register(), secured.new_register()) {
        (CurrentRegister::Valid(_), _) => Next::Done,
        (CurrentRegister::Empty, NewRegister::Empty) if secured.importer().is_none() => Next::MakeImporter,
        (CurrentRegister::Empty, NewRegister::Empty) => Next::Load,
        (CurrentRegister::Empty, NewRegister::FullUncommitted(_)) => Next::Commit,
        (CurrentRegister::Empty, NewRegister::FullCommitted(_)) => Next::Activate,
    }
}

/// The command for this unit, signed with as many of the keys as it needs, and the step that it is.
pub(crate) fn signed(
    unit: &Unit,
    command: &Command,
    keys: &[SignatureKey],
    text: String,
) -> Result<(SignedCommand, Step)> {
    let needed = unit.state().signatures_needed(command)?;
    let mut signed = SignedCommand::new(&unit.target(), command)?;
    let mut given = match command {
        // Its signatures are on the parts.
        Command::LoadNewMasterKey(_) => needed,
        _ => 0,
    };
    for key in keys.iter().take(usize::from(needed)) {
        signed.sign(key)?;
        given += 1;
    }
    let signatures = Some(SignatureCount { given, needed });
    Ok((signed, Step { name: command.kind().row().name, text, signatures }))
}

fn administrator_name(number: u8) -> String {
    format!("administrator {number}")
}

fn made(name: &'static str, text: String) -> Step {
    Step { name, text, signatures: None }
}
