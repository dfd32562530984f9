//! Import tokens at the doors: what PKCS #11 shows of one that the command line made, what a customer encrypts with
//! OpenSSL alone, and the same by KMIP.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::home::cli;
use hsm_tests::keys;
use hsm_tests::kit::LABEL;
use hsm_tests::kmip::client::identifier;
use hsm_tests::kmip::message::{
    attribute, bytes, enumeration, integer, name, operation, structure, tag, text,
};
use hsm_tests::kmip::server::Server;
use hsm_tests::prelude::*;
use hsm_tests::template::Template;
use hsm_tests::tool::{Tool, write};

const MATERIAL: [u8; 32] = [0x5a; 32];

/// A command of `import-token` on the kit's token: its JSON.
fn import_token(kit: &Kit, command: &str) -> serde_json::Value {
    let mut run = cli();
    run.arg("--home").arg(kit.directory.join("tokens"));
    let output = run.args(["import-token", command, "--token", LABEL, "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Makes an import token and retrieves it into `token.pem`; answers its public key's unique identifier.
fn make(kit: &Kit) -> String {
    import_token(kit, "create");
    let shown = import_token(kit, "show");
    write(kit, "token.b64", shown["payload"].as_str().unwrap().as_bytes());
    let decode = ["base64", "-d", "-A", "-in", "token.b64", "-out", "token.pem"];
    Tool::new(kit, "openssl").args(&decode).succeeds();
    shown["uniqueIdentifier"].as_str().unwrap().to_owned()
}

fn read(kit: &Kit, name: &str) -> Vec<u8> {
    std::fs::read(kit.directory.join(name)).unwrap()
}

/// What OpenSSL encrypts to the token's public key by OAEP.
fn encrypted(kit: &Kit, plain: &[u8], hash: &str) -> Vec<u8> {
    write(kit, "plain", plain);
    let (oaep, mgf) = (format!("rsa_oaep_md:{hash}"), format!("rsa_mgf1_md:{hash}"));
    let options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", &oaep, "-pkeyopt", &mgf];
    let files = ["-pubin", "-inkey", "token.pem", "-in", "plain", "-out", "encrypted"];
    Tool::new(kit, "openssl").args(&["pkeyutl", "-encrypt"]).args(&options).args(&files).succeeds();
    read(kit, "encrypted")
}

/// An EC key in PKCS #8, `key.der`, under an AES key that is encrypted to the token's public key: `wrapped`.
fn wrapped_private_key(kit: &Kit) -> Vec<u8> {
    let openssl = |arguments: &[&str]| Tool::new(kit, "openssl").args(arguments).succeeds();
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"]);
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "key.pem", "-outform", "DER", "-out", "key.der"]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
    let key = "5a".repeat(32);
    let wrap = ["enc", "-e", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", &key];
    openssl(&[&wrap[..], &["-in", "key.der", "-out", "inner"]].concat());
    [encrypted(kit, &MATERIAL, "sha256"), read(kit, "inner")].concat()
}

fn sha256() -> Mech {
    Mech::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"")
}

fn rsa_aes() -> Mech {
    Mech::rsa_aes(256, CKM_SHA256, CKG_MGF1_SHA256, b"")
}

fn aes() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_TOKEN => true, CKA_LABEL => "imported"]
}

fn shown(session: &Session<'_>, class: CK_OBJECT_CLASS) -> Vec<Object> {
    session.find(&attrs![CKA_CLASS => class, CKA_LABEL => "import token"]).unwrap()
}

