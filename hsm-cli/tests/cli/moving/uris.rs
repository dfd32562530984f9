//! RFC 7512's URIs: shown by lists, and taken wherever a token or a key is named.

use crate::desk::Desk;

fn with_key() -> Desk {
    let desk = Desk::with_hsm();
    desk.run(&["token", "init", "my token"]).succeeds();
    desk.run(&["token", "init", "other"]).succeeds();
    let generate =
        ["key", "generate", "--type", "ec:p256", "--label", "tls;1", "--id", "01ff", "--token", "my token"];
    desk.run(&generate).succeeds();
    desk
}

#[test]
fn lists_show_them() {
    let desk = with_key();
    let tokens = desk.json(&["token", "list"]);
    let serial = tokens[0]["serial"].as_str().expect("a serial number");
    assert_eq!(tokens[0]["uri"], format!("pkcs11:token=my%20token;serial={serial}"));
    let keys = desk.json(&["key", "list", "--token", "my token"]);
    let expected =
        |kind| format!("pkcs11:token=my%20token;serial={serial};id=%01%FF;object=tls%3B1;type={kind}");
    assert_eq!((&keys[0]["uri"], &keys[1]["uri"]), (&expected("private").into(), &expected("public").into()));
    let text = desk.run(&["key", "list", "--token", "my token"]).succeeds().out;
    assert!(text.contains(&expected("public")), "{text}");
}

#[test]
fn what_a_list_shows_names_the_same_key() {
    let desk = with_key();
    let uri =
        desk.json(&["key", "list", "--token", "my token"])[1]["uri"].as_str().expect("a URI").to_owned();
    for option in ["--label", "--token"] {
        let shown = desk.json(&["key", "show", option, &uri]);
        assert_eq!(shown.as_array().map(Vec::len), Some(1));
        assert_eq!(shown[0]["summary"]["class"], "public");
    }
    assert!(desk.run(&["export", "--label", &uri]).succeeds().out.starts_with("-----BEGIN PUBLIC KEY-----"));
    desk.run(&["key", "delete", "--label", &uri, "--yes"]).succeeds();
    assert_eq!(desk.json(&["key", "list", "--token", "my token"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_token_is_named_by_one() {
    let desk = with_key();
    let uri = desk.json(&["token", "list"])[1]["uri"].as_str().expect("a URI").to_owned();
    desk.run(&["key", "list", "--token", &uri]).succeeds();
    desk.run(&["key", "list", "--token", "pkcs11:manufacturer=softhsm-rs;token=other"]).succeeds();
    desk.run(&["key", "list", "--token", "pkcs11:manufacturer=another;token=other"])
        .fails(4, "there is no token");
    desk.run(&["key", "list", "--token", "pkcs11:"]).fails(4, "several tokens");
    desk.run(&["key", "list", "--token", "pkcs11:colour=red"]).fails(2, "no attribute colour");
    desk.run(&["token", "delete", "--token", &uri, "--yes"]).succeeds();
}
