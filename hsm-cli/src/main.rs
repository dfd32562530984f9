//! `softhsm-rs`: the HSM's command line. It reads arguments, asks for PINs and prints; what it does
//! is done by `hsm-core`, as by any other door.
//!
//! Results go to standard output, everything else to standard error. The process ends by returning
//! from `main`, so that secrets are wiped on every way out.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod describe;
mod failure;
mod key_type;
mod kmip;
mod material;
mod output;
mod pin;
mod signing_service;
mod uri;

use std::process::ExitCode;

use crate::failure::Outcome;
use crate::output::Output;

fn main() -> ExitCode {
    let (cli, name) = match cli::parse() {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error),
    };
    let output = Output::new(cli.global.json, cli.global.quiet);
    match commands::run(cli, &name, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.outcome.code())
        }
    }
}

/// Help and version are results; anything else is a fault of the command line.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell anybody when this fails.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(Outcome::Usage.code()) } else { ExitCode::SUCCESS }
}
