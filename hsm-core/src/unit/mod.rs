//! The crypto unit, the HSM's root of trust: imprint mode, administrators with P-521 signature keys,
//! thresholds, and the two master key registers. It behaves as a crypto unit of IBM Hyper Protect
//! Crypto Services (an EP11 domain) does towards its TKE tools, as far as their public documents and
//! SDK tell. Services get from it the proof that a master key is in use ([`ActiveUnit`]) and keys
//! derived from that; the master key itself never leaves this module in clear.
//!
//! # How a command is carried out
//!
//! A [`SignedCommand`] names HSM, unit and transaction counter. [`Authorized::verify`] checks them,
//! the signatures and their number against a [`State`]; [`apply`] takes that proof and nothing else,
//! and gives the next state with its [`Event`]s, without disk, clock or randomness of its own.
//! [`Unit::submit`] does both under the unit's lock and makes the new state durable before it
//! answers. A refused command changes nothing and does not use its counter up.
//!
//! # What happens where
//!
//! I: imprint mode. E, U, C: new register Empty, Full Uncommitted, Full Committed; the current register
//! is - (Empty) or V (Valid), x where it does not matter. Numbers are EP11 return/reason codes.
//! `tests::table` walks every cell; how many signatures each command needs is the table in `command`.
//!
//! | command | I | Ex | Ux | Cx |
//! |---|---|---|---|---|
//! | add administrator | I; twice 256/38; ninth 261/39 | same state | same state | same state |
//! | remove administrator | I; unknown 32/32 | same; below a threshold 209/66 | same | same |
//! | set thresholds | E-; 209/56, 57, 58, 76 | same; 209/57, 58, 69–71, 74, 76–79 | same | same |
//! | generate importer key | 179 | same | same | same |
//! | load new master key | 179 | Ux; 80/80, 80/81, 102, 32 | Ux | Ux |
//! | generate random master key | 179 | E-: EV, EV: UV; 80/52 | 209 | 209 |
//! | commit | 179 | 102 | Cx; 101/48 | Cx; 101/48 |
//! | set immediate | 179 | 102 | 102 | EV; 101/48 |
//! | clear new | 179 | Ex | Ex | Ex |
//! | clear current | 179 | E- | U- | C- |
//! | export current / new | 179 | same; 80/131, 102 | same; 80/131, 102 | same; 80/131, 102 |
//! | zeroize | I | I | I | I |
//!
//! Anywhere: another HSM or unit 3, unreadable command 7, counter 163, unknown signer 257, wrong
//! signature 192, malformed signature 193, too few signatures 208.
//!
//! # Choices
//!
//! Where no public source says what a unit does, this one does:
//!
//! | question | choice, and why |
//! |---|---|
//! | commit or set immediate on an empty new register | 102, EP11's "a key needed by the operation is missing" |
//! | set immediate before commit | 102 as well |
//! | commit of a committed key | nothing changes; the pattern is checked |
//! | load into a full new register | overwrites, as the guide says of automatic rotation |
//! | loading the current master key, parts that cancel out, a bad number of parts | 32, "invalid data" |
//! | random master key while the new register is full, the current one empty or not | 209, "inconsistent": the new register's holder decides first |
//! | which permissions a new unit has | loading two or three parts, thresholds of 1, zeroizing with one signature; loading one part, random keys and export are to be granted |
//! | permission bits in imprint mode | set with the thresholds; the change-control bits of EP11's header hold from then on |
//! | a threshold of 0 when leaving imprint mode | signature threshold 209/76, revocation threshold 209/56 |
//! | signers needed to leave imprint mode with a threshold above the administrators | all of them; then 209/57 |
//! | two administrators of one name | 256/38, as two of one key |
//! | a signature that was not needed | is checked like the others, in imprint mode too |
//! | the same administrator twice | is counted once |
//! | a refused command | does not use the transaction counter up |
//! | zeroize | sets neither counter nor epoch back, so that no old command counts again |
//! | the importer key | is used up by a load that succeeds, and gone with zeroize |
//! | which load a part belongs to | its signed block names the command's counter, its number and how many there are; EP11 says nothing of the last two |
//! | how parts combine | exclusive or |
//! | the key derivation of an envelope | RFC 5753's ECC-CMS-SharedInfo with the 40 bytes of user keying material |
//! | when signatures end to count | with the next command, and at the moment that the block names, if it does (a field that EP11 has not): 163 too |
//! | who answers | replies and the importer key are signed by an attestation key of the unit's own, P-521, which outlives zeroize as a module's OA key does |
//! | who signs the audit log | a key of the unit's own, P-521, which outlives zeroize too; the statement that answers a zeroize says where the log ended |
//! | a command for another HSM or unit; unreadable | 3 "the domain specified is invalid"; 7 "bad arguments" |
//! | what a recovery unit allows at first | what any unit does, and drawing and handing out master keys: EP11's "do not disturb" bit is not known here |
//! | how far the epoch counts | by one with each key that becomes current, a random one included |

mod active;
mod audit;
pub mod ceremony;
mod command;
mod disk;
mod encoding;
mod file;
pub mod holder;
mod identity;
mod key_file;
mod keys;
mod loaded;
mod opening;
mod parts;
mod permissions;
mod quorum;
pub mod recovery;
mod refusal;
mod rotation;
mod sealer;
mod sealer_file;
mod sealer_key;
mod shares;
mod signatures;
mod state;
mod statement;
mod stored;
#[cfg(test)]
mod tests;
mod transition;

pub use active::ActiveUnit;
pub(crate) use audit::is_signed;
pub use audit::{AuditKey, AuditStatus, LogEnd};
pub use command::{Attributes, Command, CommandKind, Row, Signatures};
pub use disk::{Access, CeremonyPlace, UnitPaths};
pub use file::UnitHeader;
pub use identity::{HsmId, Ski, VerificationPattern};
pub use key_file::{key_part_pattern, signature_key_ski};
pub use keys::{PublicKey, SignatureKey};
pub use loaded::{AdministratorStatus, RegisterStatus, Unit, UnitStatus};
pub use parts::{Envelope, ImporterKey, KEY_LENGTH, KeyPart, PARTS_MAX, combined_pattern};
pub use permissions::Permissions;
pub use quorum::{Authorized, SignedCommand, SignedPart, Target};
pub use refusal::Refusal;
pub use sealer::{FreshSealer, Sealer, SealerKind};
pub use sealer_key::{Opening, SealerKey};
pub use shares::{SHARES_MAX, SealerShare, ShareLabel};
pub use signatures::Standing;
pub use state::{
    ADMINISTRATORS_MAX, Administrator, CurrentRegister, MasterKey, NAME_MAX, NewRegister, Ownership, Secured,
    State, Thresholds, UnitKind,
};
pub use statement::{SignedStatement, Signer, Statement};
pub use transition::{Event, Fresh, apply};
