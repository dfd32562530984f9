//! The server proven: a key that KMIP makes signs through the module, and one that the module makes
//! signs through KMIP, while the server runs.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use hsm_tests::kmip::client::{Client, Identity};
use rustix::process::{Pid, Signal, kill_process};

use super::{MESSAGE, Place, Result, log_in, say};

/// The server's partition, which is a token of the module's too once it has PINs.
const PARTITION: &str = "kmip";
/// The client whose certificate is made.
const CLIENT: &str = "demo";
/// What KMIP names, and what the module does.
const BY_KMIP: &str = "made-by-kmip";
const BY_MODULE: &str = "made-by-the-module";

/// Starts the server, uses a key through both doors in both directions, and stops it.
pub(crate) fn prove(place: &Place, module: &Pkcs11) -> Result<()> {
    make_certificates(place)?;
    let mut server = Server::start(place)?;
    let answer = use_both_doors(place, module, server.address);
    let stopped = server.stop();
    answer.and(stopped)
}

fn make_certificates(place: &Place) -> Result<()> {
    let certs = place.home.join("certs");
    if !certs.join("ca.pem").exists() {
        place.softhsm_rs(&["certs", "init"])?;
    }
    if !certs.join(format!("client-{CLIENT}.pem")).exists() {
        place.softhsm_rs(&["certs", "client", CLIENT])?;
    }
    Ok(())
}

fn use_both_doors(place: &Place, module: &Pkcs11, address: SocketAddr) -> Result<()> {
    give_pins(place)?;
    let pin = std::fs::read_to_string(place.pin_file())?;
    let session = log_in(module, PARTITION, pin.trim_end())?;
    let file = |name: String| place.home.join("certs").join(name);
    let identity = Identity::of_files(
        &file("ca.pem".into()),
        &file(format!("client-{CLIENT}.pem")),
        &file(format!("client-{CLIENT}.key")),
    );
    let mut client = Client::connect(&identity, address)?;
    if private_key(&session, &format!("{BY_KMIP} private"))?.is_none() {
        client.create_rsa(BY_KMIP);
    }
    make_by_module(&session)?;
    for (label, maker, user) in
        [(format!("{BY_KMIP} private"), "KMIP", "the module"), (BY_MODULE.to_owned(), "the module", "KMIP")]
    {
        let key = private_key(&session, &label)?.ok_or_else(|| format!("{label} is not there"))?;
        let by_module = session.sign(&Mechanism::Sha256RsaPkcs, key, MESSAGE)?;
        let mut by_kmip = None;
        for id in client.locate(&label) {
            by_kmip = by_kmip.or(client.sign(&id, MESSAGE).ok());
        }
        if by_kmip.as_ref() != Some(&by_module) {
            return Err(format!("{label}: the two doors do not make the same signature").into());
        }
        say(&format!(
            "RSA key made by {maker:<11} signs through {user:<11} the same {} bytes",
            by_module.len()
        ));
    }
    Ok(session.close()?)
}

/// The partition's PINs are the demonstration token's.
fn give_pins(place: &Place) -> Result<()> {
    let tokens: serde_json::Value = serde_json::from_str(&place.ask(&["token", "list", "--json"])?)?;
    let of_server = |token: &serde_json::Value| token["label"] == PARTITION && token["user_pin"] == "not set";
    if tokens.as_array().is_some_and(|tokens| tokens.iter().any(of_server)) {
        let (pin, so_pin) = (place.pin_file(), place.so_pin_file());
        let options = ["--token", PARTITION, "--pin-file", &pin, "--so-pin-file", &so_pin];
        place.softhsm_rs(&[&["token", "give-pins"][..], &options].concat())?;
    }
    Ok(())
}

fn make_by_module(session: &Session) -> Result<()> {
    if private_key(session, BY_MODULE)?.is_some() {
        return Ok(());
    }
    let label = || Attribute::Label(BY_MODULE.as_bytes().to_vec());
    let public = [
        Attribute::Token(true),
        label(),
        Attribute::ModulusBits(2048.into()),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [Attribute::Token(true), Attribute::Private(true), Attribute::Sign(true), label()];
    session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)?;
    Ok(())
}

fn private_key(session: &Session, label: &str) -> Result<Option<ObjectHandle>> {
    let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(label.as_bytes().to_vec())];
    Ok(session.find_objects(&template)?.first().copied())
}

/// A server that runs until it is stopped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(place: &Place) -> Result<Server> {
        let mut process = Command::new(&place.binary)
            .args(["serve", "--kmip-listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()?;
        let log = process.stderr.take().ok_or("the server has no standard error")?;
        let mut lines = BufReader::new(log).lines();
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, address)) = line.split_once("serving KMIP on ") {
                say(&format!("softhsm-rs serve: serving KMIP on {address}"));
                let address = address.split([' ', ',']).next().unwrap_or_default().parse()?;
                // What it says from now on is read, so that it never waits for a reader.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Server { process, address });
            }
            said.push(line);
        }
        process.wait()?;
        Err(format!("the server did not start:\n{}", said.join("\n")).into())
    }

    /// Asks it to stop, and waits until it has.
    fn stop(&mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)?;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the server stopped with {status}").into()) }
    }
}
