//! Who a client is: the same after a renewal, somebody else under another authority.

use kmip_server::certificates::Certificates;
use kmip_server::identity::{ClientRow, CredentialRow, IdentityRule, Match, Password, Rights, Role};
use rcgen::{DnType, SanType};

use crate::kit::{ANSWER, Authority, Bench, Caller, Identity, Version, seconds_from_now};

/// The identity in the stub's answer.
fn owner(answer: &str) -> &str {
    answer.split(' ').nth(2).unwrap()
}

#[tokio::test]
async fn a_renewed_certificate_keeps_its_identity() {
    let bench = Bench::new().await;
    let (old, new) = (bench.client("a"), bench.client("a"));
    assert_ne!(old.fingerprint(), new.fingerprint());
    assert_eq!(owner(&bench.asks(&old).await), owner(&bench.asks(&new).await));
    assert_ne!(owner(&bench.asks(&old).await), owner(&bench.asks(&bench.client("b")).await));
}

#[tokio::test]
async fn a_second_authority_does_not_give_out_the_names_of_the_first() {
    let second = Authority::new("Clients");
    for rule in [IdentityRule::Subject, IdentityRule::CommonName] {
        let bench = Bench::prepared(|parts, settings| {
            settings.tls.client_ca.push(parts.file("second.pem", &second.pem));
            settings.identity = rule;
        })
        .await;
        let (first, other) = (bench.asks(&bench.client("a")).await, bench.asks(&second.client("a")).await);
        assert_ne!(owner(&first), owner(&other), "{rule:?}");
    }
}

#[tokio::test]
async fn an_intermediate_authority_that_is_shown_but_did_not_sign_does_not_count() {
    let bench = Bench::new().await;
    let (one, two) = (bench.authority.below("Between"), bench.authority.below("Between"));
    let honest = one.client("a").with(&one);
    let both = one.client("a").with(&two).with(&one);
    let other = two.client("a").with(&one).with(&two);
    let honest = bench.asks(&honest).await;
    assert_eq!(owner(&honest), owner(&bench.asks(&both).await));
    assert_ne!(owner(&honest), owner(&bench.asks(&other).await));
}

#[tokio::test]
async fn names_make_the_identity_that_the_rule_says() {
    let make = |authority: &Authority, name: &str, unit: &str, dns: &str| {
        authority.client_with(name, |params| {
            params.distinguished_name.push(DnType::OrganizationalUnitName, unit);
            params.subject_alt_names = vec![SanType::DnsName(dns.try_into().unwrap())];
        })
    };
    for (rule, other) in [
        (IdentityRule::CommonName, ("a", "v", "y")),
        (IdentityRule::OrganizationalUnit, ("b", "u", "y")),
        (IdentityRule::AlternativeName, ("b", "v", "x")),
    ] {
        let bench = Bench::with(|settings| settings.identity = rule).await;
        let first = bench.asks(&make(&bench.authority, "a", "u", "x")).await;
        let same = bench.asks(&make(&bench.authority, other.0, other.1, other.2)).await;
        let none = bench.asks(&make(&bench.authority, "c", "w", "z")).await;
        assert_eq!(owner(&first), owner(&same), "{rule:?}");
        assert_ne!(owner(&first), owner(&none), "{rule:?}");
    }
}

#[tokio::test]
async fn by_fingerprint_a_renewed_certificate_is_somebody_else() {
    let bench = Bench::with(|settings| settings.identity = IdentityRule::Fingerprint).await;
    let (old, new) = (bench.client("a"), bench.client("a"));
    assert_eq!(owner(&bench.asks(&old).await), format!("certificate:{}", old.fingerprint()));
    assert_ne!(owner(&bench.asks(&old).await), owner(&bench.asks(&new).await));
}

