//! `serve`: the KMIP server as a process. What it does is done by `kmip-server`.

use std::collections::HashMap;
use std::sync::Arc;

use hsm_core::audit::{Flusher, Uses};
use hsm_core::hsm::Hsm;
use hsm_core::unit::ceremony;
use hsm_core::{Error, config::Config};
use kmip_server::certificates::Certificates;
use kmip_server::config::{Flags, SettingsSource};
use kmip_server::engine::{self, Engine};
use kmip_server::identity::Credentials;
use kmip_server::metrics::Metrics;
use kmip_server::partitions;
use kmip_server::server::{Addresses, Process};
use kmip_server::ttlv::enums::ResultReason;
use kmip_server::upkeep::Upkeep;

use super::certs;
use crate::cli::{Global, Serve};
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// The client whose certificate `--dev` makes.
const DEV_CLIENT: &str = "dev";

pub(super) fn run(global: &Global, options: &Serve, output: Output) -> Result<()> {
    let config = config(global, options)?;
    super::start_log(&config)?;
    let hsm = Hsm::for_door(config, "kmip", Some("serve".into()));
    if options.dev {
        prepare(&hsm, output)?;
    } else if !hsm.exists() {
        return Err(Error::NoHsm(hsm.config().home.root.clone()).into());
    }
    let source = source(hsm.config(), options);
    check_certificates(&source, options)?;
    let metrics = Metrics::default();
    let credentials = Credentials::default();
    let trail = hsm.audit_trail(Uses::default())?;
    let engine = engine(metrics.clone()).with_credentials(credentials.clone()).audited_by(trail.clone());
    let engine = Arc::new(engine);
    let no_thread = |what, error| Error::Config(format!("the thread of {what} cannot be started: {error}"));
    let sealed = hsm.clone();
    // Dropped when the server has stopped, after the keys' upkeep: it writes and seals the last events.
    let _flusher = Flusher::start(trail, Box::new(move || sealed.seal_and_tell()))
        .map_err(|error| no_thread("the audit log", error))?;
    let _upkeep = Upkeep::start(engine.clone()).map_err(|error| no_thread("the keys' upkeep", error))?;
    let process = Process {
        source,
        service: engine.clone(),
        credentials,
        metrics,
        accept: &|settings| {
            engine.reload(partitions::open(&hsm, settings)?, partitions::engine_settings(settings));
            Ok(())
        },
    };
    process.serve(|addresses| {
        if options.dev {
            explain(&hsm, addresses, output);
        }
        output.notice(&ready_line(addresses));
    })?;
    output.notice("stopped");
    Ok(())
}

/// A server is silent only where that is asked for: refusals of clients are for its log.
fn config(global: &Global, options: &Serve) -> Result<Config> {
    let environment = super::environment(global);
    let environment = match &options.config {
        Some(file) => environment.with_file(file),
        None => environment,
    };
    let mut config = super::locate(global, environment)?;
    if let Some(url) = &options.store {
        let wrong = |_| Failure::new(Outcome::Usage, "--store is one of sqlite:DIR, sled:DIR, memory:");
        config.store = url.parse().map_err(wrong)?;
    }
    config.log.filter.get_or_insert_with(|| "info".into());
    Ok(config)
}

fn source(config: &Config, options: &Serve) -> SettingsSource {
    let flags = Flags {
        listen: options.kmip_listen.clone(),
        https_listen: options.https_listen.clone(),
        metrics_listen: options.metrics_listen.clone(),
        certificate: options.tls_cert.clone(),
        key: options.tls_key.clone(),
        client_ca: options.tls_client_ca.clone(),
        crl: options.tls_crl.clone(),
        pin_only: options.pin_only,
        dev: options.dev,
    };
    SettingsSource { file: config.file.clone(), home: config.home.root.clone(), flags }
}

/// Says what to do where nothing was set up yet.
fn check_certificates(source: &SettingsSource, options: &Serve) -> Result<()> {
    let settings = source.load()?;
    if options.tls_cert.is_none() && !settings.tls.certificate.exists() {
        let message = format!("there is no server certificate at {}", settings.tls.certificate.display());
        return Err(Failure::new(Outcome::Configuration, message).next(
            "`softhsm-rs certs init` makes one and an authority for clients; --tls-cert, --tls-key and \
             --tls-client-ca name others; `serve --dev` makes everything",
        ));
    }
    Ok(())
}

/// Makes what is missing.
fn prepare(hsm: &Hsm, output: Output) -> Result<()> {
    if !hsm.exists() {
        hsm.initialise(&ceremony::Options::default(), &mut |_| {})?;
        output.step(&format!("Made an HSM in {}", hsm.config().home.root.display()));
    }
    let certificates = Certificates::of_home(&hsm.config().home.root);
    if !certificates.authority().certificate.exists() {
        certificates.make_authority(&certs::authority_request())?;
        output.step(&format!("Made an authority and certificates in {}", certificates.directory().display()));
    }
    if !certificates.server().certificate.exists() {
        certificates.make_server(&certs::server_request(&[]))?;
    }
    if !certificates.client(DEV_CLIENT).certificate.exists() {
        certificates.make_client(&certs::client_request(DEV_CLIENT))?;
    }
    Ok(())
}

/// An engine whose operations are counted. It has its partitions when the settings are accepted.
fn engine(metrics: Metrics) -> Engine {
    Engine::new(HashMap::new(), engine::Settings::default()).observed_by(Box::new(
        move |_, operation, result, time| {
            if result == Err(ResultReason::InternalServerError) {
                metrics.panicked();
            }
            let outcome = result.map_or_else(|reason| reason.name(), |()| "Success");
            metrics.operation(operation, outcome, time.as_secs_f64());
        },
    ))
}

fn ready_line(addresses: &Addresses) -> String {
    let list = |addresses: &[std::net::SocketAddr]| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
    };
    let mut line = format!("serving KMIP on {}", list(&addresses.kmip));
    if !addresses.https.is_empty() {
        line.push_str(&format!(", HTTPS on {}", list(&addresses.https)));
    }
    if !addresses.metrics.is_empty() {
        line.push_str(&format!(", metrics on {}", list(&addresses.metrics)));
    }
    line
}

/// How to try the server out, with the files that `--dev` made.
fn explain(hsm: &Hsm, addresses: &Addresses, output: Output) {
    let certificates = Certificates::of_home(&hsm.config().home.root);
    let client = certificates.client(DEV_CLIENT);
    let (authority, certificate, key) =
        (certificates.authority().certificate, client.certificate.display().to_string(), client.key);
    let (authority, key) = (authority.display(), key.display());
    for address in &addresses.kmip {
        let (host, port) = (address.ip(), address.port());
        output.step(&format!(
            "
For development: whoever has the client's key may do everything. Try it with

  openssl s_client -connect {address} -CAfile {authority} -cert {certificate} -key {key}

PyKMIP (~/.pykmip/pykmip.conf):

  [client]
  host={host}
  port={port}
  certfile={certificate}
  keyfile={key}
  ca_certs={authority}
  cert_reqs=CERT_REQUIRED
  ssl_version=PROTOCOL_TLS_CLIENT

Other products: the server's authority is {authority}; the client's certificate and key
are {certificate} and {key}.
`softhsm-rs certs client NAME` makes more.
"
        ));
    }
}
