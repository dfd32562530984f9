//! Units that are selected: one operational and one recovery unit in homes of their own, and somebody with a list of
//! known units who acts on both without naming either.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, Done};

const USAGE: i32 = 2;
const NO_HSM: i32 = 3;
const NOT_FOUND: i32 = 4;
const DAMAGED: i32 = 8;
const EXISTS: i32 = 10;
const NOT_TRUSTED: i32 = 14;

const UNITS: [&str; 2] = ["first", "second"];

/// A desk with two units, their statements `first.json` and `second.json`, and alice's key.
struct Table(Desk);

impl Table {
    fn laid() -> Table {
        let table = Table(Desk::empty());
        table.at("first", "unit create").succeeds();
        table.at("second", "unit create --type recovery").succeeds();
        for unit in UNITS {
            table.at(unit, &format!("unit show --out {unit}.json")).succeeds();
        }
        for name in ["alice", "bob"] {
            table.run(&format!("unit key new {name}.sigkey --name {name} --no-passphrase")).succeeds();
        }
        table
    }

    fn trusted() -> Table {
        let table = Table::laid();
        for unit in UNITS {
            table.run(&format!("unit trust {unit}.json --yes")).succeeds();
        }
        table
    }

    /// At a unit's machine.
    fn at(&self, home: &str, line: &str) -> Done {
        let mut command = self.0.bare(&line.split(' ').collect::<Vec<_>>());
        command.current_dir(self.0.0.path()).env("SOFTHSM_RS_HOME", self.0.0.path().join(home));
        Done::of(command.env("SOFTHSM_RS_KNOWN_UNITS", self.0.0.path().join("list/known.json")))
    }

    /// Where there is no unit.
    fn run(&self, line: &str) -> Done {
        self.at("nonexistent", line)
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.run(&format!("{line} --json")).succeeds().out).expect("JSON")
    }

    fn hsm(&self, unit: &str) -> String {
        let shown = self.at(unit, "unit show --json").succeeds();
        let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
        shown["unit"]["hsm_id"].as_str().expect("an identifier").to_owned()
    }

    /// Which of the units are selected.
    fn selected(&self) -> Vec<bool> {
        let listed = self.json("unit units");
        let of = |unit: &str| {
            let hsm = self.hsm(unit);
            let units = listed["units"].as_array().expect("a list");
            let unit = units.iter().find(|one| one["hsm_id"] == hsm.as_str()).expect("it is listed");
            unit["selected"].as_bool().expect("a truth")
        };
        UNITS.map(of).to_vec()
    }

    /// The file that was made for a unit.
    fn made(&self, made: &Value, unit: &str) -> String {
        let hsm = self.hsm(unit);
        let all = made["selected"].as_array().expect("a list");
        let one = all.iter().find(|one| one["HSM"] == hsm.as_str()).expect("a command for it");
        one["file"].as_str().expect("a file").to_owned()
    }

    fn submit(&self, unit: &str, file: &str) -> Done {
        self.at(unit, &format!("unit submit {file} --yes --reply {unit}.json"))
    }

    fn files(&self) -> usize {
        fs::read_dir(self.0.0.path()).expect("the desk").count()
    }
}

#[test]
fn units_are_listed_as_tke_lists_them() {
    let table = Table::laid();
    assert_eq!(
        table.run("unit units").succeeds().out,
        "No unit is known here: `softhsm-rs unit trust` keeps one.\n"
    );
    for unit in UNITS {
        table.run(&format!("unit trust {unit}.json --yes")).succeeds();
    }
    let shown = table.run("unit units").succeeds().out;
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "CRYPTO UNIT NUM SELECTED TYPE LOCATION");
    let mut expected =
        [("first", "OPERATIONAL"), ("second", "RECOVERY")].map(|(unit, kind)| (table.hsm(unit), kind));
    expected.sort();
    for (number, (hsm, kind)) in (1..).zip(&expected) {
        let row = &lines[number];
        assert_eq!((row[0], row[1], row[2]), (number.to_string().as_str(), "false", *kind));
        assert!(row[3].starts_with(&format!("[{hsm}].[")), "{row:?}");
    }
    let shown = table.run("unit select 1 2").succeeds().out;
    assert_eq!(shown.matches("true").count(), 2);
    assert_eq!(table.selected(), [true, true]);
}

