//! The process that holds what people gave to open a unit, so that they need not be asked by every process: a
//! Unix socket in the home, over which the key goes to whoever may use the HSM. This is how it is asked, and
//! how its place is made; its life is the command line's (`softhsm-rs unlock`).
//!
//! A request is the magic `SHSMHOLD` and a letter; the answer the same magic and letter, or `N` for no, and
//! for `K` 32 bytes more. Nobody waits for a holder longer than five seconds.

use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, UCred};
use rustix::process::Signal;

use super::disk::{self, Access, Lock, UnitPaths};
use super::sealer_key::SealerKey;
use crate::error::{Error, Result};

pub(super) mod silence;

const MAGIC: [u8; 8] = *b"SHSMHOLD";

/// Length of a request, and of an answer's head, in bytes.
pub const HEAD: usize = 9;

/// How long a holder has to take a request and to answer it.
pub const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(5) };

/// Between two looks whether a busy holder takes a connection.
const PAUSE: Duration = Duration::from_millis(10);

/// The longest path that a socket's address takes, less what is put in front of it.
const ADDRESS_MAX: usize = 100;

/// What a holder is asked, and what it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// The key is asked for; it follows in the answer.
    Key,
    /// The holder is to end; it does.
    End,
    /// The peer may not have what it asked for.
    No,
}

impl Message {
    /// Its bytes.
    pub fn to_bytes(self) -> [u8; HEAD] {
        let letter = match self {
            Message::Key => b'K',
            Message::End => b'E',
            Message::No => b'N',
        };
        let mut bytes = [letter; HEAD];
        bytes.iter_mut().zip(MAGIC).for_each(|(byte, magic)| *byte = magic);
        bytes
    }

    /// The reverse of [`Message::to_bytes`].
    pub fn of_bytes(bytes: &[u8; HEAD]) -> Option<Message> {
        [Message::Key, Message::End, Message::No].into_iter().find(|message| message.to_bytes() == *bytes)
    }
}

/// The key that a holder has; `None` where there is no holder. One that did not answer in time is not asked again
/// by this process for two seconds, so that whoever calls again and again is not kept each time.
///
/// # Errors
/// `UnitSealed` if it does not give the key to this process, or does not answer in five seconds.
pub fn ask(paths: &UnitPaths) -> Result<Option<SealerKey>> {
    let path = &paths.holder;
    if silence::is_recent(path) {
        return Err(silent(path, None, &ErrorKind::TimedOut.into()));
    }
    let Some(mut answers) = Call::make(path, Message::Key)? else { return Ok(None) };
    SealerKey::read(&mut answers).map(Some).map_err(|error| silent(path, answers.holder, &error))
}

/// Has the holder end. Answers whether there was one.
///
/// # Errors
/// As [`ask`].
pub fn end(paths: &UnitPaths) -> Result<bool> {
    let Some(mut answers) = Call::make(&paths.holder, Message::End)? else { return Ok(false) };
    // It closes when the socket is gone.
    let holder = answers.holder;
    std::io::copy(&mut answers, &mut std::io::sink())
        .map_err(|error| silent(&paths.holder, holder, &error))?;
    Ok(true)
}

/// What [`end_by_force`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forced {
    /// There was no holder.
    None,
    /// It ended by itself, when it was asked.
    Asked,
    /// This process was killed.
    Killed(u32),
    /// Its socket is gone. Which process it is the system did not tell, since too many wait to be let in.
    Disowned,
}

/// Has the holder end, and one that does not answer killed, if it is a process of this user's.
///
/// # Errors
/// `UnitSealed` for a process of another user's; what keeps the socket from being removed.
pub fn end_by_force(paths: &UnitPaths) -> Result<Forced> {
    match end(paths) {
        Ok(true) => return Ok(Forced::Asked),
        Ok(false) => return Ok(Forced::None),
        Err(_) => {}
    }
    let path = &paths.holder;
    let hung = identity(path).map_err(Error::file(path))?;
    let forced = match connect(path, Instant::now()) {
        Ok(None) => Forced::None,
        Ok(Some(stream)) => kill(path, peer(&stream))?,
        Err(_) => Forced::Disowned,
    };
    // It is killed first: it may hold the lock.
    let _held = Lock::take(&paths.lock, Access::of(&paths.unit)?)?;
    if identity(path).is_ok_and(|found| found == hung) {
        fs::remove_file(path).map_err(Error::file(path))?;
    }
    Ok(forced)
}

