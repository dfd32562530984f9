//! ECDSA with the keys of RFC 6979, and ECDH.

use super::{all, bytes};
use crate::crypto::{Curve, EcPrivateKey, EcPublicKey, Hash, ec_private, generate_ec, hash_of, order_for};
use crate::error::Error;

struct Row {
    curve: Curve,
    hash: Hash,
    /// RFC 6979, appendix A.2 (the key of P-256 serves for secp256k1 too), and RFC 7027, appendix A.
    private: &'static str,
    /// Compressed.
    public: &'static str,
    /// The y coordinate.
    y: &'static str,
    /// Of "sample", with the hash above; on the curves of RFC 7027 made with OpenSSL.
    signature: &'static str,
    /// 7 times the generator, compressed.
    peer: &'static str,
    /// What private key and peer share; made with OpenSSL.
    shared: &'static str,
}

const ROWS: [Row; 8] = [
    Row {
        curve: Curve::P192,
        hash: Hash::Sha256,
        private: "6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4",
        public: "03ac2c77f529f91689fea0ea5efec7f210d8eea0b9e047ed56",
        y: "3bc723e57670bd4887ebc732c523063d0a7c957bc97c1c43",
        signature: "4b0b8ce98a92866a2820e20aa6b75b56382e0f9bfd5ecb55ccdb006926ea9565cbadc840829d8c384e06de1f\
            1e381b85",
        peer: "038da75a1f75ddcd7660f923243060edce5de37f007011fcfd",
        shared: "7baabc42bd322a595b78f780d5c4035b97d955874412663b",
    },
    Row {
        curve: Curve::P224,
        hash: Hash::Sha224,
        private: "f220266e1105bfe3083e03ec7a3a654651f45e37167e88600bf257c1",
        public: "0200cf08da5ad719e42707fa431292dea11244d64fc51610d94b130d6c",
        y: "eeab6f3debe455e3dbf85416f7030cbd94f34f2d6f232c69f3c1385a",
        signature: "1cdfe6662dde1e4a1ec4cdedf6a1f5a2fb7fbd9145c12113e6abfd3ea6694fd7718a21053f225d3f46197ca6\
            99d45006c06f871808f43ebc",
        peer: "03db2f6be630e246a5cf7d99b85194b123d487e2d466b94b24a03c3e28",
        shared: "d834cd3bcd8bd12bff0645738c172a16a1c971b9243b405267c524e8",
    },
    Row {
        curve: Curve::P256,
        hash: Hash::Sha256,
        private: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        public: "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        signature: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1\
            b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        peer: "028e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a3",
        shared: "aaa093a5fccec23718f3a69b83ef28e6c258a9692e18c43b95e2874e878b2e8e",
    },
    Row {
        curve: Curve::P384,
        hash: Hash::Sha384,
        private: "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea\
            60d2edf5",
        public: "02ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254\
            515480bc13",
        y: "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd25\
            33264720",
        signature: "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e\
            80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e\
            7b82c71a38628ac8",
        peer: "02283c1d7365ce4788f29f8ebf234edffead6fe997fbea5ffa2d58cc9dfa7b1c508b05526f55b9ebb2040f05\
            b48fb6d0e1",
        shared: "65d3d73e498d519e8fff6f3c2f90549e23dd2b71b047b34b3e16f42a7296b06730636a4334fce61d408872de\
            95c7904d",
    },
    Row {
        curve: Curve::P521,
        hash: Hash::Sha512,
        private: "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836\
            a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
        public: "0301894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370\
            a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4",
        y: "00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b\
            22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
        signature: "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606a\
            dd152b534931d7d4e8455cc91f9b15bf05ec36e377fa00617cce7cf5064806c467f678d3b4080d6f1cc50af2\
            6ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
        peer: "030056d5d1d99d5b7f6346eeb65fda0b073a0c5f22e0e8f5483228f018d2c2f7114c5d8c308d0abfc698d8c9\
            a6df30dce3bbc46f953f50fdc2619a01cead882816ecd4",
        shared: "0143eed09deb7f41ed84bd30834b15109f6c7f00b42020117a78991c2d246725c1f3fe80466ef00d95a7f798\
            d7f778c36c7a95ef596414f97c87246363b404664ff7",
    },
    Row {
        curve: Curve::Secp256k1,
        hash: Hash::Sha256,
        private: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        public: "032c8c31fc9f990c6b55e3865a184a4ce50e09481f2eaeb3e60ec1cea13a6ae645",
        y: "64b95e4fdb6948c0386e189b006a29f686769b011704275e4459822dc3328085",
        signature: "432310e32cb80eb6503a26ce83cc165c783b870845fb8aad6d970889fcd7a6c8530128b6b81c548874a6305d\
            93ed071ca6e05074d85863d4056ce89b02bfab69",
        peer: "025cbdf0646e5db4eaa398f365f2ea7a0e3d419b7e0330e39ce92bddedcac4f9bc",
        shared: "fe4f17af5902fb6b420eafc8b65344ae2b14d677eda9753db99848a2b733569b",
    },
    Row {
        curve: Curve::BrainpoolP256r1,
        hash: Hash::Sha256,
        private: "81db1ee100150ff2ea338d708271be38300cb54241d79950f77b063039804f1d",
        public: "0244106e913f92bc02a1705d9953a8414db95e1aaa49e81d9e85f929a8e3100be5",
        y: "8ab4846f11caccb73ce49cbdd120f5a900a69fd32c272223f789ef10eb089bdc",
        signature: "543e9d9fd7941508be6a6d6c13da5f6d3b15b6075c97d9b2d568fac7c619b33290d38aa3438cf6542af49467\
            ee09853743ae0e2e196af37ceeff600c4b1daec6",
        peer: "026b8bb7f53e36b6824d3300afbc27257bd432568e24e5fb5702295ecd04e9de4c",
        shared: "0e4bd8e53431ba472c8bd39f922e311c2e3cb4f9dcac57f1d78c16f6b2926416",
    },
    Row {
        curve: Curve::BrainpoolP384r1,
        hash: Hash::Sha384,
        private: "1e20f5e048a5886f1f157c74e91bde2b98c8b52d58e5003d57053fc4b0bd65d6f15eb5d1ee1610df87079514\
            3627d042",
        public: "0368b665dd91c195800650cdd363c625f4e742e8134667b767b1b476793588f885ab698c852d4a6e77a252d6\
            380fcaf068",
        y: "55bc91a39c9ec01dee36017b7d673a931236d2f1f5c83942d049e3fa20607493e0d038ff2fd30c2ab67d15c8\
            5f7faa59",
        signature: "62b223928726b799cc123c1b0e6fbd16fb01376843826e8f366f98a028bfbd95b114b09db8faec960f4ea260\
            80cf2fa96181a3b47f6132f2775c7e03cb9bf959a3da8f9a5efd9ef069eed105cb037faa44b18fe396e3e437\
            363499af3d901a89",
        peer: "036460f955efdcbf3bf7393081ddf04a64747781bc8956c1e5ff47be522f7f758244ae054e91e8aa160c76dc\
            7302bcf181",
        shared: "26e7e2180caaaa774fe1a94a4a2ac01fda2a9d603bb81fd5157fe71f212b4a2c70b640f04ae9b3af582d3a2e\
            f9201ca2",
    },
];

