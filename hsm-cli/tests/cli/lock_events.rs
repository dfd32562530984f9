//! Locking and unlocking the crypto unit in the audit log: by whom it is done, while the log can be written.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::{Desk, Done};

const PASSPHRASE: &str = "correct horse";

/// A desk whose unit a passphrase opens; its holder is ended with it.
struct Sealed(Desk, Option<Child>);

impl Drop for Sealed {
    fn drop(&mut self) {
        self.0.run(&["lock"]);
        if let Some(child) = &mut self.1 {
            let _ = child.wait();
        }
    }
}

impl Sealed {
    fn new(desk: Desk) -> Sealed {
        let sealed = Sealed(desk, None);
        sealed.with(&["unit", "sealer", "set", "passphrase"]).succeeds();
        sealed
    }

    fn with(&self, arguments: &[&str]) -> Done {
        Done::of(self.0.bare(arguments).env("SOFTHSM_RS_SEALER_PASSPHRASE", PASSPHRASE))
    }

    /// What the log says of locking and unlocking: the action and who did it.
    fn events(&self) -> Vec<(String, String)> {
        let shown = self.with(&["audit", "show", "--json"]).succeeds().out;
        let lines = shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told =
            lines.map(|line| (text(&line["event"]["action"]), text(&line["event"]["initiator"]["name"])));
        told.filter(|(action, _)| action.ends_with("lock")).collect()
    }

    fn actions(&self) -> Vec<String> {
        self.events().into_iter().map(|(action, _)| action).collect()
    }
}

#[test]
fn who_locks_and_unlocks_is_in_the_log() {
    // Whatever is recorded of other changes.
    let desk = Desk::with_token();
    std::fs::write(desk.home().join("softhsm-rs.toml"), "[audit]\nchanges = false\n")
        .expect("a configuration");
    let sealed = Sealed::new(desk);
    sealed.with(&["unlock"]).succeeds();
    sealed.with(&["lock"]).succeeds();
    // Nothing was locked, and nothing is told.
    sealed.with(&["lock"]).succeeds();
    sealed.with(&["unlock"]).succeeds();
    sealed.with(&["unlock"]).succeeds();
    sealed.with(&["lock", "--force"]).succeeds();
    sealed.with(&["unlock"]).succeeds();
    let told = sealed.events();
    let actions: Vec<&str> = told.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["unit.unlock", "unit.lock", "unit.unlock", "unit.lock", "unit.unlock"], "{told:?}");
    for (action, who) in &told {
        let command = action.trim_start_matches("unit.");
        assert!(who.starts_with(&format!("softhsm-rs {command} [")), "{who}");
    }
    sealed.with(&["audit", "verify"]).succeeds();
}

#[test]
fn a_service_that_unlocks_tells_it() {
    let mut sealed = Sealed::new(Desk::with_token());
    let mut service = sealed.0.bare(&["unlock", "--foreground"]);
    service.env("SOFTHSM_RS_SEALER_PASSPHRASE", PASSPHRASE).stdout(Stdio::null()).stderr(Stdio::null());
    sealed.1 = Some(service.spawn().expect("the binary runs"));
    let end = Instant::now() + Duration::from_secs(60);
    let told = |sealed: &Sealed| {
        sealed.with(&["key", "list", "--public"]).code == 0
            && sealed.actions().last().is_some_and(|action| action == "unit.unlock")
    };
    while !told(&sealed) {
        assert!(Instant::now() < end, "it is not told");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn without_a_master_key_there_is_no_log_and_nothing_is_missed() {
    let desk = Desk::empty();
    desk.run(&["unit", "create"]).succeeds();
    let sealed = Sealed::new(desk);
    for command in ["unlock", "lock"] {
        let done = sealed.with(&[command]).succeeds();
        assert!(!done.err.contains("audit log"), "{}", done.err);
    }
    assert!(!sealed.0.home().join("softhsm-rs.sqlite").exists());
}
