//! The master key changes again and again, by commands that are killed in the middle, while applications and clients
//! work with the keys. `HSM_TESTS_ROTATION` says how large the HSM is and how often a command is killed, as
//! `1000,100000,10`: partitions, keys in all, kills.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hsm_tests::home::cli;
use hsm_tests::keys::{self, aes_template};
use hsm_tests::kit::{LABEL, Running};
use hsm_tests::kmip::server::Server;
use hsm_tests::prelude::*;

/// How large the HSM is, and how often a command is killed.
#[derive(Clone, Copy)]
struct Size {
    partitions: usize,
    keys: usize,
    kills: usize,
}

impl Size {
    fn asked() -> Size {
        let text = std::env::var("HSM_TESTS_ROTATION").unwrap_or("20,400,4".into());
        let numbers: Vec<usize> =
            text.split(',').map(|number| number.parse().expect("three numbers")).collect();
        Size { partitions: numbers[0], keys: numbers[1], kills: numbers[2] }
    }

    fn keys_of_each(self) -> usize {
        self.keys / self.partitions
    }
}

/// The label of a partition beside the one in which everybody works.
fn label(number: usize) -> String {
    format!("partition {number}")
}

/// Makes the partitions and their keys.
fn fill(module: &Module, size: Size) {
    for number in 0..size.partitions {
        let session = Token::make(module, &label(number)).user();
        for key in 0..size.keys_of_each() {
            let template = aes_template(&[7; 32]).and(attrs![
                CKA_TOKEN => true, CKA_LABEL => format!("key {key}").as_str()
            ]);
            session.create(&template).expect("a key");
        }
        session.close().expect("C_CloseSession");
    }
}

/// Every partition has its keys, and they work.
fn assert_whole(module: &Module, size: Size) {
    for number in 0..size.partitions {
        let slot = module.slot_of(&label(number)).expect("a partition");
        let session = Token { module, slot }.user();
        let found = session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY]).expect("C_FindObjects");
        assert_eq!(found.len(), size.keys_of_each(), "partition {number}");
        if let Some(key) = found.first() {
            session.encrypt(&Mech::plain(CKM_AES_ECB), *key, &[1; 16]).expect("C_Encrypt");
        }
        session.close().expect("C_CloseSession");
    }
}

/// The administrators, both in one, and the HSM's command line.
struct People {
    home: PathBuf,
    work: PathBuf,
    keys: Vec<PathBuf>,
    random: u64,
}

impl People {
    fn of(kit: &Kit) -> People {
        let home = kit.directory.join("tokens");
        let work = kit.directory.join("people");
        std::fs::create_dir(&work).expect("a directory");
        let mut keys = Vec::new();
        find_keys(&home, &mut keys);
        assert_eq!(keys.len(), 2, "{keys:?}");
        People { home, work, keys, random: 1 }
    }

    fn run(&self, arguments: &[&str]) -> serde_json::Value {
        let done = self.command(arguments).output().expect("the command line");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = cli();
        command.arg("--home").arg(&self.home).args(arguments).arg("--json").current_dir(&self.work);
        command
    }

    fn unit(&self) -> serde_json::Value {
        self.run(&["unit", "show"])["unit"].clone()
    }

    fn sign(&self, file: &str) {
        for key in &self.keys {
            let key = key.to_str().expect("a path of text");
            self.run(&["unit", "sign", file, "--yes", "--no-passphrase", "--key", key]);
        }
    }

    fn prepare(&self, what: &[&str]) {
        let _ = std::fs::remove_file(self.work.join("command"));
        self.run(&[&["unit", "prepare"], what, &["--out", "command"]].concat());
        self.sign("command");
    }

    fn submit(&self) {
        self.run(&["unit", "submit", "command", "--yes"]);
    }

    /// Loads and commits a new master key; its verification pattern.
    fn commit(&self) -> String {
        for file in ["part", "sealed"] {
            let _ = std::fs::remove_file(self.work.join(file));
        }
        self.prepare(&["set-thresholds", "--allow", "single-part"]);
        self.submit();
        self.prepare(&["generate-importer"]);
        self.submit();
        let key = self.keys[0].to_str().expect("a path of text");
        self.run(&["unit", "part", "new", "part", "--name", "part", "--no-part-passphrase"]);
        let seal = ["unit", "part", "seal", "part", "--no-part-passphrase", "--key", key, "--no-passphrase"];
        self.run(&[&seal[..], &["--out", "sealed"]].concat());
        let _ = std::fs::remove_file(self.work.join("command"));
        self.run(&["unit", "prepare", "load", "sealed", "--out", "command"]);
        self.submit();
        let pattern =
            self.unit()["new_register"]["verification_pattern"].as_str().expect("a pattern").to_owned();
        self.prepare(&["commit", &pattern]);
        self.submit();
        pattern
    }

