//! `unlock` and `lock`: what people give opens the crypto unit, and a process holds its key for the others.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hsm_core::Error;
use hsm_core::hsm::Hsm;
use hsm_core::secret::Secret;
use hsm_core::unit::{
    Opening, Sealer, SealerKey, SealerKind, SealerShare, Unit, UnitHeader, UnitPaths, holder as held,
    holder::Forced,
};
use serde_json::json;

use crate::cli::{Given, SharePassphrase, Unlock};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::{Source, warn_of_readers};

mod holder;

/// What the process in the background says when it serves.
const READY: &str = "holding";

pub(super) fn run(hsm: &Hsm, options: &Unlock, output: Output) -> Result<()> {
    let paths = hsm.unit_paths();
    if options.hold {
        return hold_given(&paths, output);
    }
    if !hsm.exists() {
        return Err(Error::NoHsm(hsm.config().home.root.clone()).into());
    }
    if UnitHeader::read(&paths.unit)?.sealer == SealerKind::OwnerFile {
        let message = "the crypto unit is sealed by its owner's file, which opens it by itself";
        return Err(Failure::new(Outcome::Usage, message)
            .next("`softhsm-rs unit sealer set` seals it by a passphrase, key shares or a credential"));
    }
    if held::runs(&paths) {
        return already(&paths, options.foreground, output);
    }
    let opening = opening(&paths, &options.given, output)?;
    let unit = Unit::open_given(&paths, &opening)?;
    drop(opening);
    // A sealer that people open has one.
    let key = unit.sealer().key().cloned().ok_or(Error::CryptoFailed("the sealer's key"))?;
    drop(unit);
    if options.foreground {
        return holder::hold(&paths, key, &|| {
            holder::announce(output);
            note_beside(hsm);
        });
    }
    match start(hsm, &key) {
        Ok(process) => {
            hsm.note_unlocked();
            show(&paths, Some(process), true, output);
        }
        // Somebody else was faster.
        Err(_) if held::runs(&paths) => already(&paths, false, output)?,
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Writes into the audit log that the unit is unlocked, from a thread that asks this process for the key as everybody
/// does. Whoever serves does not wait for it.
fn note_beside(hsm: &Hsm) {
    let config = hsm.config().clone();
    let note = move || Hsm::for_door(config, "cli", Some("unlock".to_owned())).note_unlocked();
    if let Err(error) = std::thread::Builder::new().name("unlocked".into()).spawn(note) {
        log::error!("the audit log does not say that the unit was unlocked: {error}");
    }
}

/// Ends the process that holds the key.
pub(super) fn lock(hsm: &Hsm, force: bool, output: Output) -> Result<()> {
    if !hsm.exists() {
        return Err(Error::NoHsm(hsm.config().home.root.clone()).into());
    }
    let paths = hsm.unit_paths();
    let runs = held::runs(&paths);
    if runs {
        hsm.note_lock();
    }
    let ended = match force {
        true => held::end_by_force(&paths),
        false => held::end(&paths).map(|ended| if ended { Forced::Asked } else { Forced::None }),
    };
    if runs && ended.is_err() {
        hsm.note_not_locked();
    }
    let forced = ended?;
    match forced {
        Forced::None | Forced::Asked => {}
        Forced::Killed(process) => output.notice(&format!("process {process} did not answer and was killed")),
        Forced::Disowned => output.warning(
            "the holder's socket was removed; the process did not answer, still has the unit's key, and is not \
             known: look for `softhsm-rs unlock` among the processes, and kill it",
        ),
    }
    let ended = forced != Forced::None;
    if !ended && output.is_chatty() {
        output.notice("no process held the unit's key");
    }
    show(&paths, None, ended, output);
    Ok(())
}

/// Gives the key to a new process in the background. When this returns, it serves.
pub(super) fn start(hsm: &Hsm, key: &SealerKey) -> Result<u32> {
    let program = std::env::current_exe().map_err(Error::file("softhsm-rs"))?;
    let mut child = Command::new(program)
        .arg("--home")
        .arg(&hsm.config().home.root)
        .args(["unlock", "--hold"])
        // Neither secrets of the environment nor a directory are kept; the terminal it leaves by itself.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::file("softhsm-rs"))?;
    let given = child.stdin.take().map(|mut pipe| pipe.write_all(key.expose()));
    let mut said = String::new();
    if let (Some(Ok(())), Some(out)) = (given, child.stdout.take()) {
        // Where it ends instead, the line is empty.
        let _ = BufReader::new(out).read_line(&mut said);
    }
    if said.trim_end() == READY { Ok(child.id()) } else { Err(failed(child)) }
}

/// Why the process in the background did not come to serve.
fn failed(mut child: Child) -> Failure {
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        let _ = errors.read_to_string(&mut said);
    }
    let _ = child.wait();
    let said = said.trim().trim_start_matches("error:").trim();
    Failure::new(Outcome::Failed, format!("the process that is to hold the key did not start: {said}"))
}

/// The process in the background.
fn hold_given(paths: &UnitPaths, output: Output) -> Result<()> {
    held::leave_session();
    let key = input()
        .and_then(|mut input| SealerKey::read(&mut input))
        .map_err(|e| Failure::new(Outcome::Usage, format!("no key on standard input: {e}")))?;
    holder::hold(paths, key, &|| {
        output.line(|| READY.to_owned(), || READY.to_owned());
    })
}

fn already(paths: &UnitPaths, foreground: bool, output: Output) -> Result<()> {
    // One that has the key of a sealer before opens nothing.
    Unit::open(paths)?;
    if foreground {
        return Err(Failure::new(Outcome::Exists, "another process holds the unit's key already")
            .next("`softhsm-rs lock` ends it"));
    }
    if output.is_chatty() {
        output.notice("a process holds the unit's key already");
    }
    show(paths, None, false, output);
    Ok(())
}

fn show(paths: &UnitPaths, process: Option<u32>, changed: bool, output: Output) {
    let unlocked = held::runs(paths);
    let value = json!({ "unlocked": unlocked, "changed": changed, "process": process });
    output.result(&value, |page| {
        let state = if unlocked { "unlocked" } else { "locked" };
        let process = process.map(|number| ("held by process", number.to_string()));
        page.fields([("crypto unit", state.to_owned())].into_iter().chain(process));
    });
}

/// What opens the unit, as its sealer asks for it.
fn opening(paths: &UnitPaths, given: &Given, output: Output) -> Result<Opening> {
    match UnitHeader::read(&paths.unit)?.sealer {
        SealerKind::OwnerFile | SealerKind::Passphrase => {
            passphrase(given.passphrase_file.as_deref()).existing(output).map(Opening::Passphrase)
        }
        SealerKind::Shares => shares(paths, given, output).map(Opening::Shares),
        SealerKind::Credential => {
            let path = given.credential_file.as_ref().or(paths.credential.as_ref()).ok_or_else(|| {
                Failure::new(
                    Outcome::Usage,
                    "the unit's credential is needed, and this process was given none",
                )
                .next("have the service manager give it, or name its bytes with --credential-file")
            })?;
            credential(path, output).map(Opening::Credential)
        }
    }
}

fn shares(paths: &UnitPaths, given: &Given, output: Output) -> Result<Vec<SealerShare>> {
    if given.shares.is_empty() {
        let many = Sealer::shares_at(paths)?.map_or_else(String::new, |(k, n)| format!("{k} of the {n} "));
        return Err(Failure::new(Outcome::Usage, format!("{many}key shares are needed, and none was given"))
            .next("name each with --share FILE"));
    }
    let load = |path: &PathBuf| {
        let secret = share_passphrase(&given.share_passphrase, path, false, output)?;
        Ok(SealerShare::load(path, &secret)?)
    };
    given.shares.iter().map(load).collect()
}

/// Where the unit's passphrase comes from.
pub(super) fn passphrase(file: Option<&Path>) -> Source<'_> {
    Source {
        name: "passphrase of the crypto unit".into(),
        file,
        option: "--passphrase-file",
        variable: "SOFTHSM_RS_SEALER_PASSPHRASE",
    }
}