#[test]
fn a_command_goes_to_each_selected_unit_and_to_no_other() {
    let table = Table::trusted();
    table.run(&format!("unit select first.json {}", table.hsm("second"))).succeeds();
    let made = table.json("unit prepare add-administrator alice.sigkey.pub --out add.cmd");
    assert!(!table.0.0.path().join("add.cmd").exists());
    for unit in UNITS {
        let file = table.made(&made, unit);
        assert!(file.starts_with("add-") && file.ends_with(".cmd"), "{file}");
        let other = if unit == "first" { "second" } else { "first" };
        table.submit(other, &file).fails(15, "return code 3");
        table.submit(unit, &file).succeeds();
    }
    // The replies were kept: the next commands are made for what the units are now.
    let shown = table.run("unit prepare add-administrator bob.sigkey.pub --out bob.cmd").succeeds().out;
    for unit in UNITS {
        assert!(shown.contains(&table.hsm(unit)), "it does not say where it goes: {shown}");
    }
    assert_eq!(shown.matches("bob-").count(), 2, "{shown}");
    table.run("unit compare").succeeds();
    // Of one unit the file is the one that was named.
    table.run("unit unselect second.json").succeeds();
    assert_eq!(table.selected(), [true, false]);
    let made = table.json("unit prepare set-thresholds --signature 1 --revocation 1 --out own.cmd");
    assert_eq!(table.made(&made, "first"), "own.cmd");
    table.run("unit sign own.cmd --yes --no-passphrase --key alice.sigkey").succeeds();
    table.submit("first", "own.cmd").succeeds();
    // Whoever names a unit means that one.
    let named = table.json("unit prepare zeroize --for second.json --out second.cmd");
    assert_eq!(named["HSM"], table.hsm("second").as_str());
    table.run("unit select second.json").succeeds();
    let compared = table.run("unit compare");
    assert_eq!(compared.code, 1);
    assert!(compared.err.contains("the units differ"), "{}", compared.err);
    assert!(UNITS.iter().all(|unit| compared.out.contains(&table.hsm(unit))), "{}", compared.out);
}

#[test]
fn key_parts_are_sealed_for_each_selected_unit() {
    let table = Table::trusted();
    table.run("unit select 1 2").succeeds();
    let both = |what: &str, signs: bool| {
        let made =
            table.json(&format!("unit prepare {what} --out {}.cmd", what.split(' ').next().expect("a word")));
        for unit in UNITS {
            let file = table.made(&made, unit);
            if signs {
                table.run(&format!("unit sign {file} --yes --no-passphrase --key alice.sigkey")).succeeds();
            }
            table.submit(unit, &file).succeeds();
        }
    };
    both("add-administrator alice.sigkey.pub", false);
    both("set-thresholds --signature 1 --revocation 1", true);
    table.run("unit part new a.keypart --name a --no-part-passphrase").succeeds();
    table.run("unit part new b.keypart --name b --no-part-passphrase").succeeds();
    let seal = |part: &str, number: u8| {
        let keys = "--key alice.sigkey --no-passphrase --no-part-passphrase";
        format!("unit part seal {part}.keypart --number {number} --of 2 {keys} --out {part}.part")
    };
    let before = table.files();
    table.run(&seal("a", 1)).fails(15, "return code 102");
    assert_eq!(table.files(), before);
    both("generate-importer", true);
    let parts = [table.json(&seal("a", 1)), table.json(&seal("b", 2))];
    let mut patterns = Vec::new();
    for unit in UNITS {
        let of = |made: &Value| {
            let hsm = table.hsm(unit);
            let all = made["selected"].as_array().expect("a list").clone();
            let one = all.into_iter().find(|one| one["hsm"] == hsm.as_str()).expect("its part");
            one["file"].as_str().expect("a file").to_owned()
        };
        let parts = parts.iter().map(of).collect::<Vec<_>>().join(" ");
        table.run(&format!("unit prepare load {parts} --out {unit}-load.cmd")).succeeds();
        table.submit(unit, &format!("{unit}-load.cmd")).succeeds();
        let shown = table.at(unit, "unit show --json").succeeds();
        let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
        patterns.push(shown["unit"]["new_register"]["verification_pattern"].clone());
    }
    assert!(patterns[0].is_string() && patterns[0] == patterns[1]);
    // What one unit exported is for one.
    let exported =
        "unit part seal --exported first.json --key alice.sigkey --no-passphrase --out exported.part";
    table.run(exported).fails(USAGE, "2 units are selected");
}

