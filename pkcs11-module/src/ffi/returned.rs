//! Where the outputs of C_DeriveKey go that are named by the mechanism's parameter, and not by an argument:
//! handles of further keys (PKCS #11 3.2, section 6.42), and what TLS has (section 6.40).

use cryptoki_sys::*;
use hsm_core::service::Derived;

use super::mechanism::{Given, Structure, invalid, part};
use super::memory::Region;
use super::parameters::structures;
use crate::rv::Outcome;

/// Where the outputs of a derivation go that the mechanism's parameter names.
#[derive(Default)]
pub(crate) struct Returned<'call> {
    /// The handles of further keys.
    more: Vec<Region<'call, CK_OBJECT_HANDLE>>,
    /// The version of the protocol.
    version: Option<Region<'call, CK_VERSION>>,
    /// The keys and vectors of a connection.
    connection: Option<Connection<'call>>,
}

/// Where the keys and vectors of a connection go.
struct Connection<'call> {
    material: Region<'call, CK_SSL3_KEY_MAT_OUT>,
    /// What is there now.
    now: CK_SSL3_KEY_MAT_OUT,
    has_mac_keys: bool,
    client_vector: Region<'call, u8>,
    server_vector: Region<'call, u8>,
}

impl Returned<'_> {
    /// Whether the mechanism gives its keys here alone, so that the call's own place for one is not looked at.
    pub(crate) fn has_all(&self) -> bool {
        self.connection.is_some()
    }

    /// Tells the caller what was made, but for the key that the call itself has a place for.
    pub(crate) fn put(&self, derived: &Derived) {
        for (place, key) in self.more.iter().zip(derived.keys.iter().skip(1)) {
            place.write(&[key.0]);
        }
        if let (Some(place), Some((major, minor))) = (&self.version, derived.version) {
            place.write(&[CK_VERSION { major, minor }]);
        }
        if let Some(connection) = &self.connection {
            connection.put(derived);
        }
    }

    /// Marks the further key whose template was at fault.
    pub(crate) fn put_failed(&self, at: usize) {
        if let Some(place) = self.more.get(at) {
            place.write(&[CK_INVALID_HANDLE]);
        }
    }
}

impl Connection<'_> {
    fn put(&self, derived: &Derived) {
        let mut keys = derived.keys.iter().map(|key| key.0);
        let mut next = || keys.next().unwrap_or(CK_INVALID_HANDLE);
        let mut out = self.now;
        (out.hClientMacSecret, out.hServerMacSecret) = (CK_INVALID_HANDLE, CK_INVALID_HANDLE);
        if self.has_mac_keys {
            (out.hClientMacSecret, out.hServerMacSecret) = (next(), next());
        }
        (out.hClientKey, out.hServerKey) = (next(), next());
        self.material.write(&[out]);
        if let Some((client, server)) = &derived.vectors {
            self.client_vector.write(client);
            self.server_vector.write(server);
        }
    }
}

/// Finds the places.
///
/// # Safety
/// As for [`super::mechanism::parse`].
pub(super) unsafe fn returned<'call>(at: *const CK_MECHANISM) -> Outcome<Returned<'call>> {
    let mut returned = Returned::default();
    // SAFETY: passed on.
    let bytes = unsafe { part(at.cast(), size_of::<CK_MECHANISM>() as CK_ULONG) }?;
    let mechanism: CK_MECHANISM = Given(bytes).structure()?;
    // SAFETY: passed on.
    let given = Given(unsafe { part(mechanism.pParameter.cast_const().cast(), mechanism.ulParameterLen) }?);
    match mechanism.mechanism {
        CKM_SP800_108_COUNTER_KDF | CKM_SP800_108_DOUBLE_PIPELINE_KDF => {
            let given: CK_SP800_108_KDF_PARAMS = given.structure()?;
            let more = (given.pAdditionalDerivedKeys.cast_const(), given.ulAdditionalDerivedKeys);
            // SAFETY: passed on.
            returned.more = unsafe { handles(more) }?;
        }
        CKM_SP800_108_FEEDBACK_KDF => {
            let given: CK_SP800_108_FEEDBACK_KDF_PARAMS = given.structure()?;
            let more = (given.pAdditionalDerivedKeys.cast_const(), given.ulAdditionalDerivedKeys);
            // SAFETY: passed on.
            returned.more = unsafe { handles(more) }?;
        }
        CKM_TLS12_MASTER_KEY_DERIVE => {
            let given: CK_TLS12_MASTER_KEY_DERIVE_PARAMS = given.structure()?;
            // SAFETY: passed on.
            returned.version = Some(unsafe { place(given.pVersion) }?);
        }
        CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE => {
            let given: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS = given.structure()?;
            // SAFETY: passed on.
            returned.version = Some(unsafe { place(given.pVersion) }?);
        }
        CKM_TLS12_KEY_AND_MAC_DERIVE | CKM_TLS12_KEY_SAFE_DERIVE => {
            // SAFETY: passed on.
            returned.connection = Some(unsafe { connection(mechanism.mechanism, &given) }?);
        }
        _ => {}
    }
    Ok(returned)
}

unsafe fn handles<'call>(
    (start, count): (*const CK_DERIVED_KEY, CK_ULONG),
) -> Outcome<Vec<Region<'call, CK_OBJECT_HANDLE>>> {
    // SAFETY: passed on.
    let keys = unsafe { structures(start, count) }?;
    // SAFETY: passed on.
    keys.iter().map(|key| unsafe { place(key.phKey) }).collect()
}

unsafe fn connection<'call>(kind: CK_MECHANISM_TYPE, given: &Given<'_>) -> Outcome<Connection<'call>> {
    let given: CK_TLS12_KEY_MAT_PARAMS = given.structure()?;
    // SAFETY: passed on.
    let material = unsafe { structures(given.pReturnedKeyMaterial.cast_const(), 1) }?;
    let material: CK_SSL3_KEY_MAT_OUT = material.first().copied().ok_or_else(invalid)?;
    let length = if kind == CKM_TLS12_KEY_AND_MAC_DERIVE { given.ulIVSizeInBits / 8 } else { 0 };
    Ok(Connection {
        // SAFETY: passed on.
        material: unsafe { place(given.pReturnedKeyMaterial) }?,
        now: material,
        has_mac_keys: given.ulMacSizeInBits > 0,
        // SAFETY: passed on.
        client_vector: unsafe { Region::claim(material.pIVClient, length) }.map_err(|_| invalid())?,
        // SAFETY: passed on.
        server_vector: unsafe { Region::claim(material.pIVServer, length) }.map_err(|_| invalid())?,
    })
}

/// A place for one value that a parameter names.
unsafe fn place<'call, T>(at: *mut T) -> Outcome<Region<'call, T>> {
    // SAFETY: passed on.
    unsafe { Region::claim(at.cast_const(), 1) }.map_err(|_| invalid())
}

impl Structure for CK_MECHANISM {}
impl Structure for CK_SSL3_KEY_MAT_OUT {}
