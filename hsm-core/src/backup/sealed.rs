//! How a backup is encrypted. A header, in clear: magic, format number, Argon2id's salt and cost, a value by which a
//! wrong passphrase is told from damage, and a hash of all that by which damage of the header is. Then chunks: their
//! length in four bytes, least significant first, and AES-256-GCM under the passphrase's key, whose nonce is the
//! chunk's number and whether it is the last one, and whose associated data is the header. So no chunk can be
//! changed, moved, repeated or left away.
//!
//! The key serves one file, since the salt is drawn for it; so numbers are fit for nonces.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Fault, Item};
use crate::error::Error;
use crate::rng;
use crate::secret::{Secret, Wiped};

const MAGIC: &[u8; 8] = b"SHSMBACK";
const FORMAT: u8 = 1;
/// The plaintext of a chunk, in bytes; the last may have less.
const CHUNK: usize = 1 << 16;
const TAG: usize = 16;
/// Argon2id of the passphrase: 64 MiB and three passes, RFC 9106's second recommendation with one lane.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// What a file may ask for: a changed one must not make a process allocate everything.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;

const SALT: usize = 16;
const CHECK: usize = 16;
const HASH: usize = 32;
/// Magic, format, salt, memory, passes, check.
const SIGNED: usize = 8 + 1 + SALT + 4 + 4 + CHECK;
const HEADER: usize = SIGNED + HASH;

/// The longest item, in bytes: no object comes near.
const LONGEST_ITEM: usize = 64 << 20;

/// What the passphrase gives: a key, and what tells a wrong passphrase.
struct Keys {
    key: Secret,
    check: [u8; CHECK],
}

fn keys(passphrase: &[u8], salt: &[u8; SALT], memory_kib: u32, passes: u32) -> Result<Keys, Error> {
    let failed = |_| Error::CryptoFailed("Argon2id");
    let params = Params::new(memory_kib, passes, 1, Some(32 + CHECK)).map_err(failed)?;
    let mut out = Secret::zeroed(32 + CHECK);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, out.expose_mut())
        .map_err(failed)?;
    let (key, check) = out.expose().split_at(32);
    let check = check.try_into().map_err(|_| Error::CryptoFailed("Argon2id"))?;
    Ok(Keys { key: Secret::copy_of(key), check })
}

/// Encrypts and decrypts the chunks of one file.
struct Chunks {
    cipher: Aes256Gcm,
    header: [u8; HEADER],
    number: u64,
}

impl Chunks {
    fn new(key: &Secret, header: [u8; HEADER]) -> Result<Chunks, Error> {
        let key: &[u8; 32] = key.expose().try_into().map_err(|_| Error::CryptoFailed("AES-GCM key"))?;
        Ok(Chunks { cipher: Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key)), header, number: 0 })
    }

    /// The next chunk's nonce.
    fn nonce(&mut self, last: bool) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0; 12];
        let (number, rest) = nonce.split_at_mut(8);
        number.copy_from_slice(&self.number.to_le_bytes());
        rest.fill(u8::from(last));
        self.number += 1;
        Nonce::from(nonce)
    }

    fn seal(&mut self, chunk: &mut [u8], last: bool) -> Result<[u8; TAG], Error> {
        let nonce = self.nonce(last);
        let tag = self.cipher.encrypt_inout_detached(&nonce, &self.header, chunk.into());
        tag.map(Into::into).map_err(|_| Error::CryptoFailed("AES-GCM"))
    }

    fn open(&mut self, chunk: &mut [u8], tag: &[u8; TAG], last: bool) -> bool {
        let nonce = self.nonce(last);
        self.cipher.decrypt_inout_detached(&nonce, &self.header, chunk.into(), &Tag::from(*tag)).is_ok()
    }
}

/// Writes a backup.
pub(crate) struct Sealer {
    path: PathBuf,
    file: BufWriter<File>,
    chunks: Chunks,
    chunk: Wiped<Vec<u8>>,
}