isolated! {
    fn keys_that_openssl_encrypted_come_in(kit) {
        let token = kit.token();
        let session = token.user();
        assert!(shown(&session, CKO_PRIVATE_KEY).is_empty());
        make(kit);
        let private = shown(&session, CKO_PRIVATE_KEY)[0];
        let expected = session.create(&keys::aes_template(&MATERIAL)).unwrap();
        let expected = session.get(expected, CKA_CHECK_VALUE).unwrap();
        for (mech, hash) in [(sha256(), "sha256"), (Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b""), "sha1")] {
            let key = session.unwrap(&mech, private, &encrypted(kit, &MATERIAL, hash), &aes()).unwrap();
            assert_eq!(session.get(key, CKA_CHECK_VALUE).unwrap(), expected);
            assert_eq!(session.flag(key, CKA_SENSITIVE), Ok(true));
            assert_eq!(session.flag(key, CKA_EXTRACTABLE), Ok(false));
            refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
        }
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_SIGN => true];
        let key = session.unwrap(&rsa_aes(), private, &wrapped_private_key(kit), &template).unwrap();
        assert_eq!(session.sign(&Mech::plain(CKM_ECDSA), key, &[7; 32]).unwrap().len(), 64);
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(key, CKA_VALUE));
    }

    fn what_is_wrong_is_refused(kit) {
        let token = kit.token();
        let session = token.user();
        make(kit);
        let (public, private) = (shown(&session, CKO_PUBLIC_KEY)[0], shown(&session, CKO_PRIVATE_KEY)[0]);
        let good = encrypted(kit, &MATERIAL, "sha256");
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.decrypt(&sha256(), private, &good));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.sign(&Mech::plain(CKM_RSA_PKCS), private, &[7; 32]));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.decapsulate(&sha256(), private, &aes(), &good));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encapsulate(&sha256(), public, &aes()));
        refused!(CKR_MECHANISM_INVALID, session.unwrap(&Mech::plain(CKM_RSA_PKCS), private, &good, &aes()));
        refused!(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, session.unwrap(&sha256(), public, &good, &aes()));
        let leaving = aes().and(attrs![CKA_EXTRACTABLE => true]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.unwrap(&sha256(), private, &good, &leaving));
        let open = aes().and(attrs![CKA_SENSITIVE => false]);
        refused!(CKR_TEMPLATE_INCONSISTENT, session.unwrap(&sha256(), private, &good, &open));
        for at in [0, 255, 511] {
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha256(), private, &damaged, &aes()), "byte {at}");
        }
        for end in [1, 256, 511] {
            let answer = session.unwrap(&sha256(), private, &good[..end], &aes());
            refused!(CKR_WRAPPED_KEY_INVALID, answer, "{end} bytes");
        }
        let sha1 = Mech::oaep(CKM_SHA_1, CKG_MGF1_SHA1, b"");
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha1, private, &good, &aes()));
        let odd = encrypted(kit, &MATERIAL[..31], "sha256");
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha256(), private, &odd, &aes()));
        for key in [public, private] {
            refused!(CKR_ACTION_PROHIBITED, session.destroy(key));
            refused!(CKR_ACTION_PROHIBITED, session.set(key, &attrs![CKA_LABEL => "mine"]));
            refused!(CKR_ACTION_PROHIBITED, session.copy(key, &attrs![CKA_TOKEN => false]));
        }
        refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(private, CKA_PRIVATE_EXPONENT));
        assert!(session.find(&attrs![CKA_LABEL => "imported"]).unwrap().is_empty());
    }

    fn a_token_that_was_replaced_is_a_dead_handle(kit) {
        let token = kit.token();
        let session = token.user();
        make(kit);
        let old = shown(&session, CKO_PRIVATE_KEY)[0];
        let sent = encrypted(kit, &MATERIAL, "sha256");
        session.unwrap(&sha256(), old, &sent, &aes()).unwrap();
        make(kit);
        refused!(CKR_UNWRAPPING_KEY_HANDLE_INVALID, session.unwrap(&sha256(), old, &sent, &aes()));
        refused!(CKR_OBJECT_HANDLE_INVALID, session.get(old, CKA_LABEL));
        let new = shown(&session, CKO_PRIVATE_KEY)[0];
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&sha256(), new, &sent, &aes()));
    }

    fn pkcs11_tool_shows_the_keys_and_reads_the_public_one(kit) {
        kit.token();
        make(kit);
        let list = Tool::user(kit).arg("--list-objects").succeeds();
        assert_eq!(list.matches("import token").count(), 2, "{list}");
        let read = ["--read-object", "--type", "pubkey", "--label", "import token", "--output-file", "read.der"];
        Tool::user(kit).args(&read).succeeds();
        let same = ["pkey", "-pubin", "-in", "token.pem", "-outform", "DER", "-out", "token.der"];
        Tool::new(kit, "openssl").args(&same).succeeds();
        assert_eq!(self::read(kit, "read.der"), self::read(kit, "token.der"));
    }

    fn a_key_that_comes_in_by_kmip_encrypts_through_the_module(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("second");
        let id = make(kit);
        let answer = client.on(operation::GET, &id).expect("Get of the token's public key");
        let session = token.user();
        let modulus = session.get(shown(&session, CKO_PUBLIC_KEY)[0], CKA_MODULUS).unwrap();
        let public = &answer.find(tag::KEY_MATERIAL).unwrap().value;
        assert!(public.windows(modulus.len()).any(|window| window == modulus), "another key");
        let sent = encrypted(kit, &MATERIAL, "sha256");
        let register = |wrapped: &[u8]| {
            let parameters = [
                enumeration(tag::PADDING_METHOD, 2),
                enumeration(tag::HASHING_ALGORITHM, 6),
                enumeration(MASK_GENERATOR_HASHING_ALGORITHM, 6),
            ];
            let information =
                [text(tag::UNIQUE_IDENTIFIER, &id), structure(tag::CRYPTOGRAPHIC_PARAMETERS, &parameters)];
            let data = [
                enumeration(tag::WRAPPING_METHOD, 1),
                structure(tag::ENCRYPTION_KEY_INFORMATION, &information),
                enumeration(tag::ENCODING_OPTION, 1),
            ];
            let block = [
                enumeration(tag::KEY_FORMAT_TYPE, 1),
                bytes(tag::KEY_VALUE, wrapped),
                enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
                integer(tag::CRYPTOGRAPHIC_LENGTH, 256),
                structure(tag::KEY_WRAPPING_DATA, &data),
            ];
            let attributes =
                [attribute("Cryptographic Usage Mask", integer(tag::ATTRIBUTE_VALUE, 12)), name("by KMIP")];
            [
                enumeration(tag::OBJECT_TYPE, 2),
                structure(tag::TEMPLATE_ATTRIBUTE, &attributes),
                structure(tag::SYMMETRIC_KEY, &[structure(tag::KEY_BLOCK, &block)]),
            ]
        };
        let refused = client.ask(operation::REGISTER, &register(&sent[1..])).expect_err("a cut key came in");
        assert_eq!(refused.reason, CRYPTOGRAPHIC_FAILURE);
        let key = identifier(&client.ask(operation::REGISTER, &register(&sent)).expect("Register"));
        assert!(client.key(&key).is_err(), "the key was given out");
        client.on(operation::ACTIVATE, &key).expect("Activate");
        let ours = client.encrypt(&key, &[7; 16], b"a sector").expect("Encrypt");
        let expected = session.create(&keys::aes_template(&MATERIAL)).unwrap();
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[7; 16]);
        assert_eq!(session.encrypt(&mech, expected, b"a sector").unwrap(), ours);
        let found = session.find(&attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_LABEL => "by KMIP"]).unwrap();
        assert_eq!(session.encrypt(&mech, found[0], b"a sector").unwrap(), ours);
    }
}

/// KMIP 1.4, section 9.1.3.1.
const MASK_GENERATOR_HASHING_ALGORITHM: u32 = 0x42_0102;
/// KMIP 1.4, section 9.1.3.2.29.
const CRYPTOGRAPHIC_FAILURE: u32 = 0x0a;
