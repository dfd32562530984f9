//! Backups of tokens and their return. A backup is of one moment; what is restored comes in one transaction, after
//! all of the file was read and found whole.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use super::Hsm;
use crate::audit::acts;
use crate::backup::{End, Fault, Item, Opened, Origin, Sealer, TokenCopy};
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::partition::{copying, directory};
use crate::store::{PartitionId, RecordId};

/// A token in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Its label, without padding.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// How many records it has: objects, keys of the key management service with their earlier versions, …
    pub records: u64,
    token: [u8; 16],
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The identifier of the HSM that made it.
    pub hsm: String,
    /// When it was made, in seconds since 1970.
    pub made: i64,
    /// The version of the software that made it.
    pub version: String,
    /// Its tokens.
    pub tokens: Vec<Copied>,
}

/// How far a backup or a restore is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is done: `writing`, `checking` or `restoring`.
    pub what: &'static str,
    /// Records that were seen.
    pub done: u64,
    /// Records that there are.
    pub all: u64,
}

type Progress<'a> = &'a mut dyn FnMut(Step);

/// An outcome inside of a store's transaction, which knows the core's errors alone.
#[derive(Default)]
struct Inside(Option<Fault>);

impl Inside {
    /// Keeps what the transaction cannot say.
    fn pass<T>(&mut self, outcome: std::result::Result<T, Fault>) -> Result<T> {
        outcome.map_err(|fault| match fault {
            Fault::Hsm(error) => error,
            fault => {
                self.0 = Some(fault);
                Error::Conflict
            }
        })
    }

    /// What a transaction came to.
    fn outcome<T>(self, done: Result<T>) -> std::result::Result<T, Fault> {
        done.map_err(|error| self.0.unwrap_or(Fault::Hsm(error)))
    }
}

