//! `kmip discover`: KMIP 1.4, section 4.26; 2.1, section 6.1.20.

use kmip_server::ttlv::enums::{Operation, ResultReason};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::kmip::{self, Client, Refusal, Settings};
use crate::output::Output;

pub(super) fn run(settings: &Settings, output: Output) -> Result<()> {
    let mut client = Client::for_discovery(settings)?;
    // Without a version in it the request asks for all that there are.
    let payload = client.ask(Operation::DiscoverVersions, Vec::new())?.map_err(unknown)?;
    let versions = kmip::versions(&payload);
    let common = kmip::newest_common(&versions).map(|version| version.to_string());
    let versions: Vec<_> = versions.iter().map(|(major, minor)| format!("{major}.{minor}")).collect();
    let server = settings.peer.endpoint.to_string();
    let value = json!({ "server": server, "versions": versions, "newest_common": common });
    output.result(&value, |page| {
        let common = common.clone().unwrap_or_else(|| "none".into());
        page.fields([
            ("server", server.clone()),
            ("versions", versions.join(", ")),
            ("newest in common", common),
        ]);
    });
    Ok(())
}

/// Discover Versions came with 1.1.
fn unknown(refusal: Refusal) -> Failure {
    let is_unknown = matches!(refusal.known_reason(), Some(ResultReason::OperationNotSupported));
    let failure = Failure::from(refusal);
    if is_unknown {
        return failure.next("a server that does not know it speaks 1.0: the other commands then do so too");
    }
    failure
}
