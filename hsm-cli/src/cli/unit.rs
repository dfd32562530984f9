//! The options of the commands of the crypto unit: its ceremony by several people on several machines.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use hsm_core::unit::{Ski, VerificationPattern};

use super::signing::{KeyPassphrase, SignService, SigningKey};
use super::{Consent, UnitSealer, help};

#[derive(Debug, Subcommand)]
pub(crate) enum Unit {
    /// Make a crypto unit in imprint mode, whose ceremony people will hold
    #[command(after_long_help = help::UNIT_EXAMPLES)]
    Create {
        /// What it is for: a recovery unit keeps a master key for others, and has no store
        #[arg(long = "type", value_enum, default_value_t = Kind::Operational)]
        kind: Kind,
        /// Let the members of a group use the HSM (name or number)
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Show the unit; write what it says of itself, signed, for people on other machines
    #[command(after_long_help = help::UNIT_EXAMPLES)]
    Show {
        /// Write the signed statement to this file
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Keep whose statements and replies to believe: the unit's attestation key
    #[command(after_long_help = help::UNIT_EXAMPLES)]
    Trust {
        /// A statement of the unit
        #[arg(value_hint = ValueHint::FilePath)]
        statement: PathBuf,
        /// The fingerprint that `unit show` prints before the HSM; without it, you are asked
        #[arg(long, value_name = "HEX")]
        fingerprint: Option<Ski>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Compare units by their statements: administrators, thresholds, master keys
    #[command(after_long_help = help::UNIT_EXAMPLES)]
    Compare {
        /// Statements, two or more; the selected units unless given
        #[arg(value_hint = ValueHint::FilePath)]
        statements: Vec<PathBuf>,
    },
    /// List the units that are known here, and which of them are selected
    Units,
    /// Select units: what needs a unit works on each of them from then on
    #[command(after_long_help = help::UNIT_SELECT_EXAMPLES)]
    Select {
        /// Units: the number in `unit units`, the HSM that it is of, or a statement
        #[arg(required = true, value_name = "UNIT")]
        units: Vec<String>,
    },
    /// Select units no more
    #[command(after_long_help = help::UNIT_SELECT_EXAMPLES)]
    Unselect {
        /// Units, as of `unit select`
        #[arg(required_unless_present = "all", value_name = "UNIT")]
        units: Vec<String>,
        /// All that are selected
        #[arg(long, conflicts_with = "units")]
        all: bool,
    },
    /// Make a command for the unit, to be signed and submitted
    #[command(subcommand, after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    Prepare(Prepare),
    /// Show a command and sign it with an administrator's key
    #[command(after_long_help = help::UNIT_SIGN_EXAMPLES)]
    Sign {
        /// The command; the signature is added to it
        #[arg(value_hint = ValueHint::FilePath)]
        command: PathBuf,
        #[command(flatten)]
        key: SigningKey,
        /// The unit, by its statement or its last reply, to say how many signatures are needed; the last one that
        /// was seen here unless given
        #[arg(long = "for", value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
        statement: Option<PathBuf>,
        /// Sign without being asked
        #[arg(short, long)]
        yes: bool,
    },
    /// Show a command or a signed key part: what it says and who signed it
    #[command(after_long_help = help::UNIT_SIGN_EXAMPLES)]
    Inspect {
        /// The file
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Give a signed command to the unit
    #[command(after_long_help = help::UNIT_SIGN_EXAMPLES)]
    Submit {
        /// The command
        #[arg(value_hint = ValueHint::FilePath)]
        command: PathBuf,
        /// Write the unit's signed reply to this file
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        reply: Option<PathBuf>,
        /// Of a command that ends the audit log (zeroize, clear-current): write the whole log to this file first,
        /// which must not be there yet
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        log: Option<PathBuf>,
        /// Carry it out although the log is damaged or was rolled back; the file ends before the damage
        #[arg(long, requires = "log")]
        accept_damaged_log: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Wrap every partition under the committed master key, before it is put into use
    #[command(after_long_help = help::UNIT_ROTATE_EXAMPLES)]
    MkRotate,
    /// What seals the unit at rest
    #[command(subcommand, after_long_help = help::UNIT_SEALER_EXAMPLES)]
    Sealer(UnitSealer),
    /// Change the master key to a new random one, where this machine holds the quorum
    #[command(after_long_help = help::UNIT_AUTOMATIC_EXAMPLES)]
    AutoMkRotate {
        #[command(flatten)]
        passphrase: KeyPassphrase,
    },
    /// Bring the master key of a recovery unit into this one, with the keys of administrators of both
    #[command(after_long_help = help::UNIT_AUTOMATIC_EXAMPLES)]
    AutoRecover {
        /// The recovery unit's home
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        from: PathBuf,
        /// An administrator's signature key file; may be given several times. Without it, those that the quick
        /// ceremony left here
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        key: Vec<PathBuf>,
        #[command(flatten)]
        passphrase: KeyPassphrase,
    },
    /// Hold administrators' signature keys for others, who ask for signatures by HTTP
    #[command(after_long_help = help::SIGN_SERVICE_EXAMPLES)]
    SignService(SignService),
    /// Administrators' signature keys
    #[command(subcommand, after_long_help = help::UNIT_KEY_EXAMPLES)]
    Key(UnitKey),
    /// Parts of a master key
    #[command(subcommand, after_long_help = help::UNIT_PART_EXAMPLES)]
    Part(UnitPart),
}

/// What a unit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Its master key protects a store
    Operational,
    /// It keeps a master key for operational units
    Recovery,
}

/// Which unit a file is for, where it goes, and until when it counts.
#[derive(Debug, Args)]
pub(crate) struct Carried {
    /// The unit, by its statement or its last reply; the selected ones unless given, or else this machine's own
    #[arg(long = "for", value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
    pub(crate) statement: Option<PathBuf>,
    /// The file to write; of several units each has its own, with HSM and unit in its name
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// How long signatures count, in seconds; until the unit's next command at the longest
    #[arg(long, value_name = "SECONDS", default_value_t = 7 * 24 * 3600, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) expires: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Prepare {
    /// Install an administrator
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    AddAdministrator {
        /// The public key file, which `unit key new` wrote beside the secret one
        #[arg(value_hint = ValueHint::FilePath)]
        public_key: PathBuf,
        /// The administrator's name, instead of the file's: 1 to 30 characters
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        carried: Carried,
    },
    /// Remove an administrator
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    RemoveAdministrator {
        /// The name, or the subject key identifier
        administrator: String,
        #[command(flatten)]
        carried: Carried,
    },
    /// Set thresholds and permissions; the first time, this ends imprint mode
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    SetThresholds {
        /// How many must sign most commands
        #[arg(long, value_name = "COUNT")]
        signature: Option<u8>,
        /// How many must sign the removal of an administrator
        #[arg(long, value_name = "COUNT")]
        revocation: Option<u8>,
        /// Grant a permission; may be given several times
        #[arg(long, value_name = "PERMISSION", value_enum)]
        allow: Vec<Permission>,
        /// Take a permission back; may be given several times
        #[arg(long, value_name = "PERMISSION", value_enum)]
        forbid: Vec<Permission>,
        #[command(flatten)]
        carried: Carried,
    },
    /// Let the unit make the key pair that key parts are encrypted to
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    GenerateImporter {
        #[command(flatten)]
        carried: Carried,
    },
    /// Load a new master key from signed key parts
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    Load {
        /// The signed parts of `unit part seal`, in any order
        #[arg(value_hint = ValueHint::FilePath, required = true)]
        parts: Vec<PathBuf>,
        /// The file to write
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Let the unit draw a master key itself
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    GenerateMasterKey {
        #[command(flatten)]
        carried: Carried,
    },
    /// Agree that the new master key is the right one
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    Commit {
        /// The key's verification pattern
        pattern: VerificationPattern,
        #[command(flatten)]
        carried: Carried,
    },
    /// Put the committed master key into use
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    SetImmediate {
        /// The key's verification pattern
        pattern: VerificationPattern,
        #[command(flatten)]
        carried: Carried,
    },
    /// Empty the new master key register
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    ClearNew {
        #[command(flatten)]
        carried: Carried,
    },
    /// Empty the current master key register: all keys are lost
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    ClearCurrent {
        #[command(flatten)]
        carried: Carried,
    },
    /// Hand the current master key to another unit, encrypted to that one's importer key
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    ExportCurrent {
        /// The other unit's statement
        #[arg(long, value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
        to: PathBuf,
        #[command(flatten)]
        carried: Carried,
    },
    /// Back to imprint mode: administrators, thresholds and master keys are gone, and all keys with them
    #[command(after_long_help = help::UNIT_PREPARE_EXAMPLES)]
    Zeroize {
        #[command(flatten)]
        carried: Carried,
    },
}

/// The permissions of a unit that administrators move: EP11's domain permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permission {
    /// Load master keys from key parts
    Import,
    /// Hand master keys out
    Export,
    /// Load a master key from one part
    SinglePart,
    /// Let the unit draw master keys
    Random,
    /// Thresholds of 1
    SingleSignature,
    /// Zeroize with one signature
    ZeroizeSingleSignature,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnitKey {
    /// Make a signature key: the secret file, and beside it the public one
    #[command(after_long_help = help::UNIT_KEY_EXAMPLES)]
    New {
        /// The secret file to write; the public one gets .pub appended
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The administrator's name: 1 to 30 characters
        #[arg(long)]
        name: String,
        #[command(flatten)]
        passphrase: KeyPassphrase,
    },
    /// Write the public file of a signature key, as of one that the TKE tools made
    #[command(after_long_help = help::UNIT_KEY_EXAMPLES)]
    Public {
        #[command(flatten)]
        key: SigningKey,
        /// The administrator's name: 1 to 30 characters
        #[arg(long)]
        name: String,
        /// The file to write
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
    /// Show whose signature keys files hold
    #[command(after_long_help = help::UNIT_KEY_EXAMPLES)]
    Show {
        /// Secret or public files
        #[arg(value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnitPart {
    /// Draw a part of a master key
    #[command(after_long_help = help::UNIT_PART_EXAMPLES)]
    New {
        /// The file to write
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What people call it
        #[arg(long)]
        name: String,
        /// Take the part's 32 bytes from a file's first line, in hexadecimal digits; `-` is standard input
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        value_file: Option<PathBuf>,
        #[command(flatten)]
        passphrase: PartPassphrase,
    },
    /// Show parts: their names and verification patterns
    #[command(after_long_help = help::UNIT_PART_EXAMPLES)]
    Show {
        /// Part files
        #[arg(value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
    },
    /// Encrypt a part to the unit's importer key, and sign it
    #[command(after_long_help = help::UNIT_PART_EXAMPLES)]
    Seal {
        /// The part's file
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "exported", conflicts_with = "exported")]
        file: Option<PathBuf>,
        /// The master key that another unit exported to this one's importer key, by that unit's reply
        #[arg(long, value_name = "REPLY", value_hint = ValueHint::FilePath)]
        exported: Option<PathBuf>,
        /// Which part this is, from 1
        #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        number: u8,
        /// How many parts there are
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        of: u8,
        #[command(flatten)]
        key: SigningKey,
        #[command(flatten)]
        passphrase: PartPassphrase,
        #[command(flatten)]
        carried: Carried,
    },
}

/// Where the passphrase of a part's file comes from; without this, from SOFTHSM_RS_PART_PASSPHRASE, else asked.
#[derive(Debug, Args)]
pub(crate) struct PartPassphrase {
    /// Read the passphrase of the part from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) part_passphrase_file: Option<PathBuf>,
    /// The part's file has no passphrase
    #[arg(long, conflicts_with = "part_passphrase_file")]
    pub(crate) no_part_passphrase: bool,
}
