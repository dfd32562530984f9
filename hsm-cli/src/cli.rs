//! The command line: commands, options, and their help. What they do is in `commands`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use crate::failure::OUTCOMES;
use crate::key_type::{self, KeyType};

mod audit;
mod ceremony;
mod help;
mod import_token;
mod kmip;
mod kms;
mod moving;
mod sealer;
mod server;
mod signing;
mod token;
mod unit;
mod util;

pub(crate) use audit::{Audit, AuditVerify};
pub(crate) use ceremony::{Ceremony, CeremonyCommand, Plan, Record};
pub(crate) use import_token::{EncryptKey, EncryptNonce, Import, ImportToken, Material};
pub(crate) use kmip::{Kmip, KmipConnection, KmipGet, KmipLocate};
pub(crate) use kms::{
    Additional, Brought, CreateKey, ImportKey, Interval, KeyPolicies, Kms, KmsAccess, KmsAlias, KmsCommand,
    KmsKey, KmsKeyPolicy, KmsPolicy, KmsRegistration, KmsRing, ListKeys, Out, RewrapKey, RotateKey,
    SetPolicy, Told, UnwrapKey, UpdateKey, WrapKey, Wrapped,
};
pub(crate) use moving::{
    Backup, BackupPassphrase, Bring, Export, Exported, Form, ImportFile, Restore, Softhsm2, Usage,
};
pub(crate) use sealer::{Given, SetSealer, SharePassphrase, UnitSealer, Unlock};
pub(crate) use server::{Certs, MakeCertificate, RsaBits, Serve};
pub(crate) use signing::{KeyPassphrase, SignService, SigningKey, SigningService};
pub(crate) use token::{Token, TokenInit};
pub(crate) use unit::{Carried, Kind, PartPassphrase, Permission, Prepare, Unit, UnitKey, UnitPart};
pub(crate) use util::{ImportType, Util};

/// A software HSM: tokens and keys for PKCS#11, under a master key that a ceremony made.
#[derive(Debug, Parser)]
#[command(name = "softhsm-rs", version, max_term_width = 100)]
#[command(after_long_help = overview(), after_help = "`softhsm-rs help COMMAND` shows examples.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The HSM's directory, instead of the one that the environment and the configuration name
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
    /// Print results, and errors, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results alone
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log to standard error; twice or three times for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an HSM by the quick key ceremony
    #[command(after_long_help = help::INIT_EXAMPLES)]
    Init(Init),
    /// Show the HSM: its crypto unit, its store and its tokens
    #[command(after_long_help = help::STATUS_EXAMPLES)]
    Status,
    /// The key ceremony step by step: what is done, what comes next, who has to sign; a record to print
    #[command(after_long_help = help::CEREMONY_EXAMPLES)]
    Ceremony(Ceremony),
    /// The crypto unit: its ceremony by several people, administrators, quorum and master key parts
    #[command(subcommand, after_long_help = help::UNIT_EXAMPLES)]
    Unit(Box<Unit>),
    /// Open the crypto unit by its passphrase or key shares, and hold its key for those who use the HSM
    #[command(after_long_help = help::UNLOCK_EXAMPLES)]
    Unlock(Unlock),
    /// End the process that holds the crypto unit's key
    #[command(after_long_help = help::UNLOCK_EXAMPLES)]
    Lock {
        /// Kill it if it does not answer
        #[arg(long)]
        force: bool,
    },
    /// Tokens: partitions with their own PINs and keys
    #[command(subcommand, after_long_help = help::TOKEN_EXAMPLES)]
    Token(Token),
    /// SoftHSM2's softhsm2-util, for scripts that were made for it
    #[command(after_long_help = moving::UTIL_EXAMPLES)]
    Util(Box<Util>),
    /// Keys on a token
    #[command(subcommand, after_long_help = help::KEY_EXAMPLES)]
    Key(Key),
    /// Bring keys in: a whole token of SoftHSM2, or keys and certificates of a file
    #[command(subcommand, after_long_help = moving::IMPORT_EXAMPLES)]
    Import(Bring),
    /// Write out a public key, a certificate, or a key that may leave the token
    #[command(after_long_help = moving::EXPORT_EXAMPLES)]
    Export(Box<Export>),
    /// Copy tokens to an encrypted file, with PINs, objects, keys of the key management service and policies
    #[command(after_long_help = moving::BACKUP_EXAMPLES)]
    Backup(Backup),
    /// Bring tokens back from such a file
    #[command(after_long_help = moving::BACKUP_EXAMPLES)]
    Restore(Restore),
    /// Import tokens: key material of a customer comes in without anybody on the way seeing it
    #[command(subcommand, after_long_help = help::IMPORT_TOKEN_EXAMPLES)]
    ImportToken(ImportToken),
    /// Root and standard keys with a life: wrap, rotate, suspend, delete, restore; key rings and policies
    #[command(after_long_help = kms::KMS_EXAMPLES)]
    Kms(Box<Kms>),
    /// Serve the keys by KMIP over mutual TLS
    #[command(after_long_help = help::SERVE_EXAMPLES)]
    Serve(Box<Serve>),
    /// Certificates of the KMIP server and its clients
    #[command(subcommand, after_long_help = help::CERTS_EXAMPLES)]
    Certs(Certs),
    /// Look at a KMIP server, ours or another, as its client
    #[command(subcommand, after_long_help = help::KMIP_EXAMPLES)]
    Kmip(Kmip),
    /// The audit log
    #[command(subcommand, after_long_help = help::AUDIT_EXAMPLES)]
    Audit(Audit),
    /// Show the version and what this build has in it
    Version,
    /// Print a completion script for a shell
    #[command(after_long_help = help::COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Makes the crypto unit, two administrators, three key parts and the master key that they give,
