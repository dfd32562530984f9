//! THE table of operations: who answers each, from which version on, whether it changes anything, and
//! whether it takes long. What is not here is not offered, and Query does not name it.

use std::sync::LazyLock;

use crate::context::Context;
use crate::failure::Outcome;
use crate::heavy::Heavy;
use crate::message::BatchItem;
use crate::operations::*;
use crate::ttlv::enums::Operation;
use crate::ttlv::{Item, Tag, Value, Version};

/// What answers an operation: the payload of the request in, the fields of the answer's payload out.
pub type Run = fn(&mut Context<'_>, &Item) -> Outcome<Vec<Item>>;

/// How long an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Microseconds: it is done where the request was read.
    Short,
    /// It waits for the disk, makes key pairs, or looks at many objects.
    Long,
}

/// One operation.
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// Whether it changes or makes objects.
    pub changes: bool,
    /// How long it takes.
    pub effort: Effort,
    /// What answers it.
    pub run: Run,
}

use Effort::{Long, Short};

const CHANGES: bool = true;
const READS: bool = false;

#[rustfmt::skip]
static TABLE: &[Row] = &[
    Row { operation: Operation::Create,           changes: CHANGES, effort: Long,  run: create::create },
    Row { operation: Operation::CreateKeyPair,    changes: CHANGES, effort: Long,  run: create::create_key_pair },
    Row { operation: Operation::Register,         changes: CHANGES, effort: Long,  run: register::register },
    Row { operation: Operation::ReKey,            changes: CHANGES, effort: Long,  run: rekey::rekey },
    Row { operation: Operation::ReKeyKeyPair,     changes: CHANGES, effort: Long,  run: rekey::rekey_key_pair },
    Row { operation: Operation::Certify,          changes: CHANGES, effort: Long,  run: certify::certify },
    Row { operation: Operation::ReCertify,        changes: CHANGES, effort: Long,  run: certify::re_certify },
    Row { operation: Operation::Validate,         changes: READS,   effort: Long,  run: validate::validate },
    Row { operation: Operation::Locate,           changes: READS,   effort: Long,  run: locate::locate },
    Row { operation: Operation::Check,            changes: READS,   effort: Short, run: usage::check_use },
    Row { operation: Operation::Get,              changes: READS,   effort: Short, run: get::get },
    Row { operation: Operation::GetAttributes,    changes: READS,   effort: Short, run: attributes::get },
    Row { operation: Operation::GetAttributeList, changes: READS,   effort: Short, run: attributes::list },
    Row { operation: Operation::AddAttribute,     changes: CHANGES, effort: Long,  run: attributes::add },
    Row { operation: Operation::ModifyAttribute,  changes: CHANGES, effort: Long,  run: attributes::modify },
    Row { operation: Operation::DeleteAttribute,  changes: CHANGES, effort: Long,  run: attributes::delete },
    Row { operation: Operation::ObtainLease,      changes: READS,   effort: Short, run: usage::obtain_lease },
    Row { operation: Operation::GetUsageAllocation, changes: CHANGES, effort: Long, run: usage::allocate },
    Row { operation: Operation::Activate,         changes: CHANGES, effort: Long,  run: life::activate },
    Row { operation: Operation::Revoke,           changes: CHANGES, effort: Long,  run: life::revoke },
    Row { operation: Operation::Destroy,          changes: CHANGES, effort: Long,  run: life::destroy },
    Row { operation: Operation::Archive,          changes: CHANGES, effort: Long,  run: life::archive },
    Row { operation: Operation::Recover,          changes: CHANGES, effort: Long,  run: life::recover },
    Row { operation: Operation::Query,            changes: READS,   effort: Short, run: query::query },
    Row { operation: Operation::DiscoverVersions, changes: READS,   effort: Short, run: query::discover_versions },
    Row { operation: Operation::Cancel,           changes: READS,   effort: Short, run: asynchronous::cancel },
    Row { operation: Operation::Poll,             changes: READS,   effort: Short, run: asynchronous::poll },
    Row { operation: Operation::CreateSplitKey,   changes: CHANGES, effort: Long,  run: split::create },
    Row { operation: Operation::JoinSplitKey,     changes: CHANGES, effort: Long,  run: split::join },
    Row { operation: Operation::Import,           changes: CHANGES, effort: Long,  run: transfer::import },
    Row { operation: Operation::Export,           changes: READS,   effort: Short, run: transfer::export },
    Row { operation: Operation::Log,              changes: READS,   effort: Short, run: login::log },
    Row { operation: Operation::Login,            changes: READS,   effort: Short, run: login::login },
    Row { operation: Operation::Logout,           changes: READS,   effort: Short, run: login::logout },
    Row { operation: Operation::PKCS_11,          changes: READS,   effort: Long,  run: pkcs11::call },
    Row { operation: Operation::DeriveKey,        changes: CHANGES, effort: Long,  run: derive::derive_key },
    Row { operation: Operation::Encrypt,          changes: READS,   effort: Short, run: ciphers::encrypt },
    Row { operation: Operation::Decrypt,          changes: READS,   effort: Short, run: ciphers::decrypt },
    Row { operation: Operation::Sign,             changes: READS,   effort: Short, run: signatures::sign },
    Row { operation: Operation::SignatureVerify,  changes: READS,   effort: Short, run: signatures::signature_verify },
    Row { operation: Operation::MAC,              changes: READS,   effort: Short, run: signatures::mac },
    Row { operation: Operation::MACVerify,        changes: READS,   effort: Short, run: signatures::mac_verify },
    Row { operation: Operation::RNGRetrieve,      changes: READS,   effort: Short, run: random::retrieve },
    Row { operation: Operation::RNGSeed,          changes: READS,   effort: Short, run: random::seed },
    Row { operation: Operation::Hash,             changes: READS,   effort: Short, run: hash::hash },
    Row { operation: Operation::SetAttribute,     changes: CHANGES, effort: Long,  run: attributes::set },
    Row { operation: Operation::AdjustAttribute,  changes: CHANGES, effort: Long,  run: attributes::adjust },
    Row { operation: Operation::Interop,          changes: CHANGES, effort: Long,  run: query::interop },
    Row { operation: Operation::Ping,             changes: READS,   effort: Short, run: query::ping },
];

