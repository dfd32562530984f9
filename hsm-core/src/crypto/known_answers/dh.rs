//! Diffie-Hellman with the groups of RFC 5114, whose vectors are NIST's.

use super::{all, bytes};
use crate::crypto::{DhGroup, dh_private, generate_dh_group};
use crate::error::Error;

struct Row {
    prime: &'static str,
    base: &'static str,
    /// x and y of both sides.
    sides: [(&'static str, &'static str); 2],
    shared: &'static str,
}

/// RFC 5114, appendices A.1 and A.2.
const ROWS: [Row; 2] = [
    Row {
        prime: "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838\
             ef1e2ee652c013ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fa\
             e5644738faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a\
             4371",
        base: "a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e\
             690f5504f213160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c08\
             7a091f531dbf0a0169b6a28ad662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3\
             b2e5",
        sides: [
            (
                "b9a3b3ae8fefc1a2930496507086f8455d48943e",
                "2a853b3d92197501b9015b2deb3ed84f5e021dcc3e52f109d3273d2b7521281cbabe0e76ff57\
                     27fa8acce26956ba9a1fca26f20228d8693feb10841d84a7360054ece5a7f5b7a61ad3dfb3c6\
                     0d2e43106d8727da37df9cce95b478755d06bcea8f9d45965f75a5f3d1df3701165fc9e50c42\
                     79ceb07f989540ae96d5d88ed776",
            ),
            (
                "9392c9f9eb6a7a6a9022f7d83e7223c6835bbdda",
                "717a6cb053371ff4a3b932941c1e5663f861a1d6ad34ae66576dfb98f6c6cbf9ddd5a56c7833\
                     f6bcfdff095582ad868e440e8d09fd769e3ceccdc3d3b1e4cfa057776caaf9739b6a9fee8e74\
                     11f8d6dac09d6a4edb46cc2b5d5203090eae6126311e53fd2c14b574e6a3109a3da1be41bdce\
                     aa186f5ce06716a2b6a07b3c33fe",
            ),
        ],
        shared: "5c804f454d30d9c4df85271f93528c91df6b48ab5f80b3b59caac1b28f8acba9cd3e39f3cb614525d952\
             1d2e644c53b807b810f340062f257d7d6fbfe8d5e8f072e9b6e9afda9413eafb2e8b0699b1fb5a0caced\
             deaead7e9cfbb36ae2b420835bd83a19fb0b5e96bf8fa4d09e345525167ecd9155416f46f408ed31b63c\
             6e6d",
    },
    Row {
        prime: "ad107e1e9123a9d0d660faa79559c51fa20d64e5683b9fd1b54b1597b61d0a75e6fa141df95a56dbaf9a\
             3c407ba1df15eb3d688a309c180e1de6b85a1274a0a66d3f8152ad6ac2129037c9edefda4df8d91e8fef\
             55b7394b7ad5b7d0b6c12207c9f98d11ed34dbf6c6ba0b2c8bbc27be6a00e0a0b9c49708b3bf8a317091\
             883681286130bc8985db1602e714415d9330278273c7de31efdc7310f7121fd5a07415987d9adc0a486d\
             cdf93acc44328387315d75e198c641a480cd86a1b9e587e8be60e69cc928b2b9c52172e413042e9b23f1\
             0b0e16e79763c9b53dcf4ba80a29e3fb73c16b8e75b97ef363e2ffa31f71cf9de5384e71b81c0ac4dffe\
             0c10e64f",
        base: "ac4032ef4f2d9ae39df30b5c8ffdac506cdebe7b89998caf74866a08cfe4ffe3a6824a4e10b9a6f0dd92\
             1f01a70c4afaab739d7700c29f52c57db17c620a8652be5e9001a8d66ad7c17669101999024af4d02727\
             5ac1348bb8a762d0521bc98ae247150422ea1ed409939d54da7460cdb5f6c6b250717cbef180eb34118e\
             98d119529a45d6f834566e3025e316a330efbb77a86f0c1ab15b051ae3d428c8f8acb70a8137150b8eeb\
             10e183edd19963ddd9e263e4770589ef6aa21e7f5f2ff381b539cce3409d13cd566afbb48d6c019181e1\
             bcfe94b30269edfe72fe9b6aa4bd7b5a0f1c71cfff4c19c418e1f6ec017981bc087f2a7065b384b890d3\
             191f2bfa",
        sides: [
            (
                "22e62601dbffd06708a680f747f361f76d8f4f721a0548e483294b0c",
                "1b3a63451bd886e699e67b494e288bd7f8e0d370badda7a0efd2fde7d8f66145cc9f28041997\
                     5eb808877c8a4c0c8e0bd48d4a5401eb1e8776bfeee134c03831ac273cd9d635ab0ce006a42a\
                     887e3f52fb8766b650f38078bc8ee8580cefe243968cfc4f8dc3db084554171d41bf2e861b7b\
                     b4d69dd0e01ea387cbaa5ca672afcbe8bdb9d62d4ce15f17dd36f91ed1eedd65ca4a06455cb9\
                     4cd40a52ec360e84b3c926e22c4380a3bf309d56849768b7f52cfdf655fd053a7ef706979e7e\
                     5806b17dfae53ad2a5bc568ebb529a7a61d68d256f8fc97c074a861d827e2ebc8c6134553115\
                     b70e7103920aa16d85e52bcbab8d786a68178fa8ff7c2f5c71648d6f",
            ),
            (
                "4ff3bc96c7fc6a6d71d3b363800a7cdfef6fc41b4417ea15353b7590",
                "4dcee992a9762a13f2f83844ad3d77ee0e31c9718b3db6c2035d3961182c3e0ba247ec4182d7\
                     60cd48d99599970622a1881bba2dc822939c78c3912c6661fa5438b20766222b75e24c2e3ad0\
                     c7287236129525ee15b5dd7998aa04c4a9696cacd7172083a97a81664ead2c479e444e4c0654\
                     cc19e28d7703cee8dacd6126f5d665ec52c67255db92014b037eb621a2ac8e365de071ffc140\
                     0acf077a12913dd8de89473437ab7ba346743c1b215dd9c12164a7e4053118d199bec8ef6fc5\
                     61170c84c87d10ee9a674a1fa8ffe13bdfba1d44de48946d68dc0cdd777635a7ab5bfb1e4bb7\
                     b856f96827734c184138e915d9c3002ebce53120546a7e2002142b6c",
            ),
        ],
        shared: "34d9bddc1b42176c313fea034c21034d074a6313bb4ecdb3703fff424567a46bdf75530ede0a9da5229d\
             e7d76732286cbc0f91da4c3c852fc099c679531d94c78ab03d9decb0a4e4ca8b2bb4591c4021cf8ce3a2\
             0a541d33994017d0200ae2c9516e2ff5145779269e862b0fb474a2d56dc31ed569a7700b4c4ab16b22a4\
             5513531ef523d71212077b5a169bdeffad7ad9608284c7795b6d5a5183b87066de17d8d671c9ebd8ec89\
             544d45ec061593d442c62ab9ce3b1cb9943a1d23a5ea3bcf21a01471e67e003e7f8a69c728be490b2fc8\
             8cfeb92db6a215e5d03c17c464c9ac1a46e203e13f952995fb03c69d3cc47fcb510b6998ffd3aa6de73c\
             f9f63869",
    },
];

