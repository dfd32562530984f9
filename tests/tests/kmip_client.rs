//! `softhsm-rs kmip` against our server: what people see, what scripts read, and what they are told when it
//! does not work. Servers that misbehave are in `kmip_client_hostile.rs`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hsm_tests::keys;
use hsm_tests::kmip::certificates::Authority;
use hsm_tests::kmip::message::operation;
use hsm_tests::kmip::server::Server;
use hsm_tests::kmip::tool::{Ran, Tool};
use hsm_tests::prelude::*;
use serde_json::{Value, json};

/// The client `first` of a server, as a person runs it.
fn tool(server: &Server) -> Tool {
    Tool::new(&format!("localhost:{}", server.kmip.port()), &server.authority, "first")
}

/// A result that scripts read.
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).expect("JSON on standard output")
}

fn json_of(tool: &Tool, arguments: &[&str]) -> Value {
    json(&tool.run(&[arguments, &["--json"]].concat()).succeeds())
}

fn ids(tool: &Tool, arguments: &[&str]) -> Vec<String> {
    let found = json_of(tool, &[&["locate"], arguments].concat());
    let objects = found["objects"].as_array().expect("objects");
    objects.iter().map(|object| object["id"].as_str().expect("an identifier").to_owned()).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file").mode() & 0o777
}

