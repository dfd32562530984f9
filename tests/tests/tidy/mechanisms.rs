//! Every mechanism that is offered is exercised from outside. (That numbers are unique is tested
//! beside the tables, and that README's matrix equals them in hsm-core's example `matrix`.)

use crate::Complaints;
use crate::source::{Workspace, word_at};

const TABLE: &str = "hsm-core/src/mechanism/table.rs";

pub(crate) fn exercised(workspace: &Workspace) -> Complaints {
    let rows = workspace.file(TABLE).map(|table| rows(&table.code)).unwrap_or_default();
    if rows.is_empty() {
        return vec![format!("{TABLE}: no rows were found")];
    }
    let tests: Vec<_> = workspace.rust().filter(|file| file.path.starts_with("tests/")).collect();
    rows.into_iter()
        .filter(|row| !tests.iter().any(|file| word_at(&file.code, row).is_some()))
        .map(|row| format!("{TABLE}: no test names {row}"))
        .collect()
}

/// The names that rows of the table begin with.
fn rows(table: &str) -> Vec<&str> {
    table
        .lines()
        .skip_while(|line| !line.starts_with("static TABLE"))
        .take_while(|line| *line != "};")
        .filter(|line| ["    CKM_", "    KRM_"].iter().any(|start| line.starts_with(start)))
        .map(str::trim_start)
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect()
}

#[test]
fn a_mechanism_without_a_test_is_found() {
    let table = "static TABLE: &[Row] = rows! {\n    CKM_A \"1\" a();\n    CKM_AB \"2\" b();\n};\n";
    let mut workspace = Workspace::of(TABLE, table);
    let test = "// CKM_A\nfn f() { g(CKM_AB) }";
    workspace.files.push(Workspace::of("tests/tests/x.rs", test).files.remove(0));
    assert_eq!(exercised(&workspace), [format!("{TABLE}: no test names CKM_A")]);
    assert_eq!(exercised(&Workspace::of("x.rs", "")).len(), 1, "a table that is not found is a complaint");
}
