//! What is wrong around the HSM rather than in a call: its home, its configuration, its files, its
//! disk. Each has its return value, its message and its exit code; the files stay as they were, and
//! putting the right one back makes everything work. More of the command line is in its own tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use hsm_tests::home::{Done, Home, cli, unprivileged};
use hsm_tests::keys::data_template;
use hsm_tests::kit::{Child, LABEL, PIN, SO_PIN};
use hsm_tests::module::text;
use hsm_tests::prelude::*;
use hsm_tests::raw::ignore_file_size_signal;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const STORE: &str = "softhsm-rs.sqlite";
const UNIT: &str = "softhsm-rs.unit";
const SEALER: &str = "softhsm-rs.sealer";

/// The largest file in the tests of a full disk: more than the store, less than its log gets.
const DISK: u64 = 256 * 1024;

/// Store or unit cannot be used at all, so that there is no list of slots.
fn no_slots(home: &Home<'_>, words: &[&str]) {
    home.unchanged_by(|module| {
        refused!(CKR_DEVICE_ERROR, module.slots(true));
        refused!(CKR_DEVICE_ERROR, module.open_rw(0));
    });
    logged(home, words);
}

/// The token is seen, with its label and serial number, and opens no session.
fn no_session(home: &Home<'_>, words: &[&str]) {
    home.unchanged_by(|module| {
        assert_eq!(module.slots(true).unwrap().len(), 2);
        let slot = module.slot_of(LABEL).expect("the token's slot");
        assert!(!text(&module.token_info(slot).unwrap().serialNumber).is_empty());
        refused!(CKR_DEVICE_ERROR, module.open_rw(slot));
        refused!(CKR_DEVICE_ERROR, module.open_ro(slot));
        refused!(CKR_DEVICE_ERROR, module.init_token(slot, SO_PIN, "other"));
    });
    logged(home, words);
}

fn logged(home: &Home<'_>, words: &[&str]) {
    let log = home.log();
    for word in words {
        assert!(log.contains(word), "{word:?} is not in the log: {log}");
    }
}

/// Gives the database a format number that no version has yet.
fn make_newer(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&9u32.to_be_bytes(), 60).unwrap();
}