/// The passphrase of a share's file.
pub(super) fn share_passphrase(
    options: &SharePassphrase,
    share: &Path,
    is_new: bool,
    output: Output,
) -> Result<Secret> {
    let source = Source {
        name: format!("passphrase of {}", share.display()),
        file: options.share_passphrase_file.as_deref(),
        option: "--share-passphrase-file",
        variable: "SOFTHSM_RS_SHARE_PASSPHRASE",
    };
    match (options.no_share_passphrase, is_new) {
        (true, _) => Ok(Secret::zeroed(0)),
        (false, true) => source.new_secret(output),
        (false, false) => source.existing(output),
    }
}

/// Standard input without its buffer, which would keep a copy of a secret.
fn input() -> std::io::Result<std::fs::File> {
    std::io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

/// A credential's bytes, all of them.
pub(super) fn credential(path: &Path, output: Output) -> Result<Secret> {
    /// More than the core takes, so that it sees that there are too many.
    const LONGEST: usize = 4097;
    let file = if path == Path::new("-") { input() } else { std::fs::File::open(path) };
    let file = file.map_err(Error::file(path))?;
    warn_of_readers(&file, path, output);
    // With room left, since reading to the end makes more where there is none.
    let mut bytes = Vec::with_capacity(2 * LONGEST);
    let read = file.take(LONGEST as u64).read_to_end(&mut bytes);
    let bytes = Secret::new(bytes);
    read.map_err(Error::file(path))?;
    Ok(bytes)
}
