//! Somebody else's judgement: OpenSSL's command line, which verifies signatures and encrypts to keys
//! of the module. Also the little DER that it takes to hand it public keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki_sys::*;

use crate::keys::hex;
use crate::session::{Object, Session};

/// A public key that OpenSSL can read, in a directory of its own.
pub struct OpenSsl {
    directory: PathBuf,
}

impl OpenSsl {
    /// Takes a public key out of the module.
    pub fn with_key(directory: &Path, session: &Session<'_>, public: Object) -> OpenSsl {
        let spki = match session.number(public, CKA_KEY_TYPE).expect("CKA_KEY_TYPE") {
            CKK_RSA => rsa_spki(session, public),
            CKK_EC => ec_spki(session, public),
            CKK_EC_EDWARDS => edwards_spki(session, public),
            // What is written is the module's own; OpenSSL judges that too.
            CKK_DSA => get(session, public, CKA_PUBLIC_KEY_INFO),
            other => panic!("no public key format for key type {other:#x}"),
        };
        fs::write(directory.join("public.der"), spki).expect("writing the public key");
        OpenSsl { directory: directory.to_path_buf() }
    }

    /// Whether `openssl dgst` verifies a signature, with `-sigopt`s.
    pub fn verifies(&self, hash: &str, options: &[&str], message: &[u8], signature: &[u8]) -> bool {
        self.write(message, signature);
        let mut command = self.command("dgst");
        command.arg(format!("-{hash}")).args(["-keyform", "DER", "-verify", "public.der"]);
        for option in options {
            command.args(["-sigopt", option]);
        }
        succeeds(command.args(["-signature", "signature", "message"]))
    }

    /// Whether `openssl pkeyutl` verifies a signature over the message itself (Ed25519, Ed448).
    pub fn verifies_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        self.write(message, signature);
        let mut command = self.command("pkeyutl");
        command.args(["-verify", "-pubin", "-keyform", "DER", "-inkey", "public.der", "-rawin"]);
        succeeds(command.args(["-in", "message", "-sigfile", "signature"]))
    }

    /// The secret that a private key, as PrivateKeyInfo, shares with a public one, as SubjectPublicKeyInfo.
    pub fn derive(directory: &Path, private: &[u8], public: &[u8]) -> Vec<u8> {
        let openssl = OpenSsl { directory: directory.to_path_buf() };
        fs::write(directory.join("private.der"), private).expect("writing the private key");
        fs::write(directory.join("peer.der"), public).expect("writing the public key");
        let mut command = openssl.command("pkeyutl");
        command.args(["-derive", "-keyform", "DER", "-inkey", "private.der", "-peerform", "DER"]);
        assert!(
            succeeds(command.args(["-peerkey", "peer.der", "-out", "shared"])),
            "openssl pkeyutl -derive"
        );
        fs::read(directory.join("shared")).expect("reading the secret")
    }

    /// Encrypts with `openssl pkeyutl` and `-pkeyopt`s.
    pub fn encrypt(&self, options: &[&str], message: &[u8]) -> Vec<u8> {
        self.write(message, &[]);
        let mut command = self.command("pkeyutl");
        command.args(["-encrypt", "-pubin", "-keyform", "DER", "-inkey", "public.der"]);
        for option in options {
            command.args(["-pkeyopt", option]);
        }
        assert!(succeeds(command.args(["-in", "message", "-out", "encrypted"])), "openssl pkeyutl -encrypt");
        fs::read(self.directory.join("encrypted")).expect("reading the ciphertext")
    }

    fn write(&self, message: &[u8], signature: &[u8]) {
        fs::write(self.directory.join("message"), message).expect("writing the message");
        fs::write(self.directory.join("signature"), signature).expect("writing the signature");
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("openssl");
        command.arg(name).current_dir(&self.directory);
        command
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.status().expect("openssl is installed").success()
}

/// r ‖ s, as PKCS #11 writes it, as the DER that X.509 uses.
pub fn ecdsa_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    der(0x30, &[integer(r), integer(s)].concat())
}

/// DER: a tag, the length, the contents.
pub fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=127) => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => {
            let length = u16::try_from(length).expect("less than 64 KiB");
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(contents);
    out
}

/// DER: an unsigned integer, big-endian.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = &bytes[first..];
    let sign = if digits.first().is_none_or(|byte| byte & 0x80 != 0) { &[0][..] } else { &[] };
    der(0x02, &[sign, digits].concat())
}

fn rsa_spki(session: &Session<'_>, public: Object) -> Vec<u8> {
    let numbers = [CKA_MODULUS, CKA_PUBLIC_EXPONENT].map(|kind| integer(&get(session, public, kind)));
    let algorithm = der(0x30, &hex("06092a864886f70d010101 0500"));
    spki(&algorithm, &der(0x30, &numbers.concat()))
}

fn ec_spki(session: &Session<'_>, public: Object) -> Vec<u8> {
    let params = get(session, public, CKA_EC_PARAMS);
    let algorithm = der(0x30, &[hex("06072a8648ce3d0201"), params].concat());
    spki(&algorithm, &point(session, public))
}

fn edwards_spki(session: &Session<'_>, public: Object) -> Vec<u8> {
    let algorithm = der(0x30, &get(session, public, CKA_EC_PARAMS));
    spki(&algorithm, &point(session, public))
}

/// CKA_EC_POINT without the OCTET STRING around it. (All points here are shorter than 256 bytes.)
pub fn point(session: &Session<'_>, public: Object) -> Vec<u8> {
    match *get(session, public, CKA_EC_POINT) {
        [0x04, 0x81, length, ref point @ ..] if usize::from(length) == point.len() => point.to_vec(),
        [0x04, length, ref point @ ..] if usize::from(length) == point.len() => point.to_vec(),
        ref other => panic!("CKA_EC_POINT is not an OCTET STRING: {other:02x?}"),
    }
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = der(0x03, &[&[0], key].concat());
    der(0x30, &[algorithm, &bits].concat())
}

fn get(session: &Session<'_>, object: Object, kind: CK_ATTRIBUTE_TYPE) -> Vec<u8> {
    session.get(object, kind).unwrap_or_else(|rv| panic!("attribute {kind:#x}: {rv:?}"))
}
