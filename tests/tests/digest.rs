//! Digests. PKCS #11 3.2, section 5.11; digests of "abc" from FIPS 180-4 and FIPS 202.

use hsm_tests::function;
use hsm_tests::keys::{self, hex};
use hsm_tests::offer::{HASHES, offered};
use hsm_tests::operations::DIGEST;
use hsm_tests::prelude::*;

/// The digests of "abc" and of nothing, in the order of [`HASHES`].
#[rustfmt::skip]
const KNOWN: [(&str, &str); 11] = [
    ("a9993e364706816aba3e25717850c26c9cd0d89d",
     "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
     "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"),
    ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
      8086072ba1e7cc2358baeca134c825a7",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da\
      274edebfe76f65fbd51ad2f14898b95b"),
    ("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
      47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
    ("e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
     "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"),
    ("3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
     "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
    ("ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2\
      98d88cea927ac7f539f1edf228376d25",
     "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a\
      c3713831264adb47fb6bd1e058d5f004"),
    ("b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
      10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
     "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6\
      15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26"),
    ("4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
     "6ed0dd02806fa89e25de060c19d3ac86cabb87d6a0ddd05c333b84f4"),
    ("53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
     "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a"),
];

const SHA256: CK_MECHANISM_TYPE = CKM_SHA256;

fn sha256() -> Mech {
    Mech::plain(SHA256)
}

isolated! {
    fn known_digests_in_one_part(kit) {
        let session = kit.token().rw();
        let rows = HASHES.into_iter().zip(KNOWN);
        for (hash, (abc, nothing)) in offered(&session, rows, |(hash, _)| hash.digest) {
            let mech = Mech::plain(hash.digest);
            assert_eq!(session.digest(&mech, b"abc").unwrap(), hex(abc), "{}", hash.name);
            assert_eq!(session.digest(&mech, b"").unwrap(), hex(nothing), "{}", hash.name);
        }
    }

    fn known_digests_in_several_parts(kit) {
        let session = kit.token().rw();
        let rows = HASHES.into_iter().zip(KNOWN);
        for (hash, (abc, nothing)) in offered(&session, rows, |(hash, _)| hash.digest) {
            let mech = Mech::plain(hash.digest);
            let parts = session.digest_parts(&mech, &[b"a", b"", b"bc"]).unwrap();
            assert_eq!(parts, hex(abc), "{}", hash.name);
            assert_eq!(session.digest_parts(&mech, &[]).unwrap(), hex(nothing), "{}", hash.name);
        }
    }

    fn a_long_message_has_the_same_digest_in_any_parts(kit) {
        let session = kit.token().rw();
        let message: Vec<u8> = (0..10_000u32).map(|byte| byte.to_le_bytes()[0]).collect();
        for hash in offered(&session, HASHES, |hash| hash.digest) {
            let mech = Mech::plain(hash.digest);
            let whole = session.digest(&mech, &message).unwrap();
            for size in [1, 63, 64, 65, 4096] {
                let parts: Vec<&[u8]> = message.chunks(size).collect();
                assert_eq!(session.digest_parts(&mech, &parts).unwrap(), whole, "{} by {size}", hash.name);
            }
        }
    }

    fn the_length_is_that_of_the_hash(kit) {
        let session = kit.token().rw();
        for hash in offered(&session, HASHES, |hash| hash.digest) {
            session.digest_init(&Mech::plain(hash.digest)).unwrap();
            assert_eq!(session.once(DIGEST, b"abc", Out::Length), Ok(hash.length), "{}", hash.name);
            assert_eq!(
                session.once(DIGEST, b"abc", Out::Buffer(&mut [0; 99])),
                Ok(hash.length),
                "{}",
                hash.name
            );
        }
    }

    fn digests_need_no_login(kit) {
        assert!(kit.token().ro().digest(&sha256(), b"abc").is_ok());
    }

    fn a_parameter_that_does_not_belong_is_refused_or_ignored(kit) {
        let session = kit.token().rw();
        let answer = session.digest(&Mech::bytes(SHA256, b"parameter"), b"abc");
        if let Ok(digest) = &answer {
            assert_eq!(*digest, session.digest(&sha256(), b"abc").unwrap());
        } else {
            refused!(CKR_MECHANISM_PARAM_INVALID, answer);
        }
    }

    fn a_keys_value_can_be_digested(kit) {
        let session = kit.user();
        let more = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
        let key = session.create(&keys::secret_template(b"bc").and(more)).unwrap();
        session.digest_init(&sha256()).unwrap();
        session.update(DIGEST, b"a").unwrap();
        session.call(function!(C_DigestKey), &[key.into()]).unwrap();
        let mut digest = [0; 32];
        session.last(DIGEST, Out::Buffer(&mut digest)).unwrap();
        assert_eq!(digest, *session.digest(&sha256(), b"abc").unwrap());
    }

    fn a_private_key_cannot_be_digested(kit) {
        let session = kit.user();
        let pair = keys::rsa(&session);
        session.digest_init(&sha256()).unwrap();
        refused!(CKR_KEY_INDIGESTIBLE, session.call(function!(C_DigestKey), &[pair.private.into()]));
        refused!(CKR_OPERATION_NOT_INITIALIZED, session.update(DIGEST, b"a"));
    }

    fn a_key_that_does_not_exist_cannot_be_digested(kit) {
        let session = kit.user();
        session.digest_init(&sha256()).unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, session.call(function!(C_DigestKey), &[99usize.into()]));
    }
}
