//! Makes the corpus to begin with from test cases in XML, as OASIS publishes them: every request message
//! in each encoding.
//!
//! `cargo run --bin seeds CORPUS CASES…`: CORPUS gets a directory for each target; CASES are files and
//! directories.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use kmip_fuzz::generous;
use kmip_server::ttlv::{encode, text};

/// What stands for a moment in the cases, and a moment.
const MOMENT: (&str, &str) = ("$NOW", "2026-01-01T00:00:00+00:00");

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [corpus, cases @ ..] = arguments.as_slice() else {
        return Err("usage: seeds CORPUS CASES…".into());
    };
    let mut made = 0_usize;
    for path in cases.iter().flat_map(|path| files(path)) {
        let content = fs::read_to_string(&path)?;
        for message in messages(&content) {
            let message = filled(message);
            let Ok(item) = text::xml::decode(message.as_bytes(), &generous()) else { continue };
            let bytes = encode(&item);
            let json = text::json::encode(&item);
            for (target, seed) in [
                ("xml", message.as_bytes()),
                ("json", json.as_bytes()),
                ("framing", &bytes),
                ("tree", &bytes),
                ("request", &bytes),
            ] {
                let directory = corpus.join(target);
                fs::create_dir_all(&directory)?;
                fs::write(directory.join(format!("seed-{made:05}")), seed)?;
            }
            made += 1;
        }
    }
    println!("{made} messages");
    if made == 0 { Err("no message was found".into()) } else { Ok(()) }
}

/// The XML files at or below a path.
fn files(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().flat_map(|entry| files(&entry.path())).collect(),
        Err(_) if path.extension().is_some_and(|end| end == "xml") => vec![path.to_owned()],
        Err(_) => Vec::new(),
    }
}

fn messages(content: &str) -> Vec<&str> {
    const END: &str = "</RequestMessage>";
    content
        .match_indices("<RequestMessage>")
        .filter_map(|(at, _)| content[at..].find(END).map(|end| &content[at..at + end + END.len()]))
        .collect()
}

/// The cases leave moments open; other variables are texts as they are.
fn filled(message: &str) -> String {
    let (name, moment) = MOMENT;
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(name) {
        out.push_str(&rest[..at]);
        out.push_str(moment);
        // An offset may follow: $NOW-3600.
        let after = &rest[at + name.len()..];
        rest = after.trim_start_matches(['+', '-']).trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    out.push_str(rest);
    out
}
