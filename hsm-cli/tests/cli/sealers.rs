//! What seals the crypto unit, and the process that holds its key: `unit sealer`, `unlock`, `lock`.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::{Desk, Done, PIN, SO_PIN};
use crate::serve::Server;

const SEALED: i32 = 7;
const DAMAGED: i32 = 8;
const PASSPHRASE: &str = "correct horse";

/// A desk whose holder, if one runs, is ended with it.
struct Sealed(Desk);

impl Drop for Sealed {
    fn drop(&mut self) {
        self.0.run(&["lock"]);
    }
}

impl Sealed {
    fn by_passphrase() -> Sealed {
        let sealed = Sealed(Desk::with_token());
        sealed.with(PASSPHRASE, &["unit", "sealer", "set", "passphrase"]).succeeds();
        sealed
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.0.run(arguments)
    }

    /// The same with a passphrase of the unit in the environment.
    fn with(&self, passphrase: &str, arguments: &[&str]) -> Done {
        let mut command = self.0.bare(arguments);
        command.env("SOFTHSM_RS_SEALER_PASSPHRASE", passphrase).env("SOFTHSM_RS_PIN", PIN);
        Done::of(command.env("SOFTHSM_RS_SO_PIN", SO_PIN))
    }

    /// Unlocks by the passphrase; the holder's process.
    fn unlock(&self) -> String {
        let done = self.with(PASSPHRASE, &["unlock", "--json"]).succeeds();
        let value: Value = serde_json::from_str(&done.out).expect("JSON");
        assert_eq!(value["unlocked"], true, "{value}");
        value["process"].as_u64().expect("a process").to_string()
    }

    fn socket(&self) -> PathBuf {
        self.0.home().join("softhsm-rs.holder")
    }

    fn is_open(&self) {
        self.run(&["key", "list"]).succeeds();
    }

    fn is_sealed(&self) -> Done {
        self.run(&["key", "list"]).fails(SEALED, "the crypto unit is sealed")
    }

    fn path(&self, name: &str) -> String {
        self.0.0.path().join(name).display().to_string()
    }
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([name, process]).status().expect("kill").success());
}

/// Waits for what another process does.
fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_passphrase_opens_the_unit_until_it_is_locked() {
    let sealed = Sealed::by_passphrase();
    assert!(sealed.is_sealed().err.contains("run `softhsm-rs unlock`"));
    sealed.run(&["status"]).fails(SEALED, "softhsm-rs unlock");
    sealed.run(&["unlock"]).fails(2, "SOFTHSM_RS_SEALER_PASSPHRASE");
    sealed.with("wrong horse", &["unlock"]).fails(SEALED, "the passphrase is wrong");
    assert!(!sealed.socket().exists());
    sealed.unlock();
    sealed.is_open();
    sealed.run(&["key", "generate", "--type", "ec:p256", "--label", "k"]).succeeds();
    sealed.run(&["lock"]).succeeds();
    assert!(!sealed.socket().exists());
    sealed.is_sealed();
    let file = sealed.0.file("passphrase", "correct horse\n");
    sealed.run(&["unlock", "--passphrase-file", &file]).succeeds();
    sealed.is_open();
}

#[test]
fn unlocked_or_locked_twice_is_the_same_as_once() {
    let sealed = Sealed::by_passphrase();
    let process = sealed.unlock();
    // Asks for nothing.
    let again = sealed.run(&["unlock"]).succeeds();
    assert!(again.err.contains("holds the unit's key already"), "{}", again.err);
    sealed.run(&["unlock", "--foreground"]).fails(10, "holds the unit's key already");
    sealed.is_open();
    assert_eq!(sealed.0.json(&["lock"])["changed"], true);
    assert_eq!(sealed.0.json(&["lock"])["changed"], false);
    until("the holder ended", || !PathBuf::from(format!("/proc/{process}/fd")).exists() || zombie(&process));
    sealed.is_sealed();
}

