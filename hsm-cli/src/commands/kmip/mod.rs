//! `kmip`: looks at a KMIP server as its client. How a server is spoken to is in `crate::kmip`; here is
//! what is asked and what is shown.

use std::time::Duration;

use hsm_core::hsm::Hsm;

use super::save;
use crate::cli::{Kmip, KmipConnection};
use crate::failure::{Failure, Outcome, Result};
use crate::kmip::{self, Files, Peer, Settings};
use crate::output::{Output, printable};
use crate::pin::Source;

mod discover;
mod get;
mod locate;
mod query;

pub(super) fn run(hsm: &Hsm, command: Kmip, output: Output) -> Result<()> {
    let settings = |options: &KmipConnection| settings(hsm, options, output);
    match command {
        Kmip::Discover { connection } => discover::run(&settings(&connection)?, output),
        Kmip::Query { connection } => query::run(&settings(&connection)?, output),
        Kmip::Locate(options) => locate::run(&settings(&options.connection)?, &options, output),
        Kmip::Get(options) => {
            // Before anything is asked: a value that has no place to go is not fetched.
            let place =
                options.out.as_deref().map(|path| save::Place::new(path, options.force)).transpose()?;
            get::run(&settings(&options.connection)?, &options, place.as_ref(), output)
        }
    }
}

fn settings(hsm: &Hsm, options: &KmipConnection, output: Output) -> Result<Settings> {
    let tls = Files::choose(options, &hsm.config().home.root)?.tls()?;
    let name = options.server_name.clone().unwrap_or_else(|| options.server.host.clone());
    let timeout = Duration::from_secs(options.timeout);
    let authentication = options.user.as_deref().map(|user| {
        let source = Source {
            name: format!("password of \"{}\"", printable(user)),
            file: options.password_file.as_deref(),
            option: "--password-file",
            variable: "SOFTHSM_RS_KMIP_PASSWORD",
        };
        let password = source.existing(output)?;
        kmip::authentication(user, &password).ok_or_else(|| {
            Failure::new(Outcome::Usage, "the password is not text in UTF-8, as KMIP wants it")
        })
    });
    Ok(Settings {
        peer: Peer { endpoint: options.server.clone(), name, timeout },
        tls,
        version: options.kmip_version,
        authentication: authentication.transpose()?,
    })
}
