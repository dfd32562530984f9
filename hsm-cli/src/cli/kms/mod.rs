//! The options of `kms`: keys with a life, key rings and policies. Those of single keys stand in `key`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueHint};
use hsm_core::kms::{AllowedNetwork, Subnet};

use super::{KeyAccess, TokenChoice};

mod help;
mod key;
mod wrap;

pub(super) use help::KMS as KMS_EXAMPLES;
use key::Named;
pub(crate) use key::{
    Brought, CreateKey, ImportKey, KeyPolicies, KmsAlias, KmsKey, KmsKeyPolicy, KmsRegistration, ListKeys,
    RotateKey, Told, UpdateKey,
};
pub(crate) use wrap::{Additional, Out, RewrapKey, UnwrapKey, WrapKey, Wrapped};

#[derive(Debug, Args)]
pub(crate) struct Kms {
    #[command(flatten)]
    pub(crate) access: KmsAccess,
    #[command(subcommand)]
    pub(crate) command: KmsCommand,
}

/// Whose keys, and who acts.
#[derive(Debug, Args)]
pub(crate) struct KmsAccess {
    /// The token's label or serial number; not needed where there is but one
    #[arg(long, global = true, env = "SOFTHSM_RS_TOKEN")]
    token: Option<String>,
    /// Read the user PIN from a file's first line; `-` is standard input
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pin_file: Option<PathBuf>,
    /// Act as this person instead of the operating system's user: whoever knows the PIN is believed
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) acts_as: Option<String>,
}

impl KmsAccess {
    /// The token and its user.
    pub(crate) fn key_access(&self) -> KeyAccess {
        KeyAccess { token: TokenChoice { token: self.token.clone() }, pin_file: self.pin_file.clone() }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsCommand {
    /// Root and standard keys
    #[command(subcommand, after_long_help = help::KMS)]
    Key(Box<KmsKey>),
    /// Give out a standard key's payload
    #[command(after_long_help = help::READ)]
    Read {
        #[command(flatten)]
        key: Named,
        #[command(flatten)]
        out: Out,
    },
    /// Key rings: keys that belong together
    #[command(subcommand, after_long_help = help::RING)]
    Ring(KmsRing),
    /// The partition's policies
    #[command(subcommand, after_long_help = help::POLICY)]
    Policy(KmsPolicy),
    /// Rotate the keys whose policies say so, and erase those that were deleted long enough ago; for a timer, where no
    /// server does it
    #[command(after_long_help = help::DUE)]
    RotateDue {
        /// How many keys of each kind at most; the rest is for the next time
        #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
        most: usize,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsRing {
    /// Make a key ring
    #[command(after_long_help = help::RING)]
    Create {
        /// Its name: 2 to 100 letters, digits and hyphens
        ring: String,
    },
    /// List the key rings
    List,
    /// Take a key ring away that has no keys
    #[command(after_long_help = help::RING)]
    Delete {
        /// Its name
        ring: String,
        /// Also one whose keys are all deleted; they go to the ring `default`
        #[arg(short, long)]
        force: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsPolicy {
    /// Show them
    Show,
    /// Change them; what is not named stays
    #[command(after_long_help = help::POLICY)]
    Set(Box<SetPolicy>),
}

/// What to change.
#[derive(Debug, Args)]
#[group(id = "changes", required = true, multiple = true)]
pub(crate) struct SetPolicy {
    /// Whether two persons are needed to delete a key that is made from now on
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) dual_auth: Option<bool>,
    /// Which networks requests may come from: public-and-private or private-only
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(crate) network: Option<AllowedNetwork>,
    /// An address or network (192.0.2.0/24) that requests may come from; may be repeated, and takes the place
    /// of those before
    #[arg(long, value_name = "ADDRESS", value_parser = subnet)]
    pub(crate) allow_ip: Vec<Subnet>,
    /// Let requests come from every address again
    #[arg(long, conflicts_with = "allow_ip")]
    pub(crate) any_ip: bool,
    /// Whether root keys may be generated
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) create_root_key: Option<bool>,
    /// Whether standard keys may be generated
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) create_standard_key: Option<bool>,
    /// Whether root keys may be brought
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) import_root_key: Option<bool>,
    /// Whether standard keys may be brought
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) import_standard_key: Option<bool>,
    /// Whether what is brought must be encrypted for the import token
    #[arg(long, value_name = "on|off", value_parser = BoolishValueParser::new())]
    pub(crate) enforce_token: Option<bool>,
    /// Every how many months (1 to 12) root keys are rotated that are generated from now on
    #[arg(long, value_name = "MONTHS|off", value_parser = interval)]
    pub(crate) rotation: Option<Interval>,
    /// After how many days (1 to 90) a deleted key is erased by itself
    #[arg(long, value_name = "DAYS")]
    pub(crate) retention: Option<u16>,
}

/// Every how many months; `None` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval(pub(crate) Option<u8>);

/// The range is the core's to check.
fn interval(text: &str) -> Result<Interval, String> {
    match text {
        "off" => Ok(Interval(None)),
        _ => text.parse().map(|months| Interval(Some(months))).map_err(|_| "a number or off".to_owned()),
    }
}

fn network(text: &str) -> Result<AllowedNetwork, String> {
    AllowedNetwork::of_name(text).map_err(|reason| reason.message())
}

fn subnet(text: &str) -> Result<Subnet, String> {
    text.parse::<Subnet>().map_err(|reason| reason.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_or_off() {
        assert_eq!(interval("off"), Ok(Interval(None)));
        assert_eq!(interval("3"), Ok(Interval(Some(3))));
        for bad in ["", "-1", "256", "on"] {
            assert!(interval(bad).is_err(), "{bad:?}");
        }
    }
}