/// each step signed and checked as if people had done it. The administrators' keys and the key parts
/// stay in the home's ceremony files until you move them apart.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Let the members of a group use the HSM (name or number); its ceremony files stay yours
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Ask for a passphrase that protects the ceremony files
    #[arg(long)]
    pub(crate) passphrase: bool,
    /// Read that passphrase from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Succeed where an HSM exists already
    #[arg(long)]
    pub(crate) if_missing: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// List keys
    #[command(after_long_help = help::KEY_LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        view: KeyView,
        #[command(flatten)]
        choice: KeyChoice,
        /// List certificates and data objects too
        #[arg(long)]
        all: bool,
    },
    /// Make keys
    #[command(after_long_help = help::KEY_GENERATE_EXAMPLES)]
    Generate(Box<Generate>),
    /// Import a customer's AES key, or private key, that was encrypted for the import token
    #[command(after_long_help = help::KEY_IMPORT_EXAMPLES)]
    Import(Box<Import>),
    /// Show the attributes of keys, or export a public key; secret values are never shown
    #[command(after_long_help = help::KEY_SHOW_EXAMPLES)]
    Show {
        #[command(flatten)]
        view: KeyView,
        #[command(flatten)]
        choice: KeyChoice,
        /// Print the public key alone, in PEM (SubjectPublicKeyInfo)
        #[arg(long)]
        public_key: bool,
    },
    /// Delete keys
    #[command(after_long_help = help::KEY_DELETE_EXAMPLES)]
    Delete {
        #[command(flatten)]
        access: KeyAccess,
        #[command(flatten)]
        choice: KeyChoice,
        /// Delete all keys chosen, where there is more than one key or key pair
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        consent: Consent,
    },
}

/// What to make.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) access: KeyAccess,
    #[arg(long = "type", value_name = "TYPE", help = format!("The type: {}", key_type::EXAMPLES))]
    pub(crate) key_type: KeyType,
    /// The label; of several keys each gets its number appended
    #[arg(long)]
    pub(crate) label: String,
    /// CKA_ID in hexadecimal digits; random where it is not given
    #[arg(long, value_name = "HEX", value_parser = hexadecimal, conflicts_with = "count")]
    pub(crate) id: Option<Hexadecimal>,
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Let the secret leave the token wrapped (CKA_EXTRACTABLE); it stays sensitive
    #[arg(long)]
    pub(crate) extractable: bool,
}

