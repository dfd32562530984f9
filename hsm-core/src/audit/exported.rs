//! The log outside of the HSM: a line of JSON for each entry, with the entry's own bytes in it, so that links and
//! signatures can be followed without any key of the HSM.

use super::log::{Fault, Link, Recorded, Verdict, checked, genesis};
use crate::error::Result;

/// An entry as a line, without its end.
pub fn write_exported(entry: &Recorded) -> String {
    let Recorded { sequence, before, link, json, seal } = entry;
    let (before, link) = (hex::encode(before), hex::encode(link));
    let name = if seal.is_some() { "seal" } else { "event" };
    format!("{{\"sequence\":{sequence},\"before\":\"{before}\",\"link\":\"{link}\",\"{name}\":{json}}}")
}

/// Reads an exported log and hands its entries out in order, each checked against the one before. Where it
/// begins is taken as it is, unless that is the log's first entry: what comes before is in the first link, which
/// the next seal signs. Whose seals they are, `each` has to ask.
///
/// # Errors
/// Those of `lines`, and of `each`.
pub fn read_exported(
    lines: impl Iterator<Item = Result<String>>,
    each: &mut dyn FnMut(Recorded) -> Result<()>,
) -> Result<Verdict> {
    let mut walk: Option<(u64, Link)> = None;
    let (mut first, mut begins) = (0, None);
    for line in lines {
        let line = line?;
        let expected = walk.map_or(1, |(next, _)| next);
        let broken = |sequence, fault| Ok(Verdict::Broken { sequence, fault });
        let Some((sequence, before, link, name, json)) = split(&line) else {
            return broken(expected, Fault::Unreadable);
        };
        match walk {
            Some((next, _)) if sequence > next => return broken(next, Fault::Missing),
            Some((next, last)) if sequence < next || before != last => {
                return broken(sequence, Fault::Unlinked);
            }
            Some(_) => {}
            None => (first, begins) = (sequence, Some(before)),
        }
        let entry = match checked(sequence, before, link, json.to_owned(), name == "seal") {
            Ok(entry) => entry,
            // The line's own link and bytes do not go together.
            Err(Fault::Unlinked) => return broken(sequence, Fault::Changed),
            Err(fault) => return broken(sequence, fault),
        };
        // The first entry of all follows from the HSM's name, which a seal tells.
        let hsm = entry.seal.as_ref().map(|seal| seal.hsm.as_str());
        if first == 1 && hsm.is_some_and(|hsm| begins != Some(genesis(hsm))) {
            return broken(sequence, Fault::WrongSeal);
        }
        walk = Some((sequence + 1, link));
        each(entry)?;
    }
    let (next, link) = walk.unwrap_or((1, [0; 32]));
    Ok(Verdict::Whole { first: first.max(1), next, link })
}

/// The parts of a line: number, link before, link, `event` or `seal`, and the entry's bytes; `None` for what
/// [`write_exported`] does not write.
fn split(line: &str) -> Option<(u64, Link, Link, &str, &str)> {
    let (number, rest) = line.strip_prefix("{\"sequence\":")?.split_once(",\"before\":\"")?;
    let (before, rest) = rest.split_once("\",\"link\":\"")?;
    let (link, rest) = rest.split_once("\",\"")?;
    let (name, rest) = rest.split_once("\":")?;
    let json = rest.strip_suffix('}').filter(|_| matches!(name, "event" | "seal"))?;
    let sequence = number.parse().ok().filter(|number: &u64| (1..u64::MAX).contains(number))?;
    Some((sequence, link_of(before)?, link_of(link)?, name, json))
}

fn link_of(text: &str) -> Option<Link> {
    let mut link = [0; 32];
    hex::decode_to_slice(text, &mut link).ok()?;
    Some(link)
}
