//! The options of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{Hexadecimal, help, hexadecimal};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the events, the oldest first; with --json as CADF, one a line
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Show {
        /// Begin with the event of this number
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        since: u64,
    },
    /// Show events as they come, until interrupted; with --json as CADF, one a line
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Follow {
        /// Begin with the event of this number instead of the next one
        #[arg(long, value_name = "NUMBER")]
        since: Option<u64>,
    },
    /// Check that every event is there as it was written, and the signatures of the seals; in the store, or in a
    /// file that was exported, for which no HSM is needed
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Verify(AuditVerify),
    /// Sign the log as it is now, and have the crypto unit remember where it ends
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Seal {
        /// Take a log that does not go on from where the unit knows it to have ended: the store was put back from
        /// a backup on purpose
        #[arg(long)]
        accept: bool,
    },
    /// Seal the log and write its entries out, one line of JSON each
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Export {
        /// Begin with the entry of this number
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        since: u64,
        /// Write into this file, which must not be there yet, instead of standard output
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
    /// Show the key that signs the log's seals
    #[command(after_long_help = help::AUDIT_EXAMPLES)]
    Key {
        /// Write the public key into this file, which must not be there yet
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: Option<PathBuf>,
    },
}

/// What a log is checked against.
#[derive(Debug, Args)]
pub(crate) struct AuditVerify {
    /// The last link of an earlier check, in hexadecimal digits: it must still be in the log, or the log was put
    /// back to an older copy
    #[arg(long, value_name = "LINK", value_parser = hexadecimal)]
    pub(crate) expect: Option<Hexadecimal>,
    /// Check an exported file; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// The key that may have sealed it: its fingerprint, or a file of `audit key --out`
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    pub(crate) key: Vec<PathBuf>,
    /// The unit's signed statement or reply, which says whose key seals the log and where it ended
    #[arg(long, value_name = "FILE", requires = "file", value_hint = ValueHint::FilePath)]
    pub(crate) statement: Option<PathBuf>,
}
