//! Certificates and requests that OpenSSL made, and what is neither.

use super::*;

/// Made with OpenSSL: a certificate with every part and four other names, and a request.
const CERTIFICATE: &str = "308201d83082018aa003020102020900d2f5bad76a5ac8f9300506032b6570300d310b300906035504030c0243413020170d3230303130313030303030305a180f32303531303130313030303030305a3081da310b30090603550406130243483110300e06035504080c075ac3bc72696368310e300c06035504070c05426164656e31123010060355040a0c0941636d652c20496e63310d300b060355040b0c044b6579733115301306035504030c0c6b6d69702e6578616d706c65311c301a06092a864886f70d010901160d61406578616d706c652e6f7267310b3009060355040513023432310b3009060355040c0c024472310a3008060355042e13017131173015060a0992268993f22c64011916076578616d706c6531123010060a0992268993f22c6401010c027531302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8a337303530330603551d11042c302a820c6b6d69702e6578616d706c65810d61406578616d706c652e6f726787047f000001860575726e3a78300506032b6570034100ba7785b6bebe1bc1659c3e3fcad4eabe220465b71c4dcf73a1165fe964bf9d9b58224cb6fc025f80d87d6b5643d3fc034fd43d5ee0859f5ce55ea95a5706f300";
const REQUEST: &str = "30818c3040020100300d310b300906035504030c024341302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8a000300506032b6570034100cc5b6be5d899b847e72af6ccfeb744727e2c9d5903883134c0e74a93079052857913a2562e0e7c45154a9e8f014fe1e08e0d0fed12cba68e91ee3961ee8df60d";
const PUBLIC_KEY: &str =
    "302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

#[test]
fn a_certificate_says_whose_it_is() {
    let certificate = read_certificate(&bytes(CERTIFICATE)).unwrap();
    assert_eq!(hex::encode(&certificate.serial), "00d2f5bad76a5ac8f9");
    assert_eq!(certificate.issuer.text, "CN=CA");
    assert_eq!(certificate.issuer.der, bytes("300d310b300906035504030c024341"));
    assert_eq!((certificate.not_before, certificate.not_after), (1_577_836_800, 2_556_144_000));
    assert_eq!(certificate.public_key, bytes(PUBLIC_KEY));
    assert_eq!(certificate.signature_algorithm, const_oid::db::rfc8410::ID_ED_25519);
    assert_eq!(certificate.subject_alternative, ["kmip.example", "a@example.org", "7f000001", "urn:x"]);
    assert!(certificate.issuer_alternative.is_empty());
}

#[test]
fn every_part_of_a_name_is_found() {
    let subject = read_certificate(&bytes(CERTIFICATE)).unwrap().subject;
    for (kind, text) in [
        (NamePart::CommonName, "kmip.example"),
        (NamePart::Organization, "Acme, Inc"),
        (NamePart::OrganizationalUnit, "Keys"),
        (NamePart::Email, "a@example.org"),
        (NamePart::Country, "CH"),
        (NamePart::State, "Zürich"),
        (NamePart::Locality, "Baden"),
        (NamePart::UserId, "u1"),
        (NamePart::SerialNumber, "42"),
        (NamePart::Title, "Dr"),
        (NamePart::DomainComponent, "example"),
        (NamePart::DnQualifier, "q"),
    ] {
        assert_eq!(subject.all(kind).collect::<Vec<_>>(), [text], "{kind:?}");
    }
    assert!(subject.text.ends_with("O=Acme\\, Inc,L=Baden,ST=Zürich,C=CH"), "{}", subject.text);
}

#[test]
fn a_request_says_for_what_key() {
    let request = read_request(&bytes(REQUEST)).unwrap();
    assert_eq!(request.subject.text, "CN=CA");
    assert_eq!(request.public_key, bytes(PUBLIC_KEY));
    assert_eq!(request.subject_alternative, None);
}

#[test]
fn what_is_neither_is_refused() {
    let (certificate, request) = (bytes(CERTIFICATE), bytes(REQUEST));
    for der in [&[][..], &request, &certificate[..certificate.len() - 1], &[&certificate[..], &[0]].concat()]
    {
        assert!(matches!(read_certificate(der), Err(Error::DataInvalid)));
    }
    for der in [&[][..], &certificate, &request[..request.len() - 1]] {
        assert!(matches!(read_request(der), Err(Error::DataInvalid)));
    }
}
