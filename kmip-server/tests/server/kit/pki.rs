//! Authorities and the certificates that they sign.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, RsaKeySize, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::time::{Duration, SystemTime};

/// An authority.
pub(crate) struct Authority {
    pub(crate) issuer: Issuer<'static, KeyPair>,
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
}

/// A certificate with its chain and key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pem: String,
    pub(crate) key_pem: String,
    pub(crate) serial: SerialNumber,
}

/// A time from now, in seconds; before now if negative.
pub(crate) fn seconds_from_now(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::now() - distance } else { SystemTime::now() + distance }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = seconds_from_now(-3600).into();
    params.not_after = seconds_from_now(3600).into();
    let random = KeyPair::generate().unwrap();
    params.serial_number = Some(SerialNumber::from_slice(&random.public_key_raw()[8..16]));
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let params = authority_params(name);
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Authority { issuer: Issuer::new(params, key), der, pem }
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let params = authority_params(name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Authority { issuer: Issuer::new(params, key), der, pem }
    }

    pub(crate) fn client(&self, name: &str) -> Identity {
        self.client_with(name, |_| {})
    }

    pub(crate) fn client_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        self.issue(|params| {
            params.distinguished_name = named(name).distinguished_name;
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            change(params);
        })
    }

    pub(crate) fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        self.issue_for(KeyPair::generate().unwrap(), change)
    }

    pub(crate) fn issue_for(&self, key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = named("localhost");
        change(&mut params);
        let serial = params.serial_number.clone().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::of(certificate.der().clone(), certificate.pem(), &key, serial)
    }

    /// A revocation list, in PEM.
    pub(crate) fn revokes(&self, revoked: &[&Identity]) -> String {
        let list = CertificateRevocationListParams {
            this_update: seconds_from_now(-60).into(),
            next_update: seconds_from_now(3600).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|it| RevokedCertParams {
                    serial_number: it.serial.clone(),
                    revocation_time: seconds_from_now(-60).into(),
                    reason_code: Some(RevocationReason::KeyCompromise),
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

impl Identity {
    fn of(der: CertificateDer<'static>, pem: String, key: &KeyPair, serial: SerialNumber) -> Identity {
        Identity {
            chain: vec![der],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            pem,
            key_pem: key.serialize_pem(),
            serial,
        }
    }

    /// A certificate that nobody but its holder signed.
    pub(crate) fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = named(name);
        change(&mut params);
        let certificate = params.self_signed(&key).unwrap();
        let serial = params.serial_number.clone().unwrap();
        Identity::of(certificate.der().clone(), certificate.pem(), &key, serial)
    }

    /// The same with another certificate shown besides.
    pub(crate) fn with(mut self, other: &Authority) -> Identity {
        self.chain.push(other.der.clone());
        self
    }

    pub(crate) fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(&self.chain[0]))
    }
}

/// An RSA key.
pub(crate) fn rsa_key() -> KeyPair {
    KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}
