//! The options of `kms key`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum, ValueHint};
use hsm_core::kms::{KeyState, Kind};
use hsm_core::object::lifecycle::Seconds;

use super::{Interval, RewrapKey, UnwrapKey, WrapKey, help, interval};
use crate::cli::Consent;

#[derive(Debug, Subcommand)]
pub(crate) enum KmsKey {
    /// Make a key of random material
    #[command(after_long_help = help::CREATE)]
    Create(CreateKey),
    /// Make a key of material that you bring
    #[command(after_long_help = help::IMPORT)]
    Import(ImportKey),
    /// List keys
    #[command(after_long_help = help::LIST)]
    List(ListKeys),
    /// Show what is known of a key; its material is never shown
    #[command(after_long_help = help::LIST)]
    Show(Named),
    /// List a key's versions, the newest first
    #[command(after_long_help = help::LIST)]
    Versions(Named),
    /// Change a key's name, description, tags or key ring
    #[command(after_long_help = help::LABELS)]
    Update(UpdateKey),
    /// Aliases, which name a key as its identifier does
    #[command(subcommand, after_long_help = help::LABELS)]
    Alias(KmsAlias),
    /// Wrap a data encryption key under a root key, or a fresh one of 32 bytes
    #[command(after_long_help = help::WRAP)]
    Wrap(WrapKey),
    /// Unwrap a data encryption key
    #[command(after_long_help = help::WRAP)]
    Unwrap(UnwrapKey),
    /// Wrap a data encryption key anew under a root key's current version, without showing it
    #[command(after_long_help = help::WRAP)]
    Rewrap(RewrapKey),
    /// Give a root key a new version; of material that you bring, if its own was brought
    #[command(after_long_help = help::ROTATE)]
    Rotate(RotateKey),
    /// Suspend a root key: no door uses it until it is enabled
    #[command(after_long_help = help::LIFE)]
    Disable(Named),
    /// Make a suspended root key active again, at the earliest 30 seconds later
    #[command(after_long_help = help::LIFE)]
    Enable(Named),
    /// Set a key for deletion by somebody else within 7 days
    #[command(after_long_help = help::DUAL)]
    ScheduleDelete(Named),
    /// Take that back
    #[command(after_long_help = help::DUAL)]
    UnscheduleDelete(Named),
    /// Delete a key; for 30 days it can be restored
    #[command(after_long_help = help::LIFE)]
    Delete {
        #[command(flatten)]
        key: Named,
        /// Also one that protects resources
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Bring a deleted key back, at the earliest 30 seconds later
    #[command(after_long_help = help::LIFE)]
    Restore(Named),
    /// Erase what is left of a deleted key, at the earliest 4 hours later: nothing unwraps any more
    #[command(after_long_help = help::LIFE)]
    Purge {
        #[command(flatten)]
        key: Named,
        #[command(flatten)]
        consent: Consent,
    },
    /// The resources that keys protect
    #[command(subcommand, after_long_help = help::REGISTRATIONS)]
    Registrations(KmsRegistration),
    /// A key's own policies
    #[command(subcommand, after_long_help = help::KEY_POLICY)]
    Policy(KmsKeyPolicy),
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The key: its identifier, an alias, or its name where no other key has it
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
}

/// What is said of a key that is made.
#[derive(Debug, Args)]
pub(crate) struct Told {
    /// Its name: 2 to 90 characters
    pub(crate) name: String,
    /// A standard key, which is kept and given out, instead of a root key, which wraps
    #[arg(short, long)]
    pub(crate) standard_key: bool,
    /// Its description: 2 to 240 characters
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// From when on it wraps no more, as RFC 3339 has it: 2027-06-30T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) expires: Option<Seconds>,
    /// Its key ring [default: default]
    #[arg(long)]
    pub(crate) ring: Option<String>,
    /// An alias; at most 5
    #[arg(long)]
    pub(crate) alias: Vec<String>,
    /// A tag; at most 30
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// Two persons are needed to delete it [default: as the partition's policy says]
    #[arg(long)]
    pub(crate) dual_auth: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    #[command(flatten)]
    pub(crate) told: Told,
    /// Rotate it every so many months, 1 to 12 [default: as the partition's policy says]
    #[arg(long, value_name = "MONTHS")]
    pub(crate) rotation: Option<u8>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("needed").required(true).args(["payload_file", "import_token"])))]
pub(crate) struct ImportKey {
    #[command(flatten)]
    pub(crate) told: Told,
    #[command(flatten)]
    pub(crate) brought: Brought,
    /// The file of --payload-file holds it in base64
    #[arg(long, requires = "payload_file", conflicts_with = "import_token")]
    pub(crate) base64: bool,
}