impl Sealer {
    /// Begins a file that is open and empty.
    pub(crate) fn new(path: &Path, file: File, passphrase: &[u8]) -> Result<Sealer, Fault> {
        if passphrase.len() < super::SHORTEST_PASSPHRASE {
            return Err(Fault::ShortPassphrase);
        }
        let salt: [u8; SALT] = rng::array()?;
        let keys = keys(passphrase, &salt, MEMORY_KIB, PASSES)?;
        let mut signed = Vec::with_capacity(HEADER);
        signed.extend_from_slice(MAGIC);
        signed.push(FORMAT);
        signed.extend_from_slice(&salt);
        signed.extend_from_slice(&MEMORY_KIB.to_le_bytes());
        signed.extend_from_slice(&PASSES.to_le_bytes());
        signed.extend_from_slice(&keys.check);
        signed.extend_from_slice(&Sha256::digest(&signed));
        let header: [u8; HEADER] = signed.try_into().map_err(|_| Error::CryptoFailed("a header"))?;
        let mut sealer = Sealer {
            path: path.to_owned(),
            file: BufWriter::new(file),
            chunks: Chunks::new(&keys.key, header)?,
            chunk: Wiped::new(Vec::with_capacity(CHUNK)),
        };
        sealer.write(&header)?;
        Ok(sealer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.file.write_all(bytes).map_err(|source| Fault::File { path: self.path.clone(), source })
    }

    /// Adds an item: its length in four bytes, least significant first, and its encoding.
    pub(crate) fn put(&mut self, item: &Item) -> Result<(), Fault> {
        let failed = || Error::CryptoFailed("an item did not encode");
        let bytes = Wiped::new(postcard::to_allocvec(item).map_err(|_| failed())?);
        let length = u32::try_from(bytes.len()).map_err(|_| failed())?;
        self.add(&length.to_le_bytes())?;
        self.add(&bytes)
    }

    fn add(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK {
                self.close_chunk(false)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn close_chunk(&mut self, last: bool) -> Result<(), Fault> {
        let tag = self.chunks.seal(&mut self.chunk, last)?;
        let length = u32::try_from(self.chunk.len() + TAG).unwrap_or(u32::MAX);
        let sealed = std::mem::replace(&mut self.chunk, Wiped::new(Vec::with_capacity(CHUNK)));
        self.write(&length.to_le_bytes())?;
        self.write(&sealed)?;
        self.write(&tag)
    }

    /// Ends the file, and brings it to the disk.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        self.close_chunk(true)?;
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|source| Fault::File { path: self.path.clone(), source })
    }
}

/// Reads a backup.
pub(crate) struct Opened {
    path: PathBuf,
    file: BufReader<File>,
    chunks: Chunks,
    chunk: Wiped<Vec<u8>>,
    /// How much of the chunk was read.
    taken: usize,
    was_last: bool,
}

impl Opened {
    /// Opens a file. The passphrase's key is derived once for each.
    pub(crate) fn new(path: &Path, passphrase: &[u8]) -> Result<Opened, Fault> {
        let failed = |source| Fault::File { path: path.to_owned(), source };
        let damaged = |detail| Fault::Damaged { path: path.to_owned(), detail };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut header = [0; HEADER];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && header.starts_with(MAGIC) => {
                return Err(damaged("it ends in its header"));
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(Fault::Foreign(path.to_owned()));
            }
            read => read.map_err(failed)?,
        }
        let (signed, hash) = header.split_at(SIGNED);
        let mut fields = Fields(signed);
        if fields.take() != Some(*MAGIC) {
            return Err(Fault::Foreign(path.to_owned()));
        }
        let wrong = || damaged("its header was changed");
        let [format] = fields.take().ok_or_else(wrong)?;
        if format > FORMAT {
            return Err(Fault::Newer { path: path.to_owned(), found: format, known: FORMAT });
        }
        if Sha256::digest(signed).as_slice() != hash || format != FORMAT {
            return Err(wrong());
        }
        let salt = fields.take().ok_or_else(wrong)?;
        let memory_kib = fields.take().map(u32::from_le_bytes).ok_or_else(wrong)?;
        let passes = fields.take().map(u32::from_le_bytes).ok_or_else(wrong)?;
        let check: [u8; CHECK] = fields.take().ok_or_else(wrong)?;
        if memory_kib > MOST_MEMORY_KIB || passes > MOST_PASSES {
            return Err(wrong());
        }
        let keys = keys(passphrase, &salt, memory_kib, passes)?;
        if !bool::from(keys.check.ct_eq(&check)) {
            return Err(Fault::WrongPassphrase(path.to_owned()));
        }
        Ok(Opened {
            path: path.to_owned(),
            file,
            chunks: Chunks::new(&keys.key, header)?,
            chunk: Wiped::new(Vec::new()),
            taken: 0,
            was_last: false,
        })
    }

    pub(crate) fn damaged(&self, detail: &'static str) -> Fault {
        Fault::Damaged { path: self.path.clone(), detail }
    }

    /// The next item; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Fault> {
        if self.taken == self.chunk.len() && self.was_last {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > LONGEST_ITEM {
            return Err(self.damaged("an item is too long"));
        }
        let mut bytes = Wiped::new(vec![0; length]);
        self.fill(&mut bytes)?;
        match postcard::from_bytes(&bytes) {
            Ok(item) => Ok(Some(item)),
            Err(_) => Err(self.damaged("an item cannot be read")),
        }
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<(), Fault> {
        let mut rest = out;
        while !rest.is_empty() {
            let ready = self.chunk.get(self.taken..).unwrap_or_default();
            if ready.is_empty() {
                if self.was_last {
                    return Err(self.damaged("it ends in the middle of an item"));
                }
                self.next_chunk()?;
                continue;
            }
            let count = ready.len().min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
            now.copy_from_slice(ready.get(..count).unwrap_or_default());
            self.taken += count;
            rest = later;
        }
        Ok(())
    }

    fn next_chunk(&mut self) -> Result<(), Fault> {
        let ends = |error: std::io::Error, path: &Path| match error.kind() {
            ErrorKind::UnexpectedEof => {
                Fault::Damaged { path: path.to_owned(), detail: "its end is missing" }
            }
            _ => Fault::File { path: path.to_owned(), source: error },
        };
        let mut length = [0; 4];
        self.file.read_exact(&mut length).map_err(|error| ends(error, &self.path))?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        let Some(length) = length.checked_sub(TAG).filter(|length| *length <= CHUNK) else {
            return Err(self.damaged("a chunk's length was changed"));
        };
        let mut chunk = Wiped::new(vec![0; length]);
        let mut tag = [0; TAG];
        self.file.read_exact(&mut chunk).map_err(|error| ends(error, &self.path))?;
        self.file.read_exact(&mut tag).map_err(|error| ends(error, &self.path))?;
        // Behind the last chunk nothing stands; the tag says whether that is true.
        let last = self.file.fill_buf().map_err(|error| ends(error, &self.path))?.is_empty();
        if !self.chunks.open(&mut chunk, &tag, last) {
            let detail = if last { "its end is missing, or was changed" } else { "it was changed" };
            return Err(self.damaged(detail));
        }
        (self.chunk, self.taken, self.was_last) = (chunk, 0, last);
        Ok(())
    }
}

/// The fields of a header, one after the other.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}
