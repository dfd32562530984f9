//! Mechanisms with their parameters, owned, and as C sees them.

use std::ffi::c_void;

use cryptoki_sys::*;

use crate::fields::Fields;
use crate::template::ulong;

/// SSH's key derivation, under the number that kryoptic gave it.
pub const KRM_SSHKDF_DERIVE: CK_MECHANISM_TYPE = CKM_VENDOR_DEFINED + 485_259 + 1;

/// A mechanism and its parameter. Not `Clone`: the parameter points into `pointees`.
#[derive(Debug)]
pub struct Mech {
    /// The CKM number.
    pub kind: CK_MECHANISM_TYPE,
    parameter: Parameter,
    /// What the parameter's own pointers point to.
    pointees: Vec<Vec<u8>>,
    /// The structure inside a structure, where there is one.
    #[expect(dead_code, reason = "read by the module, through the parameter's pointers")]
    inside: Vec<CK_RSA_PKCS_OAEP_PARAMS>,
}

#[derive(Debug)]
enum Parameter {
    None,
    Bytes(Vec<u8>),
    Pss(CK_RSA_PKCS_PSS_PARAMS),
    Oaep(CK_RSA_PKCS_OAEP_PARAMS),
    RsaAes(CK_RSA_AES_KEY_WRAP_PARAMS),
    Gcm(CK_GCM_PARAMS),
    Ctr(CK_AES_CTR_PARAMS),
    Ecdh(CK_ECDH1_DERIVE_PARAMS),
    Eddsa(CK_EDDSA_PARAMS),
    SignContext(CK_SIGN_ADDITIONAL_CONTEXT),
    HashSignContext(CK_HASH_SIGN_ADDITIONAL_CONTEXT),
}

impl Mech {
    /// Without parameter.
    pub fn plain(kind: CK_MECHANISM_TYPE) -> Mech {
        Mech { kind, parameter: Parameter::None, pointees: Vec::new(), inside: Vec::new() }
    }

    /// With bytes as its parameter, such as an IV.
    pub fn bytes(kind: CK_MECHANISM_TYPE, bytes: &[u8]) -> Mech {
        Mech { kind, parameter: Parameter::Bytes(bytes.to_vec()), pointees: Vec::new(), inside: Vec::new() }
    }

    /// With a structure as its parameter.
    pub fn structure(kind: CK_MECHANISM_TYPE, fields: Fields) -> Mech {
        let Fields { bytes, pointees } = fields;
        Mech { kind, parameter: Parameter::Bytes(bytes), pointees, inside: Vec::new() }
    }

    /// The single numbers that the parameter's pointers point to, such as handles that a call put there.
    pub fn numbers_pointed_to(&self) -> Vec<CK_ULONG> {
        let number = |bytes: &Vec<u8>| Some(CK_ULONG::from_ne_bytes(bytes.as_slice().try_into().ok()?));
        self.pointees.iter().filter_map(number).collect()
    }

    /// What the parameter's pointers point to, in the order in which they were written.
    pub fn pointee(&self, at: usize) -> &[u8] {
        &self.pointees[at]
    }

