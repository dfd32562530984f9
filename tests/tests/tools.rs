//! Other people's tools on the module: OpenSC's `pkcs11-tool` makes a token and keys, runs its own
//! tests on them, and signs what the `openssl` command line verifies. Each run is a process of its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::kit::{LABEL, SO_PIN};
use hsm_tests::prelude::*;
use hsm_tests::tool::{Tool, make_token, write};

const MESSAGE: &[u8] = b"a message that one tool signs and another verifies";

/// Makes a key pair of a type that `pkcs11-tool` knows. It tells pairs apart by their hexadecimal `id`.
fn pair(kit: &Kit, kind: &str, id: &str) {
    Tool::user(kit).args(&["--keypairgen", "--key-type", kind, "--label", "key", "--id", id]).succeeds();
}

/// A token with one key pair on it.
fn token_with(kit: &Kit, kind: &str) {
    make_token(kit);
    pair(kit, kind, "01");
}

/// Has `pkcs11-tool` test the token and the keys on it, with its mechanisms of software or without.
fn tested(kit: &Kit, more: &[&str]) -> String {
    let said = Tool::user(kit).arg("--test").args(more).run();
    assert!(said.success, "{}", said.all);
    assert!(said.all.lines().any(|line| line == "No errors"), "{}", said.all);
    said.all
}

/// Both kinds of test on a token with one key pair.
fn pair_is_tested(kit: &Kit, kind: &str) {
    token_with(kit, kind);
    tested(kit, &[]);
    tested(kit, &["--allow-sw"]);
}

/// The public key. (What pkcs11-tool 0.23 reads an EC key with uses memory that it has freed.)
fn public_key(kit: &Kit) -> Vec<u8> {
    kit.module.initialize().unwrap();
    let session = Token::find(&kit.module).ro();
    let found = session.find(&attrs![CKA_CLASS => CKO_PUBLIC_KEY, CKA_LABEL => "key"]).unwrap();
    let info = session.get(*found.first().unwrap(), CKA_PUBLIC_KEY_INFO).unwrap();
    kit.module.finalize().unwrap();
    info
}

/// Signs with the key pair, and has OpenSSL judge the message and another one.
fn openssl_verifies(kit: &Kit, kind: &str, mechanism: &str, format: &[&str]) {
    token_with(kit, kind);
    write(kit, "message", MESSAGE);
    write(kit, "other", &[MESSAGE, b"!"].concat());
    let files = ["--input-file", "message", "--output-file", "signature"];
    let sign = ["--sign", "--label", "key", "--mechanism", mechanism];
    Tool::user(kit).args(&sign).args(format).args(&files).succeeds();
    write(kit, "public.der", &public_key(kit));
    let verify = ["dgst", "-sha256", "-keyform", "DER", "-verify", "public.der", "-signature", "signature"];
    let judge = |message| Tool::new(kit, "openssl").args(&verify).arg(message).run();
    let (signed, other) = (judge("message"), judge("other"));
    assert!(signed.success, "{}", signed.all);
    assert!(!other.success && other.all.contains("Verification failure"), "{}", other.all);
}

