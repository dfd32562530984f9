//! A token as a whole, out of the store and into one, for backups: its record without the master key's part, and its
//! records and index entries as they are, sealed under the token's own keys.

use super::record::PartitionRecord;
use super::{directory, pins};
use crate::backup::{Item, TokenCopy};
use crate::error::Result;
use crate::hsm::{Hsm, Note};
use crate::store::{Entry, Indexed, PartitionId, Reader, RecordId, Row, Writer};
use crate::unit::ActiveUnit;

/// How many records or entries are fetched at once.
const PAGE: usize = 256;

/// Gives out a token: first what it is, then its records and its index entries.
///
/// # Errors
/// [`crate::Error::RecordDamaged`] for a token whose own record does not open; those of the store and of `put`.
pub(crate) fn out(
    reader: &mut dyn Reader,
    unit: &ActiveUnit,
    token: RecordId,
    put: &mut dyn FnMut(Item) -> Result<()>,
) -> Result<()> {
    let (record, _) = directory::read(reader, unit, token)?;
    put(Item::Token(record.copy(token, unit)?))?;
    let space = record.space;
    let mut after = None;
    loop {
        let page = reader.records_after(space, after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (id, Row { kind, revision, sealed }) in page {
            put(Item::Record { id: id.0, kind, revision, sealed })?;
        }
    }
    for chain in super::half::CHAINS {
        let first = Entry { chain, tag: [0; 16], record: RecordId([0; 16]) };
        let mut last = first;
        if let Some(head) = reader.entry_before(space, first)? {
            put(item_of(&head))?;
        }
        loop {
            let page = reader.entries_after(space, last, PAGE)?;
            let Some(end) = page.last() else { break };
            last = end.entry;
            for indexed in &page {
                put(item_of(indexed))?;
            }
        }
    }
    Ok(())
}

fn item_of(indexed: &Indexed) -> Item {
    let Indexed { entry: Entry { chain, tag, record }, mac } = *indexed;
    Item::Entry { chain, tag, record: record.0, mac }
}

/// How many records a token has.
pub(crate) fn count(reader: &mut dyn Reader, unit: &ActiveUnit, token: RecordId) -> Result<u64> {
    let (record, _) = directory::read(reader, unit, token)?;
    let (mut count, mut after) = (0, None);
    loop {
        let page = reader.records_after(record.space, after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(count) };
        (after, count) = (Some(*last), count + page.len() as u64);
    }
}

/// Takes a token in, in the place of the same one if that is there. Its records and entries follow by [`put`]. The
/// counters of wrong tries begin anew.
pub(crate) fn begin(
    hsm: &Hsm,
    writer: &mut dyn Writer,
    unit: &ActiveUnit,
    copy: &TokenCopy,
    note: &Note,
) -> Result<()> {
    let token = RecordId(copy.token);
    let others = directory::checked(hsm, writer, unit)?;
    let here = others.iter().find(|(other, _)| *other == token).map(|(_, record)| record);
    let number = match here {
        Some(record) => record.number,
        None => others.iter().map(|(_, other)| other.number).max().unwrap_or(0) + 1,
    };
    if let Some(record) = here {
        writer.remove_partition(record.space)?;
        writer.remove_partition(PartitionId(token.0))?;
    }
    let revision = writer.revision(PartitionId::HSM, token)?.unwrap_or(0);
    directory::put(writer, unit, token, revision, &PartitionRecord::of_copy(copy, number, unit)?)?;
    directory::list(writer, unit, token)?;
    pins::begin_counters(unit, token, writer)?;
    writer.touch(PartitionId(copy.space));
    note.append(writer)
}

/// Adds a record or an entry to the space of a token that was taken in.
pub(crate) fn put(writer: &mut dyn Writer, space: PartitionId, item: Item) -> Result<()> {
    match item {
        Item::Record { id, kind, revision, sealed } => {
            Ok(writer.put_copy(space, RecordId(id), &Row { kind, revision, sealed })?)
        }
        Item::Entry { chain, tag, record, mac } => {
            let entry = Entry { chain, tag, record: RecordId(record) };
            Ok(writer.put_entry(space, &Indexed { entry, mac })?)
        }
        Item::Origin(_) | Item::Token(_) | Item::End(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