fn kill(path: &Path, holder: Option<UCred>) -> Result<Forced> {
    let Some(holder) = holder else { return Ok(Forced::Disowned) };
    if holder.uid != rustix::process::geteuid() {
        return Err(Error::UnitSealed(format!(
            "the holder at {} is {}: that user ends it",
            path.display(),
            described(holder)
        )));
    }
    match rustix::process::kill_process(holder.pid, Signal::KILL) {
        Err(error) if error != Errno::SRCH => Err(Error::file(path)(error.into())),
        _ => Ok(Forced::Killed(holder.pid.as_raw_nonzero().get().unsigned_abs())),
    }
}

/// Who listens at the other end: the system tells, not the peer.
fn peer(stream: &UnixStream) -> Option<UCred> {
    rustix::net::sockopt::socket_peercred(stream).ok()
}

fn described(holder: UCred) -> String {
    format!("process {} of user {}", holder.pid.as_raw_nonzero(), holder.uid.as_raw())
}

/// Whether a holder serves.
pub fn runs(paths: &UnitPaths) -> bool {
    connect(&paths.holder, Instant::now()).is_ok_and(|stream| stream.is_some())
}

/// A request that was answered, and what follows the answer's head.
struct Call {
    stream: UnixStream,
    holder: Option<UCred>,
    deadline: Instant,
}

impl Call {
    fn make(path: &Path, message: Message) -> Result<Option<Call>> {
        let deadline = Instant::now() + PATIENCE;
        let Some(stream) = connect(path, deadline).map_err(|error| silent(path, None, &error))? else {
            return Ok(None);
        };
        let holder = peer(&stream);
        let failed = |error: std::io::Error| silent(path, holder, &error);
        let mut call = Call { stream, holder, deadline };
        // Nine bytes fit into a new socket. A library must not raise SIGPIPE in the program that it is in.
        rustix::net::send(&call.stream, &message.to_bytes(), SendFlags::NOSIGNAL)
            .map_err(|error| failed(error.into()))?;
        let mut head = [0; HEAD];
        call.read_exact(&mut head).map_err(failed)?;
        match Message::of_bytes(&head) {
            Some(answer) if answer == message => Ok(Some(call)),
            Some(Message::No) => Err(Error::UnitSealed(format!(
                "the holder at {} gives its key to the HSM's owner and group alone",
                path.display()
            ))),
            _ => Err(failed(ErrorKind::InvalidData.into())),
        }
    }
}

impl Read for Call {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

/// A connection; `None` where nobody listens.
fn connect(path: &Path, deadline: Instant) -> std::io::Result<Option<UnixStream>> {
    let (address, _directory) = match address(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        address => address?,
    };
    let address = SocketAddrUnix::new(&address)?;
    loop {
        // One that blocks would wait for ever where the holder hangs and too many wait already.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => {
                let stream = UnixStream::from(socket);
                stream.set_nonblocking(false)?;
                return Ok(Some(stream));
            }
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Err(Errno::AGAIN) => return Err(ErrorKind::TimedOut.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A path that fits into a socket's address, and the directory that has to stay open for it.
fn address(path: &Path) -> std::io::Result<(PathBuf, Option<File>)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if path.as_os_str().len() > ADDRESS_MAX => {
            let directory = File::open(parent)?;
            let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name);
            Ok((path, Some(directory)))
        }
        _ => Ok((path.to_owned(), None)),
    }
}

/// Says that a holder did not answer as one does, and remembers one that did not answer at all.
fn silent(path: &Path, holder: Option<UCred>, error: &std::io::Error) -> Error {
    if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) {
        silence::remember(path);
    }
    let why = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "does not answer".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData => "does not answer as a holder does".to_owned(),
        ErrorKind::PermissionDenied => "is not for this user".to_owned(),
        _ => format!("cannot be asked ({error})"),
    };
    let (place, who) = (path.display(), holder.map(|holder| format!(" ({})", described(holder))));
    Error::UnitSealed(format!(
        "the holder at {place}{} {why}: `softhsm-rs lock --force` and `softhsm-rs unlock` renew it",
        who.unwrap_or_default()
    ))
}