#[test]
fn both_sides_share_what_rfc_5114_says() {
    for row in ROWS {
        let group = DhGroup::new(&bytes(row.prime), &bytes(row.base)).unwrap();
        for (own, other) in [(0, 1), (1, 0)] {
            let (private, public) = row.sides[own];
            for (provider, key) in all(|provider| provider.dh_private(&group, &bytes(private))) {
                let key = key.unwrap();
                assert_eq!(key.public_value().unwrap(), bytes(public), "{provider}");
                let shared = key.agree(&bytes(row.sides[other].1)).unwrap();
                assert!(shared.equals(&bytes(row.shared)), "{provider}");
            }
        }
    }
}

/// A small base and a small private value give a small secret.
#[test]
fn a_secret_keeps_its_leading_zeros() {
    let prime = bytes(ROWS[0].prime);
    let group = DhGroup::new(&prime, &[2]).unwrap();
    let mut expected = vec![0; prime.len()];
    expected[prime.len() - 2] = 1;
    for (provider, key) in all(|provider| provider.dh_private(&group, &[8])) {
        let key = key.unwrap();
        assert!(key.agree(&[2]).unwrap().equals(&expected), "{provider}");
        assert!(key.agree(&[0, 0, 2]).unwrap().equals(&expected), "{provider}");
        assert_eq!(key.public_value().unwrap(), expected, "{provider}");
    }
}

