//! Where a configuration is found, which place wins, and what a bad file is answered.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A directory with places for a system's and a user's files.
struct Machine(TempDir);

impl Machine {
    fn new() -> Machine {
        Machine(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn dir(&self, name: &str) -> PathBuf {
        fs::create_dir_all(self.path(name)).unwrap();
        self.path(name)
    }

    fn environment(&self) -> Environment {
        Environment::empty(self.0.path()).with("HOME", self.path("user"))
    }
}

const USER: &str = "user/.local/share/softhsm-rs";
const SYSTEM: &str = "var/lib/softhsm-rs";

fn parse(text: &str) -> Result<Config> {
    let machine = Machine::new();
    let file = machine.file("conf/a.toml", text);
    Config::locate(&machine.environment().with("SOFTHSM_RS_CONF", file))
}

fn refusal(text: &str) -> String {
    let error = parse(text).unwrap_err().to_string();
    error.split_once("a.toml:").expect("the file is named").1.to_owned()
}

#[test]
fn everything_has_a_default() {
    let machine = Machine::new();
    let config = Config::for_home(&machine.path("h")).unwrap();
    assert_eq!(config.home, Home { root: machine.path("h"), flat: false });
    assert_eq!(config.store, StoreUrl::Sqlite(machine.path("h")));
    assert_eq!(config.log, LogConfig::default());
    assert_eq!(config.pins, PinPolicy { min_length: 4, max_length: 255, max_tries: 10 });
    assert_eq!(config.slots, SlotNumbers::default());
    assert!(config.auto_init);
}

#[test]
fn looking_creates_nothing() {
    let machine = Machine::new();
    Config::locate(&machine.environment()).unwrap();
    assert_eq!(fs::read_dir(machine.0.path()).unwrap().count(), 0);
}

#[test]
fn a_file_sets_every_key() {
    let config = parse(
        "home = '/srv/hsm'\nstore = 'sled:/srv/store'\n[log]\nlevel = 'Debug'\nfile = '/var/log/hsm'\n\
         [pin]\nmin_length = 6\nmax_length = 0x20\nmax_tries = 3\n[init]\nautomatic = false\n\
         [slots]\nweb = 7\n'my token' = 8\n0123456789abcdef = 9\n",
    )
    .unwrap();
    assert_eq!(config.home.root, Path::new("/srv/hsm"));
    assert_eq!(config.store, StoreUrl::Sled("/srv/store".into()));
    assert_eq!(
        config.log,
        LogConfig {
            filter: Some("debug".into()),
            file: Some("/var/log/hsm".into()),
            format: LogFormat::Text
        }
    );
    assert_eq!(config.pins, PinPolicy { min_length: 6, max_length: 32, max_tries: 3 });
    assert!(!config.auto_init);
    assert_eq!(config.slots.number("my token", "ffff"), Some(8));
    assert_eq!(config.slots.number("web", "0123456789abcdef"), Some(9), "the serial number wins");
    assert_eq!(config.slots.number("other", "ffff"), None);
    assert!(config.slots.reserved(7) && !config.slots.reserved(6));
}

#[test]
fn relative_paths_in_a_file_start_at_its_directory() {
    let machine = Machine::new();
    let file = machine.file("conf/a.toml", "home = 'h'\nstore = 'sqlite:s'\nlog.file = 'l'\n");
    let config = Config::locate(&machine.environment().with("SOFTHSM_RS_CONF", file)).unwrap();
    assert_eq!(config.home.root, machine.path("conf/h"));
    assert_eq!(config.store, StoreUrl::Sqlite(machine.path("conf/s")));
    assert_eq!(config.log.file, Some(machine.path("conf/l")));
}

#[test]
fn each_variable_gives_way_to_the_one_before_it() {
    let machine = Machine::new();
    let conf = machine.file("a.toml", "home = '/from/file'");
    let softhsm2 = machine.file("softhsm2.conf", "directories.tokendir = /from/softhsm2");
    machine.dir(USER);
    machine.dir(SYSTEM);
    let root = |environment: &Environment| Config::locate(environment).unwrap().home.root;

    let environment = machine.environment();
    assert_eq!(root(&environment), machine.path(USER));
    let environment = environment.with("SOFTHSM2_CONF", softhsm2);
    assert_eq!(root(&environment), Path::new("/from/softhsm2"));
    let environment = environment.with("SOFTHSM_RS_HOME", "/from/home");
    assert_eq!(root(&environment), Path::new("/from/home"));
    let environment = environment.with("SOFTHSM_RS_CONF", conf);
    assert_eq!(root(&environment), Path::new("/from/file"));
    let environment = environment.with_home(Path::new("/from/argument"));
    assert_eq!(root(&environment), Path::new("/from/argument"));
}

#[test]
fn the_users_place_wins_over_the_systems_when_both_are_there() {
    let machine = Machine::new();
    machine.dir(SYSTEM);
    assert_eq!(Config::locate(&machine.environment()).unwrap().source, Source::System);
    machine.dir(USER);
    assert_eq!(Config::locate(&machine.environment()).unwrap().source, Source::User);
}

#[test]
fn where_nothing_is_there_the_superuser_gets_the_systems_place() {
    let machine = Machine::new();
    assert_eq!(Config::locate(&machine.environment()).unwrap().home.root, machine.path(USER));
    let config = Config::locate(&machine.environment().of_superuser()).unwrap();
    assert_eq!(config.home.root, machine.path(SYSTEM));
}

#[test]
fn the_systems_file_names_the_systems_home() {
    let machine = Machine::new();
    machine.file("etc/softhsm-rs.toml", "home = '/srv/hsm'");
    let config = Config::locate(&machine.environment()).unwrap();
    assert_eq!((config.home.root.as_path(), config.source), (Path::new("/srv/hsm"), Source::System));
}

#[test]
fn xdg_data_home_moves_the_users_place_if_it_is_absolute() {
    let machine = Machine::new();
    let config = Config::locate(&machine.environment().with("XDG_DATA_HOME", "/data")).unwrap();
    assert_eq!(config.home.root, Path::new("/data/softhsm-rs"));
    let config = Config::locate(&machine.environment().with("XDG_DATA_HOME", "data")).unwrap();
    assert_eq!(config.home.root, machine.path(USER));
}

#[test]
fn a_process_without_an_environment_uses_the_systems_place() {
    // What `Environment::of_process` gives under AT_SECURE.
    let machine = Machine::new();
    machine.dir(USER);
    let config = Config::locate(&Environment::empty(machine.0.path())).unwrap();
    assert_eq!(config.home.root, machine.path(SYSTEM));
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let machine = Machine::new();
    let environment = machine.environment().with("SOFTHSM_RS_CONF", "").with("SOFTHSM_RS_HOME", "");
    assert_eq!(Config::locate(&environment).unwrap().source, Source::User);
}

#[test]
fn a_home_may_hold_its_own_file() {
    let machine = Machine::new();
    machine.file("h/softhsm-rs.toml", "pin.max_tries = 3");
    let config = Config::locate(&machine.environment().with("SOFTHSM_RS_HOME", machine.path("h"))).unwrap();
    assert_eq!(config.pins.max_tries, 3);
    assert_eq!(config.home.root, machine.path("h"));
}

#[test]
fn a_homes_own_file_cannot_move_it() {
    let machine = Machine::new();
    machine.file("h/softhsm-rs.toml", "\nhome = '/elsewhere'");
    let error = Config::for_home(&machine.path("h")).unwrap_err().to_string();
    assert!(error.contains("softhsm-rs.toml:2: `home` cannot be set"), "{error}");
}

#[test]
fn a_softhsm2_token_directory_is_flat() {
    let machine = Machine::new();
    let file =
        machine.file("softhsm2.conf", &format!("directories.tokendir = {}", machine.path("t").display()));
    let config = Config::locate(&machine.environment().with("SOFTHSM2_CONF", &file)).unwrap();
    assert_eq!(config.home, Home { root: machine.path("t"), flat: true });
    assert_eq!(config.source, Source::Softhsm2(file));
}

#[test]
fn unknown_keys_of_softhsm2_are_no_error() {
    let machine = Machine::new();
    let file =
        machine.file("softhsm2.conf", "directories.tokendir = /t\nfrobnicate = yes\nlog.level = DEBUG\n");
    let config = Config::locate(&machine.environment().with("SOFTHSM2_CONF", file)).unwrap();
    assert_eq!(config.log.filter, None);
}

#[test]
fn the_log_variable_wins_over_the_file() {
    let machine = Machine::new();
    let file = machine.file("a.toml", "log.level = 'error'");
    let environment = machine.environment().with("SOFTHSM_RS_CONF", file);
    assert_eq!(Config::locate(&environment).unwrap().log.filter.as_deref(), Some("error"));
    let environment = environment.with("SOFTHSM_RS_LOG", "hsm_core=trace");
    assert_eq!(Config::locate(&environment).unwrap().log.filter.as_deref(), Some("hsm_core=trace"));
}

#[test]
fn a_named_file_that_is_missing_is_named_with_its_variable() {
    let machine = Machine::new();
    let environment = machine.environment().with("SOFTHSM_RS_CONF", machine.path("none.toml"));
    let error = Config::locate(&environment).unwrap_err().to_string();
    assert!(error.contains("none.toml") && error.contains("SOFTHSM_RS_CONF"), "{error}");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_key() {
    assert_eq!(
        refusal("home = '/h'\n\n[pin]\nmin_lenght = 4\n"),
        "4: unknown key `pin.min_lenght`; did you mean `pin.min_length`?"
    );
    assert_eq!(refusal("stor = 'memory:'\n"), "1: unknown key `stor`; did you mean `store`?");
}

#[test]
fn an_unknown_key_like_no_other_is_answered_with_the_list() {
    let error = refusal("[frobnicate]\nx = 1\n");
    assert!(error.starts_with("1: unknown key `frobnicate`; the keys are home, store, "), "{error}");
}

#[test]
fn values_of_the_wrong_kind_are_refused_with_what_they_should_be() {
    assert_eq!(refusal("home = 1"), "1: `home` is text, in quotes; this is an integer");
    assert_eq!(refusal("home = ''"), "1: `home` is empty");
    assert_eq!(refusal("store = 'redis:x'"), "1: `store` is one of sqlite:DIR, sled:DIR, memory:");
    assert_eq!(
        refusal("\n[init]\nautomatic = 'no'"),
        "3: `init.automatic` is true or false; this is a string"
    );
    assert_eq!(
        refusal("log.level = 'loud'"),
        "1: `log.level` is one of off, error, warn, info, debug, trace"
    );
    assert_eq!(refusal("pin = 4"), "1: `pin` is a table of keys, begun by [pin]");
}

#[test]
fn numbers_out_of_range_are_refused() {
    assert_eq!(refusal("pin.max_length = 256"), "1: `pin.max_length` is a number from 1 to 255");
    assert_eq!(refusal("pin.max_tries = 0"), "1: `pin.max_tries` is a number from 1 to 1000");
    assert_eq!(
        refusal("pin.max_tries = 99999999999999999999"),
        "1: `pin.max_tries` is a number from 1 to 1000"
    );
    assert_eq!(refusal("[slots]\na = -1"), "2: `slots.a` is a number from 0 to 2147483647");
    let error = parse("[pin]\nmin_length = 8\nmax_length = 7").unwrap_err().to_string();
    assert!(error.contains("`pin.min_length` is larger than `pin.max_length`"), "{error}");
}

#[test]
fn two_tokens_cannot_have_one_number() {
    assert_eq!(refusal("[slots]\na = 1\nb = 1\n"), "3: `slots.b` has the number of `slots.a`");
}

#[test]
fn a_syntax_error_is_named_with_its_line() {
    let error = refusal("home = '/h'\nstore = \n");
    assert!(error.starts_with("2: "), "{error}");
}

#[test]
fn a_key_given_twice_is_refused() {
    let error = refusal("store = 'memory:'\nstore = 'memory:'\n");
    assert!(error.starts_with("2: "), "{error}");
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let machine = Machine::new();
    let file = machine.path("a.toml");
    fs::write(&file, [0xff, 0xfe]).unwrap();
    let error = Config::locate(&machine.environment().with("SOFTHSM_RS_CONF", file)).unwrap_err().to_string();
    assert!(error.contains("a.toml"), "{error}");
}

#[test]
fn what_is_audited_is_configured_within_bounds() {
    let machine = Machine::new();
    let config = |text: &str| {
        let file = machine.file("a.toml", text);
        Config::locate(&machine.environment().with("SOFTHSM_RS_CONF", file))
    };
    assert_eq!(config("").unwrap().audit, AuditConfig { uses: None, changes: true, keep: 1_000_000 });
    let durable = config("[audit]\nuses = 'durable'\nchanges = false\nkeep = 0\n").unwrap().audit;
    assert_eq!(durable, AuditConfig { uses: Some(Uses::Durable), changes: false, keep: 0 });
    for wrong in ["uses = 'some'", "changes = 'some'", "keep = 999", "keep = -1", "other = 1"] {
        assert!(config(&format!("[audit]\n{wrong}\n")).is_err(), "{wrong}");
    }
}

#[test]
fn the_sealers_credential_is_in_the_processs_directory_of_them() {
    let machine = Machine::new();
    let environment = machine.environment();
    assert_eq!(Config::locate(&environment).unwrap().unit_paths().credential, None);
    let given = environment.with("CREDENTIALS_DIRECTORY", "/run/credentials/x");
    let config = Config::locate(&given).unwrap();
    assert_eq!(config.unit_paths().credential, Some("/run/credentials/x/softhsm-rs.sealer".into()));
    let file = machine.file("a.toml", "sealer.credential = 'mine'");
    let config = Config::locate(&given.with("SOFTHSM_RS_CONF", file)).unwrap();
    assert_eq!(config.unit_paths().credential, Some("/run/credentials/x/mine".into()));
    let wrong = "1: `sealer.credential` is a credential's name";
    assert_eq!(refusal("sealer.credential = '../mine'"), format!("{wrong}, not a path"));
    assert_eq!(refusal("sealer.credential = '..'"), wrong);
}

#[test]
fn the_policy_is_one_of_two() {
    assert_eq!(parse("").unwrap().policy, Policy::Compatible);
    assert_eq!(parse("policy = 'strict'").unwrap().policy, Policy::Strict);
    assert_eq!(refusal("policy = 'lax'"), "1: `policy` is one of compatible, strict");
}

#[test]
fn mechanisms_are_named_as_the_standard_names_them() {
    let text = "[mechanisms]\nallow = ['CKM_AES_CBC', 'CKM_MD5']\ndeny = 'CKM_MD5'\nlegacy = false\n";
    let policy = MechanismPolicy {
        allow: Some(vec![cryptoki_sys::CKM_AES_CBC, cryptoki_sys::CKM_MD5]),
        deny: vec![cryptoki_sys::CKM_MD5],
        legacy: false,
    };
    assert_eq!(parse(text).unwrap().mechanisms, policy);
    assert_eq!(
        refusal("[mechanisms]\ndeny = ['CKM_AES_CBC',\n'CKM_AES_EBC']\n"),
        "2: `mechanisms.deny` names `CKM_AES_EBC`, which is no mechanism here; did you mean `CKM_AES_ECB`?"
    );
    assert_eq!(
        refusal("mechanisms.allow = ['rot13']\n"),
        "1: `mechanisms.allow` names `rot13`, which is no mechanism here"
    );
    assert_eq!(
        refusal("mechanisms.allow = [1]"),
        "1: `mechanisms.allow` is text, in quotes; this is an integer"
    );
}
