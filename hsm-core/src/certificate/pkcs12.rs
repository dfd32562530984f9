//! PKCS #12 containers of one private key and its certificates: RFC 7292.

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, Pkcs12Archive, PrivateKey, PrivateKeyChain};

use super::read_certificate;
use crate::crypto::{Hash, hash_of};
use crate::error::{Error, Result};
use crate::secret::Wiped;

/// The largest container that is read, in bytes. Every few hundred of them may ask for a derivation of a
/// million rounds.
pub const LARGEST: usize = 32 << 10;

/// The object identifier of scrypt, in DER: RFC 7914. It is refused for the memory that it takes. What is
/// encrypted may still ask for it, up to the library's bound of 1 GiB.
const SCRYPT: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];

/// What a container holds.
pub struct Container {
    /// The friendly name of the key.
    pub name: Option<String>,
    /// The key: PKCS #8.
    pub private_key: Wiped<Vec<u8>>,
    /// DER of its certificates, its own first, each followed by its issuer's.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads a container. `name` says which key is meant, in any case of letters; without one it is the first.
///
/// # Errors
/// [`Error::WrappedKeyInvalid`] for what is no container, for another password, and where there is no such
/// key; [`Error::WrappedKeyLength`] for one that is too large; [`Error::MechanismInvalid`] for scrypt.
pub fn read(der: &[u8], password: &str, name: Option<&str>) -> Result<Container> {
    if der.len() > LARGEST {
        return Err(Error::WrappedKeyLength);
    }
    if der.windows(SCRYPT.len()).any(|window| window == SCRYPT) {
        return Err(Error::MechanismInvalid);
    }
    let bad = |_| Error::WrappedKeyInvalid;
    let archive = Pkcs12Archive::from_pkcs12(der, password).map_err(bad)?;
    let mut keys = archive.keys.into_iter();
    let key = keys.find(|key| {
        let own = key.friendly_name.as_deref();
        name.is_none_or(|name| own.is_some_and(|own| own.to_lowercase() == name.to_lowercase()))
    });
    let key = key.ok_or(Error::WrappedKeyInvalid)?;
    let local = key.local_key_id.as_ref().map(AsRef::as_ref);
    let own = archive.certs.iter().position(|bag| local.is_some() && bag.local_key_id.as_deref() == local);
    let certificates: Vec<&[u8]> = archive.certs.iter().map(|bag| bag.cert.as_der()).collect();
    Ok(Container {
        name: key.friendly_name,
        private_key: Wiped::new(key.key.as_der().to_vec()),
        certificates: own.map_or_else(|| Ok(Vec::new()), |own| chain(own, &certificates))?,
    })
}

/// A certificate and those that issued it, as far as they are there.
fn chain(own: usize, all: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
    let says = all.iter().map(|der| read_certificate(der)).collect::<Result<Vec<_>>>();
    let says = says.map_err(|_| Error::WrappedKeyInvalid)?;
    let mut places = vec![own];
    while let Some(last) = places.last().and_then(|last| says.get(*last)) {
        let above = says.iter().position(|other| other.subject.der == last.issuer.der);
        match above {
            Some(above) if !places.contains(&above) => places.push(above),
            _ => break,
        }
    }
    Ok(places.into_iter().filter_map(|place| all.get(place)).map(|der| der.to_vec()).collect())
}

/// Writes a container: PBES2 with AES-256 and HMAC-SHA-256.
///
/// # Errors
/// [`Error::DataInvalid`] for parts that are malformed.
pub fn write(container: &Container, password: &str) -> Result<Vec<u8>> {
    let bad = |_| Error::DataInvalid;
    let key = PrivateKey::from_der(&container.private_key).map_err(bad)?;
    let certificates = container.certificates.iter().map(|der| Certificate::from_der(der).map_err(bad));
    let certificates = certificates.collect::<Result<Vec<_>>>()?;
    // By which the key and its own certificate are told to belong together.
    let local = match container.certificates.first() {
        Some(own) => hash_of(Hash::Sha1, &[own])?,
        None => vec![1],
    };
    let mut store = KeyStore::new();
    let entry = KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(local, key, certificates));
    store.add_entry(container.name.as_deref().unwrap_or(DEFAULT_NAME), entry);
    store.writer(password).write().map_err(bad)
}

/// The friendly name of keys that have none: KMIP 1.4, section 3.45.
const DEFAULT_NAME: &str = "alias";

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ed25519 key: RFC 8410, section 10.3.
    const KEY: &str =
        "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";

    fn container() -> Container {
        Container {
            name: Some("My key".into()),
            private_key: Wiped::new(hex::decode(KEY).unwrap()),
            certificates: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_by_its_password_alone() {
        let der = write(&container(), "secret").unwrap();
        let back = read(&der, "secret", Some("my KEY")).unwrap();
        assert_eq!(back.private_key, container().private_key);
        assert_eq!(back.name.as_deref().map(str::to_lowercase), Some("my key".into()));
        assert!(back.certificates.is_empty());
        for (password, name) in [("Secret", None), ("", None), ("secret", Some("other"))] {
            assert!(
                matches!(read(&der, password, name), Err(Error::WrappedKeyInvalid)),
                "{password} {name:?}"
            );
        }
    }

    #[test]
    fn what_is_no_container_is_refused() {
        let der = write(&container(), "secret").unwrap();
        for end in [0, 1, der.len() / 2, der.len() - 1] {
            assert!(matches!(read(&der[..end], "secret", None), Err(Error::WrappedKeyInvalid)), "{end}");
        }
        let scrypt = [&der[..], SCRYPT].concat();
        assert!(matches!(read(&scrypt, "secret", None), Err(Error::MechanismInvalid)));
        let long = vec![0x30; LARGEST + 1];
        assert!(matches!(read(&long, "secret", None), Err(Error::WrappedKeyLength)));
    }
}
