//! The options of the guided ceremony and of its record.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::help;

/// What is done, what comes next, and who has to sign. Without a sub-command: on a terminal, the steps that can be
/// done here are done with you; elsewhere, they are listed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Ceremony {
    #[command(subcommand)]
    pub(crate) command: Option<CeremonyCommand>,
    #[command(flatten)]
    pub(crate) plan: Plan,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CeremonyCommand {
    /// List the steps: done, next, waiting
    #[command(after_long_help = help::CEREMONY_EXAMPLES)]
    Status {
        /// The unit, by its statement or its last reply; this machine's own unless given
        #[arg(long = "for", value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
        statement: Option<PathBuf>,
        /// A command that goes round: says who signed it and who may still
        #[arg(long, value_name = "COMMAND", value_hint = ValueHint::FilePath)]
        pending: Option<PathBuf>,
        #[command(flatten)]
        plan: Plan,
    },
    /// Do the steps one after the other, asking on standard input, until something has to come from elsewhere
    #[command(after_long_help = help::CEREMONY_EXAMPLES)]
    Run {
        #[command(flatten)]
        plan: Plan,
    },
    /// Write a record of the ceremony to print and sign
    #[command(after_long_help = help::CEREMONY_EXAMPLES)]
    Record(Record),
}

/// What is meant to be, as far as the unit does not say it yet.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    /// How many administrators there are to be
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) administrators: u8,
    /// How many of them are to sign
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) threshold: u8,
    /// How many key parts there are to be
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) parts: u8,
    /// Another master key is to be made
    #[arg(long)]
    pub(crate) rotate: bool,
}

/// What goes into a record.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The file to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// The unit, by its statement or its last reply; this machine's own unless given
    #[arg(long = "for", value_name = "STATEMENT", value_hint = ValueHint::FilePath)]
    pub(crate) statement: Option<PathBuf>,
    /// A signed reply of the unit to a command; may be given several times
    #[arg(long, value_name = "REPLY", value_hint = ValueHint::FilePath)]
    pub(crate) reply: Vec<PathBuf>,
    /// The file of a key part, of which the verification pattern is noted; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) part: Vec<PathBuf>,
    /// Who holds a key part, in the order of --part; a line to write on where it is not given
    #[arg(long, value_name = "NAME")]
    pub(crate) holder: Vec<String>,
}
