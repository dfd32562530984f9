//! Parameters of mechanisms with secret keys, as `mechanism` has those of the others.

use cryptoki_sys::*;
use hsm_core::crypto::{Extent, Number};
use hsm_core::mechanism::{Parameter, PrfField, Salt, Shape};
use hsm_core::secret::Secret;

use super::args;
use super::mechanism::{Given, Structure, copy, invalid, part};
use crate::rv::Outcome;

/// The longest password of PBKDF2, in bytes. An address is larger, which tells the two forms of the parameter apart.
const LONGEST_PASSWORD: CK_ULONG = 0xffff;

/// More parts than any parameter of SP 800-108 has, and more further keys.
const MOST_PARTS: CK_ULONG = 64;

/// Reads a parameter of these shapes.
///
/// # Safety
/// As for [`super::mechanism::parse`].
pub(super) unsafe fn shaped(given: &Given<'_>, shape: Shape) -> Outcome<Parameter> {
    match shape {
        Shape::Bit => given.structure().map(Parameter::Number),
        Shape::Handle => given.structure().map(Parameter::Handle),
        Shape::PublicValue => public_value(given),
        // SAFETY: passed on.
        Shape::Ccm => unsafe { ccm(given) },
        // SAFETY: passed on.
        Shape::ChaCha20 => unsafe { chacha20(given) },
        // SAFETY: passed on.
        Shape::Aead => unsafe { aead(given) },
        // SAFETY: passed on.
        Shape::Data => unsafe { data(given) },
        // SAFETY: passed on.
        Shape::AesCbcData => unsafe { aes_cbc_data(given) },
        // SAFETY: passed on.
        Shape::DesCbcData => unsafe { des_cbc_data(given) },
        // SAFETY: passed on.
        Shape::Hkdf => unsafe { hkdf(given) },
        // SAFETY: passed on.
        Shape::Pbkdf2 => unsafe { pbkdf2(given) },
        // SAFETY: passed on.
        Shape::Sp800_108 => unsafe { sp800_108(&Given::structure(given)?) },
        // SAFETY: passed on.
        Shape::Sp800_108Feedback => unsafe { feedback(given) },
        // SAFETY: passed on.
        Shape::TlsMaster => unsafe { tls_master(given) },
        // SAFETY: passed on.
        Shape::TlsExtendedMaster => unsafe { tls_extended_master(given) },
        // SAFETY: passed on.
        Shape::TlsKeys => unsafe { tls_keys(given) },
        // SAFETY: passed on.
        Shape::TlsKdf => unsafe { tls_kdf(given) },
        Shape::TlsMac => tls_mac(given),
        // SAFETY: passed on.
        Shape::Ssh => unsafe { super::vendor::ssh(given) },
        // SAFETY: passed on.
        Shape::OptionalOtp => unsafe { super::otp::parameters(given) },
        // `mechanism` has the others.
        _ => Err(invalid()),
    }
}

/// A big integer of some length.
fn public_value(given: &Given<'_>) -> Outcome<Parameter> {
    if given.0.is_empty() { Err(invalid()) } else { Ok(Parameter::PublicValue(given.0.to_vec())) }
}

unsafe fn ccm(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_CCM_PARAMS = given.structure()?;
    Ok(Parameter::Ccm {
        data_len: given.ulDataLen,
        // SAFETY: passed on.
        nonce: unsafe { copy(given.pNonce, given.ulNonceLen) }?,
        // SAFETY: passed on.
        aad: unsafe { copy(given.pAAD, given.ulAADLen) }?,
        tag_len: given.ulMACLen,
    })
}

/// Counter and nonce are counted in bits.
unsafe fn chacha20(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_CHACHA20_PARAMS = given.structure()?;
    let (32 | 64, 64 | 96) = (given.blockCounterBits, given.ulNonceBits) else { return Err(invalid()) };
    Ok(Parameter::ChaCha20 {
        // SAFETY: passed on.
        counter: unsafe { copy(given.pBlockCounter, given.blockCounterBits / 8) }?,
        // SAFETY: passed on.
        nonce: unsafe { copy(given.pNonce, given.ulNonceBits / 8) }?,
    })
}

