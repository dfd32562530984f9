//! `unit sign-service`: a signing service of our own, for tests and for those who have none.

use hsm_core::unit::{SignedCommand, SignedPart};

use super::{describe, signer};
use crate::cli::SignService;
use crate::failure::Result;
use crate::output::{Output, printable};
use crate::signing_service::{Event, Keys, Settings, serve};

pub(super) fn run(options: &SignService, output: Output) -> Result<()> {
    let passphrase = signer::one_passphrase(&options.passphrase, output)?;
    let token = signer::token(options.token_file.as_deref()).given(output)?;
    let keys = Keys::of_directory(&options.keys, &passphrase, token, output)?;
    for (name, key) in keys.list() {
        output.notice(&format!("key {name}: {}", key.ski()));
    }
    let tls = options.tls_cert.clone().zip(options.tls_key.clone());
    let told = Box::new(move |event: Event<'_>| {
        output.notice(&match event {
            Event::Signed(name, input) => format!("signed with {name}: {}", said(input)),
            Event::Denied(name) => format!("denied, the token is wrong: key {}", printable(name)),
        });
    });
    let settings = Settings { listen: options.listen, tls, keys, told };
    serve(settings, |url| output.notice(&format!("signing service at {url}")))
}

/// What was signed, in a line.
fn said(input: &[u8]) -> String {
    let fields = match SignedCommand::of_bytes_to_sign(input) {
        Some(command) => describe::fields(&command, None).unwrap_or_default(),
        None => match SignedPart::of_bytes_to_sign(input) {
            Some(part) => describe::part_fields(&part),
            None => return format!("{} bytes that are no command for a unit of softhsm-rs", input.len()),
        },
    };
    let fields = fields.into_iter().map(|(name, value)| format!("{name} {}", printable(&value)));
    fields.collect::<Vec<_>>().join(", ")
}