impl Row {
    fn digest(&self) -> Vec<u8> {
        hash_of(self.hash, &[b"sample"]).unwrap()
    }

    fn uncompressed(&self) -> Vec<u8> {
        let mut point = bytes(self.public);
        point[0] = 4;
        point.extend(bytes(self.y));
        point
    }

    fn private_keys(&self) -> Vec<(&'static str, Box<dyn EcPrivateKey>)> {
        let keys = all(|provider| provider.ec_private(self.curve, &bytes(self.private)));
        keys.into_iter().map(|(name, key)| (name, key.unwrap())).collect()
    }

    fn public_keys(&self) -> Vec<(&'static str, Box<dyn EcPublicKey>)> {
        let points = [bytes(self.public), self.uncompressed()];
        let keys = points.map(|point| all(|provider| provider.ec_public(self.curve, &point)));
        keys.into_iter().flatten().map(|(name, key)| (name, key.unwrap())).collect()
    }
}

#[test]
fn every_curve_has_a_row() {
    assert_eq!(ROWS.map(|row| row.curve), Curve::ALL);
}

#[test]
fn public_points_are_those_of_rfc_6979() {
    for row in ROWS {
        for (name, key) in row.private_keys() {
            assert_eq!(key.public_point().unwrap(), row.uncompressed(), "{name} {:?}", row.curve);
        }
    }
}

#[test]
fn signatures_of_rfc_6979_verify() {
    for row in ROWS {
        for (name, key) in row.public_keys() {
            let answer = key.verify(&row.digest(), &bytes(row.signature));
            assert!(answer.is_ok(), "{name} {:?}: {answer:?}", row.curve);
        }
    }
}

