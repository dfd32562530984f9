//! Domain parameters: those that are generated, and the private values that a pair's parameters ask for.
//! PKCS #11 3.2, sections 6.2.6, 6.2.7, 6.4.8 and 6.4.9.

use cryptoki_sys::*;

use super::keys::implied;
use crate::crypto;
use crate::error::{Error, Result};
use crate::mechanism::table::Row;
use crate::mechanism::{Generated, Generator, Mechanism};
use crate::object::material::{self, Key};
use crate::object::template::{Author, Origin, build};
use crate::object::{Object, Template, finite, values};

/// Fresh domain parameters, not stored yet. `may` is asked before anything is generated.
pub(super) fn new(
    mechanism: &Mechanism,
    row: &Row,
    key_type: u64,
    template: Template,
    author: Author,
    may: &dyn Fn(&Object) -> Result<()>,
) -> Result<Key> {
    implied(&template, CKO_DOMAIN_PARAMETERS, key_type)?;
    let origin = Origin::Generate(mechanism.kind);
    let mut object = build(origin, CKO_DOMAIN_PARAMETERS, Some(key_type), template, author)?;
    may(&object)?;
    let bits = object.number(CKA_PRIME_BITS).ok_or(Error::TemplateIncomplete(CKA_PRIME_BITS))?;
    if !row.takes_bits(bits) {
        return Err(Error::KeySizeRange);
    }
    generate(key_type, bits, &mut object)?;
    let key = values::settle(object)?;
    // What the caller said of the length is what came of it.
    if material::bits(key.object()) == bits { Ok(key) } else { Err(Error::CryptoFailed("length of a prime")) }
}

/// Generates a group into the object. A length that nobody makes groups of is out of range.
fn generate(key_type: u64, bits: u64, object: &mut Object) -> Result<()> {
    let size = |bits: u64| usize::try_from(bits).map_err(|_| Error::KeySizeRange);
    let unmade = |error| match error {
        Error::NotSupported => Error::KeySizeRange,
        other => other,
    };
    let bits = size(bits)?;
    if key_type == CKK_DSA {
        let wanted = object.number(CKA_SUBPRIME_BITS).map(size).transpose()?;
        let subprime_bits = crypto::subprime_bits(bits, wanted).ok_or(Error::KeySizeRange)?;
        finite::put_dsa_group(object, &crypto::generate_dsa_group(bits, subprime_bits).map_err(unmade)?);
    } else {
        finite::put_dh_group(object, &crypto::generate_dh_group(bits).map_err(unmade)?);
    }
    Ok(())
}

/// A private value under the parameters of the public template. CKA_VALUE_BITS of the private one says how long
/// that of a Diffie-Hellman key is.
pub(super) fn private_value(
    row: &Row,
    generator: Generator,
    public: &Object,
    private: &Object,
) -> Result<Generated> {
    if !row.takes_bits(material::bits(public)) {
        return Err(Error::KeySizeRange);
    }
    if generator == Generator::Dsa {
        return crypto::generate_dsa(&finite::dsa_group(public)?).map(Generated::Exponent);
    }
    let group = finite::dh_group(public)?;
    let unfit = Error::AttributeValueInvalid(CKA_VALUE_BITS);
    let bits = match private.number(CKA_VALUE_BITS).map(usize::try_from).transpose() {
        Ok(bits) => bits,
        Err(_) => return Err(unfit),
    };
    match group.private_value(bits) {
        Err(Error::ArgumentsBad(_)) => Err(unfit),
        value => value.map(Generated::Exponent),
    }
}