    /// RSASSA-PSS of any kind, with the hash, the MGF and the salt's length in bytes.
    pub fn pss(kind: CK_MECHANISM_TYPE, hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, salt: usize) -> Mech {
        let parameter = CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: ulong(salt) };
        Mech { kind, parameter: Parameter::Pss(parameter), pointees: Vec::new(), inside: Vec::new() }
    }

    /// RSAES-OAEP with a label given as data.
    pub fn oaep(hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, label: &[u8]) -> Mech {
        Mech::oaep_source(hash, mgf, CKZ_DATA_SPECIFIED, label)
    }

    /// RSAES-OAEP with any source number.
    pub fn oaep_source(hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, source: CK_ULONG, label: &[u8]) -> Mech {
        let (pointees, pointer) = pointee(label);
        let parameter = CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: hash,
            mgf,
            source,
            pSourceData: pointer.cast(),
            ulSourceDataLen: ulong(label.len()),
        };
        Mech {
            kind: CKM_RSA_PKCS_OAEP,
            parameter: Parameter::Oaep(parameter),
            pointees: vec![pointees],
            inside: Vec::new(),
        }
    }

    /// RSA-AES key wrap with a temporary key of so many bits.
    pub fn rsa_aes(bits: CK_ULONG, hash: CK_MECHANISM_TYPE, mgf: CK_ULONG, label: &[u8]) -> Mech {
        let (bytes, pointer) = pointee(label);
        let mut inside = vec![CK_RSA_PKCS_OAEP_PARAMS {
            hashAlg: hash,
            mgf,
            source: CKZ_DATA_SPECIFIED,
            pSourceData: pointer.cast(),
            ulSourceDataLen: ulong(label.len()),
        }];
        let parameter = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: bits, pOAEPParams: inside.as_mut_ptr() };
        let parameter = Parameter::RsaAes(parameter);
        Mech { kind: CKM_RSA_AES_KEY_WRAP, parameter, pointees: vec![bytes], inside }
    }

    /// AES-GCM with a tag of so many bits.
    pub fn gcm(iv: &[u8], aad: &[u8], tag_bits: CK_ULONG) -> Mech {
        let (iv_bytes, iv_pointer) = pointee(iv);
        let (aad_bytes, aad_pointer) = pointee(aad);
        let parameter = CK_GCM_PARAMS {
            pIv: iv_pointer,
            ulIvLen: ulong(iv.len()),
            ulIvBits: ulong(iv.len() * 8),
            pAAD: aad_pointer,
            ulAADLen: ulong(aad.len()),
            ulTagBits: tag_bits,
        };
        Mech {
            kind: CKM_AES_GCM,
            parameter: Parameter::Gcm(parameter),
            pointees: vec![iv_bytes, aad_bytes],
            inside: Vec::new(),
        }
    }

    /// AES-CTR with a counter of so many bits at the end of `block`.
    pub fn ctr(counter_bits: CK_ULONG, block: [u8; 16]) -> Mech {
        let parameter = CK_AES_CTR_PARAMS { ulCounterBits: counter_bits, cb: block };
        Mech {
            kind: CKM_AES_CTR,
            parameter: Parameter::Ctr(parameter),
            pointees: Vec::new(),
            inside: Vec::new(),
        }
    }

    /// ECDH with the other side's public value, a key derivation function and its shared data.
    pub fn ecdh(kdf: CK_EC_KDF_TYPE, shared: &[u8], public: &[u8]) -> Mech {
        let (shared_bytes, shared_pointer) = pointee(shared);
        let (public_bytes, public_pointer) = pointee(public);
        let parameter = CK_ECDH1_DERIVE_PARAMS {
            kdf,
            ulSharedDataLen: ulong(shared.len()),
            pSharedData: shared_pointer,
            ulPublicDataLen: ulong(public.len()),
            pPublicData: public_pointer,
        };
        let pointees = vec![shared_bytes, public_bytes];
        Mech { kind: CKM_ECDH1_DERIVE, parameter: Parameter::Ecdh(parameter), pointees, inside: Vec::new() }
    }

    /// EdDSA with its optional parameter.
    pub fn eddsa(prehash: bool, context: &[u8]) -> Mech {
        let (bytes, pointer) = pointee(context);
        let parameter = CK_EDDSA_PARAMS {
            phFlag: CK_BBOOL::from(prehash),
            ulContextDataLen: ulong(context.len()),
            pContextData: pointer,
        };
        Mech {
            kind: CKM_EDDSA,
            parameter: Parameter::Eddsa(parameter),
            pointees: vec![bytes],
            inside: Vec::new(),
        }
    }

    /// A post-quantum signature with its optional parameter.
    pub fn sign_context(kind: CK_MECHANISM_TYPE, hedge: CK_HEDGE_TYPE, context: &[u8]) -> Mech {
        let (bytes, pointer) = pointee(context);
        let parameter = CK_SIGN_ADDITIONAL_CONTEXT {
            hedgeVariant: hedge,
            pContext: pointer,
            ulContextLen: ulong(context.len()),
        };
        let parameter = Parameter::SignContext(parameter);
        Mech { kind, parameter, pointees: vec![bytes], inside: Vec::new() }
    }

    /// A post-quantum signature over a digest that the caller made by `hash`.
    pub fn hash_sign_context(
        kind: CK_MECHANISM_TYPE,
        hedge: CK_HEDGE_TYPE,
        context: &[u8],
        hash: CK_MECHANISM_TYPE,
    ) -> Mech {
        let (bytes, pointer) = pointee(context);
        let parameter = CK_HASH_SIGN_ADDITIONAL_CONTEXT {
            hedgeVariant: hedge,
            pContext: pointer,
            ulContextLen: ulong(context.len()),
            hash,
        };
        let parameter = Parameter::HashSignContext(parameter);
        Mech { kind, parameter, pointees: vec![bytes], inside: Vec::new() }
    }

    /// The same parameter under another mechanism number.
    pub fn renamed(mut self, kind: CK_MECHANISM_TYPE) -> Mech {
        self.kind = kind;
        self
    }

    /// As C sees it; it points into this value.
    pub fn raw(&self) -> CK_MECHANISM {
        let (pointer, length): (*const c_void, usize) = match &self.parameter {
            Parameter::None => (std::ptr::null(), 0),
            Parameter::Bytes(bytes) => (bytes.as_ptr().cast(), bytes.len()),
            Parameter::Pss(parameter) => of(parameter),
            Parameter::Oaep(parameter) => of(parameter),
            Parameter::RsaAes(parameter) => of(parameter),
            Parameter::Gcm(parameter) => of(parameter),
            Parameter::Ctr(parameter) => of(parameter),
            Parameter::Ecdh(parameter) => of(parameter),
            Parameter::Eddsa(parameter) => of(parameter),
            Parameter::SignContext(parameter) => of(parameter),
            Parameter::HashSignContext(parameter) => of(parameter),
        };
        CK_MECHANISM { mechanism: self.kind, pParameter: pointer.cast_mut(), ulParameterLen: ulong(length) }
    }
}

fn of<T>(parameter: &T) -> (*const c_void, usize) {
    (std::ptr::from_ref(parameter).cast(), size_of::<T>())
}

/// A copy that a parameter may point to: the heap block stays where it is when its owner moves.
fn pointee(bytes: &[u8]) -> (Vec<u8>, *mut u8) {
    let mut copy = bytes.to_vec();
    let pointer = if copy.is_empty() { std::ptr::null_mut() } else { copy.as_mut_ptr() };
    (copy, pointer)
}
