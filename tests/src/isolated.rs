//! A process and a token directory for each test.
//!
//! A PKCS#11 module is configured by its process's environment and keeps its state there, so a test
//! declared with [`isolated!`](macro@crate::isolated) runs this same test executable once more, for that
//! test alone, with `SOFTHSM2_CONF` naming a fresh directory. What it writes is shown when it fails;
//! when it takes too long, it and what it started are killed.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::kit::{DIRECTORY, Kit, write_configuration};

/// Declares tests, each of which runs in a process of its own:
/// `isolated! { fn no_slot_has_number_zero(kit) { … } }`. `kit` is a [`&Kit`](crate::kit::Kit).
/// A time limit in seconds other than the default is written `fn name(kit, 300)`.
#[macro_export]
macro_rules! isolated {
    ($($(#[$meta:meta])* fn $name:ident($kit:ident $(, $seconds:expr)?) $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            fn body($kit: &$crate::kit::Kit) $body
            let limit = $crate::isolated::limit(&[$($seconds)?]);
            $crate::isolated::run(module_path!(), stringify!($name), limit, body);
        }
    )*};
}

/// Names the test that this process was started for.
const TEST: &str = "HSM_TESTS_ISOLATED";

/// The time limit of a test.
pub fn limit(seconds: &[u64]) -> Duration {
    Duration::from_secs(seconds.first().copied().unwrap_or(120))
}

/// Runs a test: in this process if it was started for it, else in one of its own.
pub fn run(module: &str, name: &str, limit: Duration, body: fn(&Kit)) {
    // The runner names tests without their crate.
    let path = module.split_once("::").map_or(name.to_string(), |(_, rest)| format!("{rest}::{name}"));
    if std::env::var(TEST).is_ok_and(|test| test == path) {
        return body(&Kit::from_environment());
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    write_configuration(directory.path());
    let output = directory.path().join("output");
    let mut child = start(&path, directory.path(), &output);
    let status = wait(&mut child, limit);
    let success = status.is_some_and(|status| status.success());
    let output = String::from_utf8_lossy(&fs::read(output).expect("the test's output")).into_owned();
    assert!(success, "{path}: {}\n{output}", describe(status, limit));
    assert!(output.contains("1 passed"), "{path} did not run:\n{output}");
}

fn start(path: &str, directory: &Path, output: &Path) -> Child {
    let log = File::create(output).expect("a file for the test's output");
    let executable = std::env::current_exe().expect("the path of this executable");
    Command::new(executable)
        .args(["--exact", path, "--nocapture", "--test-threads=1"])
        .env(TEST, path)
        .env(DIRECTORY, directory)
        .env("SOFTHSM2_CONF", directory.join("softhsm2.conf"))
        .env("HOME", directory)
        .env("TMPDIR", directory)
        .env_remove("SOFTHSM_RS_CONF")
        .env_remove("SOFTHSM_RS_HOME")
        .stdout(log.try_clone().expect("a second descriptor"))
        .stderr(log)
        // Its own group, so that a limit ends the processes that the test started as well.
        .process_group(0)
        .spawn()
        .expect("starting the test's process")
}

/// Waits for the child and ends what it left running; `None` if it had to be killed.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    let pid = Pid::from_child(child);
    // Not reaped yet, so that its number, which is its group's, stays its own until the group is dead.
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let in_time = loop {
        if waitid(WaitId::Pid(pid), ended).expect("waiting for the test's process").is_some() {
            break true;
        }
        if Instant::now() > deadline {
            break false;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    kill_process_group(pid, Signal::KILL).expect("killing the test's processes");
    let status = child.wait().expect("waiting for the test's process");
    in_time.then_some(status)
}

fn describe(status: Option<ExitStatus>, limit: Duration) -> String {
    match status {
        None => format!("killed after {} s", limit.as_secs()),
        Some(status) => match status.signal() {
            Some(signal) => format!("died of signal {signal}"),
            None => format!("failed ({status})"),
        },
    }
}