/// The place where a holder listens.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    lock: PathBuf,
    access: Access,
    /// Whose the HSM is.
    owner: u32,
    /// The socket's own number, by which it is known again.
    identity: (u64, u64),
}

impl Place {
    /// Makes the socket. What a killed holder left behind is replaced.
    ///
    /// # Errors
    /// `Locked` if a holder runs; what keeps the socket from being made.
    pub fn claim(paths: &UnitPaths) -> Result<(Place, UnixListener)> {
        let path = &paths.holder;
        let access = Access::of(&paths.unit)?;
        let owner = fs::metadata(&paths.unit).map_err(Error::file(&paths.unit))?.uid();
        let _held = Lock::take(&paths.lock, access)?;
        if runs(paths) {
            return Err(Error::Locked(path.clone()));
        }
        let (listener, identity) = bind(path, access, owner).map_err(Error::file(path))?;
        let (path, lock) = (path.clone(), paths.lock.clone());
        Ok((Place { path, lock, access, owner, identity }, listener))
    }

    /// Whether a peer of this user and group may have the key. Of a group's HSM everybody whom the system let
    /// connect, since the socket's mode lets its members alone: a peer's further groups are not told.
    pub fn admits(&self, user: u32, group: u32) -> bool {
        let ours = [0, self.owner, rustix::process::geteuid().as_raw()];
        match self.access {
            _ if ours.contains(&user) => true,
            Access::Owner => false,
            Access::Group(number) => group == number || self.is_for(number),
        }
    }

    /// Whether the socket still lets the owner and this group connect, and nobody else.
    fn is_for(&self, group: u32) -> bool {
        fs::metadata(&self.path).is_ok_and(|data| data.mode() & 0o007 == 0 && data.gid() == group)
    }

    /// Takes the socket away, if it is still this one.
    ///
    /// # Errors
    /// What keeps it from being removed.
    pub fn leave(self) -> Result<()> {
        let _held = Lock::take(&self.lock, self.access)?;
        match identity(&self.path) {
            Ok(found) if found == self.identity => {
                fs::remove_file(&self.path).map_err(Error::file(&self.path))
            }
            _ => Ok(()),
        }
    }
}

/// Leaves the session that this process was started in, and its terminal: neither the end of that session nor what is
/// typed there concerns it from now on. A process that leads its group already stays where it is.
pub fn leave_session() {
    if let Err(error) = rustix::process::setsid() {
        log::debug!("this process stays in its session: {error}");
    }
}

/// Keeps this process's memory out of core dumps, and out of other processes' reach by ptrace.
pub fn keep_memory_in() {
    let unreadable = rustix::process::DumpableBehavior::NotDumpable;
    // The key's own pages are left out of dumps anyway.
    let _best_effort = rustix::process::set_dumpable_behavior(unreadable);
}

/// Nobody finds the socket before it has its mode.
fn bind(path: &Path, access: Access, owner: u32) -> std::io::Result<(UnixListener, (u64, u64))> {
    let beside = disk::with_suffix(path, ".new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (address, _directory) = address(&beside)?;
    let listener = UnixListener::bind(address)?;
    let (mode, group) = match access {
        Access::Owner => (0o600, None),
        Access::Group(group) => (0o660, Some(group)),
    };
    let owner = (fs::metadata(&beside)?.uid() != owner).then_some(owner);
    // A member of the group may hold the key of an HSM that is another's; only the superuser gives files away.
    match chown(&beside, owner, group) {
        Err(error) if owner.is_some() && error.kind() == ErrorKind::PermissionDenied => {
            chown(&beside, None, group)?;
        }
        changed => changed?,
    }
    fs::set_permissions(&beside, Permissions::from_mode(mode))?;
    // Who connected before that was not let in by the mode.
    listener.set_nonblocking(true)?;
    while listener.accept().is_ok() {}
    let identity = identity(&beside)?;
    fs::rename(&beside, path)?;
    Ok((listener, identity))
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|data| (data.dev(), data.ino()))
}
