//! Prints the mechanism matrix of README.md from the rows of the mechanism table, to be put between
//! its markers: `cargo run -p hsm-core --example matrix`. Its test compares the two.

mod evidence;

use std::fmt::Write;

use cryptoki_sys::*;
use hsm_core::mechanism::table::{Function, Unit};
use hsm_core::mechanism::{Row, Shape, offered};

/// The columns, with the functions that each stands for.
#[rustfmt::skip]
const COLUMNS: [(&str, Function); 8] = [
    ("generate",         Function::Generate),
    ("encrypt, decrypt", Function::Encrypt),
    ("sign, verify",     Function::Sign),
    ("with recovery",    Function::SignRecover),
    ("digest",           Function::Digest),
    ("wrap, unwrap",     Function::Wrap),
    ("derive",           Function::Derive),
    ("encapsulate",      Function::Encapsulate),
];

fn main() -> std::io::Result<()> {
    std::io::Write::write_all(&mut std::io::stdout(), matrix().as_bytes())
}

/// The matrix in Markdown.
fn matrix() -> String {
    let mut out = String::from("| Mechanism |");
    for (name, _) in COLUMNS {
        let _ = write!(out, " {name} |");
    }
    out.push_str(" Keys | Parameter | Libraries | Vectors | Section |\n|---|");
    out.push_str(&":-:|".repeat(COLUMNS.len()));
    out.push_str("---|---|---|---|---|\n");
    for row in offered() {
        let _ = write!(out, "| {} |", row.name);
        for (_, function) in COLUMNS {
            out.push_str(if does(row, function) { " ✓ |" } else { " |" });
        }
        let (libraries, vectors) = (evidence::libraries(row), evidence::vectors(row));
        let _ = write!(out, " {} | {} |", keys(row), parameter(row.shape));
        let _ = writeln!(out, " {libraries} | {vectors} | {} |", row.section);
    }
    out
}

/// One column is for keys and key pairs.
fn does(row: &Row, function: Function) -> bool {
    row.does(function) || function == Function::Generate && row.does(Function::GenerateKeyPair)
}

/// Type and sizes of the keys.
fn keys(row: &Row) -> String {
    let mut types: Vec<&str> = row.keys.iter().map(|key| key_type(*key)).collect();
    types.dedup();
    if row.keys.len() > 16 {
        types = vec!["any secret"];
    }
    let unit = match row.unit {
        Unit::Bits => "bits",
        Unit::Bytes => "bytes",
    };
    match row.sizes {
        (0, 0) => String::new(),
        (from, to) if from == to => format!("{}, {from} {unit}", types.join(" or ")),
        (from, to) => format!("{}, {from}–{to} {unit}", types.join(" or ")),
    }
}

/// A key type in a few letters.
fn key_type(key: u64) -> &'static str {
    match key {
        CKK_RSA => "RSA",
        CKK_DSA => "DSA",
        CKK_DH => "DH",
        CKK_EC => "EC",
        CKK_EC_EDWARDS => "Edwards",
        CKK_EC_MONTGOMERY => "Montgomery",
        CKK_AES => "AES",
        CKK_AES_XTS => "AES-XTS",
        CKK_DES => "DES",
        CKK_DES2 => "DES2",
        CKK_DES3 => "DES3",
        CKK_CHACHA20 => "ChaCha20",
        CKK_POLY1305 => "Poly1305",
        CKK_HKDF => "HKDF",
        CKK_GENERIC_SECRET => "generic",
        CKK_HOTP => "HOTP",
        CKK_ML_KEM => "ML-KEM",
        CKK_ML_DSA => "ML-DSA",
        CKK_SLH_DSA => "SLH-DSA",
        _ => "HMAC",
    }
}

/// The form of the parameter.
fn parameter(shape: Shape) -> &'static str {
    match shape {
        Shape::None => "",
        Shape::Iv | Shape::DesIv => "IV",
        Shape::Ccm => "CK_CCM_PARAMS",
        Shape::ChaCha20 => "CK_CHACHA20_PARAMS",
        Shape::Aead => "CK_SALSA20_CHACHA20_POLY1305_PARAMS",
        Shape::OptionalIv => "none or the standard IV",
        Shape::Ctr => "CK_AES_CTR_PARAMS",
        Shape::Gcm => "CK_GCM_PARAMS",
        Shape::Pss => "CK_RSA_PKCS_PSS_PARAMS",
        Shape::Oaep => "CK_RSA_PKCS_OAEP_PARAMS",
        Shape::RsaAes => "CK_RSA_AES_KEY_WRAP_PARAMS",
        Shape::Ecdh => "CK_ECDH1_DERIVE_PARAMS",
        Shape::OptionalEddsa => "none or CK_EDDSA_PARAMS",
        Shape::Number => "CK_MAC_GENERAL_PARAMS",
        Shape::OptionalSignContext => "none or CK_SIGN_ADDITIONAL_CONTEXT",
        Shape::HashSignContext => "CK_HASH_SIGN_ADDITIONAL_CONTEXT",
        Shape::Bit => "CK_EXTRACT_PARAMS",
        Shape::PublicValue => "the other's public value",
        Shape::Handle => "CK_OBJECT_HANDLE",
        Shape::Data => "CK_KEY_DERIVATION_STRING_DATA",
        Shape::AesCbcData => "CK_AES_CBC_ENCRYPT_DATA_PARAMS",
        Shape::DesCbcData => "CK_DES_CBC_ENCRYPT_DATA_PARAMS",
        Shape::Hkdf => "CK_HKDF_PARAMS",
        Shape::Pbkdf2 => "CK_PKCS5_PBKD2_PARAMS2 or CK_PKCS5_PBKD2_PARAMS",
        Shape::Sp800_108 => "CK_SP800_108_KDF_PARAMS",
        Shape::Sp800_108Feedback => "CK_SP800_108_FEEDBACK_KDF_PARAMS",
        Shape::TlsMaster => "CK_TLS12_MASTER_KEY_DERIVE_PARAMS",
        Shape::TlsExtendedMaster => "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS",
        Shape::TlsKeys => "CK_TLS12_KEY_MAT_PARAMS",
        Shape::TlsKdf => "CK_TLS_KDF_PARAMS",
        Shape::TlsMac => "CK_TLS_MAC_PARAMS",
        Shape::Ssh => "KR_SSHKDF_PARAMS",
        Shape::OptionalGostSet => "none or CryptoPro's OID",
        Shape::OptionalOtp => "none or CK_OTP_PARAMS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = include_str!("../../../README.md");

    /// What stands between the markers.
    fn shown(readme: &str) -> Option<&str> {
        let (_, rest) = readme.split_once("<!-- mechanisms:begin -->\n")?;
        Some(rest.split_once("<!-- mechanisms:end -->")?.0)
    }

    #[test]
    fn the_readme_shows_what_is_offered() {
        let shown = shown(README).expect("README.md has the markers");
        let advice = "put the output of `cargo run -p hsm-core --example matrix` into README.md";
        assert_eq!(shown.trim(), matrix().trim(), "{advice}");
    }

    #[test]
    fn every_mechanism_has_a_line_and_every_line_a_tick() {
        let matrix = matrix();
        let lines: Vec<&str> = matrix.lines().skip(2).collect();
        assert_eq!(lines.len(), offered().len());
        assert!(lines.iter().all(|line| line.contains('✓')));
    }

    #[test]
    fn a_readme_without_markers_shows_nothing() {
        assert_eq!(shown("# softhsm-rs"), None);
        assert_eq!(shown("<!-- mechanisms:begin -->\nx\n<!-- mechanisms:end -->"), Some("x\n"));
    }
}
