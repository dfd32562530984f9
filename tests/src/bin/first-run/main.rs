//! `make run`: what a new user would do, done for real and shown. It uses what was built as users
//! do: the command line for the HSM and the token, the module by dlopen for keys and signatures,
//! OpenSSL to verify them, and the server for a client of KMIP (`server`). Run again, it finds
//! everything in place and says so.

mod server;

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use hsm_tests::openssl::ecdsa_der;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TOKEN: &str = "demo";
/// What is signed.
const MESSAGE: &[u8] = b"signed by softhsm-rs\n";
/// DER of the object identifier of P-256: RFC 5480, section 2.1.1.1.
const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// A key that is made, and the mechanism that it signs with.
struct Kind {
    label: &'static str,
    words: &'static str,
    generator: Mechanism<'static>,
    parameters: fn() -> Vec<Attribute>,
    signer: Mechanism<'static>,
    signer_name: &'static str,
    /// Whether a signature is r ‖ s, which OpenSSL reads as DER.
    is_ecdsa: bool,
}

const KINDS: [Kind; 2] = [
    Kind {
        label: "demo-rsa",
        words: "RSA, 2048 bits",
        generator: Mechanism::RsaPkcsKeyPairGen,
        parameters: || vec![Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])],
        signer: Mechanism::Sha256RsaPkcs,
        signer_name: "CKM_SHA256_RSA_PKCS",
        is_ecdsa: false,
    },
    Kind {
        label: "demo-ec",
        words: "EC, P-256",
        generator: Mechanism::EccKeyPairGen,
        parameters: || vec![Attribute::EcParams(P256.to_vec())],
        signer: Mechanism::EcdsaSha256,
        signer_name: "CKM_ECDSA_SHA256",
        is_ecdsa: true,
    },
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let place = Place::find()?;
    say(&format!("softhsm-rs, tried out in {}", place.home.display()));

    heading("HSM");
    place.softhsm_rs(&["init", "--if-missing"])?;

    heading("Token");
    let pin = make_token(&place)?;

    heading(&format!("Keys, through {}", place.library.display()));
    let module = Pkcs11::new(&place.library)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    let session = log_in(&module, TOKEN, &pin)?;
    for kind in &KINDS {
        make_key(&session, kind)?;
    }

    heading("Signatures, verified by OpenSSL");
    for kind in &KINDS {
        let key = private_key(&session, kind)?.ok_or("the key that was just made is not there")?;
        let signature = session.sign(&kind.signer, key, MESSAGE)?;
        let verdict = verify(&place, kind, &signature)?;
        say(&format!("{:<10}{:<22}{:>4} bytes  {verdict}", kind.label, kind.signer_name, signature.len()));
    }
    session.close()?;

    heading("The same keys over KMIP, by mutual TLS");
    server::prove(&place, &module)?;
    module.finalize()?;

    heading("What another process sees: softhsm-rs key list");
    place.softhsm_rs(&["key", "list", "--token", TOKEN, "--pin-file", &place.pin_file()])?;
    to_copy(&place);
    Ok(())
}

/// Where everything is.
struct Place {
    home: PathBuf,
    library: PathBuf,
    binary: PathBuf,
}

impl Place {
    /// The home from the environment, so that the module in this process finds the same; library and
    /// binary beside this program.
    fn find() -> Result<Place> {
        let home = std::env::var_os("SOFTHSM_RS_HOME").ok_or("SOFTHSM_RS_HOME is not set: use `make run`")?;
        let program = std::env::current_exe()?;
        let built = program.parent().ok_or("this program is in no directory")?;
        let place = Place {
            home: std::path::absolute(home)?,
            library: built.join("libsofthsm-rs.so"),
            binary: built.join("softhsm-rs"),
        };
        for file in [&place.library, &place.binary] {
            if !file.exists() {
                return Err(format!("{} is missing: run `make build`", file.display()).into());
            }
        }
        Ok(place)
    }

    fn pin_file(&self) -> String {
        self.home.join("demo.pin").display().to_string()
    }

    fn so_pin_file(&self) -> String {
        self.home.join("demo.so-pin").display().to_string()
    }