#[test]
fn what_is_refused_for_one_of_them_is_made_for_none() {
    let table = Table::trusted();
    table.run("unit select 1 2").succeeds();
    let made = table.json("unit prepare add-administrator alice.sigkey.pub --out add.cmd");
    table.submit("first", &table.made(&made, "first")).succeeds();
    let before = table.files();
    table
        .run("unit prepare remove-administrator alice --out remove.cmd")
        .fails(NOT_FOUND, &table.hsm("second"));
    assert_eq!(table.files(), before);
    // A file that is there already.
    table.run("unit prepare zeroize --out add.cmd").fails(EXISTS, "add-");
    assert_eq!(table.files(), before);
}

#[test]
fn wrong_units_are_refused_and_change_nothing() {
    let table = Table::trusted();
    table.run("unit prepare zeroize --out z.cmd").fails(NO_HSM, "softhsm-rs unit select");
    table.run("unit compare").fails(USAGE, "softhsm-rs unit select");
    table.run("unit compare first.json").fails(USAGE, "two units or more");
    for wrong in ["1 3", "1 0", "1 ffffffffffffffff", "1 nothing", "1 -- --all"] {
        let done = table.run(&format!("unit select {wrong}"));
        done.fails(NOT_FOUND, "softhsm-rs unit units");
        assert_eq!(table.selected(), [false, false], "{wrong}");
    }
    table.run("unit select").fails(USAGE, "UNIT");
    table.run("unit unselect 1").fails(NOT_FOUND, "is not selected");
    // A unit that nobody compared, and a statement that was altered.
    table.at("third", "unit create").succeeds();
    table.at("third", "unit show --out third.json").succeeds();
    table.run("unit select third.json").fails(NOT_TRUSTED, "is not known here");
    let text = fs::read_to_string(table.0.0.path().join("first.json")).expect("a statement");
    table.0.file("altered.json", &text.replace("operational", "recovery"));
    table.run("unit select altered.json").fails(15, "altered.json");
    assert_eq!(table.selected(), [false, false]);
    table.run("unit select 1").succeeds();
    table.run("unit select 1").succeeds();
    assert_eq!(table.selected().iter().filter(|it| **it).count(), 1);
    table.run("unit unselect --all").succeeds();
    assert_eq!(table.selected(), [false, false]);
}

#[test]
fn a_selection_that_was_damaged_or_outlived_its_unit_is_named() {
    let table = Table::trusted();
    table.run("unit select 1 2").succeeds();
    let list = table.0.0.path().join("list");
    let known = fs::read_to_string(list.join("known.json")).expect("the list");
    let mut fewer: serde_json::Map<String, Value> = serde_json::from_str(&known).expect("JSON");
    fewer.retain(|name, _| !name.starts_with(&table.hsm("second")));
    fs::write(list.join("known.json"), Value::Object(fewer).to_string()).expect("writing it");
    table.run("unit prepare zeroize --out z.cmd").fails(NOT_TRUSTED, "is not known here any more");
    fs::write(list.join("known.json"), known).expect("writing it");
    fs::remove_dir_all(list.join("known.statements")).expect("removing them");
    table.run("unit prepare zeroize --out z.cmd").fails(NOT_FOUND, "softhsm-rs unit trust");
    table.run("unit trust first.json --yes").succeeds();
    table.run("unit trust second.json --yes").succeeds();
    table.run("unit prepare zeroize --out z.cmd").succeeds();
    fs::write(list.join("known.selected"), "no list").expect("writing it");
    table.run("unit units").fails(DAMAGED, "known.selected");
}