#[test]
fn public_values_outside_2_to_p_minus_2_are_refused() {
    let prime = bytes(ROWS[0].prime);
    let group = DhGroup::new(&prime, &bytes(ROWS[0].base)).unwrap();
    let (mut last, mut longer) = (prime.clone(), vec![1]);
    *last.last_mut().unwrap() -= 1;
    longer.extend_from_slice(&prime);
    for (provider, key) in all(|provider| provider.dh_private(&group, &bytes(ROWS[0].sides[0].0))) {
        let key = key.unwrap();
        for public in [&[][..], &[0], &[1], &[0; 128], &last, &prime, &longer, &vec![0xff; 1 << 16]] {
            assert!(matches!(key.agree(public), Err(Error::PublicKeyInvalid)), "{provider} {public:?}");
        }
    }
}

/// An element of order 2q raised to q is p − 1, one of order q is 1: neither is a secret.
#[test]
fn secrets_that_the_group_gives_away_are_refused() {
    let group = generate_dh_group(512).unwrap();
    // q = (p − 1) ÷ 2, of a safe prime.
    let (mut half, mut carry) = (Vec::new(), 0);
    for byte in group.prime() {
        half.push(byte >> 1 | carry);
        carry = byte << 7;
    }
    for (provider, key) in all(|provider| provider.dh_private(&group, &half)) {
        let key = key.unwrap();
        for public in [&[2][..], &[3], &[4], &[5], &[7], &[11]] {
            assert!(matches!(key.agree(public), Err(Error::PublicKeyInvalid)), "{provider} {public:?}");
        }
    }
}

#[test]
fn private_values_outside_1_to_p_minus_2_are_refused() {
    let prime = bytes(ROWS[0].prime);
    let group = DhGroup::new(&prime, &[2]).unwrap();
    let (mut last, mut before) = (prime.clone(), prime.clone());
    *last.last_mut().unwrap() -= 1;
    *before.last_mut().unwrap() -= 2;
    for (value, fits) in [(&[][..], false), (&[0], false), (&last, false), (&prime, false), (&before, true)] {
        for (provider, key) in all(|provider| provider.dh_private(&group, value)) {
            assert_eq!(key.is_ok(), fits, "{provider}");
        }
    }
}

#[test]
fn groups_are_searched_for_or_those_of_rfc_3526() {
    for bits in [512, 1536, 2048, 8192] {
        for (provider, group) in all(|provider| provider.generate_dh_group(bits)) {
            let group = group.unwrap();
            assert_eq!((group.len(), group.prime()[0] >> 7), (bits / 8, 1), "{provider}");
            // A safe prime above 7 is 3 modulo 4.
            assert_eq!(group.prime()[group.len() - 1] % 4, 3, "{provider}");
            let [one, other] =
                [0, 1].map(|_| dh_private(&group, group.private_value(Some(160)).unwrap().expose()).unwrap());
            let shared = one.agree(&other.public_value().unwrap()).unwrap();
            assert!(other.agree(&one.public_value().unwrap()).unwrap().equals(shared.expose()));
        }
    }
    for bits in [1025, 2047, 4095, 16_384] {
        assert!(matches!(generate_dh_group(bits), Err(Error::NotSupported)), "{bits}");
    }
}