impl Hsm {
    /// Copies tokens to a new file. No PIN is asked for: the unit opens what the master key protects, and what stands
    /// under PINs stays under them.
    ///
    /// # Errors
    /// [`Fault::File`], also where the file is there already; [`Fault::ShortPassphrase`]; those of unit and store.
    /// No file is left then.
    pub fn back_up(
        &self,
        tokens: &[Arc<Partition>],
        path: &Path,
        passphrase: &[u8],
        progress: Progress<'_>,
    ) -> std::result::Result<Contents, Fault> {
        let failed = |source| Fault::File { path: path.to_owned(), source };
        let unit = self.unit_status()?;
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).to_owned();
        let file = options.open(path).map_err(failed)?;
        let written = Sealer::new(path, file, passphrase)
            .and_then(|sealer| self.write_backup(tokens, sealer, &unit.hsm_id.to_string(), progress))
            .and_then(|()| look_at_backup(path, passphrase, progress))
            .and_then(|contents| {
                for partition in tokens {
                    partition.note(acts::BACK_UP)?.write()?;
                }
                Ok(contents)
            });
        if written.is_err() {
            // The failure is what the caller hears of.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    fn write_backup(
        &self,
        tokens: &[Arc<Partition>],
        mut sealer: Sealer,
        hsm: &str,
        progress: Progress<'_>,
    ) -> std::result::Result<(), Fault> {
        self.refresh()?;
        let mut inside = Inside::default();
        let unit = self.active_unit()?;
        let done = self.store()?.read(&mut |reader| {
            let mut all = 0;
            for partition in tokens {
                all += copying::count(reader, &unit, partition.token())?;
            }
            let origin = Origin {
                hsm: hsm.to_owned(),
                made: now(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                records: all,
            };
            inside.pass(sealer.put(&Item::Origin(origin)))?;
            let mut end = End::default();
            for partition in tokens {
                copying::out(reader, &unit, partition.token(), &mut |item| {
                    count(&mut end, &item);
                    progress(Step { what: "writing", done: end.records, all });
                    inside.pass(sealer.put(&item))
                })?;
            }
            inside.pass(sealer.put(&Item::End(end)))
        });
        inside.outcome(done)?;
        sealer.finish()
    }

    /// Brings tokens of a backup back, all that `wanted` names or none. Their PINs, objects and policies are those of
    /// the backup, under this HSM's master key. With `replace` a token that is here goes for it.
    ///
    /// # Errors
    /// Those of [`look_at_backup`]; [`Fault::Present`] for a token that is here; [`Error::SessionExists`] while
    /// somebody uses one that is to be replaced; [`Fault::NoToken`] where nothing is wanted; those of unit and store.
    pub fn restore(
        &self,
        path: &Path,
        passphrase: &[u8],
        wanted: &dyn Fn(&Copied) -> bool,
        replace: bool,
        progress: Progress<'_>,
    ) -> std::result::Result<Vec<Copied>, Fault> {
        // Whether the HSM could take them is said before a large file is read.
        drop(self.active_unit()?);
        let mut contents = look_at_backup(path, passphrase, progress)?;
        contents.tokens.retain(wanted);
        if contents.tokens.is_empty() {
            return Err(Fault::NoToken(format!("{} holds no such token", path.display())));
        }
        let mut locks = Vec::new();
        for partition in self.partitions()? {
            let Some(same) = contents.tokens.iter().find(|copied| copied.token == partition.token().0) else {
                continue;
            };
            if !replace {
                let Copied { label, serial, .. } = same.clone();
                return Err(Fault::Present { label, serial });
            }
            locks.push(self.exclude_sessions(&partition)?);
        }
        let all = contents.tokens.iter().map(|copied| copied.records).sum();
        let mut inside = Inside::default();
        let done = self.change_directory(&mut |writer, unit| {
            let mut backup = inside.pass(Opened::new(path, passphrase))?;
            let (mut space, mut done) = (None, 0);
            while let Some(item) = inside.pass(backup.next())? {
                match item {
                    Item::Token(copy) => {
                        let is_wanted = contents.tokens.iter().any(|copied| copied.token == copy.token);
                        space = is_wanted.then_some(PartitionId(copy.space));
                        if is_wanted {
                            // Somebody may have restored it since it was looked for.
                            if !replace && directory::lists(writer, unit, RecordId(copy.token))? {
                                return inside.pass(Err(present(&copy)));
                            }
                            let note = self.note(acts::RESTORE, &label_of(&copy))?;
                            copying::begin(self, writer, unit, &copy, &note)?;
                        }
                    }
                    item => {
                        let Some(space) = space else { continue };
                        if matches!(item, Item::Record { .. }) {
                            done += 1;
                            progress(Step { what: "restoring", done, all });
                        }
                        copying::put(writer, space, item)?;
                    }
                }
            }
            Ok(())
        });
        inside.outcome(done)?;
        drop(locks);
        self.refresh()?;
        Ok(contents.tokens)
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

fn label_of(copy: &TokenCopy) -> String {
    String::from_utf8_lossy(&copy.label).trim_end_matches([' ', '\0']).to_owned()
}

fn present(copy: &TokenCopy) -> Fault {
    Fault::Present { label: label_of(copy), serial: String::from_utf8_lossy(&copy.serial).into_owned() }
}

fn count(end: &mut End, item: &Item) {
    match item {
        Item::Token(_) => end.tokens += 1,
        Item::Record { .. } => end.records += 1,
        Item::Entry { .. } => end.entries += 1,
        Item::Origin(_) | Item::End(_) => {}
    }
}

/// Reads a backup to its end: what it holds. Nothing of it is used that was not found whole.
///
/// # Errors
/// [`Fault::Foreign`], [`Fault::Newer`], [`Fault::WrongPassphrase`], [`Fault::Damaged`], [`Fault::File`].
pub fn look_at_backup(
    path: &Path,
    passphrase: &[u8],
    progress: Progress<'_>,
) -> std::result::Result<Contents, Fault> {
    let mut backup = Opened::new(path, passphrase)?;
    let Some(Item::Origin(origin)) = backup.next()? else {
        return Err(backup.damaged("it does not begin as backups do"));
    };
    let mut tokens: Vec<Copied> = Vec::new();
    let mut counted = End::default();
    loop {
        let item = backup.next()?;
        if let Some(item) = &item {
            count(&mut counted, item);
        }
        match item {
            Some(Item::Token(copy)) => tokens.push(Copied {
                label: label_of(&copy),
                serial: String::from_utf8_lossy(&copy.serial).into_owned(),
                records: 0,
                token: copy.token,
            }),
            Some(Item::Record { .. }) => {
                let Some(token) = tokens.last_mut() else {
                    return Err(backup.damaged("a record belongs to no token"));
                };
                token.records += 1;
                progress(Step { what: "checking", done: counted.records, all: origin.records });
            }
            Some(Item::Entry { .. }) if !tokens.is_empty() => {}
            Some(Item::End(end)) if end == counted && backup.next()?.is_none() => break,
            Some(Item::End(_) | Item::Entry { .. } | Item::Origin(_)) | None => {
                return Err(backup.damaged("what it counts is not what it has"));
            }
        }
    }
    let Origin { hsm, made, version, .. } = origin;
    Ok(Contents { hsm, made, version, tokens })
}