#[tokio::test]
async fn the_first_row_that_matches_gives_the_rights() {
    let row = |matches: Match, rights: Rights| ClientRow { matches, rights };
    let officer = Rights {
        name: Some("boss".into()),
        owner: Some("shared".into()),
        partition: Some("vault".into()),
        role: Role::Officer,
        groups: vec!["g".into()],
        ..Rights::default()
    };
    let named = |name: &str| Match { common_name: Some(name.into()), ..Match::default() };
    let bench = Bench::with(|settings| {
        settings.clients = vec![
            row(named("a"), officer),
            row(named("a"), Rights { role: Role::Reader, ..Rights::default() }),
            row(named("b"), Rights { role: Role::Reader, ..Rights::default() }),
        ];
    })
    .await;
    assert_eq!(bench.asks(&bench.client("a")).await, "Ttlv boss shared vault Officer [\"g\"] 16");
    assert!(bench.asks(&bench.client("b")).await.ends_with(" kmip Reader [] 16"));
}

#[tokio::test]
async fn a_pinned_certificate_is_admitted_and_its_renewal_mapped() {
    let old = Identity::self_signed("vcenter", |_| {});
    let new = Identity::self_signed("vcenter", |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let bench = Bench::prepared(|parts, _| {
        let certificates = Certificates::of_home(parts.directory.path());
        certificates.trust(&parts.file("old.pem", &old.pem), None, None).unwrap();
        let renewed = certificates.trust(&parts.file("new.pem", &new.pem), None, Some("vcenter"));
        assert_eq!(renewed.unwrap().first, old.fingerprint());
    })
    .await;
    for version in [Version::Tls12, Version::Tls13] {
        for identity in [&old, &new] {
            let caller = Caller::new(&bench.authority, Some(identity), version);
            let answer = caller.try_once(bench.address()).await.1.unwrap();
            assert_eq!(owner(&answer), format!("certificate:{}", old.fingerprint()));
        }
    }
    // Those whom the authority vouches for are admitted as before.
    assert!(bench.asks(&bench.client("a")).await.contains(" a subject:"));
}

#[tokio::test]
async fn a_pinned_certificate_that_expired_is_refused() {
    let pinned = Identity::self_signed("a", |params| params.not_after = seconds_from_now(-60).into());
    let bench = Bench::prepared(|parts, _| drop(parts.file("certs/trusted/a.pem", &pinned.pem))).await;
    let line = bench.refuses(&bench.caller(&pinned)).await;
    assert!(line.contains("rule expired:"), "{line}");
}

#[tokio::test]
async fn whoever_lacks_the_key_of_a_pinned_certificate_is_refused() {
    let pinned = Identity::self_signed("a", |_| {});
    let bench = Bench::prepared(|parts, _| drop(parts.file("certs/trusted/a.pem", &pinned.pem))).await;
    let mut thief = bench.client("thief");
    thief.chain.clone_from(&pinned.chain);
    let caller = Caller::dishonest(&bench.authority, &thief, Version::Tls13);
    assert!(bench.refuses(&caller).await.contains("rule possession:"));
}

#[tokio::test]
async fn credentials_are_checked_against_their_table() {
    let row = CredentialRow {
        username: "fred".into(),
        password: Password::Clear(std::sync::Arc::new(hsm_core::secret::Secret::copy_of(b"password1"))),
        rights: Rights { role: Role::Reader, ..Rights::default() },
    };
    let bench = Bench::with(|settings| settings.credentials = vec![row]).await;
    let check = |name, password| bench.credentials.check(name, password);
    // The second time it is known.
    for _ in 0..2 {
        let client = check("fred", b"password1").unwrap();
        assert_eq!((client.owner.as_str(), client.role), ("credential:fred", Role::Reader));
        assert_eq!(check("fred", b"password2"), None);
        assert_eq!(check("anna", b"password1"), None);
    }
    assert!(!bench.credentials.is_empty());
    let mut settings = bench.settings.clone();
    settings.credentials.clear();
    bench.server.reload(&settings).unwrap();
    assert!(bench.credentials.is_empty());
    assert_eq!(check("fred", b"password1"), None);
    assert!(
        bench.caller(&bench.client("a")).connect(bench.address()).await.unwrap().ask(ANSWER).await.is_ok()
    );
}