isolated! {
    fn a_token_is_made_and_listed(kit) {
        make_token(kit);
        let list = Tool::pkcs11(kit).arg("--list-slots").succeeds();
        let label = |line: &str| line.contains("token label") && line.ends_with(&format!(": {LABEL}"));
        assert!(list.lines().any(label), "{list}");
        let flags = list.lines().find(|line| line.contains("token flags")).unwrap();
        for flag in ["login required", "token initialized", "PIN initialized"] {
            assert!(flags.contains(flag), "{flag}: {list}");
        }
    }

    fn a_wrong_so_pin_sets_no_pin(kit) {
        make_token(kit);
        let so = ["--login", "--login-type", "so", "--so-pin", "87654321", "--init-pin", "--pin", "changed"];
        let said = Tool::pkcs11(kit).args(&so).run();
        assert!(!said.success && said.all.contains("CKR_PIN_INCORRECT"), "{}", said.all);
        Tool::user(kit).arg("--list-objects").succeeds();
    }

    fn a_wrong_pin_is_refused(kit) {
        make_token(kit);
        let said = Tool::pkcs11(kit).args(&["--login", "--pin", SO_PIN, "--list-objects"]).run();
        assert!(!said.success && said.all.contains("CKR_PIN_INCORRECT"), "{}", said.all);
    }

    fn mechanisms_are_listed_by_name(kit) {
        make_token(kit);
        let list = Tool::pkcs11(kit).arg("--list-mechanisms").succeeds();
        for name in ["SHA256-RSA-PKCS", "ECDSA-SHA256", "EDDSA", "AES-GCM", "SHA256"] {
            let named = |line: &str| line.trim().split(',').next() == Some(name);
            assert!(list.lines().any(named), "{name} is missing:\n{list}");
        }
    }

    fn rsa_2048_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "rsa:2048");
    }

    fn rsa_4096_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "rsa:4096");
    }

    fn p256_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "EC:prime256v1");
    }

    fn p384_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "EC:secp384r1");
    }

    fn p521_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "EC:secp521r1");
    }

    fn ed25519_passes_the_tests_of_pkcs11_tool(kit) {
        pair_is_tested(kit, "EC:edwards25519");
    }

    fn aes_passes_the_tests_of_pkcs11_tool(kit) {
        make_token(kit);
        Tool::user(kit).args(&["--keygen", "--key-type", "AES:32", "--label", "key"]).succeeds();
        tested(kit, &[]);
        tested(kit, &["--allow-sw"]);
    }

    fn a_token_full_of_keys_passes_the_tests_of_pkcs11_tool(kit) {
        make_token(kit);
        let kinds = ["rsa:2048", "EC:prime256v1", "EC:secp384r1", "EC:secp521r1", "EC:edwards25519"];
        for (id, kind) in ["01", "02", "03", "04", "05"].into_iter().zip(kinds) {
            pair(kit, kind, id);
        }
        Tool::user(kit).args(&["--keygen", "--key-type", "AES:32", "--label", "aes"]).succeeds();
        tested(kit, &[]);
        tested(kit, &["--allow-sw"]);
    }

    fn a_forked_child_of_pkcs11_tool_initialises_the_module(kit) {
        make_token(kit);
        let said = Tool::pkcs11(kit).arg("--test-fork").run();
        assert!(said.success, "{}", said.all);
        assert!(said.all.contains("C_Initialize in forked child process"), "{}", said.all);
    }

    fn threads_of_pkcs11_tool_share_the_module(kit) {
        token_with(kit, "EC:prime256v1");
        // Each thread initialises the module and asks for its information, the slots and the first token.
        let thread = ["--test-threads", "ILGISLT0"];
        let said = Tool::pkcs11(kit).args(&thread).args(&thread).run();
        assert!(said.success, "{}", said.all);
        assert_eq!(said.all.matches("returning rv = 0").count(), 2, "{}", said.all);
    }

    fn openssl_verifies_what_pkcs11_tool_signs_with_rsa(kit) {
        openssl_verifies(kit, "rsa:2048", "SHA256-RSA-PKCS", &[]);
    }

    fn openssl_verifies_what_pkcs11_tool_signs_with_ecdsa(kit) {
        openssl_verifies(kit, "EC:prime256v1", "ECDSA-SHA256", &["--signature-format", "openssl"]);
    }

    fn a_key_is_listed_by_the_next_process(kit) {
        token_with(kit, "EC:prime256v1");
        let public = Tool::pkcs11(kit).arg("--list-objects").succeeds();
        assert!(public.contains("Public Key Object; EC"), "{public}");
        assert!(!public.contains("Private Key Object"), "private without login: {public}");
        let all = Tool::user(kit).arg("--list-objects").succeeds();
        assert!(all.contains("Private Key Object; EC"), "{all}");
    }

    fn a_key_of_pkcs11_tool_is_seen_by_an_initialised_module(kit) {
        make_token(kit);
        let session = Token::find(kit.initialised()).user();
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]), Ok(vec![]));
        pair(kit, "EC:prime256v1", "01");
        assert_eq!(session.find(&attrs![CKA_LABEL => "key"]).unwrap().len(), 2);
    }
}