isolated! {
    fn versions_are_discovered_newest_first(kit) {
        kit.token();
        let server = Server::start(kit);
        let told = json_of(&tool(&server), &["discover"]);
        assert_eq!(told["versions"], json!(["2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"]));
        assert_eq!(told["newest_common"], "2.1");
        let page = tool(&server).run(&["discover"]).succeeds().out;
        assert!(page.contains("2.1, 2.0, 1.4, 1.3, 1.2, 1.1, 1.0"), "{page}");
        tool(&server).run(&["discover", "--kmip-version", "1.0"]).fails(15, &["OperationNotSupported (0x00000005)"]);
    }

    fn a_server_is_described_in_the_version_asked_for(kit) {
        kit.token();
        let server = Server::start(kit);
        let newest = json_of(&tool(&server), &["query"]);
        assert_eq!(newest["version"], "2.1");
        let has = |told: &Value, part: &str, name: &str| {
            told[part].as_array().expect("a list").iter().any(|it| it == name)
        };
        assert!(has(&newest, "operations", "Encrypt") && has(&newest, "operations", "DiscoverVersions"));
        assert!(has(&newest, "object_types", "CertificateRequest"), "{newest}");
        assert!(newest["vendor"].as_str().is_some_and(|vendor| vendor.contains("softhsm-rs")), "{newest}");
        assert_eq!(newest["capabilities"][0]["BatchUndoCapability"], true);
        assert_eq!(newest["profiles"][0]["ProfileName"], "TapeLibraryServer");
        assert_eq!(newest["rngs"][0]["RNGAlgorithm"], "DRBG");
        let oldest = json_of(&tool(&server), &["query", "--kmip-version", "1.0"]);
        assert_eq!(oldest["version"], "1.0");
        assert!(!has(&oldest, "operations", "Encrypt") && has(&oldest, "operations", "Locate"), "{oldest}");
        assert_eq!((&oldest["profiles"], &oldest["refused"]), (&json!([]), &json!([])));
        let page = tool(&server).run(&["query", "--kmip-version", "1.4"]).succeeds().out;
        assert!(page.contains("SignatureVerify") && page.contains("StreamingCapability: true"), "{page}");
    }

    fn objects_are_located_by_what_they_are(kit) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let disk = client.create_aes("disk").expect("Create");
        let tape = client.create_aes("tape").expect("Create");
        client.on(operation::ACTIVATE, &tape).expect("Activate");
        let (private, public) = client.create_rsa("web");
        for version in ["1.0", "1.3", "2.1"] {
            let tool = tool(&server).and(&["--kmip-version", version]);
            assert_eq!(ids(&tool, &["--name", "disk"]), [disk.as_str()], "{version}");
            assert_eq!(ids(&tool, &["--type", "private-key"]), [private.as_str()], "{version}");
            assert_eq!(ids(&tool, &["--state", "PreActive"]), [disk.as_str()], "{version}");
            assert_eq!(ids(&tool, &["--state", "active", "--algorithm", "aes"]), [tape.as_str()], "{version}");
            assert_eq!(ids(&tool, &["--length", "2048", "--type", "publickey"]), [public.as_str()], "{version}");
            assert_eq!(ids(&tool, &["--group", "nobody's"]), [""; 0], "{version}");
            assert_eq!(ids(&tool, &[]).len(), 4, "{version}");
            assert_eq!(ids(&tool, &["--max", "3"]).len(), 3, "{version}");
        }
        let page = json_of(&tool(&server), &["locate", "--max", "1", "--offset", "1"]);
        assert_eq!((&page["located"], page["objects"].as_array().map(Vec::len)), (&json!(4), Some(1)));
        let none = tool(&server).run(&["locate", "--name", "gone"]).succeeds();
        assert_eq!((none.out.as_str(), none.err.as_str()), ("", "softhsm-rs: no object matches\n"));
        // For scripts: identifiers alone, a line each.
        assert_eq!(tool(&server).run(&["locate", "--name", "disk", "--quiet"]).succeeds().out, format!("{disk}\n"));
    }

    fn what_was_located_is_described(kit) {
        kit.token();
        let server = Server::start(kit);
        let id = server.client("first").create_aes("a\u{1b}[2Jb").expect("Create");
        for version in ["1.0", "2.1"] {
            let tool = tool(&server).and(&["--kmip-version", version]);
            let found = json_of(&tool, &["locate", "--attributes"]);
            let expected = json!({
                "id": id, "names": ["a\u{1b}[2Jb"], "type": "SymmetricKey", "state": "PreActive",
                "algorithm": "AES", "length": 256, "refused": null,
            });
            assert_eq!(found["objects"], json!([expected]), "{version}");
            let page = tool.run(&["locate", "--attributes"]).succeeds().out;
            assert!(page.contains("a\\u{1b}[2Jb") && !page.contains('\u{1b}'), "{page:?}");
        }
    }

    fn what_the_version_does_not_have_is_not_sent(kit) {
        kit.token();
        let server = Server::start(kit);
        let tool = tool(&server).and(&["--kmip-version", "1.0"]);
        tool.run(&["locate", "--offset", "1"]).fails(2, &["KMIP 1.0 does not know this OffsetItems", "1.3"]);
        tool.run(&["locate", "--algorithm", "ed25519"]).fails(2, &["CryptographicAlgorithm", "--kmip-version"]);
        tool.run(&["get", "1", "--format", "pkcs12"]).fails(2, &["KeyFormatType"]);
    }

    fn a_value_is_shown_only_where_that_is_asked_for(kit) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("disk").expect("Create");
        let secret = hexadecimal(&client.key(&id).expect("Get"));
        for version in ["1.0", "1.4", "2.1"] {
            let tool = tool(&server).and(&["--kmip-version", version, "-vvv"]);
            let told = tool.run(&["get", &id, "--attributes", "--json"]).succeeds();
            assert!(!told.out.contains(&secret) && !told.err.contains(&secret), "{version}: the value was told");
            let told = json(&told);
            assert_eq!(told["type"], "SymmetricKey", "{version}");
            assert_eq!((&told["algorithm"], &told["length"]), (&json!("AES"), &json!(256)), "{version}");
            assert_eq!((&told["format"], &told["bytes"]), (&json!("Raw"), &json!(32)), "{version}");
            assert_eq!((told.get("value"), &told["wrapped"]), (None, &json!(false)), "{version}");
            let attributes = told["attributes"].as_array().expect("attributes");
            let mask = json!({ "name": "Cryptographic Usage Mask", "value": ["Encrypt", "Decrypt"] });
            assert!(attributes.contains(&json!({ "name": "Name", "value": "disk" })), "{told}");
            assert!(attributes.contains(&mask), "{told}");
            let page = tool.run(&["get", &id, "--attributes"]).succeeds();
            assert!(!page.out.contains(&secret) && page.out.contains("Initial Date"), "{}", page.out);
            assert_eq!(json_of(&tool, &["get", &id, "--show-value"])["value"], secret.as_str(), "{version}");
        }
    }

    fn a_value_is_saved_for_its_owner_alone(kit) {
        kit.token();
        let server = Server::start(kit);
        let mut client = server.client("first");
        let id = client.create_aes("disk").expect("Create");
        let value = client.key(&id).expect("Get");
        let path = kit.directory.join("key");
        let get = ["get", &id, "--out", path.to_str().unwrap()];
        let done = tool(&server).run(&get).succeeds();
        assert!(!done.out.contains(&hexadecimal(&value)));
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (value.clone(), 0o600));
        fs::write(&path, "kept").unwrap();
        tool(&server).run(&get).fails(10, &["exists", "--force"]);
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        tool(&server).run(&[&get[..], &["--force"]].concat()).succeeds();
        assert_eq!(fs::read(&path).unwrap(), value);
        let pem = kit.directory.join("key.pem");
        tool(&server).run(&["get", &id, "--out", pem.to_str().unwrap()]).fails(2, &["PEM"]);
        assert!(!pem.exists());
    }

    fn a_key_pair_is_saved_as_openssl_reads_it(kit) {
        kit.token();
        let server = Server::start(kit);
        let (private, public) = server.client("first").create_rsa("web");
        let save = |id: &str, format: &str, name: &str| {
            let path = kit.directory.join(name);
            let arguments = ["get", id, "--format", format, "--out", path.to_str().unwrap()];
            tool(&server).run(&arguments).succeeds();
            fs::read_to_string(&path).expect("PEM")
        };
        assert!(save(&private, "pkcs8", "a.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(save(&private, "pkcs1", "b.pem").starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
        assert!(save(&public, "x509", "c.pem").starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let told = json_of(&tool(&server), &["get", &private, "--format", "transparent-rsa-private-key"]);
        assert_eq!(told["format"], "TransparentRSAPrivateKey");
        let wrong = tool(&server).run(&["get", &public, "--format", "ec-private-key"]);
        wrong.fails(15, &["KeyFormatTypeNotSupported (0x00000010)", "--format"]);
    }

    fn a_missing_object_is_told_by_the_standards_reason(kit) {
        kit.token();
        let server = Server::start(kit);
        let path = kit.directory.join("key");
        let get = ["get", "nothing", "--out", path.to_str().unwrap()];
        let old = tool(&server).and(&["--kmip-version", "1.4"]).run(&get);
        old.fails(4, &["refused Get: ItemNotFound (0x00000001)", "kmip locate"]);
        let new = tool(&server).run(&[&get[..], &["--json"]].concat());
        let error: Value = serde_json::from_str(&new.err).expect("JSON on standard error");
        assert_eq!((&error["error"]["name"], &error["error"]["exit"]), (&json!("not-found"), &json!(4)));
        assert_eq!((new.out.as_str(), path.exists()), ("", false));
    }

    fn a_value_that_does_not_leave_the_server_is_refused_and_the_rest_shown(kit) {
        let token = kit.token();
        let server = Server::start(kit);
        let session = token.user();
        let hidden = attrs![
            CKA_TOKEN => true, CKA_LABEL => "hidden", CKA_SENSITIVE => true, CKA_EXTRACTABLE => false
        ];
        keys::generate_aes(&session, hidden);
        let id = server.client("first").locate("hidden").pop().expect("its identifier");
        tool(&server).run(&["get", &id]).fails(15, &["refused Get", "--attributes"]);
        tool(&server).run(&["get", &id, "--attributes", "--show-value"]).fails(15, &["refused Get"]);
        let told = json_of(&tool(&server), &["get", &id, "--attributes"]);
        assert!(told["refused"].as_str().is_some_and(|reason| reason.contains("(0x000000")), "{told}");
        assert!(told["attributes"].to_string().contains("hidden"), "{told}");
    }

    fn certificates_that_are_not_accepted_are_told_from_both_sides(kit) {
        kit.token();
        let server = Server::start(kit);
        let others = Authority::new(&kit.directory.join("others"));
        let file = |authority: &Authority, name: &str| authority.file(name).to_str().unwrap().to_owned();
        let server_name = format!("localhost:{}", server.kmip.port());
        let ask = |ca: String, certificate: String, key: String, more: &[&str]| {
            let arguments = [
                &["query", "--server", &server_name, "--tls-ca", &ca, "--tls-cert", &certificate, "--tls-key", &key],
                more,
            ];
            Ran::of(&arguments.concat())
        };
        let (ours, first, key) =
            (file(&server.authority, "ca.pem"), file(&server.authority, "first.pem"), file(&server.authority, "first.key"));
        ask(ours.clone(), first.clone(), key.clone(), &[]).succeeds();
        ask(file(&others, "ca.pem"), first.clone(), key.clone(), &[])
            .fails(14, &["another authority of the same name", "--tls-ca"]);
        ask(file(&others, "second.pem"), first.clone(), key.clone(), &[])
            .fails(14, &["by nobody whom this client trusts", "--tls-ca"]);
        ask(ours.clone(), first.clone(), key.clone(), &["--server-name", "example.org"])
            .fails(14, &["is not for \"example.org\", but for localhost", "--server-name"]);
        let stranger = ask(ours.clone(), file(&others, "first.pem"), file(&others, "first.key"), &[]);
        stranger.fails(14, &["does not accept the client's certificate", "log"]);
        ask(ours.clone(), first.clone(), file(&others, "first.key"), &[]).fails(11, &["its key?"]);
        ask(ours, first.clone(), first.clone(), &[]).fails(8, &["private key"]);
        // The server's own certificate, named as it is.
        let own = file(&server.authority, "server.pem");
        ask(own.clone(), first.clone(), key.clone(), &[]).succeeds();
        ask(own, first, key, &["--server-name", "example.org"]).fails(14, &["is not for \"example.org\""]);
    }

    fn credentials_are_sent_and_never_on_the_command_line(kit) {
        kit.token();
        let password = kit.directory.join("password");
        fs::write(&password, "right\n").unwrap();
        fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let row = format!(
            "\n[[kmip.credential]]\nusername = \"ann\"\npassword_file = {password:?}\nrole = \"officer\"\npartition = {:?}\npin_file = {:?}\n",
            hsm_tests::kit::LABEL,
            kit.directory.join("pin"),
        );
        let server = Server::start_with(kit, &row);
        let tool = tool(&server);
        let file = password.to_str().unwrap();
        tool.run(&["query", "--user", "ann", "--password-file", file]).succeeds();
        tool.run(&["query", "--user", "ann"]).fails(2, &["password of \"ann\"", "--password-file"]);
        let wrong = kit.directory.join("wrong");
        fs::write(&wrong, "wrong\n").unwrap();
        let refused = tool.run(&["query", "--user", "ann", "--password-file", wrong.to_str().unwrap()]);
        refused.fails(15, &["AuthenticationNotSuccessful (0x00000003)", "--user"]);
        tool.run(&["query", "--password", "right"]).fails(2, &["--password"]);
    }

    fn the_certificates_of_serve_dev_serve_where_none_are_named(kit) {
        kit.token();
        let server = Server::start(kit);
        let home = kit.directory.join("client");
        let run = || {
            let address = format!("localhost:{}", server.kmip.port());
            Ran::of(&["kmip", "query", "--home", home.to_str().unwrap(), "--server", &address][1..])
        };
        run().fails(11, &["no authority", "--tls-cert"]);
        let certs = home.join("certs");
        fs::create_dir_all(&certs).unwrap();
        let copy = |from: &str, to: &str| fs::copy(server.authority.file(from), certs.join(to)).unwrap();
        copy("ca.pem", "ca.pem");
        run().fails(11, &["no client's certificate", "certs client"]);
        copy("first.pem", "client-dev.pem");
        copy("first.key", "client-dev.key");
        run().succeeds();
    }
}
