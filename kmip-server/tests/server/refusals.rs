//! Each rule that a client can fail, in both versions of TLS, with its line in the log.

use kmip_server::identity::{ClientRow, Match, Rights, Unlisted};
use rcgen::ExtendedKeyUsagePurpose;

use crate::kit::{Authority, Bench, Caller, Identity, Version, rsa_key, seconds_from_now};

/// Asserts that a client is refused by a rule, whatever the version, and that the log says whom.
async fn is_refused(bench: &Bench, identity: &Identity, rule: &str) {
    for version in [Version::Tls12, Version::Tls13] {
        let line = bench.refuses(&Caller::new(&bench.authority, Some(identity), version)).await;
        assert!(line.contains(&format!("refused by rule {rule}:")), "{version:?}: {line}");
        assert!(line.contains(&identity.fingerprint()), "{line}");
    }
    let counted = format!("softhsm_kmip_refusals_total{{rule=\"{rule}\"}} 2");
    assert!(bench.metrics.text().contains(&counted), "{counted}");
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let bench = Bench::new().await;
    for version in [Version::Tls12, Version::Tls13] {
        let line = bench.refuses(&Caller::new(&bench.authority, None, version)).await;
        assert!(line.contains("refused by rule no-certificate:"), "{line}");
    }
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused() {
    let bench = Bench::new().await;
    is_refused(&bench, &Authority::new("Others").client("a"), "unknown-issuer").await;
}

#[tokio::test]
async fn a_client_of_an_authority_of_the_same_name_is_refused() {
    let bench = Bench::new().await;
    // Its name leads to the configured authority, whose signature the certificate lacks.
    is_refused(&bench, &Authority::new("Clients").client("a"), "chain").await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_unless_pinned() {
    let bench = Bench::new().await;
    is_refused(&bench, &Identity::self_signed("a", |_| {}), "unknown-issuer").await;
}

#[tokio::test]
async fn a_self_signed_authority_is_a_stranger_first() {
    let bench = Bench::new().await;
    let mark = |params: &mut rcgen::CertificateParams| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    };
    is_refused(&bench, &Identity::self_signed("a", mark), "unknown-issuer").await;
}

#[tokio::test]
async fn a_certificate_for_servers_alone_is_refused() {
    let bench = Bench::new().await;
    let identity = bench.authority.client_with("a", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    is_refused(&bench, &identity, "purpose").await;
}

#[tokio::test]
async fn a_certificate_that_expired_is_refused() {
    let bench = Bench::new().await;
    let identity = bench.authority.client_with("a", |params| {
        params.not_before = seconds_from_now(-120).into();
        params.not_after = seconds_from_now(-60).into();
    });
    is_refused(&bench, &identity, "expired").await;
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_is_refused() {
    let bench = Bench::new().await;
    let identity =
        bench.authority.client_with("a", |params| params.not_before = seconds_from_now(600).into());
    is_refused(&bench, &identity, "not-yet-valid").await;
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_and_others_are_not() {
    let mut clients = None;
    let bench = Bench::prepared(|parts, settings| {
        let (revoked, other) = (parts.authority.client("a"), parts.authority.client("b"));
        settings.tls.crl = vec![parts.file("crl.pem", parts.authority.revokes(&[&revoked]))];
        clients = Some((revoked, other));
    })
    .await;
    let (revoked, other) = clients.unwrap();
    is_refused(&bench, &revoked, "revoked").await;
    assert!(bench.asks(&other).await.contains(" b "));
}

#[tokio::test]
async fn a_list_in_der_counts_as_one_in_pem_does() {
    let mut client = None;
    let bench = Bench::prepared(|parts, settings| {
        let revoked = parts.authority.client("a");
        let list = parts.authority.revokes(&[&revoked]);
        let (_, der) = der::pem::decode_vec(list.replace("\r\n", "\n").as_bytes()).unwrap();
        settings.tls.crl = vec![parts.file("crl.der", der)];
        client = Some(revoked);
    })
    .await;
    is_refused(&bench, &client.unwrap(), "revoked").await;
}

#[tokio::test]
async fn without_an_authority_pinned_certificates_alone_are_admitted() {
    let (pinned, other) = (Identity::self_signed("a", |_| {}), Identity::self_signed("b", |_| {}));
    let bench = Bench::prepared(|parts, settings| {
        parts.file("certs/trusted/a.pem", &pinned.pem);
        settings.tls.client_ca.clear();
    })
    .await;
    assert!(bench.asks(&pinned).await.contains(" a "));
    is_refused(&bench, &other, "pinned-only").await;
}

#[tokio::test]
async fn a_client_that_no_row_lists_is_refused() {
    let row = ClientRow {
        matches: Match { common_name: Some("a".into()), ..Match::default() },
        rights: Rights::default(),
    };
    let bench = Bench::with(|settings| settings.clients = vec![row]).await;
    assert!(bench.asks(&bench.client("a")).await.contains(" a "));
    is_refused(&bench, &bench.client("b"), "not-listed").await;
}

#[tokio::test]
async fn an_unlisted_client_may_have_a_space_of_its_own() {
    let row = ClientRow {
        matches: Match { common_name: Some("a".into()), ..Match::default() },
        rights: Rights { partition: Some("other".into()), ..Rights::default() },
    };
    let bench = Bench::with(|settings| {
        settings.clients = vec![row];
        settings.unlisted = Unlisted::OwnSpace;
    })
    .await;
    assert!(bench.asks(&bench.client("a")).await.contains(" other User"));
    assert!(bench.asks(&bench.client("b")).await.contains(" kmip User"));
}

#[tokio::test]
async fn a_certificate_without_the_name_that_makes_the_identity_is_refused() {
    let bench =
        Bench::with(|settings| settings.identity = kmip_server::identity::IdentityRule::OrganizationalUnit)
            .await;
    is_refused(&bench, &bench.client("a"), "name").await;
}

#[tokio::test]
async fn whoever_lacks_the_private_key_is_refused() {
    let bench = Bench::new().await;
    // Somebody else's certificate, and a pinned one as well as one of the authority.
    let mut thief = bench.client("thief");
    thief.chain = bench.client("victim").chain;
    for version in [Version::Tls12, Version::Tls13] {
        let line = bench.refuses(&Caller::dishonest(&bench.authority, &thief, version)).await;
        assert!(line.contains("refused by rule possession:"), "{line}");
    }
}

#[tokio::test]
async fn an_rsa_certificate_is_as_good_in_both_versions() {
    let bench = Bench::new().await;
    let identity = bench.authority.issue_for(rsa_key(), |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    for version in [Version::Tls12, Version::Tls13] {
        let caller = Caller::new(&bench.authority, Some(&identity), version);
        assert!(caller.try_once(bench.address()).await.1.unwrap().contains("kmip User"));
    }
}