    /// Runs the command line; what it prints is shown.
    fn softhsm_rs(&self, arguments: &[&str]) -> Result<()> {
        let status = Command::new(&self.binary).args(arguments).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("softhsm-rs {} failed", arguments.join(" ")).into())
        }
    }

    /// Runs the command line for its answer.
    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let output =
            Command::new(&self.binary).args(arguments).stderr(std::process::Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("softhsm-rs {} failed", arguments.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Makes the token, and PINs that nobody can guess in files that nobody else can read. Answers the
/// user PIN.
fn make_token(place: &Place) -> Result<String> {
    let tokens: serde_json::Value = serde_json::from_str(&place.ask(&["token", "list", "--json"])?)?;
    let is_there = tokens.as_array().is_some_and(|tokens| tokens.iter().any(|token| token["label"] == TOKEN));
    if is_there {
        let pin = std::fs::read_to_string(place.pin_file())
            .map_err(|e| format!("{}: {e}; the token {TOKEN} is there, but not its PIN", place.pin_file()))?;
        say(&format!("Token \"{TOKEN}\" is there already; its PIN is in {}", place.pin_file()));
        return Ok(pin.trim_end().to_owned());
    }
    let pin = new_pin(Path::new(&place.pin_file()))?;
    new_pin(Path::new(&place.so_pin_file()))?;
    place.softhsm_rs(&[
        "token",
        "init",
        TOKEN,
        "--pin-file",
        &place.pin_file(),
        "--so-pin-file",
        &place.so_pin_file(),
    ])?;
    say(&format!("user PIN  {}\nSO PIN    {}", place.pin_file(), place.so_pin_file()));
    Ok(pin)
}

/// Twelve random hexadecimal digits in a new file.
fn new_pin(path: &Path) -> Result<String> {
    let mut random = [0; 6];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let pin: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{pin}")?;
    Ok(pin)
}

/// A session on a token, its user logged in.
fn log_in(module: &Pkcs11, token: &str, pin: &str) -> Result<Session> {
    for slot in module.get_slots_with_initialized_token()? {
        if module.get_token_info(slot)?.label() == token {
            let session = module.open_rw_session(slot)?;
            session.login(UserType::User, Some(&pin.to_owned().into()))?;
            return Ok(session);
        }
    }
    Err(format!("the module shows no token {token}").into())
}

fn make_key(session: &Session, kind: &Kind) -> Result<()> {
    if private_key(session, kind)?.is_some() {
        say(&format!("{:<10}{:<16}is there already", kind.label, kind.words));
        return Ok(());
    }
    let label = || Attribute::Label(kind.label.as_bytes().to_vec());
    let id = || Attribute::Id(kind.label.as_bytes().to_vec());
    let mut public = vec![Attribute::Token(true), Attribute::Verify(true), label(), id()];
    public.extend((kind.parameters)());
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Sign(true),
        label(),
        id(),
    ];
    let start = Instant::now();
    session.generate_key_pair(&kind.generator, &public, &private)?;
    say(&format!("{:<10}{:<16}made in {} ms", kind.label, kind.words, start.elapsed().as_millis()));
    Ok(())
}

fn private_key(session: &Session, kind: &Kind) -> Result<Option<ObjectHandle>> {
    let template =
        [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(kind.label.as_bytes().to_vec())];
    Ok(session.find_objects(&template)?.first().copied())
}

/// OpenSSL's verdict on a signature, by the public key that the command line exports.
fn verify(place: &Place, kind: &Kind, signature: &[u8]) -> Result<String> {
    let pem = place.ask(&[
        "key",
        "show",
        "--public-key",
        "--token",
        TOKEN,
        "--label",
        kind.label,
        "--pin-file",
        &place.pin_file(),
    ])?;
    let directory = tempfile::tempdir()?;
    let file = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let signature = if kind.is_ecdsa { ecdsa_der(signature) } else { signature.to_vec() };
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-verify"])
        .arg(file("public.pem", pem.as_bytes())?)
        .arg("-signature")
        .arg(file("signature", &signature)?)
        .arg(file("message", MESSAGE)?)
        .output()
        .map_err(|e| format!("openssl: {e}"))?;
    if !output.status.success() {
        return Err(format!("OpenSSL does not verify the signature of {}", kind.label).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn to_copy(place: &Place) {
    heading("Yours to copy");
    let built = place.binary.parent().unwrap_or(Path::new(".")).display();
    let label = "demo-rsa";
    let lines = [
        format!("export SOFTHSM_RS_HOME={}", place.home.display()),
        format!("export PATH={built}:$PATH MODULE={}", place.library.display()),
        format!("export SOFTHSM_RS_PIN=$(cat {})", place.pin_file()),
        "softhsm-rs status".to_owned(),
        "pkcs11-tool --module $MODULE --login --pin env:SOFTHSM_RS_PIN --list-objects".to_owned(),
        format!("softhsm-rs key show --label {label} --public-key > public.pem"),
        "echo hello > message".to_owned(),
        format!(
            "pkcs11-tool --module $MODULE --login --pin env:SOFTHSM_RS_PIN --sign -m SHA256-RSA-PKCS --label {label} -i message -o signature"
        ),
        "openssl dgst -sha256 -verify public.pem -signature signature message".to_owned(),
    ];
    for line in lines {
        say(&format!("  {line}"));
    }
}

fn heading(text: &str) {
    say(&format!("\n--- {text}"));
}

/// Standard output is this program's result; a reader that went away is no failure.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
