//! Digests and HMAC.

use super::{all, bytes};
use crate::crypto::{Hash, hash_of};

/// Hash, digest of "abc" (FIPS 180-4 and 202), HMAC of RFC 4231 test case 2, of test case 6.
const ROWS: &[(Hash, &str, &str, &str)] = &[
    (
        Hash::Sha1,
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "90d0dace1c1bdc957339307803160335bde6df2b",
    ),
    (
        Hash::Sha224,
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
        "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
    ),
    (
        Hash::Sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        Hash::Sha384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134\
         c825a7",
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfa\
         b21649",
        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163\
         f44952",
    ),
    (
        Hash::Sha512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3\
         feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8\
         f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d\
         6a1e5295e64f73f63f0aec8b915a985d786598",
    ),
    (
        Hash::Sha512_224,
        "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
        "4a530b31a79ebcce36916546317c45f247d83241dfb818fd37254bde",
        "29bef8ce88b54d4226c3c7718ea9e32ace2429026f089e38cea9aeda",
    ),
    (
        Hash::Sha512_256,
        "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        "6df7b24630d5ccb2ee335407081a87188c221489768fa2020513b2d593359456",
        "87123c45f7c537a404f8f47cdbedda1fc9bec60eeb971982ce7ef10e774e6539",
    ),
    (
        Hash::Sha3_224,
        "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
        "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66",
        "b4a1f04c00287a9b7f6075b313d279b833bc8f75124352d05fb9995f",
    ),
    (
        Hash::Sha3_256,
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5",
        "ed73a374b96c005235f948032f09674a58c0ce555cfc1f223b02356560312c3b",
    ),
    (
        Hash::Sha3_384,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228\
         376d25",
        "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce48c045dc007f26a21b3f5e0e9d\
         f4c20a",
        "0fc19513bf6bd878037016706a0e57bc528139836b9a42c3d419e498e0e1fb9616fd669138d33a1105e07c72b6\
         953bcc",
    ),
    (
        Hash::Sha3_512,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647\
         e3934057340b4cf408d5a56592f8274eec53f0",
        "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b287baec921fd7ca0ee7a0c31d0\
         22a95e1fc92ba9d77df883960275beb4e62024",
        "00f751a9e50695b090ed6911a4b65524951cdc15a73a5d58bb55215ea2cd839ac79d2b44a39bafab27e83fde9e\
         11f6340b11d991b1b91bf2eee7fc872426c3a4",
    ),
    // RFC 1321 and RFC 2202, test case 2; the last by another library.
    (
        Hash::Md5,
        "900150983cd24fb0d6963f7d28e17f72",
        "750c783e6ab0b503eaa86e310a5db738",
        "bfecaf4efff90a3a668f3922fec3762d",
    ),
    // By OpenSSL with its engine of GOST.
    (
        Hash::Gostr3411,
        "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c",
        "ec352aec8da53f0626fe22699243266ed40da2beff219dfd7dd2dcf3d86ebbc9",
        "fa67e280eedbd0f6f012c46ac6e10c106fcf1daed8454276abae412b66435b19",
    ),
];

fn digest_in_pieces(hash: Hash, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let digests = all(|provider| provider.digest(hash)).into_iter().map(|(_, mut digest)| {
        pieces.iter().for_each(|piece| digest.update(piece).unwrap());
        let mut out = vec![0; hash.len()];
        digest.finish(&mut out).unwrap();
        out
    });
    digests.collect()
}

fn hmac_with(hash: Hash, key: &[u8], message: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let tags = all(|provider| provider.hmac(hash, key)).into_iter().map(|(name, mac)| {
        let mut mac = mac.unwrap();
        assert_eq!(mac.len(), hash.len());
        mac.update(message).unwrap();
        let mut out = vec![0; mac.len()];
        mac.finish(&mut out).unwrap();
        (name, out)
    });
    tags.collect()
}

#[test]
fn every_hash_has_a_row() {
    let rows: Vec<_> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(rows, Hash::ALL);
}

#[test]
fn digests_are_those_of_the_standards() {
    for (hash, digest, ..) in ROWS {
        for pieces in [&[&b"abc"[..]][..], &[b"a", b"", b"bc"]] {
            for answer in digest_in_pieces(*hash, pieces) {
                assert_eq!(answer, bytes(digest), "{hash:?}");
            }
        }
        assert_eq!(hash_of(*hash, &[b"ab", b"c"]).unwrap(), bytes(digest));
    }
}

#[test]
fn hmacs_are_those_of_rfc_4231() {
    for (hash, _, short_key, long_key) in ROWS {
        for (name, tag) in hmac_with(*hash, b"Jefe", b"what do ya want for nothing?") {
            assert_eq!(tag, bytes(short_key), "{hash:?} {name}");
        }
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        for (name, tag) in hmac_with(*hash, &[0xaa; 131], message) {
            assert_eq!(tag, bytes(long_key), "{hash:?} {name}");
        }
    }
}

#[test]
fn hmac_takes_an_empty_key() {
    for (name, tag) in hmac_with(Hash::Sha256, b"", b"") {
        let expected = bytes("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
        assert_eq!(tag, expected, "{name}");
    }
}

#[test]
fn hmac_takes_a_key_of_40_000_bytes() {
    for (name, tag) in hmac_with(Hash::Sha256, &[0x0b; 40_000], b"Hi There") {
        let expected = bytes("de86a4c4715d1d3c93d0c3f53b41e9d5cd306ebe47c63cab6b0cc29eb870a089");
        assert_eq!(tag, expected, "{name}");
    }
}
