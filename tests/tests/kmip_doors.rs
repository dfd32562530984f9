//! One key, two doors: what KMIP makes, PKCS #11 uses in another process while the server runs, and the
//! reverse; what one takes away is gone at the other's next call.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::keys;
use hsm_tests::kmip::message::operation;
use hsm_tests::kmip::server::Server;
use hsm_tests::operations::{ENCRYPT, Out, SIGN};
use hsm_tests::prelude::*;

/// The objects with a label, of a class.
fn labelled(session: &Session<'_>, class: CK_OBJECT_CLASS, label: &str) -> Vec<Object> {
    session.find(&attrs![CKA_CLASS => class, CKA_LABEL => label]).expect("finding objects")
}

isolated! {
    fn a_key_made_by_kmip_signs_through_the_module(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let (private, _) = client.create_rsa("web");
        let session = token.user();
        let key = labelled(&session, CKO_PRIVATE_KEY, "web private")[0];
        let public = labelled(&session, CKO_PUBLIC_KEY, "web public")[0];
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        let signature = session.sign(&mech, key, b"message").expect("C_Sign");
        assert_eq!(session.verify(&mech, public, b"message", &signature), Ok(()));
        assert_eq!(client.sign(&private, b"message").expect("Sign"), signature, "another key signed");
    }

    fn a_key_made_by_the_module_signs_through_kmip(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        assert_eq!(client.locate("mail"), Vec::<String>::new());
        let session = token.user();
        let kept = attrs![CKA_TOKEN => true, CKA_LABEL => "mail"];
        session.create(&keys::rsa_public().and(kept.clone())).expect("importing the public key");
        let private = session.create(&keys::rsa_private().and(kept)).expect("importing the private key");
        let found = client.locate("mail");
        assert_eq!(found.len(), 2, "a private and a public key: {found:?}");
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        let expected = session.sign(&mech, private, b"message").expect("C_Sign");
        let signed: Vec<_> = found.iter().filter_map(|id| client.sign(id, b"message").ok()).collect();
        assert_eq!(signed, [expected], "the private key signs, the public one does not");
    }

    fn an_aes_key_encrypts_alike_at_both_doors(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("disk").expect("Create");
        client.on(operation::ACTIVATE, &id).expect("Activate");
        let session = token.user();
        let key = labelled(&session, CKO_SECRET_KEY, "disk")[0];
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[7; 16]);
        let ours = session.encrypt(&mech, key, b"a sector").expect("C_Encrypt");
        assert_eq!(client.encrypt(&id, &[7; 16], b"a sector").expect("Encrypt"), ours);
    }

    fn a_key_revoked_by_kmip_stops_at_the_modules_next_call(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let (private, _) = client.create_rsa("web");
        let session = token.user();
        let key = labelled(&session, CKO_PRIVATE_KEY, "web private")[0];
        let mech = Mech::plain(CKM_SHA256_RSA_PKCS);
        session.sign(&mech, key, b"before").expect("C_Sign before the revocation");
        client.revoke(&private).expect("Revoke");
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.sign(&mech, key, b"after"));
        assert!(client.sign(&private, b"after").is_err(), "a revoked key signed");
    }

    fn a_key_revoked_by_kmip_ends_what_has_begun_with_it(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let (private, _) = client.create_rsa("web");
        let id = client.create_aes("disk").expect("Create");
        client.on(operation::ACTIVATE, &id).expect("Activate");
        let session = token.user();
        let private_key = labelled(&session, CKO_PRIVATE_KEY, "web private")[0];
        let key = labelled(&session, CKO_SECRET_KEY, "disk")[0];
        session.init(SIGN, &Mech::plain(CKM_SHA256_RSA_PKCS), private_key).expect("C_SignInit");
        session.update(SIGN, b"before").expect("C_SignUpdate");
        session.init(ENCRYPT, &Mech::bytes(CKM_AES_CBC_PAD, &[7; 16]), key).expect("C_EncryptInit");
        client.revoke(&private).expect("Revoke");
        client.revoke(&id).expect("Revoke");
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.update(SIGN, b"after"));
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.update_into(ENCRYPT, b"after", Out::Length));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.update(SIGN, b"later"));
    }

    fn a_key_that_is_not_active_yet_does_nothing_in_the_module(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("early").expect("Create");
        let session = token.user();
        let key = labelled(&session, CKO_SECRET_KEY, "early")[0];
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[7; 16]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.encrypt(&mech, key, b"data"));
        client.on(operation::ACTIVATE, &id).expect("Activate");
        session.encrypt(&mech, key, b"data").expect("C_Encrypt after Activate");
    }

    fn a_key_destroyed_by_kmip_is_gone_from_the_module(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("short-lived").expect("Create");
        let session = token.user();
        assert_eq!(labelled(&session, CKO_SECRET_KEY, "short-lived").len(), 1);
        client.on(operation::DESTROY, &id).expect("Destroy");
        assert_eq!(labelled(&session, CKO_SECRET_KEY, "short-lived"), []);
    }

    fn a_key_destroyed_by_the_module_is_gone_from_kmip(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("short-lived").expect("Create");
        let session = token.user();
        session.destroy(labelled(&session, CKO_SECRET_KEY, "short-lived")[0]).expect("C_DestroyObject");
        assert!(client.key(&id).is_err(), "a destroyed key was given out");
        assert_eq!(client.locate("short-lived"), Vec::<String>::new());
    }

    fn a_sensitive_key_of_the_module_is_not_given_out(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let session = token.user();
        let hidden = attrs![
            CKA_TOKEN => true, CKA_LABEL => "hidden", CKA_SENSITIVE => true, CKA_EXTRACTABLE => false
        ];
        keys::generate_aes(&session, hidden);
        let mut client = server.client("first");
        let id = client.locate("hidden").pop().expect("its identifier");
        let refused = client.key(&id).expect_err("a sensitive key was given out");
        // Sensitive, or Not Extractable: KMIP 1.4, section 9.1.3.2.29.
        assert!([22, 23].contains(&refused.reason), "{refused:?}");
    }

    fn a_user_does_not_see_what_another_made(kit) {
        kit.token();
        let server = Server::start(kit);
        let id = server.client("first").create_aes("mine").expect("Create");
        let mut other = server.client("second");
        assert!(other.key(&id).is_err(), "another's key was given out");
        assert_eq!(other.locate("mine"), Vec::<String>::new());
        other.create_aes("mine").expect("a name is unique for each owner, not for all");
    }

    fn a_server_stops_when_asked_to_and_keeps_what_it_had(kit) {
        kit.token();
        let server = Server::start(kit);
        let id = server.client("first").create_aes("kept").expect("Create");
        assert!(server.stop().success());
        let server = Server::start(kit);
        assert_eq!(server.client("first").locate("kept"), [id]);
    }
}
