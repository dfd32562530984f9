//! What a test starts from: its directory, the loaded module, and tokens ready for use.

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::module::Module;
use crate::raw;
use crate::session::Session;

/// Names the test's directory in its process's environment.
pub(crate) const DIRECTORY: &str = "HSM_TESTS_DIRECTORY";

/// The SO PIN of tokens that the kit makes.
pub const SO_PIN: &str = "12345678";
/// Their user PIN.
pub const PIN: &str = "1234567";
/// Their label.
pub const LABEL: &str = "token of the tests";

/// One test's process: its directory and the module.
pub struct Kit {
    /// The test's own directory; `tokens` in it is the token directory.
    pub directory: PathBuf,
    /// The module, loaded and not initialised.
    pub module: Module,
}

/// An initialised token with both PINs set, and its module initialised.
#[derive(Clone, Copy)]
pub struct Token<'m> {
    /// The module.
    pub module: &'m Module,
    /// The token's slot.
    pub slot: CK_SLOT_ID,
}

/// Writes the file that `SOFTHSM2_CONF` names, and the token directory that it names.
pub(crate) fn write_configuration(directory: &Path) {
    let tokens = directory.join("tokens");
    std::fs::create_dir(&tokens).expect("creating the token directory");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    std::fs::write(directory.join("softhsm2.conf"), text).expect("writing softhsm2.conf");
}

impl Kit {
    /// The kit of the test that this process was started for.
    pub(crate) fn from_environment() -> Kit {
        let directory = std::env::var_os(DIRECTORY).expect("the test's directory").into();
        Kit { directory, module: Module::load() }
    }

    /// Writes the configuration of the test's HSM, which the module reads when it is initialised.
    pub fn configure(&self, text: &str) {
        let file = self.directory.join("tokens").join("softhsm-rs.toml");
        std::fs::write(file, text).expect("writing the configuration");
    }

    /// The module, initialised for one thread.
    pub fn initialised(&self) -> &Module {
        self.module.initialize().expect("C_Initialize");
        &self.module
    }

    /// A fresh token.
    pub fn token(&self) -> Token<'_> {
        Token::make(self.initialised(), LABEL)
    }

    /// A fresh token in a module initialised for many threads.
    pub fn token_for_threads(&self) -> Token<'_> {
        self.module.initialize_for_threads().expect("C_Initialize");
        Token::make(&self.module, LABEL)
    }

    /// A read/write session of the user on a fresh token.
    pub fn user(&self) -> Session<'_> {
        self.token().user()
    }
}

impl<'m> Token<'m> {
    /// Initialises the token in the free slot and sets both PINs.
    pub fn make(module: &'m Module, label: &str) -> Token<'m> {
        module.init_token(module.free_slot(), SO_PIN, label).expect("C_InitToken");
        let slot = module.slot_of(label).expect("the new token's slot");
        let token = Token { module, slot };
        let so = token.so();
        so.init_pin(PIN).expect("C_InitPIN");
        so.close().expect("C_CloseSession");
        token
    }

    /// The token that [`Token::make`] made, found again, for instance by another process.
    pub fn find(module: &'m Module) -> Token<'m> {
        Token { module, slot: module.slot_of(LABEL).expect("the token's slot") }
    }

    /// A read/write session.
    pub fn rw(&self) -> Session<'m> {
        self.module.open_rw(self.slot).expect("C_OpenSession")
    }

    /// A read-only session.
    pub fn ro(&self) -> Session<'m> {
        self.module.open_ro(self.slot).expect("C_OpenSession")
    }

    /// A read/write session in which the user is logged in.
    pub fn user(&self) -> Session<'m> {
        let session = self.rw();
        session.login(CKU_USER, PIN).expect("C_Login of the user");
        session
    }

    /// A read/write session in which the SO is logged in.
    pub fn so(&self) -> Session<'m> {
        let session = self.rw();
        session.login(CKU_SO, SO_PIN).expect("C_Login of the SO");
        session
    }

    /// C_GetTokenInfo.
    pub fn info(&self) -> CK_TOKEN_INFO {
        self.module.token_info(self.slot).expect("C_GetTokenInfo")
    }

    /// The token's CKF flags.
    pub fn flags(&self) -> CK_FLAGS {
        self.info().flags
    }
}

/// A gate between two processes, made before the fork: one waits until the other opens it.
pub struct Gate {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Gate {
    /// A closed gate.
    #[expect(clippy::new_without_default, reason = "it takes two descriptors of the process")]
    pub fn new() -> Gate {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        Gate { reader, writer }
    }

    /// Lets one waiting process through.
    pub fn open(&self) {
        (&self.writer).write_all(b"!").expect("writing to a pipe");
    }

    /// Waits until another process opens the gate, for at most half a minute.
    pub fn wait(&self) {
        let limit = Timespec { tv_sec: 30, tv_nsec: 0 };
        let mut watched = [PollFd::new(&self.reader, PollFlags::IN)];
        let ready = poll(&mut watched, Some(&limit)).expect("polling a pipe");
        assert_eq!(ready, 1, "the other process did not open the gate");
        (&self.reader).read_exact(&mut [0]).expect("reading from a pipe");
    }
}

/// Tells threads to stop, also when the test fails: they run while it goes on.
#[derive(Default)]
pub struct Running(AtomicBool);

impl Running {
    /// Whether no [`Stop`] was dropped yet.
    pub fn goes_on(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    /// Ends it when dropped.
    pub fn stop_at_end(&self) -> Stop<'_> {
        Stop(self)
    }
}

/// Stops the threads of a [`Running`] when dropped.
pub struct Stop<'r>(&'r Running);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// A forked child.
#[must_use = "a child is waited for"]
pub struct Child(Pid);

impl Child {
    /// Forks; the child runs `body` and ends with success unless it panics.
    pub fn fork(body: impl FnOnce()) -> Child {
        Child(raw::fork(|| {
            body();
            0
        }))
    }

    /// Kills the child and waits for it.
    pub fn kill(self) {
        kill_process(self.0, Signal::KILL).expect("killing the child");
        waitpid(Some(self.0), WaitOptions::empty()).expect("waiting for the child");
    }

    /// Whether the child has ended; panics if it failed.
    pub fn ended(&self) -> bool {
        let ended = waitpid(Some(self.0), WaitOptions::NOHANG).expect("waiting for the child");
        let Some((_, status)) = ended else { return false };
        match (status.exit_status(), status.terminating_signal()) {
            (Some(0), _) => true,
            (Some(code), _) => panic!("the child failed with {code}; what it said is above"),
            (None, signal) => panic!("the child died of signal {signal:?}"),
        }
    }

    /// Waits until the child ends, for at most `limit`, and panics if it failed.
    pub fn succeeds_within(self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.ended() {
            if Instant::now() > deadline {
                self.kill();
                panic!("the child hung and was killed after {} s", limit.as_secs());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until the child ends, for at most half a minute, and panics if it failed.
    pub fn succeeds(self) {
        self.succeeds_within(Duration::from_secs(30));
    }
}
