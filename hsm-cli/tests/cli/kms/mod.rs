//! `kms`: keys with a life, as scripts use them. Here is what its tests share.

mod brought;
mod labels;
mod life;
mod policies;
mod wrap;

use serde_json::Value;

use crate::desk::{Desk, Done};

/// Exit code of what a key's state, a policy or a missing person stands against.
pub(crate) const REFUSED: i32 = 18;
/// No such key, or more than one.
pub(crate) const NOT_FOUND: i32 = 4;
pub(crate) const USAGE: i32 = 2;
pub(crate) const EXISTS: i32 = 10;

impl Desk {
    /// `kms …`, whose result is JSON.
    pub(crate) fn kms(&self, arguments: &[&str]) -> Value {
        self.json(&[&["kms"], arguments].concat())
    }

    /// `kms …`, refused with this exit code and Key Protect's code at the end of the message.
    pub(crate) fn kms_refuses(&self, exit: i32, code: &str, arguments: &[&str]) -> Done {
        let done = self.run(&[&["kms"], arguments].concat()).fails(exit, "");
        let message = done.err.lines().find(|line| line.starts_with("error:"));
        let ends = message.is_some_and(|message| message.ends_with(&format!("({code})")));
        assert!(ends, "{code} is not in: {}", done.err);
        done
    }

    /// A generated root key of a name; its identifier.
    pub(crate) fn root_key(&self, name: &str) -> String {
        text(&self.kms(&["key", "create", name]), "id").to_owned()
    }

    /// The state of a key.
    pub(crate) fn state(&self, key: &str) -> u64 {
        self.kms(&["key", "show", key])["state"].as_u64().expect("a state")
    }
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Whether it is a UUID as Key Protect writes them.
pub(crate) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|it| it == '-' || it.is_ascii_hexdigit())
}