/// The row of an operation in a version; `None` where it is not offered.
pub fn row(operation: Operation, version: Version, interop: bool) -> Option<&'static Row> {
    row_of(operation).filter(|row| is_offered(row, version, interop))
}

/// The row of an operation, found by its number.
fn row_of(operation: Operation) -> Option<&'static Row> {
    /// Where the rows are in the table, by the operations' numbers.
    static PLACES: LazyLock<Vec<Option<&Row>>> = LazyLock::new(|| {
        let last = TABLE.iter().map(|row| row.operation.number()).max().unwrap_or_default();
        (0..=last).map(|number| TABLE.iter().find(|row| row.operation.number() == number)).collect()
    });
    *PLACES.get(operation.number() as usize)?
}

fn is_offered(row: &Row, version: Version, interop: bool) -> bool {
    row.operation.since() <= version && (interop || row.operation != Operation::Interop)
}

/// Whether an operation changes or makes objects.
pub fn changes(operation: Operation) -> bool {
    row_of(operation).is_some_and(|row| row.changes)
}

/// The operations that are offered in a version.
pub fn offered(version: Version, interop: bool) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| is_offered(row, version, interop))
}

/// The most data, in bytes, with which an operation is short.
const SHORT_DATA: usize = 64 << 10;

/// Whether a batch item takes long: by its operation, by how much data it brings or asks for, or because
/// its key is known to take long.
pub fn takes_long(item: &BatchItem, heavy: &Heavy) -> bool {
    let row = item.operation.ok().and_then(row_of);
    row.is_some_and(|row| row.effort == Effort::Long)
        || item.payload.items().iter().any(|field| match (field.tag, &field.value) {
            (Tag::DATA, Value::ByteString(data)) => data.len() > SHORT_DATA,
            (Tag::DATA_LENGTH, Value::Integer(length)) => {
                usize::try_from(*length).is_ok_and(|length| length > SHORT_DATA)
            }
            (Tag::UNIQUE_IDENTIFIER, Value::TextString(id)) => heavy.has(id),
            (Tag::KEY_WRAPPING_SPECIFICATION, _) => {
                let wrapping = field.child(Tag::ENCRYPTION_KEY_INFORMATION);
                let id = wrapping.and_then(|information| information.child(Tag::UNIQUE_IDENTIFIER));
                id.and_then(|id| id.as_text().ok()).is_some_and(|id| heavy.has(id))
            }
            _ => false,
        })
}
