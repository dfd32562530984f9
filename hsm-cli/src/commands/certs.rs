//! `certs`: certificates of the KMIP server and its clients. They are made by `kmip-server`.

use hsm_core::hsm::Hsm;
use kmip_server::certificates::{Certificates, KeyKind, Made, Request};
use kmip_server::identity::Certificate;
use kmip_server::tls::Trusted;
use serde_json::{Value, json};

use crate::cli::{Certs, MakeCertificate, RsaBits};
use crate::failure::Result;
use crate::output::{Output, Page};

const AUTHORITY_NAME: &str = "softhsm-rs CA";
const AUTHORITY_DAYS: u32 = 3650;
const DAYS: u32 = 825;

/// Of a fingerprint on a line of a terminal.
const SHOWN: usize = 16;

pub(super) fn run(hsm: &Hsm, command: Certs, output: Output) -> Result<()> {
    let certificates = Certificates::of_home(&hsm.config().home.root);
    match command {
        Certs::Init { name, san, make } => {
            let authority =
                certificates.make_authority(&made(Request { name, ..authority_request() }, &make))?;
            let server = certificates.make_server(&made(server_request(&san), &make_server_too(&make)))?;
            show(&[("authority", authority), ("server", server)], output);
        }
        Certs::Server { san, make } => {
            let server = certificates.make_server(&made(server_request(&san), &make))?;
            show(&[("server", server)], output);
        }
        Certs::Client { name, san, ou, make } => {
            let request =
                Request { alternative_names: san, organizational_unit: ou, ..client_request(&name) };
            let client = certificates.make_client(&made(request, &make))?;
            show(&[("client", client)], output);
        }
        Certs::List => list(&certificates, output)?,
        Certs::Trust { file, name, renews } => {
            let trusted = certificates.trust(&file, name.as_deref(), renews.as_deref())?;
            if let Some(fault) = out_of_date(&trusted.certificate) {
                output.warning(&format!("this certificate {fault}: its holder is refused"));
            }
            output
                .result(&pin_value(&trusted), |page| pinned("pinned", std::slice::from_ref(&trusted), page));
        }
        Certs::Untrust { pinned: name } => {
            let trusted = certificates.untrust(&name)?;
            let value: Vec<Value> = trusted.iter().map(pin_value).collect();
            output.result(&value, |page| pinned("no longer pinned", &trusted, page));
        }
    }
    Ok(())
}

/// The authority's days are no measure for what it signs.
fn make_server_too(make: &MakeCertificate) -> MakeCertificate {
    MakeCertificate { rsa: make.rsa, days: None, replace: make.replace }
}

fn made(request: Request, make: &MakeCertificate) -> Request {
    let key = match make.rsa {
        None => KeyKind::P256,
        Some(RsaBits::B2048) => KeyKind::Rsa2048,
        Some(RsaBits::B3072) => KeyKind::Rsa3072,
        Some(RsaBits::B4096) => KeyKind::Rsa4096,
    };
    Request { key, days: make.days.unwrap_or(request.days), replace: make.replace, ..request }
}

/// An authority with nothing special.
pub(super) fn authority_request() -> Request {
    Request {
        name: AUTHORITY_NAME.into(),
        alternative_names: Vec::new(),
        organizational_unit: None,
        key: KeyKind::P256,
        days: AUTHORITY_DAYS,
        replace: false,
    }
}

/// A server's certificate for this machine's names and others.
pub(super) fn server_request(names: &[String]) -> Request {
    let mut alternative_names = names.to_vec();
    let host = host_name();
    for name in ["localhost", "127.0.0.1", "::1"].into_iter().chain(host.as_deref()) {
        if !alternative_names.iter().any(|known| known == name) {
            alternative_names.push(name.to_owned());
        }
    }
    let name = names.first().cloned().or(host).unwrap_or_else(|| "softhsm-rs".into());
    Request { name, alternative_names, days: DAYS, ..authority_request() }
}

/// A client's certificate with nothing special.
pub(super) fn client_request(name: &str) -> Request {
    Request { name: name.to_owned(), days: DAYS, ..authority_request() }
}

/// This machine's name, as the kernel knows it.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    (plain && !name.is_empty() && name != "(none)").then_some(name)
}

fn show(files: &[(&str, Made)], output: Output) {
    let value: Vec<Value> = files
        .iter()
        .map(|(what, made)| {
            json!({
                "what": what,
                "certificate": made.certificate.display().to_string(),
                "key": made.key.display().to_string(),
            })
        })
        .collect();
    output.result(&value, |page| {
        for (what, made) in files {
            page.fields([
                (*what, made.certificate.display().to_string()),
                ("  key", made.key.display().to_string()),
            ]);
        }
    });
}

fn pinned(what: &str, all: &[Trusted], page: &mut Page) {
    for trusted in all {
        page.line(&format!("{what}: {}, {}", trusted.name, trusted.certificate.subject_text));
        page.fields([("SHA-256", trusted.certificate.fingerprint.clone()), ("identity", trusted.identity())]);
    }
    page.line("A running server takes it up at SIGHUP.");
}

/// Why a certificate is of no use now.
fn out_of_date(certificate: &Certificate) -> Option<&'static str> {
    let now = now();
    if now > certificate.not_after {
        return Some("has expired");
    }
    (now < certificate.not_before).then_some("is not valid yet")
}

fn pin_value(trusted: &Trusted) -> Value {
    json!({
        "name": trusted.name,
        "subject": trusted.certificate.subject_text,
        "fingerprint": trusted.certificate.fingerprint,
        "identity": trusted.identity(),
        "not_after": trusted.certificate.not_after,
    })
}

fn list(certificates: &Certificates, output: Output) -> Result<()> {
    let (found, trusted) = (certificates.list()?, certificates.trusted()?);
    let file = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let value = json!({
        "directory": certificates.directory().display().to_string(),
        "certificates": found.iter().map(|(path, it)| json!({
            "file": file(path),
            "subject": it.subject_text,
            "names": it.alternative_names,
            "fingerprint": it.fingerprint,
            "not_after": it.not_after,
        })).collect::<Vec<_>>(),
        "pinned": trusted.all().into_iter().map(pin_value).collect::<Vec<_>>(),
    });
    output.result(&value, |page| {
        page.line(&format!("Certificates in {}", certificates.directory().display()));
        let rows: Vec<_> = found.iter().map(|(path, it)| row(file(path), it)).collect();
        page.table(["FILE", "SUBJECT", "DAYS LEFT", "SHA-256"], &rows);
        if !trusted.is_empty() {
            page.line("\nPinned");
            let rows: Vec<_> =
                trusted.all().into_iter().map(|it| row(it.name.clone(), &it.certificate)).collect();
            page.table(["NAME", "SUBJECT", "DAYS LEFT", "SHA-256"], &rows);
        }
    });
    Ok(())
}

fn row(name: String, certificate: &Certificate) -> [String; 4] {
    let digits = certificate.fingerprint.get(..SHOWN).unwrap_or_default();
    [name, certificate.subject_text.clone(), days_left(certificate), format!("{digits}…")]
}

fn days_left(certificate: &Certificate) -> String {
    match certificate.not_after.checked_sub(now()) {
        Some(seconds) => (seconds / 86_400).to_string(),
        None => "expired".into(),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
