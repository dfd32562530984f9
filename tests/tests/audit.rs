//! What applications do through the module is in the audit log when their call returns: who, what, and to which
//! object; and `audit verify` finds it whole while they go on.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use hsm_tests::audit::audit;
use hsm_tests::keys;
use hsm_tests::kit::{Child, Gate};
use hsm_tests::prelude::*;
use serde_json::Value;

/// The events, without seals.
fn events(kit: &Kit) -> Vec<Value> {
    let text = audit(kit, &["show", "--json"]);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|line| line.get("event").cloned()).collect()
}

/// Actions and outcomes.
fn told(events: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    events.iter().map(|event| format!("{} {}", text(&event["action"]), text(&event["outcome"]))).collect()
}

isolated! {
    fn what_an_application_changes_is_told_with_who_it_was(kit) {
        let token = kit.token();
        let before = events(kit);
        assert_eq!(
            told(&before)[..4],
            ["pkcs11.initialise success", "pkcs11.make-token success", "pkcs11.login-so success", "pkcs11.init-pin success"]
        );
        refused!(CKR_PIN_INCORRECT, token.rw().login(CKU_USER, "wrong pin"));
        let session = token.user();
        let key = keys::generate_aes(&session, attrs![CKA_TOKEN => true, CKA_LABEL => "disk"]);
        keys::generate_aes(&session, attrs![CKA_TOKEN => false]);
        session.destroy(key).expect("C_DestroyObject");
        let all = events(kit);
        let new = &all[before.len()..];
        assert_eq!(
            told(new),
            [
                "pkcs11.login-user failure",
                "pkcs11.login-user success",
                "pkcs11.generate-key success",
                "pkcs11.destroy-object success",
            ]
        );
        assert_eq!(new[2]["target"]["id"], new[3]["target"]["id"]);
        let name = new[2]["initiator"]["name"].as_str().expect("a name");
        assert!(name.ends_with(&format!("[{}]", std::process::id())), "{name}");
        audit(kit, &["seal"]);
        assert_eq!(serde_json::from_str::<Value>(&audit(kit, &["verify", "--json"])).expect("JSON")["unsealed"], 0);
    }

    fn processes_that_change_keys_at_once_leave_one_log(kit) {
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let children: Vec<_> = gates
            .iter()
            .map(|gate| {
                Child::fork(|| {
                    gate.wait();
                    let session = Token::find(kit.initialised()).user();
                    for _ in 0..10 {
                        keys::generate_aes(&session, attrs![CKA_TOKEN => true]);
                    }
                })
            })
            .collect();
        kit.token();
        let before = events(kit).len();
        gates.iter().for_each(Gate::open);
        children.into_iter().for_each(Child::succeeds);
        let all = told(&events(kit)[before..]);
        assert_eq!(all.iter().filter(|told| *told == "pkcs11.generate-key success").count(), 30);
        audit(kit, &["verify"]);
    }
}