/// Which token.
#[derive(Debug, Args)]
pub(crate) struct TokenChoice {
    /// The token's label, serial number or PKCS #11 URI; not needed where there is but one
    #[arg(long, env = "SOFTHSM_RS_TOKEN")]
    pub(crate) token: Option<String>,
}

/// Where PINs are read from; without these, from SOFTHSM_RS_PIN and SOFTHSM_RS_SO_PIN, else asked.
#[derive(Debug, Args)]
pub(crate) struct Pins {
    /// Read the user PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pin_file: Option<PathBuf>,
    /// Read the SO PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) so_pin_file: Option<PathBuf>,
}

/// Where a PIN's successor is read from; without it, from SOFTHSM_RS_NEW_PIN, else asked.
#[derive(Debug, Args)]
pub(crate) struct NewPin {
    /// Read the new PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) new_pin_file: Option<PathBuf>,
}

/// The token of a key command, and its user.
#[derive(Debug, Args)]
pub(crate) struct KeyAccess {
    #[command(flatten)]
    pub(crate) token: TokenChoice,
    /// Read the user PIN from a file's first line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) pin_file: Option<PathBuf>,
}

/// The token of a command that looks at keys, which it may do without login.
#[derive(Debug, Args)]
pub(crate) struct KeyView {
    #[command(flatten)]
    pub(crate) access: KeyAccess,
    /// Do not log in: see public objects alone
    #[arg(long, conflicts_with = "pin_file")]
    pub(crate) public: bool,
}

/// Which keys.
#[derive(Debug, Args)]
pub(crate) struct KeyChoice {
    /// Keys with this label, or what a PKCS #11 URI says of them
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Keys with this CKA_ID, in hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    pub(crate) id: Option<Hexadecimal>,
    /// Keys of this class
    #[arg(long, value_enum)]
    pub(crate) class: Option<Class>,
}

/// The classes of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Class {
    Public,
    Private,
    Secret,
}

/// The user's word that something may be destroyed.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// Do not ask whether it is meant
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Bytes that were written as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hexadecimal(pub(crate) Vec<u8>);

fn hexadecimal(text: &str) -> Result<Hexadecimal, String> {
    let digits = text.replace(':', "");
    hex::decode(&digits).map(Hexadecimal).map_err(|e| e.to_string())
}

/// The command line, and the name of its command, `key generate`, without what was given to it.
///
/// # Errors
/// What is wrong with it; help and version too.
pub(crate) fn parse() -> Result<(Cli, String), clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    let mut words = Vec::new();
    let mut deepest = Some(&matches);
    while let Some((name, inside)) = deepest.and_then(clap::ArgMatches::subcommand) {
        words.push(name);
        deepest = Some(inside);
    }
    Ok((Cli::from_arg_matches(&matches)?, words.join(" ")))
}

/// The end of `softhsm-rs --help`.
fn overview() -> String {
    let mut text = String::from(help::OVERVIEW);
    for (_, code, _, meaning) in OUTCOMES {
        text.push_str(&format!("\n  {code:>2}  {meaning}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_takes_anything_shows_examples() {
        fn check(command: &clap::Command) {
            let examples = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let bare = command
                .get_arguments()
                .all(|argument| argument.is_global_set() || argument.get_id() == "help");
            let parent = command.has_subcommands();
            assert!((bare && !parent) || examples.contains("Examples:"), "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn no_option_takes_a_pin_itself() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| argument.get_action().takes_values()) {
                let long = argument.get_long().unwrap_or_default();
                // SoftHSM2's users have them in their scripts.
                let is_scripted = matches!(command.get_name(), "softhsm2" | "util")
                    && matches!(long, "pin" | "so-pin" | "file-pin");
                assert!(
                    is_scripted
                        || !(long.contains("pin") || long.contains("pass"))
                        || long.ends_with("-file"),
                    "--{long}"
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn an_id_is_read_with_and_without_colons() {
        assert_eq!(hexadecimal("01:aB"), Ok(Hexadecimal(vec![1, 0xab])));
        assert_eq!(hexadecimal("01ab"), Ok(Hexadecimal(vec![1, 0xab])));
        assert!(hexadecimal("1").is_err());
        assert!(hexadecimal("xy").is_err());
    }
}