fn cut_to_half(path: &Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

/// Changes every byte from the second page on: the header still looks right.
fn flip_pages(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    assert!(bytes.len() > 4096, "a store of one page");
    bytes[4096..].iter_mut().for_each(|byte| *byte ^= 0xff);
    fs::write(path, bytes).unwrap();
}

fn flip_last_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, other: &Path) {
    fs::copy(other, path).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Lets other users come as far as the home.
fn let_others_in(kit: &Kit) {
    set_mode(&kit.directory, 0o755);
}

/// Takes from everybody the right to change the home, but not to read it.
fn make_read_only(home: &Home<'_>) {
    for path in home.files().keys() {
        set_mode(path, 0o444);
    }
    set_mode(&home.directory(), 0o555);
}

isolated! {
    fn a_wrong_pin_costs_no_object(kit) {
        let home = Home::with_token(kit);
        let session = Token::find(kit.initialised()).rw();
        refused!(CKR_PIN_INCORRECT, session.login(CKU_USER, "wrong pin"));
        kit.module.finalize().unwrap();
        home.serves();
    }

    fn the_pin_of_one_token_does_not_open_another(kit) {
        let home = Home::with_token(kit);
        let other = Token::make(kit.initialised(), "other");
        let so = other.so();
        so.set_pin(SO_PIN, "the other's").unwrap();
        so.close().unwrap();
        refused!(CKR_PIN_INCORRECT, other.rw().login(CKU_SO, SO_PIN));
        kit.module.finalize().unwrap();
        home.serves();
    }

    fn a_slot_that_is_not_there_has_no_session(kit) {
        let home = Home::with_token(kit);
        home.unchanged_by(|module| {
            let wrong = CK_SLOT_ID::MAX - 1;
            refused!(CKR_SLOT_ID_INVALID, module.open_rw(wrong));
            refused!(CKR_SLOT_ID_INVALID, module.token_info(wrong));
            refused!(CKR_SLOT_ID_INVALID, module.init_token(wrong, SO_PIN, "label"));
        });
        home.serves();
    }

    fn initialising_makes_no_home(kit) {
        let home = Home::empty(kit);
        fs::remove_dir_all(home.directory()).unwrap();
        let module = kit.initialised();
        assert_eq!(module.slots(true).unwrap().len(), 1);
        module.finalize().unwrap();
        assert!(!home.directory().exists(), "a home was made");
    }

    fn initialising_writes_nothing_to_an_empty_home(kit) {
        let home = Home::empty(kit);
        home.unchanged_by(|module| assert_eq!(module.slots(true).unwrap().len(), 1));
    }

    fn no_hsm_is_made_in_a_home_that_cannot_be_written(kit) {
        let home = Home::empty(kit);
        let_others_in(kit);
        make_read_only(&home);
        unprivileged(|| home.unchanged_by(|module| {
            refused!(CKR_DEVICE_ERROR, module.init_token(module.free_slot(), SO_PIN, LABEL));
        }));
        assert_eq!(home.files().len(), 1, "the configuration alone");
    }

    fn a_home_that_cannot_be_written_opens_no_token(kit) {
        let home = Home::with_token(kit);
        let_others_in(kit);
        make_read_only(&home);
        unprivileged(|| home.unchanged_by(|module| {
            refused!(CKR_TOKEN_WRITE_PROTECTED, module.slots(true));
            refused!(CKR_TOKEN_WRITE_PROTECTED, module.open_rw(0));
        }));
        logged(&home, &["cannot be written: check its owner and mode"]);
    }

    fn a_home_that_cannot_be_read_is_named(kit) {
        let home = Home::with_token(kit);
        let_others_in(kit);
        set_mode(&home.directory(), 0);
        unprivileged(|| {
            refused!(CKR_DEVICE_ERROR, kit.module.initialize());
            home.command(&["status"]).fails(12, &["tokens", "ermission denied", "its owner or group"]);
        });
        set_mode(&home.directory(), 0o700);
        home.serves();
    }

    fn an_unknown_key_of_the_configuration_is_named_with_its_line(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt("softhsm-rs.toml", |_| home.configure("init.automatik = true\n"), |home| {
            let before = home.files();
            refused!(CKR_GENERAL_ERROR, kit.module.initialize());
            assert!(home.files() == before, "a file changed");
        });
        let output = fs::read_to_string(kit.directory.join("output")).unwrap();
        assert!(output.contains("softhsm-rs.toml:3: unknown key `init.automatik`"), "{output}");
    }

    fn a_store_of_a_newer_version_is_refused(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(STORE, make_newer, |home| {
            no_slots(home, &[STORE, "newer version", "upgrade softhsm-rs"]);
            home.unchanged_by_command(&["key", "list"]).fails(8, &[STORE, "newer version", "upgrade"]);
        });
    }

    fn a_store_of_another_master_key_is_refused(kit) {
        let home = Home::with_token(kit);
        let other = home.another().join(STORE);
        home.with_spoilt(STORE, |path| replace(path, &other), |home| {
            no_slots(home, &["another master key", "put back the unit file"]);
        });
    }

    fn a_store_with_changed_pages_is_refused(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(STORE, flip_pages, |home| {
            no_slots(home, &[STORE, "damaged"]);
            home.unchanged_by_command(&["token", "list"]).fails(8, &[STORE, "backup"]);
        });
    }

    fn a_store_cut_to_half_is_refused(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(STORE, cut_to_half, |home| {
            no_slots(home, &[STORE, "damaged"]);
            home.unchanged_by_command(&["token", "list"]).fails(8, &[STORE, "backup"]);
        });
    }

    fn an_empty_store_file_is_refused(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(STORE, |path| fs::write(path, b"").unwrap(), |home| {
            no_slots(home, &[STORE, "the file is empty"]);
            home.unchanged_by_command(&["token", "list"]).fails(8, &[STORE, "backup"]);
        });
    }

    fn a_lost_store_is_not_taken_for_a_new_one(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(STORE, remove, |home| no_slots(home, &["there is no store here"]));
    }

    fn without_its_sealer_the_hsm_shows_its_tokens_and_opens_none(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(SEALER, remove, |home| no_session(home, &[SEALER]));
    }

    fn with_the_sealer_of_another_hsm_it_opens_none(kit) {
        let home = Home::with_token(kit);
        let other = home.another().join(SEALER);
        home.with_spoilt(SEALER, |path| replace(path, &other), |home| {
            no_session(home, &["sealed"]);
            home.unchanged_by_command(&["key", "list"]).fails(7, &["sealed"]);
        });
    }

    fn a_damaged_unit_file_opens_no_token(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(UNIT, flip_last_byte, |home| no_slots(home, &[UNIT]));
    }

    fn a_lost_unit_file_is_not_replaced_while_its_store_is_there(kit) {
        let home = Home::with_token(kit);
        home.with_spoilt(UNIT, remove, |home| {
            home.unchanged_by(|module| {
                refused!(CKR_DEVICE_ERROR, module.init_token(module.free_slot(), SO_PIN, "new"));
            });
            logged(home, &[UNIT, "restore it from a backup"]);
            home.unchanged_by_command(&["init"]).fails(8, &[UNIT, "restore it from a backup"]);
        });
    }

    fn no_hsm_is_made_where_the_configuration_leaves_that_to_init(kit) {
        let home = Home::empty(kit);
        home.configure("init.automatic = false\n");
        home.unchanged_by(|module| {
            refused!(CKR_DEVICE_ERROR, module.init_token(module.free_slot(), SO_PIN, LABEL));
        });
        logged(&home, &["run `softhsm-rs init`"]);
    }

    fn a_full_disk_refuses_an_object_and_keeps_the_others(kit) {
        let home = Home::with_token(kit);
        let child = Child::fork(|| {
            ignore_file_size_signal();
            let user = Token::find(kit.initialised()).user();
            let object = |number: usize| {
                let more = attrs![CKA_TOKEN => true, CKA_PRIVATE => true];
                user.create(&data_template(&format!("object {number}"), &[7; 4000]).and(more))
            };
            let whole = getrlimit(Resource::Fsize);
            setrlimit(Resource::Fsize, Rlimit { current: Some(DISK), ..whole }).unwrap();
            let made = (0..1000).take_while(|number| {
                let made = object(*number);
                if made.is_err() {
                    refused!(CKR_DEVICE_MEMORY | CKR_DEVICE_ERROR, made);
                }
                made.is_ok()
            });
            let made = made.count();
            assert!(made < 1000, "the disk was never full");
            setrlimit(Resource::Fsize, whole).unwrap();
            assert!(object(made).is_ok(), "with space again, the same session goes on");
            for number in 0..=made {
                let found = user.find(&attrs![CKA_LABEL => format!("object {number}").as_str()]).unwrap();
                assert_eq!(found.len(), 1, "object {number}");
            }
            kit.module.finalize().unwrap();
        });
        child.succeeds();
        home.serves();
    }

    fn a_command_on_a_full_disk_says_so(kit) {
        let home = Home::with_token(kit);
        let command = cli().get_program().to_owned();
        let mut full = std::process::Command::new("env");
        full.args(["--ignore-signal=XFSZ", "prlimit", "--fsize=4096"]).arg(command);
        full.args(["key", "generate", "--type", "aes:256", "--label", "new"]).env("SOFTHSM_RS_PIN", PIN);
        let done = Done::of(&mut full);
        assert!([1, 12].contains(&done.code), "{done:?}");
        assert!(done.err.contains(STORE), "{done:?}");
        home.serves();
    }
}
