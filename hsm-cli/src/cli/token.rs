//! The options of the commands of tokens.

use clap::{Args, Subcommand};

use super::{Consent, NewPin, Pins, TokenChoice, help};

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// List the tokens
    List,
    /// Make a token and set its PINs, or empty an existing one
    #[command(after_long_help = help::TOKEN_INIT_EXAMPLES)]
    Init(TokenInit),
    /// Delete a token and all its keys
    #[command(after_long_help = help::TOKEN_DELETE_EXAMPLES)]
    Delete {
        #[command(flatten)]
        token: TokenChoice,
        #[command(flatten)]
        pins: Pins,
        /// Delete a server's partition that has no SO PIN to ask for
        #[arg(long, conflicts_with_all = ["pin_file", "so_pin_file"])]
        without_pin: bool,
        #[command(flatten)]
        consent: Consent,
    },
    /// Give a server's partition its first PINs, which makes it an ordinary token too
    #[command(after_long_help = help::TOKEN_GIVE_PINS_EXAMPLES)]
    GivePins {
        #[command(flatten)]
        token: TokenChoice,
        /// Let nothing but the PINs open it: the server needs the user PIN from its next start on
        #[arg(long)]
        pin_only: bool,
        #[command(flatten)]
        pins: Pins,
    },
    /// Change the user PIN, or set it where it was never set (with the SO PIN)
    #[command(after_long_help = help::TOKEN_PIN_EXAMPLES)]
    SetPin {
        #[command(flatten)]
        token: TokenChoice,
        /// Change the SO PIN instead
        #[arg(long)]
        so: bool,
        #[command(flatten)]
        pins: Pins,
        #[command(flatten)]
        new_pin: NewPin,
    },
    /// Set a new user PIN with the SO PIN; nothing on the token is lost
    #[command(after_long_help = help::TOKEN_PIN_EXAMPLES)]
    Unlock {
        #[command(flatten)]
        token: TokenChoice,
        #[command(flatten)]
        pins: Pins,
        #[command(flatten)]
        new_pin: NewPin,
    },
}

/// What to make or to empty.
#[derive(Debug, Args)]
pub(crate) struct TokenInit {
    /// The new token's label, at most 32 bytes
    pub(crate) label: String,
    /// Empty this token (label or serial number) instead: its keys are destroyed
    #[arg(long, value_name = "TOKEN")]
    pub(crate) replace: Option<String>,
    /// Leave the user PIN unset
    #[arg(long, conflicts_with = "pin_file")]
    pub(crate) so_only: bool,
    #[command(flatten)]
    pub(crate) pins: Pins,
    #[command(flatten)]
    pub(crate) consent: Consent,
}