    /// Runs a command, and kills it after a while that is another one each time. Whether it was killed.
    fn run_killed(&mut self, arguments: &[&str], most: Duration) -> bool {
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mut child =
            self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a command");
        std::thread::sleep(most.mul_f64((self.random >> 40) as f64 / f64::from(1 << 24)));
        let ended = child.try_wait().expect("a child").is_some();
        // It may end at this very moment; then nothing was killed, which does no harm.
        let _ = child.kill();
        child.wait().expect("a child");
        !ended
    }

    /// A whole change of the master key, of which both steps are killed once; how many were.
    fn rotate(&mut self, size: Size) -> usize {
        let partitions = u64::try_from(size.partitions).expect("a number");
        let before = self.unit()["epoch"].as_u64();
        let pattern = self.commit();
        let mut kills = 0;
        kills +=
            usize::from(self.run_killed(&["unit", "mk-rotate"], Duration::from_millis(30 + 2 * partitions)));
        let rotated = self.run(&["unit", "mk-rotate"]);
        assert_eq!(rotated["rewrapped"]["total"], size.partitions + 1);
        self.prepare(&["set-immediate", &pattern]);
        let submit = ["unit", "submit", "command", "--yes"];
        kills += usize::from(self.run_killed(&submit, Duration::from_millis(30 + partitions)));
        if self.unit()["epoch"].as_u64() == before {
            self.submit();
        }
        assert_eq!(self.unit()["epoch"].as_u64(), before.map(|epoch| epoch + 1));
        assert_eq!(self.unit()["current_register"]["verification_pattern"], pattern.as_str());
        kills
    }
}

fn find_keys(directory: &Path, keys: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find_keys(&path, keys);
        } else if path.extension().is_some_and(|extension| extension == "sigkey") {
            keys.push(path);
        }
    }
}

/// Signs, and now and then makes an object and destroys it; how often.
fn work_with_module(token: Token<'_>, key: Object, running: &Running) -> usize {
    let session = token.rw();
    let mut calls = 0;
    while running.goes_on() {
        session.sign(&Mech::plain(CKM_ECDSA), key, &[3; 32]).expect("C_Sign");
        if calls % 8 == 0 {
            let template = aes_template(&[1; 16]).and(attrs![CKA_TOKEN => true, CKA_LABEL => "passing"]);
            let made = session.create(&template).expect("C_CreateObject");
            session.destroy(made).expect("C_DestroyObject");
        }
        calls += 1;
    }
    calls
}

/// Makes keys and reads them; how often.
fn work_with_server(server: &Server, running: &Running) -> usize {
    let mut client = server.client("first");
    let mut calls = 0;
    while running.goes_on() {
        let id = client.create_aes(&format!("kmip {calls}")).expect("a connection");
        assert_eq!(client.key(&id).expect("Get").len(), 32);
        calls += 1;
    }
    calls
}

/// Begins anew each time, with a login, as a short program does; how often.
fn work_with_processes(home: &Path, running: &Running) -> usize {
    let mut calls = 0;
    while running.goes_on() {
        let mut command = cli();
        command.arg("--home").arg(home).args(["key", "list", "--token", LABEL, "--json"]);
        let done = command.output().expect("the command line");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        calls += 1;
    }
    calls
}

isolated! {
    fn nobody_who_works_notices_that_the_master_key_changes(kit, 3600) {
        let size = Size::asked();
        let token = kit.token_for_threads();
        fill(token.module, size);
        let user = token.user();
        let key = keys::ec_with(&user, keys::P256, attrs![CKA_TOKEN => true]).private;
        let server = Server::start(kit);
        let mut people = People::of(kit);
        let (home, memory) = (people.home.clone(), server.memory());
        let running = Running::default();
        let calls: Vec<usize> = std::thread::scope(|scope| {
            let (running, server, home) = (&running, &server, &home);
            let stop = running.stop_at_end();
            let workers = [
                scope.spawn(move || work_with_module(token, key, running)),
                scope.spawn(move || work_with_module(token, key, running)),
                scope.spawn(move || work_with_server(server, running)),
                scope.spawn(move || work_with_processes(home, running)),
            ];
            let mut kills = 0;
            while kills < size.kills {
                kills += people.rotate(size);
            }
            drop(stop);
            workers.into_iter().map(|worker| worker.join().expect("a worker")).collect()
        });
        eprintln!("{} kills; calls {calls:?}; server {memory} KiB, then {} KiB", size.kills, server.memory());
        assert!(calls.iter().all(|calls| *calls > 0), "{calls:?}");
        assert!(server.memory() < memory + 32 * 1024, "the server grew from {memory} to {} KiB", server.memory());
        assert!(server.stop().success());
        assert_whole(token.module, size);
        people.run(&["audit", "verify"]);
    }
}
