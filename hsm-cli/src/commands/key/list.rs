//! `key list`.

use hsm_core::hsm::Hsm;

use super::{Desk, classes, quoted, template};
use crate::cli::{KeyChoice, KeyView};
use crate::describe::Summary;
use crate::failure::Result;
use crate::output::{Output, Page, printable};

pub(super) fn run(hsm: &Hsm, view: &KeyView, choice: &KeyChoice, all: bool, output: Output) -> Result<()> {
    let desk = Desk::view(hsm, view, output)?;
    let objects = if all && choice.class.is_none() {
        desk.find(template(choice, None))?
    } else {
        let mut keys = Vec::new();
        for class in classes(choice) {
            keys.extend(desk.find(template(choice, Some(class)))?);
        }
        keys
    };
    let mut listed = Vec::new();
    for object in objects {
        listed.extend(Summary::of(&desk.session, object)?);
    }
    listed.sort_by(|a, b| (&a.label, &a.id, a.class).cmp(&(&b.label, &b.id, b.class)));
    output.result(&listed, |page| match listed.is_empty() {
        true => page.line(&format!("There is no key on token {} that matches.", quoted(&desk.token.label()))),
        false => table(page, &listed),
    });
    Ok(())
}

pub(super) fn table(page: &mut Page, objects: &[Summary]) {
    let row = |object: &Summary| {
        [
            object.class.to_owned(),
            object.kind.clone(),
            object.size.map(|bits| bits.to_string()).unwrap_or_default(),
            printable(&object.label),
            object.id.clone(),
            object.flags(),
            object.uri.clone(),
        ]
    };
    page.table(
        ["CLASS", "TYPE", "BITS", "LABEL", "ID", "FLAGS", "URI"],
        &objects.iter().map(row).collect::<Vec<_>>(),
    );
}