/// The standard counts this nonce in bits; other implementations and their callers count bytes. A nonce has
/// 96 bits, so that 96 and 12 say the same.
unsafe fn aead(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_SALSA20_CHACHA20_POLY1305_PARAMS = given.structure()?;
    let (12 | 96) = given.ulNonceLen else { return Err(invalid()) };
    Ok(Parameter::Aead {
        // SAFETY: passed on.
        nonce: unsafe { copy(given.pNonce, 12) }?,
        // SAFETY: passed on.
        aad: unsafe { copy(given.pAAD, given.ulAADLen) }?,
    })
}

unsafe fn data(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_KEY_DERIVATION_STRING_DATA = given.structure()?;
    // SAFETY: passed on.
    unsafe { copy(given.pData, given.ulLen) }.map(Parameter::Data)
}

unsafe fn aes_cbc_data(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_AES_CBC_ENCRYPT_DATA_PARAMS = given.structure()?;
    // SAFETY: passed on.
    let data = unsafe { copy(given.pData, given.length) }?;
    Ok(Parameter::CbcData { iv: given.iv.to_vec(), data })
}

unsafe fn des_cbc_data(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_DES_CBC_ENCRYPT_DATA_PARAMS = given.structure()?;
    // SAFETY: passed on.
    let data = unsafe { copy(given.pData, given.length) }?;
    Ok(Parameter::CbcData { iv: given.iv.to_vec(), data })
}

unsafe fn hkdf(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_HKDF_PARAMS = given.structure()?;
    let extract = given.bExtract != CK_FALSE;
    let salt = match given.ulSaltType {
        // Not looked at without extraction.
        _ if !extract => Salt::None,
        CKF_HKDF_SALT_NULL => Salt::None,
        // SAFETY: passed on.
        CKF_HKDF_SALT_DATA => Salt::Data(unsafe { copy(given.pSalt, given.ulSaltLen) }?),
        CKF_HKDF_SALT_KEY => Salt::Key(given.hSaltKey),
        _ => return Err(invalid()),
    };
    let expand = given.bExpand != CK_FALSE;
    // SAFETY: passed on.
    let info = if expand { unsafe { copy(given.pInfo, given.ulInfoLen) }? } else { Vec::new() };
    Ok(Parameter::Hkdf { extract, expand, hash: given.prfHashMechanism, salt, info })
}

/// The older form of the parameter has the address of the password's length where the newer one has the length:
/// the sizes are the same.
unsafe fn pbkdf2(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_PKCS5_PBKD2_PARAMS2 = given.structure()?;
    if given.saltSource != CKZ_SALT_SPECIFIED || !given.pPrfData.is_null() || given.ulPrfDataLen != 0 {
        return Err(invalid());
    }
    let length = match given.ulPasswordLen {
        length @ 0..=LONGEST_PASSWORD => length,
        address => {
            let address = usize::try_from(address).map_err(|_| invalid())?;
            let size = size_of::<CK_ULONG>() as CK_ULONG;
            // SAFETY: passed on.
            let bytes = unsafe { part(std::ptr::with_exposed_provenance(address), size) }?;
            let length = Given(bytes).structure()?;
            if length > LONGEST_PASSWORD { return Err(invalid()) } else { length }
        }
    };
    Ok(Parameter::Pbkdf2 {
        prf: given.prf,
        // SAFETY: passed on.
        salt: unsafe { copy(given.pSaltSourceData.cast(), given.ulSaltSourceDataLen) }?,
        iterations: given.iterations,
        // SAFETY: passed on.
        password: Secret::new(unsafe { copy(given.pPassword, length) }?),
    })
}

