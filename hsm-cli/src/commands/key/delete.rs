//! `key delete`.

use std::collections::BTreeMap;

use hsm_core::Error;
use hsm_core::hsm::Hsm;
use hsm_core::session::Access;

use super::{Desk, confirm, must_name_keys, quoted};
use crate::cli::{Consent, KeyAccess, KeyChoice};
use crate::describe::Summary;
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

/// What to delete.
pub(super) struct Chosen<'a> {
    pub(super) access: &'a KeyAccess,
    pub(super) choice: &'a KeyChoice,
    /// Whether several keys are meant.
    pub(super) all: bool,
}

pub(super) fn run(hsm: &Hsm, chosen: &Chosen<'_>, consent: &Consent, output: Output) -> Result<()> {
    must_name_keys(chosen.choice)?;
    let desk = Desk::open(hsm, chosen.access, Access::ReadWrite, output)?;
    let objects = desk.chosen(chosen.choice)?;
    let mut found = Vec::new();
    for object in &objects {
        found.extend(Summary::of(&desk.session, *object)?);
    }
    if !chosen.all && is_more_than_one_key(&found) {
        return Err(Failure::new(Outcome::NotFound, format!("{} objects match", found.len()))
            .next("choose with --id or --class, or delete them all with --all"));
    }
    confirm(consent, &format!("deleting {}", words(&found)))?;
    for object in objects {
        match desk.session.destroy_object(object) {
            // Another process was faster; that is what was wanted.
            Ok(()) | Err(Error::NoSuchObject) => {}
            Err(error) => return Err(error.into()),
        }
    }
    output.result(&found, |page| page.line(&format!("Deleted: {}.", words(&found))));
    Ok(())
}

/// A pair is one key: at most one object of each class, all with the same CKA_ID.
fn is_more_than_one_key(found: &[Summary]) -> bool {
    let mut of_class = BTreeMap::new();
    for object in found {
        *of_class.entry(object.class).or_insert(0_u32) += 1;
    }
    let first = found.first().map(|object| &object.id);
    of_class.values().any(|count| *count > 1) || found.iter().any(|object| Some(&object.id) != first)
}

fn words(found: &[Summary]) -> String {
    match found {
        [] => "nothing".into(),
        _ if found.len() > 4 => format!("{} objects", found.len()),
        few => {
            let one =
                |object: &Summary| format!("{} key {}", object.class, quoted(&printable(&object.label)));
            few.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(class: &'static str, id: &str) -> Summary {
        Summary {
            class,
            kind: "rsa".into(),
            size: None,
            label: "a".into(),
            id: id.into(),
            private: false,
            sensitive: false,
            extractable: false,
            local: true,
            uses: Vec::new(),
            uri: String::new(),
        }
    }

    #[test]
    fn a_pair_is_one_key() {
        assert!(!is_more_than_one_key(&[object("private", "01"), object("public", "01")]));
        assert!(!is_more_than_one_key(&[object("secret", "")]));
    }

    #[test]
    fn keys_with_one_label_and_different_ids_are_several() {
        assert!(is_more_than_one_key(&[object("private", "01"), object("public", "02")]));
        assert!(is_more_than_one_key(&[object("public", "01"), object("public", "01")]));
    }
}
