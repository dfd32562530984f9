//! Which mechanisms a configuration lets through: the `[mechanisms]` of the file.

use super::document::{Entry, Outcome, nearest};
use crate::mechanism::{Row, offered};

/// The mechanisms that sessions may use, of those that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MechanismPolicy {
    /// These alone, CKM_…; `None`: all.
    pub allow: Option<Vec<u64>>,
    /// All but these. It wins over `allow`.
    pub deny: Vec<u64>,
    /// Whether those that are for old data alone are among them: single DES, MD5, GOST R 34.11-94, DSA.
    pub legacy: bool,
}

impl Default for MechanismPolicy {
    fn default() -> MechanismPolicy {
        MechanismPolicy { allow: None, deny: Vec::new(), legacy: true }
    }
}

impl MechanismPolicy {
    /// Whether sessions may use a mechanism.
    pub fn permits(&self, row: &Row) -> bool {
        (self.legacy || !row.legacy)
            && self.allow.as_ref().is_none_or(|allow| allow.contains(&row.kind))
            && !self.deny.contains(&row.kind)
    }
}

/// Mechanisms by the names that the standard gives them.
pub(super) fn named(entry: &Entry<'_>) -> Outcome<Vec<u64>> {
    entry.each().iter().map(|name| number(name.text()?)).collect()
}

fn number(name: &str) -> Outcome<u64> {
    if let Some(row) = offered().find(|row| row.name == name) {
        return Ok(row.kind);
    }
    Err(match nearest(name, offered().map(|row| row.name)) {
        Some(known) => format!("names `{name}`, which is no mechanism here; did you mean `{known}`?"),
        None => format!("names `{name}`, which is no mechanism here"),
    })
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;
    use crate::mechanism::row;

    fn permits(policy: &MechanismPolicy, kind: u64) -> bool {
        policy.permits(row(kind).unwrap())
    }

    #[test]
    fn everything_is_permitted_unless_something_is_said() {
        assert!(offered().all(|row| MechanismPolicy::default().permits(row)));
    }

    #[test]
    fn what_is_denied_is_not_allowed_either() {
        let policy = MechanismPolicy {
            allow: Some(vec![CKM_AES_CBC, CKM_AES_ECB]),
            deny: vec![CKM_AES_ECB],
            ..MechanismPolicy::default()
        };
        assert!(permits(&policy, CKM_AES_CBC) && !permits(&policy, CKM_AES_ECB));
        assert!(!permits(&policy, CKM_SHA256));
        let nothing = MechanismPolicy { allow: Some(Vec::new()), ..MechanismPolicy::default() };
        assert!(!offered().any(|row| nothing.permits(row)));
    }

    #[test]
    fn what_is_for_old_data_is_turned_off_even_where_it_is_allowed() {
        let policy =
            MechanismPolicy { allow: Some(vec![CKM_MD5]), legacy: false, ..MechanismPolicy::default() };
        assert!(!permits(&policy, CKM_MD5));
        assert!(permits(&MechanismPolicy { legacy: true, ..policy }, CKM_MD5));
    }
}