unsafe fn feedback(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_SP800_108_FEEDBACK_KDF_PARAMS = given.structure()?;
    let plain = CK_SP800_108_KDF_PARAMS {
        prfType: given.prfType,
        ulNumberOfDataParams: given.ulNumberOfDataParams,
        pDataParams: given.pDataParams,
        ulAdditionalDerivedKeys: given.ulAdditionalDerivedKeys,
        pAdditionalDerivedKeys: given.pAdditionalDerivedKeys,
    };
    // SAFETY: passed on.
    let start = unsafe { copy(given.pIV, given.ulIVLen) }?;
    // SAFETY: passed on.
    match unsafe { sp800_108(&plain) }? {
        Parameter::Sp800_108 { prf, fields, more, .. } => {
            Ok(Parameter::Sp800_108 { prf, iv: start, fields, more })
        }
        other => Ok(other),
    }
}

unsafe fn sp800_108(given: &CK_SP800_108_KDF_PARAMS) -> Outcome<Parameter> {
    // SAFETY: passed on.
    let fields = unsafe { structures(given.pDataParams, given.ulNumberOfDataParams) }?;
    // SAFETY: passed on.
    let more = unsafe { structures(given.pAdditionalDerivedKeys, given.ulAdditionalDerivedKeys) }?;
    Ok(Parameter::Sp800_108 {
        prf: given.prfType,
        iv: Vec::new(),
        // SAFETY: passed on.
        fields: fields.iter().map(|given| unsafe { field(given) }).collect::<Outcome<_>>()?,
        more: more
            .iter()
            // SAFETY: passed on.
            .map(|given| unsafe { args::template(given.pTemplate, given.ulAttributeCount) })
            .collect::<Outcome<_>>()?,
    })
}

/// One part of what the pseudorandom function is given.
unsafe fn field(given: &CK_PRF_DATA_PARAM) -> Outcome<PrfField> {
    // SAFETY: passed on.
    let value = Given(unsafe { part(given.pValue.cast(), given.ulValueLen) }?);
    let counter = || {
        let format: CK_SP800_108_COUNTER_FORMAT = value.structure()?;
        number(format.bLittleEndian, format.ulWidthInBits, 4)
    };
    Ok(match given.type_ {
        CK_SP800_108_ITERATION_VARIABLE if value.0.is_empty() => PrfField::Iteration(None),
        CK_SP800_108_ITERATION_VARIABLE => PrfField::Iteration(Some(counter()?)),
        CK_SP800_108_COUNTER => PrfField::Counter(counter()?),
        CK_SP800_108_DKM_LENGTH => {
            let format: CK_SP800_108_DKM_LENGTH_FORMAT = value.structure()?;
            let extent = match format.dkmLengthMethod {
                CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS => Extent::Keys,
                CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS => Extent::Segments,
                _ => return Err(invalid()),
            };
            PrfField::Length(number(format.bLittleEndian, format.ulWidthInBits, 8)?, extent)
        }
        CK_SP800_108_BYTE_ARRAY if !value.0.is_empty() => PrfField::Bytes(value.0.to_vec()),
        CK_SP800_108_KEY_HANDLE => PrfField::Key(value.structure()?),
        _ => return Err(invalid()),
    })
}

/// A number of whole bytes, and of `most` at most.
fn number(little_endian: CK_BBOOL, bits: CK_ULONG, most: CK_ULONG) -> Outcome<Number> {
    if !bits.is_multiple_of(8) || !(1..=most).contains(&(bits / 8)) {
        return Err(invalid());
    }
    let bytes = usize::try_from(bits / 8).map_err(|_| invalid())?;
    Ok(Number { little_endian: little_endian != CK_FALSE, bytes })
}

/// Structures that a parameter points to.
///
/// # Safety
/// As for [`super::mechanism::parse`].
pub(super) unsafe fn structures<T: Structure>(start: *const T, count: CK_ULONG) -> Outcome<Vec<T>> {
    if count > MOST_PARTS {
        return Err(invalid());
    }
    let length = count * size_of::<T>() as CK_ULONG;
    // SAFETY: passed on.
    let bytes = unsafe { part(start.cast(), length) }?;
    bytes.chunks_exact(size_of::<T>()).map(|bytes| Given(bytes).structure()).collect()
}