fn zombie(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn the_owners_file_needs_no_unlocking() {
    let sealed = Sealed(Desk::with_hsm());
    sealed.run(&["unlock"]).fails(2, "opens it by itself");
    sealed.run(&["lock"]).succeeds();
    assert_eq!(sealed.0.json(&["unit", "sealer", "show"])["sealer"], "owner-file");
    let none = Desk::empty();
    none.run(&["unlock"]).fails(3, "softhsm-rs init");
    none.run(&["lock"]).fails(3, "softhsm-rs init");
}

#[test]
fn key_shares_open_the_unit_and_a_wrong_one_is_named() {
    let sealed = Sealed(Desk::with_token());
    let files = ["alice", "bob", "carol"].map(|name| sealed.path(name));
    let [alice, bob, carol] = files.each_ref().map(String::as_str);
    let set = ["unit", "sealer", "set", "shares", "--needed", "2"];
    let dealt = |files: &[&str]| {
        let phrases = sealed.0.file("phrases", "one\ntwo\nthree\n");
        let mut command = sealed.0.bare(&[&set, files, &["--share-passphrase-file", "-"]].concat());
        Done::of(command.stdin(fs::File::open(phrases).expect("a file")))
    };
    sealed
        .run(&[&set[..5], &["4", alice, bob, carol, "--no-share-passphrase"]].concat())
        .fails(1, "go together");
    dealt(&[alice, bob, carol]).succeeds();
    sealed.is_sealed();
    assert_eq!(sealed.0.json(&["unit", "sealer", "shares", alice, carol])[1]["share"]["number"], 3);
    assert_eq!(sealed.0.json(&["unit", "sealer", "show"])["shares_needed"], 2);
    assert_eq!(fs::metadata(alice).expect("a share").mode() & 0o777, 0o600);

    let unlock = |phrase: &str, shares: &[&str]| {
        let shares: Vec<&str> = shares.iter().flat_map(|share| ["--share", share]).collect();
        let mut command = sealed.0.bare(&[&["unlock"], &shares[..]].concat());
        Done::of(command.env("SOFTHSM_RS_SHARE_PASSPHRASE", phrase))
    };
    sealed.run(&["unlock"]).fails(2, "2 of the 3 key shares are needed");
    unlock("two", &[bob]).fails(SEALED, "2 shares are needed, and 1 were given");
    unlock("two", &[bob, bob]).fails(SEALED, "share 2 was given twice");
    unlock("two", &[bob, carol]).fails(DAMAGED, "carol: the passphrase is wrong");
    // One of another set, which is never used: its files are made, and the unit is sealed anew.
    let phrases = sealed.0.file("two", "two\nthree\n");
    let with_phrases = |arguments: &[&str]| {
        let mut command = sealed.0.bare(arguments);
        Done::of(command.stdin(fs::File::open(&phrases).expect("a file")))
    };
    let right = ["unlock", "--share", bob, "--share", carol, "--share-passphrase-file", "-"];
    with_phrases(&right).succeeds();
    sealed.is_open();

    let other = Desk::with_hsm();
    let foreign = other.0.path().join("foreign").display().to_string();
    let spare = other.0.path().join("spare").display().to_string();
    other.run(&[&set[..], &[&foreign, &spare, "--no-share-passphrase"]].concat()).succeeds();
    sealed.run(&["lock"]).succeeds();
    unlock_bare(&sealed, &[&foreign, &spare]).fails(DAMAGED, "foreign: it is a share of another HSM");
    let text = fs::read_to_string(bob).expect("a share");
    let altered = sealed.0.file("altered", &text.replace("\"number\":2", "\"number\":1"));
    unlock("two", &[&altered]).fails(DAMAGED, "altered: it was altered");
    // Nothing is overwritten.
    with_phrases(&right).succeeds();
    dealt(&[alice, bob]).fails(10, "exists already");
    sealed.is_open();
}

fn unlock_bare(sealed: &Sealed, shares: &[&str]) -> Done {
    let shares: Vec<&str> = shares.iter().flat_map(|share| ["--share", share]).collect();
    sealed.run(&[&["unlock", "--no-share-passphrase"], &shares[..]].concat())
}

#[test]
fn a_credential_opens_the_unit_for_whom_the_service_manager_gives_it() {
    let sealed = Sealed(Desk::with_token());
    let bytes = sealed.0.file("credential", &"7".repeat(32));
    let short = sealed.0.file("short", &"7".repeat(31));
    let set = ["unit", "sealer", "set", "credential", "--credential-file"];
    sealed.run(&[&set[..], &[&short]].concat()).fails(SEALED, "32 to 4096 bytes");
    sealed.is_open();
    sealed.run(&[&set[..], &[&bytes]].concat()).succeeds();
    assert!(sealed.is_sealed().err.contains("LoadCredentialEncrypted="));
    let directory = sealed.0.0.path().join("credentials");
    fs::create_dir(&directory).expect("a directory");
    fs::copy(&bytes, directory.join("softhsm-rs.sealer")).expect("a credential");
    let given = |arguments: &[&str]| {
        let mut command = sealed.0.bare(arguments);
        Done::of(command.env("CREDENTIALS_DIRECTORY", &directory).env("SOFTHSM_RS_PIN", PIN))
    };
    given(&["key", "list"]).succeeds();
    // A holder has it for programs that the service manager gives nothing.
    sealed.run(&["unlock"]).fails(2, "given none");
    given(&["unlock"]).succeeds();
    sealed.is_open();
    sealed.run(&["lock"]).succeeds();
    let mut from_input = sealed.0.bare(&["unlock", "--credential-file", "-"]);
    Done::of(from_input.stdin(fs::File::open(&bytes).expect("a file"))).succeeds();
    sealed.is_open();
    fs::write(directory.join("softhsm-rs.sealer"), "8".repeat(32)).expect("another credential");
    given(&["key", "list"]).fails(SEALED, "the credential is another one");
}

#[test]
fn a_holder_that_was_killed_or_hangs_is_told_from_one_that_serves() {
    let sealed = Sealed::by_passphrase();
    let process = sealed.unlock();
    signal("-STOP", &process);
    let begun = Instant::now();
    let said = sealed.is_sealed().err;
    assert!(said.contains("does not answer"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    signal("-CONT", &process);
    sealed.is_open();
    signal("-KILL", &process);
    until("the holder is dead", || zombie(&process) || !PathBuf::from(format!("/proc/{process}")).exists());
    assert!(sealed.socket().exists(), "a killed process takes nothing away");
    assert!(sealed.is_sealed().err.contains("run `softhsm-rs unlock`"));
    sealed.unlock();
    sealed.is_open();
}

#[test]
fn a_holder_that_hangs_is_named_and_ended_by_force() {
    let sealed = Sealed::by_passphrase();
    let process = sealed.unlock();
    signal("-STOP", &process);
    let named = format!("(process {process} of user");
    let done = sealed.run(&["lock"]).fails(SEALED, "does not answer");
    assert!(done.err.contains(&named) && done.err.contains("softhsm-rs lock --force"), "{}", done.err);
    let done = sealed.run(&["lock", "--force"]).succeeds();
    assert!(done.err.contains(&format!("process {process} did not answer and was killed")), "{}", done.err);
    until("it is dead", || zombie(&process) || !PathBuf::from(format!("/proc/{process}")).exists());
    assert!(!sealed.socket().exists());
    sealed.unlock();
    sealed.is_open();
    // One that answers is asked.
    let done = sealed.run(&["lock", "--force"]).succeeds();
    assert!(!done.err.contains("killed"), "{}", done.err);
    assert_eq!(sealed.0.json(&["lock", "--force"])["changed"], false);
    sealed.is_sealed();
}

#[test]
fn the_holder_keeps_no_session_and_no_terminal() {
    let sealed = Sealed::by_passphrase();
    let process = sealed.unlock();
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process");
    // Behind the name: state, parent, group, session, terminal.
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    assert_eq!(fields[2..5], [&process, &process, "0"], "{stat}");
}

#[test]
fn in_the_foreground_it_holds_until_a_signal() {
    let sealed = Sealed::by_passphrase();
    for name in ["TERM", "INT"] {
        let mut command = sealed.0.bare(&["unlock", "--foreground"]);
        command.env("SOFTHSM_RS_SEALER_PASSPHRASE", PASSPHRASE);
        let mut holder = Server::of(command.stdout(Stdio::null()));
        holder.says("holding the key");
        sealed.is_open();
        holder.signal(name);
        assert_eq!(holder.ends().0, Some(0));
        assert!(!sealed.socket().exists());
        sealed.is_sealed();
    }
}

#[test]
fn the_key_goes_to_nobody_but_the_owner_and_the_group() {
    let sealed = Sealed::by_passphrase();
    sealed.unlock();
    let data = fs::metadata(sealed.socket()).expect("the socket");
    assert!(data.file_type().is_socket());
    assert_eq!(data.mode() & 0o777, 0o600);
    if data.uid() == 0 {
        // The superuser's tests can become somebody else, whom modes alone would let in.
        let program = sealed.path("softhsm-rs");
        fs::copy(env!("CARGO_BIN_EXE_softhsm-rs"), &program).expect("a copy of the program");
        let open = |path: PathBuf, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        };
        open(sealed.0.0.path().into(), 0o755);
        open(sealed.0.home(), 0o777);
        for entry in fs::read_dir(sealed.0.home()).expect("the home") {
            let path = entry.expect("an entry").path();
            open(path.clone(), if path.is_dir() { 0o777 } else { 0o666 });
        }
        let stranger = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.args(arguments).env_clear().env("SOFTHSM_RS_HOME", sealed.0.home());
            Done::of(command.stdin(Stdio::null()).uid(65534).gid(65534))
        };
        for command in [&["status"][..], &["lock"]] {
            stranger(command).fails(SEALED, "gives its key to the HSM's owner and group alone");
        }
    }
    sealed.is_open();
}

#[test]
fn a_groups_socket_is_the_groups() {
    let sealed = Sealed(Desk::empty());
    let group = fs::metadata(sealed.0.0.path()).expect("the directory").gid();
    sealed.run(&["init", "--group", &group.to_string()]).succeeds();
    sealed.with(PASSPHRASE, &["unit", "sealer", "set", "passphrase"]).succeeds();
    sealed.unlock();
    for name in ["softhsm-rs.holder", "softhsm-rs.sealer", "softhsm-rs.unit"] {
        let data = fs::metadata(sealed.0.home().join(name)).expect("a file of the home");
        assert_eq!((data.mode() & 0o777, data.gid()), (0o660, group), "{name}");
    }
}

#[test]
fn a_sealer_is_changed_while_the_unit_is_open_and_not_otherwise() {
    let sealed = Sealed::by_passphrase();
    sealed.with("another horse", &["unit", "sealer", "set", "passphrase"]).fails(SEALED, "softhsm-rs unlock");
    sealed.unlock();
    sealed.with("short", &["unit", "sealer", "set", "passphrase"]).fails(1, "at least 8 bytes");
    // What was open stays open, by another process that has the new key.
    sealed.with("another horse", &["unit", "sealer", "set", "passphrase"]).succeeds();
    sealed.is_open();
    sealed.run(&["lock"]).succeeds();
    sealed.with(PASSPHRASE, &["unlock"]).fails(SEALED, "the passphrase is wrong");
    sealed.with("another horse", &["unlock"]).succeeds();
    sealed.run(&["unit", "sealer", "set", "owner-file"]).succeeds();
    assert!(!sealed.socket().exists());
    sealed.is_open();
    let shown = sealed.0.json(&["unit", "sealer", "show"]);
    assert_eq!((&shown["sealer"], &shown["open"]), (&"owner-file".into(), &true.into()));
    let log = sealed.run(&["audit", "show", "--json"]).succeeds().out;
    assert_eq!(log.matches("unit.set-sealer").count(), 3, "{log}");
    sealed.run(&["audit", "verify"]).succeeds();
}

#[test]
fn a_ceremony_may_begin_under_a_passphrase() {
    let sealed = Sealed(Desk::empty());
    sealed.run(&["unit", "create"]).succeeds();
    sealed.with(PASSPHRASE, &["unit", "sealer", "set", "passphrase"]).succeeds();
    sealed.run(&["init"]).fails(SEALED, "softhsm-rs unlock");
    sealed.unlock();
    sealed.run(&["init"]).succeeds();
    sealed.run(&["token", "init", "web"]).succeeds();
    sealed.run(&["lock"]).succeeds();
    sealed.is_sealed();
}

#[test]
fn a_zeroized_units_passphrase_opens_no_copy_of_before() {
    let sealed = Sealed::by_passphrase();
    let unit = sealed.0.home().join("softhsm-rs.unit");
    let before = fs::read(&unit).expect("the unit file");
    sealed.unlock();
    let command = sealed.path("command");
    let key = sealed.0.home().join("ceremony/administrator-1.sigkey").display().to_string();
    sealed.run(&["unit", "prepare", "zeroize", "--out", &command]).succeeds();
    sealed.run(&["unit", "sign", &command, "--yes", "--no-passphrase", "--key", &key]).succeeds();
    sealed.run(&["unit", "submit", &command, "--yes"]).succeeds();
    // The holder's key opens what is there now, and the passphrase does.
    assert_eq!(sealed.0.json(&["unit", "show"])["unit"]["ownership"], "imprint mode");
    sealed.run(&["lock"]).succeeds();
    sealed.unlock();
    assert_eq!(sealed.0.json(&["unit", "show"])["unit"]["ownership"], "imprint mode");
    fs::write(&unit, before).expect("putting the copy back");
    sealed.run(&["unit", "show"]).fails(SEALED, "the crypto unit is sealed");
    sealed.run(&["lock"]).succeeds();
    sealed.with(PASSPHRASE, &["unlock"]).fails(SEALED, "the passphrase is wrong, or");
}

#[test]
fn a_server_of_a_sealed_unit_does_not_start_and_goes_on_after_lock() {
    let sealed = Sealed::by_passphrase();
    sealed.run(&["certs", "init"]).succeeds();
    sealed.run(&["serve", "--kmip-listen", "127.0.0.1:0"]).fails(SEALED, "softhsm-rs unlock");
    sealed.unlock();
    let mut server = Server::start(&sealed.0, &[]);
    let address = server.address();
    sealed.run(&["lock"]).succeeds();
    std::net::TcpStream::connect(address).expect("it listens still");
    server.signal("TERM");
    assert_eq!(server.ends().0, Some(0));
}