/// Where material is that is brought; no option takes it itself.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Brought {
    /// It is in this file as it is; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) payload_file: Option<PathBuf>,
    /// It was encrypted for the import token: the JSON of `import-token encrypt-key` and `encrypt-nonce`, in one
    /// file or in several; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) import_token: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    pub(crate) key: Named,
    #[command(flatten)]
    pub(crate) brought: Brought,
    /// The file of --payload-file holds it in base64
    #[arg(long, requires = "payload_file", conflicts_with = "import_token")]
    pub(crate) base64: bool,
}

/// Which keys to list.
#[derive(Debug, Args)]
pub(crate) struct ListKeys {
    /// Those in this state; may be repeated [default: all but destroyed]
    #[arg(long, value_enum)]
    pub(crate) state: Vec<State>,
    /// Those of this key ring
    #[arg(long)]
    pub(crate) ring: Option<String>,
    /// Those of this kind
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindOfKey>,
    /// Those that have this text in their name or an alias
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Pass over so many
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) offset: usize,
    /// List so many at most, up to 5000
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) limit: usize,
}

/// The states of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    Active,
    Suspended,
    Deactivated,
    Destroyed,
}

impl From<State> for KeyState {
    fn from(state: State) -> KeyState {
        match state {
            State::Active => KeyState::Active,
            State::Suspended => KeyState::Suspended,
            State::Deactivated => KeyState::Deactivated,
            State::Destroyed => KeyState::Destroyed,
        }
    }
}

/// The kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindOfKey {
    Root,
    Standard,
}

impl From<KindOfKey> for Kind {
    fn from(kind: KindOfKey) -> Kind {
        match kind {
            KindOfKey::Root => Kind::Root,
            KindOfKey::Standard => Kind::Standard,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct UpdateKey {
    #[command(flatten)]
    pub(crate) key: Named,
    #[command(flatten)]
    pub(crate) changes: Changes,
}

/// What to change.
#[derive(Debug, Args)]
#[group(id = "labels", required = true, multiple = true)]
pub(crate) struct Changes {
    /// Its new name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its new description; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// A tag; may be repeated, and takes the place of those before
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// Take its tags away
    #[arg(long, conflicts_with = "tag")]
    pub(crate) no_tags: bool,
    /// The key ring that it goes to
    #[arg(long)]
    pub(crate) ring: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsAlias {
    /// Give a key an alias
    #[command(after_long_help = help::LABELS)]
    Add {
        #[command(flatten)]
        key: Named,
        /// The alias: letters, digits, `-` and `_`
        alias: String,
    },
    /// Take an alias away
    #[command(after_long_help = help::LABELS)]
    Rm {
        #[command(flatten)]
        key: Named,
        /// The alias
        alias: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsRegistration {
    /// List them: of a key, of a resource, or all
    #[command(after_long_help = help::REGISTRATIONS)]
    List {
        /// The key
        key: Option<String>,
        /// Those of this resource
        #[arg(long, value_name = "NAME")]
        resource: Option<String>,
    },
    /// Say that a root key protects a resource
    #[command(after_long_help = help::REGISTRATIONS)]
    Add(RegisterKey),
    /// Say that it does no more
    #[command(after_long_help = help::REGISTRATIONS)]
    Rm {
        #[command(flatten)]
        key: Named,
        /// The resource's name
        resource: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RegisterKey {
    #[command(flatten)]
    pub(crate) key: Named,
    /// The resource's name: a CRN, a path, what you like
    pub(crate) resource: String,
    /// The key is not deleted while this stands, not even by force
    #[arg(long)]
    pub(crate) prevent_deletion: bool,
    /// What is said of it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KmsKeyPolicy {
    /// Show them
    #[command(after_long_help = help::KEY_POLICY)]
    Show(Named),
    /// Change them; what is not named stays
    #[command(after_long_help = help::KEY_POLICY)]
    Set(SetKeyPolicy),
}

#[derive(Debug, Args)]
pub(crate) struct SetKeyPolicy {
    #[command(flatten)]
    pub(crate) key: Named,
    #[command(flatten)]
    pub(crate) said: KeyPolicies,
}

/// What to change.
#[derive(Debug, Args)]
#[group(id = "policies", required = true, multiple = true)]
pub(crate) struct KeyPolicies {
    /// Every how many months, 1 to 12, a generated root key is rotated
    #[arg(long, value_name = "MONTHS|off", value_parser = interval)]
    pub(crate) rotation: Option<Interval>,
    /// Whether two persons are needed to delete it; what is on stays on
    #[arg(long, value_name = "on|off", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) dual_auth: Option<bool>,
}

fn date(text: &str) -> Result<Seconds, String> {
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_moment_of_rfc_3339() {
        assert_eq!(date("2020-05-13T19:12:13Z"), Ok(1_589_397_133));
        assert_eq!(date("2020-05-13T21:12:13+02:00"), Ok(1_589_397_133));
        for bad in ["", "2020-05-13", "tomorrow", "1589397133"] {
            assert!(date(bad).is_err(), "{bad:?}");
        }
    }
}