#[test]
fn signatures_of_digests_of_any_length_verify() {
    for row in ROWS {
        for (signer, private) in row.private_keys() {
            for length in [1, 20, 32, 64, 100] {
                let digest = vec![0xa7; length];
                let signature = private.sign(&digest).unwrap();
                assert_eq!(signature.len(), 2 * row.curve.len());
                for (name, public) in row.public_keys() {
                    let answer = public.verify(&digest, &signature);
                    assert!(answer.is_ok(), "{signer} to {name} {:?} {length}: {answer:?}", row.curve);
                }
            }
        }
    }
}

#[test]
fn changed_digests_and_signatures_are_refused() {
    for row in ROWS {
        let (digest, signature) = (row.digest(), bytes(row.signature));
        let length = row.curve.len();
        let mut other_digest = digest.clone();
        other_digest[0] ^= 1;
        let mut other_r = signature.clone();
        other_r[length - 1] ^= 1;
        let mut other_s = signature.clone();
        other_s[2 * length - 1] ^= 1;
        for (name, key) in row.public_keys() {
            for (digest, signature) in [
                (&other_digest, &signature),
                (&digest, &other_r),
                (&digest, &other_s),
                (&digest, &vec![0; 2 * length]),
                (&digest, &vec![0xff; 2 * length]),
            ] {
                let answer = key.verify(digest, signature);
                assert!(matches!(answer, Err(Error::SignatureInvalid)), "{name}: {answer:?}");
            }
            for length in [0, length, 2 * length - 1, 2 * length + 1] {
                let answer = key.verify(&digest, &vec![1; length]);
                assert!(matches!(answer, Err(Error::SignatureLength)), "{name}: {answer:?}");
            }
        }
    }
}

#[test]
fn agreement_takes_compressed_and_uncompressed_points() {
    for row in ROWS {
        let seven = bytes("07");
        let peers = all(|provider| provider.ec_private(row.curve, &seven));
        let uncompressed = peers.into_iter().map(|(_, key)| key.unwrap().public_point().unwrap());
        for peer in uncompressed.chain([bytes(row.peer)]) {
            for (name, key) in row.private_keys() {
                let shared = key.agree(&peer).unwrap();
                assert_eq!(shared.expose(), bytes(row.shared), "{name} {:?}", row.curve);
            }
        }
    }
}

#[test]
fn agreement_is_that_of_rfc_5903() {
    let private = bytes("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
    let peer = bytes(
        "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63\
         56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
    );
    for (name, key) in all(|provider| provider.ec_private(Curve::P256, &private)) {
        let shared = key.unwrap().agree(&peer).unwrap();
        let expected = bytes("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
        assert_eq!(shared.expose(), expected, "{name}");
    }
}

#[test]
fn points_that_are_none_are_refused() {
    for row in ROWS {
        let good = row.uncompressed();
        let mut off_curve = good.clone();
        *off_curve.last_mut().unwrap() ^= 1;
        let mut hybrid = good.clone();
        hybrid[0] = 6 | (good.last().unwrap() & 1);
        let mut too_large = bytes(row.public);
        too_large[1..].fill(0xff);
        let cut = good[..good.len() - 1].to_vec();
        let long = [&good[..], &[0]].concat();
        for point in [off_curve, hybrid, too_large, cut, long, vec![0], vec![], vec![4], vec![2]] {
            for (name, key) in all(|provider| provider.ec_public(row.curve, &point)) {
                assert!(matches!(key.err(), Some(Error::PublicKeyInvalid)), "{name} {point:?}");
            }
            for (name, key) in row.private_keys() {
                let answer = key.agree(&point);
                assert!(matches!(answer, Err(Error::PublicKeyInvalid)), "{name} {point:?}: {answer:?}");
            }
        }
    }
}

#[test]
fn scalars_out_of_range_are_refused() {
    for row in ROWS {
        for scalar in [vec![], vec![0], vec![0; row.curve.len()], vec![0xff; row.curve.len()], vec![1; 80]] {
            for (name, key) in all(|provider| provider.ec_private(row.curve, &scalar)) {
                assert!(matches!(key.err(), Some(Error::ArgumentsBad(_))), "{name} {scalar:?}");
            }
        }
    }
}

#[test]
fn generated_scalars_make_keys() {
    for curve in Curve::ALL {
        let scalar = generate_ec(curve).unwrap();
        assert_eq!(scalar.len(), curve.len());
        assert!(!scalar.equals(generate_ec(curve).unwrap().expose()));
        assert_eq!(
            ec_private(curve, scalar.expose()).unwrap().public_point().unwrap().len(),
            1 + 2 * curve.len()
        );
    }
}

#[test]
fn secp256k1_goes_to_rustcrypto_first() {
    assert_eq!(order_for(Curve::Secp256k1)[0].name(), "RustCrypto");
}
