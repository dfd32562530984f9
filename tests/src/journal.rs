//! What a process did to the keys of a token, written down as it happens, so that whoever outlives it
//! can say which keys must be there.
//!
//! Each line is one letter and a key's label: `+` the key was made (the module acknowledged it), `-`
//! somebody is about to destroy it, `=` it was destroyed. A line is one `write`, which a killed process
//! has done or not done.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// A process's own journal.
pub struct Journal(File);

impl Journal {
    /// Opens a journal for appending.
    pub fn open(path: &Path) -> Journal {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Journal(file.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The module said that it made this key.
    pub fn made(&self, label: &str) {
        self.line('+', label);
    }

    /// This key will be destroyed now.
    pub fn destroying(&self, label: &str) {
        self.line('-', label);
    }

    /// The module said that it destroyed this key.
    pub fn destroyed(&self, label: &str) {
        self.line('=', label);
    }

    fn line(&self, letter: char, label: &str) {
        (&self.0).write_all(format!("{letter}{label}\n").as_bytes()).expect("writing a journal");
    }
}

/// What all journals together say.
#[derive(Debug, Default)]
pub struct Account {
    /// Keys that were made and that nobody began to destroy: they must be there.
    pub kept: BTreeSet<String>,
    /// Keys that were destroyed: they must be gone.
    pub gone: BTreeSet<String>,
    /// How many keys were made.
    pub made: usize,
}

impl Account {
    /// Reads every journal of a directory.
    pub fn read(directory: &Path) -> Account {
        let (mut made, mut touched, mut gone) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for entry in std::fs::read_dir(directory).expect("the journals' directory") {
            let path = entry.expect("a journal").path();
            let text = std::fs::read_to_string(&path).expect("reading a journal");
            for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
                let (letter, label) = line.split_at(1);
                let set = match letter {
                    "+" => &mut made,
                    "-" => &mut touched,
                    "=" => &mut gone,
                    other => panic!("{}: a line begins with {other:?}", path.display()),
                };
                set.insert(label.to_string());
            }
        }
        let kept = made.difference(&touched).cloned().collect();
        Account { kept, made: made.len(), gone }
    }
}