/// The client's and the server's random bytes.
unsafe fn randoms(given: &CK_SSL3_RANDOM_DATA) -> Outcome<(Vec<u8>, Vec<u8>)> {
    // SAFETY: passed on.
    let client = unsafe { copy(given.pClientRandom, given.ulClientRandomLen) }?;
    // SAFETY: passed on.
    Ok((client, unsafe { copy(given.pServerRandom, given.ulServerRandomLen) }?))
}

unsafe fn tls_master(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_TLS12_MASTER_KEY_DERIVE_PARAMS = given.structure()?;
    // SAFETY: passed on.
    let (client, server) = unsafe { randoms(&given.RandomInfo) }?;
    let version = !given.pVersion.is_null();
    Ok(Parameter::TlsMaster { hash: given.prfHashMechanism, client, server, version })
}

unsafe fn tls_extended_master(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS = given.structure()?;
    Ok(Parameter::TlsExtendedMaster {
        hash: given.prfHashMechanism,
        // SAFETY: passed on.
        session: unsafe { copy(given.pSessionHash, given.ulSessionHashLen) }?,
        version: !given.pVersion.is_null(),
    })
}

unsafe fn tls_keys(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_TLS12_KEY_MAT_PARAMS = given.structure()?;
    if given.bIsExport != CK_FALSE || given.pReturnedKeyMaterial.is_null() {
        return Err(invalid());
    }
    // SAFETY: passed on.
    let (client, server) = unsafe { randoms(&given.RandomInfo) }?;
    Ok(Parameter::TlsKeys {
        mac_bits: given.ulMacSizeInBits,
        key_bits: given.ulKeySizeInBits,
        iv_bits: given.ulIVSizeInBits,
        hash: given.prfHashMechanism,
        client,
        server,
    })
}

unsafe fn tls_kdf(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_TLS_KDF_PARAMS = given.structure()?;
    // SAFETY: passed on.
    let (client, server) = unsafe { randoms(&given.RandomInfo) }?;
    // SAFETY: passed on.
    let context = unsafe { copy(given.pContextData, given.ulContextDataLength) }?;
    Ok(Parameter::TlsKdf {
        prf: given.prfMechanism,
        // SAFETY: passed on.
        label: unsafe { copy(given.pLabel, given.ulLabelLength) }?,
        client,
        server,
        context: (!given.pContextData.is_null()).then_some(context),
    })
}

fn tls_mac(given: &Given<'_>) -> Outcome<Parameter> {
    let given: CK_TLS_MAC_PARAMS = given.structure()?;
    Ok(Parameter::TlsMac {
        prf: given.prfHashMechanism,
        length: given.ulMacLength,
        side: given.ulServerOrClient,
    })
}

impl Structure for CK_CCM_PARAMS {}
impl Structure for CK_CHACHA20_PARAMS {}
impl Structure for CK_SALSA20_CHACHA20_POLY1305_PARAMS {}
impl Structure for CK_KEY_DERIVATION_STRING_DATA {}
impl Structure for CK_AES_CBC_ENCRYPT_DATA_PARAMS {}
impl Structure for CK_DES_CBC_ENCRYPT_DATA_PARAMS {}
impl Structure for CK_HKDF_PARAMS {}
impl Structure for CK_PKCS5_PBKD2_PARAMS2 {}
impl Structure for CK_SP800_108_KDF_PARAMS {}
impl Structure for CK_SP800_108_FEEDBACK_KDF_PARAMS {}
impl Structure for CK_SP800_108_COUNTER_FORMAT {}
impl Structure for CK_SP800_108_DKM_LENGTH_FORMAT {}
impl Structure for CK_PRF_DATA_PARAM {}
impl Structure for CK_DERIVED_KEY {}
impl Structure for CK_TLS12_MASTER_KEY_DERIVE_PARAMS {}
impl Structure for CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {}
impl Structure for CK_TLS12_KEY_MAT_PARAMS {}
impl Structure for CK_TLS_KDF_PARAMS {}
impl Structure for CK_TLS_MAC_PARAMS {}

#[cfg(test)]
mod tests;
