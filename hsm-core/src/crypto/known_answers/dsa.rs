//! DSA with the keys of RFC 6979 and by NIST's CAVS, and the refusals of both.

use super::{all, bytes};
use crate::crypto::{DsaGroup, Hash, dsa_private, dsa_public, generate_dsa, generate_dsa_group, hash_of};
use crate::error::Error;

/// A key of RFC 6979, appendix A.2.
pub(in crate::crypto) struct Key {
    prime: &'static str,
    subprime: &'static str,
    base: &'static str,
    private: &'static str,
    public: &'static str,
    /// Of "sample", by [`HASHES`]; the nonce is that of RFC 6979.
    signatures: [&'static str; 5],
}

const HASHES: [Hash; 5] = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

pub(in crate::crypto) const KEYS: [Key; 2] = [
    Key {
        prime: "86f5ca03dcfeb225063ff830a0c769b9dd9d6153ad91d7ce27f787c43278b447e6533b86b18bed6e8a48\
             b784a14c252c5be0dbf60b86d6385bd2f12fb763ed8873abfd3f5ba2e0a8c0a59082eac056935e529daf\
             7c610467899c77adedfc846c881870b7b19b2b58f9be0521a17002e3bdd6b86685ee90b3d9a1b02b782b\
             1779",
        subprime: "996f967f6c8e388d9e28d01e205fba957a5698b1",
        base: "07b0f92546150b62514bb771e2a0c0ce387f03bda6c56b505209ff25fd3c133d89bbcd97e904e09114d9\
             a7defdeadfc9078ea544d2e401aeecc40bb9fbbf78fd87995a10a1c27cb7789b594ba7efb5c4326a9fe5\
             9a070e136db77175464adca417be5dce2f40d10a46a3a3943f26ab7fd9c0398ff8c76ee0a56826a8a88f\
             1dbd",
        private: "411602cb19a6ccc34494d79d98ef1e7ed5af25f7",
        public: "5df5e01ded31d0297e274e1691c192fe5868fef9e19a84776454b100cf16f65392195a38b90523e2542e\
             e61871c0440cb87c322fc4b4d2ec5e1e7ec766e1be8d4ce935437dc11c3c8fd426338933ebfe739cb346\
             5f4d3668c5e473508253b1e682f65cbdc4fae93c2ea212390e54905a86e2223170b44eaa7da5dd9ffcfb\
             7f3b",
        signatures: [
            "2e1a0c2562b2912caaf89186fb0f42001585da5529efb6b0aff2d7a68eb70ca313022253b9a88df5",
            "4bc3b686aea70145856814a6f1bb53346f02101e410697b92295d994d21edd2f4ada85566f6f94c1",
            "81f2f5850be5bc123c43f71a3033e9384611c5454cdd914b65eb6c66a8aaad27299bee6b035f5e89",
            "07f2108557ee0e3921bc1774f1ca9b410b4ce65a54df70456c86fac10fab47c1949ab83f2c6f7595",
            "16c3491f9b8c3fbbdd5e7a7b667057f0d8ee8e1b02c36a127a7b89edbb72e4ffbc71dabc7d4fc69c",
        ],
    },
    Key {
        prime: "9db6fb5951b66bb6fe1e140f1d2ce5502374161fd6538df1648218642f0b5c48c8f7a41aadfa187324b8\
             7674fa1822b00f1ecf8136943d7c55757264e5a1a44ffe012e9936e00c1d3e9310b01c7d179805d3058b\
             2a9f4bb6f9716bfe6117c6b5b3cc4d9be341104ad4a80ad6c94e005f4b993e14f091eb51743bf33050c3\
             8de235567e1b34c3d6a5c0ceaa1a0f368213c3d19843d0b4b09dcb9fc72d39c8de41f1bf14d4bb4563ca\
             28371621cad3324b6a2d392145bebfac748805236f5ca2fe92b871cd8f9c36d3292b5509ca8caa77a2ad\
             fc7bfd77dda6f71125a7456fea153e433256a2261c6a06ed3693797e7995fad5aabbcfbe3eda2741e375\
             404ae25b",
        subprime: "f2c3119374ce76c9356990b465374a17f23f9ed35089bd969f61c6dde9998c1f",
        base: "5c7ff6b06f8f143fe8288433493e4769c4d988ace5be25a0e24809670716c613d7b0cee6932f8faa7c44\
             d2cb24523da53fbe4f6ec3595892d1aa58c4328a06c46a15662e7eaa703a1decf8bbb2d05dbe2eb956c1\
             42a338661d10461c0d135472085057f3494309ffa73c611f78b32adbb5740c361c9f35be90997db2014e\
             2ef5aa61782f52abeb8bd6432c4dd097bc5423b285dafb60dc364e8161f4a2a35aca3a10b1c4d203cc76\
             a470a33afdcbdd92959859abd8b56e1725252d78eac66e71ba9ae3f1dd2487199874393cd4d832186800\
             654760e1e34c09e4d155179f9ec0dc4473f996bdce6eed1cabed8b6f116f7ad9cf505df0f998e34ab275\
             14b0ffe7",
        private: "69c7548c21d0dfea6b9a51c9ead4e27c33d3b3f180316e5bcab92c933f0e4dbc",
        public: "667098c654426c78d7f8201eac6c203ef030d43605032c2f1fa937e5237dbd949f34a0a2564fe126dc8b\
             715c5141802ce0979c8246463c40e6b6bdaa2513fa611728716c2e4fd53bc95b89e69949d96512e873b9\
             c8f8dfd499cc312882561adecb31f658e934c0c197f2c4d96b05cbad67381e7b768891e4da3843d24d94\
             cdfb5126e9b8bf21e8358ee0e0a30ef13fd6a664c0dce3731f7fb49a4845a4fd8254687972a2d382599c\
             9bac4e0ed7998193078913032558134976410b89d2c171d123ac35fd977219597aa7d15c1a9a428e5919\
             4f75c721ebcbcfae44696a499afa74e04299f132026601638cb87ab79190d4a0986315da8eec6561c938\
             996beadf",
        signatures: [
            "3a1b2dbd7489d6ed7e608fd036c83af396e290dbd602408e8677daabd6e7445ad26fcba19fa3e305\
                 8ffc02ca1596cdbb6e0d20cb37b06054f7e36ded0cdbbccf",
            "dc9f4deada8d8ff588e98fed0ab690ffce858dc8c79376450eb6b76c24537e2ca65a9c3bc7babe28\
                 6b195d5da68616da8d47fa0097f36dd19f517327dc848cec",
            "eace8bdbbe353c432a795d9ec556c6d021f7a03f42c36e9bc87e4ac7932cc8097081e175455f9247\
                 b812b74583e9e94f9ea79bd640dc962533b0680793a38d53",
            "b2da945e91858834fd9bf616ebac151edbc4b45d27d0dd4a7f6a22739f45c00b19048b63d9fd6bca\
                 1d9bae3664e1bcb97f7276c306130969f63f38fa8319021b",
            "2016ed092dc5fb669b8efb3d1f31a91eecb199879be0cf78f02ba062cb4c942ed0c76f84b5f091e1\
                 41572a639a4fb8c230807eea7d55c8a154a224400aff2351",
        ],
    },
];

impl Key {
    pub(in crate::crypto) fn group(&self) -> DsaGroup {
        DsaGroup::new(&bytes(self.prime), &bytes(self.subprime), &bytes(self.base)).unwrap()
    }

    pub(in crate::crypto) fn public(&self) -> Vec<u8> {
        bytes(self.public)
    }
}

/// CAVS 11.1, KeyPair, 2048 and 224 bits.
const PAIR: [&str; 5] = [
    "904ef8e31e14721910fa0969e77c99b79f190071a86026e37a887a6053960dbfb74390a6641319fe0af32c4e\
         982934b0f1f4c5bc57534e8e56d77c36f0a99080c0d5bc9022fa34f5892281d7b1009571cb5b35699303f912\
         b276d86b1b0722fc0b1500f0ffb2e4d90867a3bdca181a9734617a8a9f991aa7c14dec1cf45ceba00600f842\
         5440ed0c3b52c82e3aa831932a98b477da220867eb2d5e0ca34580b33b1b65e558411ed09c369f4717bf03b5\
         51787e13d9e47c267c91c697225265da157945cd8b32e84fc45b80533265239aa00a2dd3d05f5cb231b7daf7\
         24b7ecdce170360a83972e5be94626273d449f441be300a7345db387bebadad67d8060a7",
    "d7d0a83e84d13032b830ed74a6a88592ec9a4cf42bf37080c6600aad",
    "2050b18d3c9f39fac396c009310d6616f9309b67b59aef9aee813d6b4f12ee29ba8a6b350b11d4336d44b464\
         1230002d870f1e6b1d8728bdd40262df0d2440999185ae077f7034c61679f4360fbb5d181569e7cb8acb0437\
         1c11ba55f1bbd777b74304b99b66d4405303e7120dc8bc4785f56e9533e65b63a0c77cce7bba0d5d6069df5e\
         dffa927c5a255a09405a008258ed93506a8433662154f6f67e922d7c9788f04d4ec09581063950d9cde8e373\
         ea59a58b2a6df6ba8663345574fabba9ca981696d83aeac1f34f14f1a813ba900b3f0341dea23f7d3297f919\
         a97e1ae00ac0728c93fe0a88b66591baf4eb0bc6900f39ba5feb41cbbeea7eb7919aa4d3",
    "3f19424da3b4f0cafca3fc5019fcd225dd7e496ffdf6b77e364f45be",
    "7681ed0ac257ab7ff17c52de4638c0614749792707a0c0d23883697e34963df15c806fa6206f7fafb3269018\
         e7703bd1e6f518d13544331a017713dbbe0cee8da6c095271fbf24edb74a44e18b1d3b835622f68d31921c67\
         c83e8479d1972ed0cb106c68188fe22c044254251ebf880b9049dc3b7958ef61e1e67d2f677d2a7d2ab6b7c4\
         2b70cc5dedc3e5de7459a2dbc70c69008553d7ffb6bf81c012c8bd67bdddeaab9a4a4373027912a7c7d9cd9c\
         fc6c81dffe0cc7a6d40c3b2065aee7be80e3c35497d64c8045bc511edaf7314c84c56bd9f0fecf62262ea5b4\
         5b49a0cffb223713bdbd3ad03a25a0bb2211eba41ffcd08ab0e1ad485c29a3fc25ee8359",
];

/// CAVS 11.0, SigVer, 1024 and 160 bits with SHA-1: p, q and g.
const VERIFIED: [&str; 3] = [
    "dc5bf3a88b2d99e4c95cdd7a0501cc38630d425cf5c390af3429cff1f35147b795caea923f0d3577158f8a0c\
         89dabd1962c2c453306b5d70cacfb01430aceb54e5a5fa6f9340d3bd2da612fceeb76b0ec1ebfae635a56ab1\
         41b108e00dc76eefe2edd0c514c21c457457c39065dba9d0ecb7569c247172d8438ad2827b60435b",
    "e956602b83d195dbe945b3ac702fc61f81571f1d",
    "d7eb9ca20a3c7a079606bafc4c9261ccaba303a5dc9fe9953f197dfe548c234895baa77f441ee6a2d97b909c\
         bbd26ff7b869d24cae51b5c6edb127a4b5d75cd8b46608bfa148249dffdb59807c5d7dde3fe3080ca3a2d283\
         12142becb1fa8e24003e21c7287108174b95d5bc711e1c8d9b1076784f5dc37a964a5e51390da713",
];

/// Its cases: the message's digest, y, r and s, and what was changed.
const CASES: [(&str, &str, &str, &str); 4] = [
    (
        "b8dad2b991d3fedfffafc792e0b04a6e7d545396",
        "6240ea0647117c38fe705106d56db578f3e10130928452d4f3587881b8a2bc6873a8befc3237f20914e2\
             a91c7f07a928ee22adeed23d74ab7f82ea11f70497e578f7a9b4cbd6f10226222b0b4da2ea1e49813d6b\
             b9882fbf675c0846bb80cc891857b89b0ef1beb6cce3378a9aab5d66ad4cb9277cf447dfe1e644347494\
             32fb",
        "b5af307867fb8b54390013cc67020ddf1f2c0b81620d3b22ab5031440c3e35eab6f481298f9e9f08",
        "nothing",
    ),
    (
        "9da1b58309b03a7c6f7c8b847d83c3fb7b457e39",
        "69974de550fe6bd3099150faea1623ad3fb6d9bf23a07215093f319725ad0877accffd291b6da18eb0cb\
             e51676ceb0977504eb97c27c0b191883f72fb2710a9fbd8bcf13be0bf854410b32f42b33ec89d3cc1cf8\
             92bcd536c4195ca9ada302ad600c3408739935d77dc247529ca47f844cc86f5016a2fe962c6e20ca7c4d\
             4e8f",
        "b5d05faa7005764e8dae0327c5bf1972ff7681b918ea15bd9f00475b25204cbc23f8c23e01588015",
        "r",
    ),
    (
        "9b2f0cf36d65b08ada8b64e995b9d7b95dd28d85",
        "aafaff8c7da2018eae7766354a2fe1aafe9c7895613b2671517480e495ee057a3bdb1ba1628075676bcb\
             2196a8780debd373a992dc11ad5c9332942f03c2d5492c34175fc42df2ebca4c8fb2eb2c06a2a15aeced\
             0ae7b05383a25d6636b726c320be7ea82c698374aecd0bb76826848a5145f202c9df13d880877572438c\
             622b",
        "6d866acf82f76000c82811c533e94f5cf31b49b9b3a338f22649fdf98b72e4fce357a916f3ff60b7",
        "s",
    ),
    (
        "cd69f7f71bc00c36ed4ab8eeaf67369fc9c41fbd",
        "4dd48b01d12f634eded08bad2a7df0c908324fa690bfe976b28d7b6817162ca737b52de12dd0d6c4e257\
             0c8f35ede2bce0c6b42e751bf9e5a29cc16d04013b0ca992d52198c7571d96b5783e7302359fa08405b5\
             eaafc4309e4fa8c626b704e76a8c83187295ea3a34e195c5e01080f43ec11191b064eff5d86228bca471\
             966b",
        "bb35f94025b0291dbf9359446dfcf219729e04ad909b811cf541506a9ffe4c7ef936d1899b8b4d27",
        "y",
    ),
];

#[test]
fn signatures_of_rfc_6979_verify() {
    for key in KEYS {
        let group = key.group();
        for (provider, verifier) in all(|provider| provider.dsa_public(&group, &key.public())) {
            let verifier = verifier.unwrap();
            for (hash, signature) in HASHES.into_iter().zip(key.signatures) {
                let (digest, signature) = (hash_of(hash, &[b"sample"]).unwrap(), bytes(signature));
                verifier.verify(&digest, &signature).unwrap();
                for at in [0, signature.len() / 2 - 1, signature.len() / 2, signature.len() - 1] {
                    let mut changed = signature.clone();
                    changed[at] ^= 1;
                    let verdict = verifier.verify(&digest, &changed);
                    assert!(matches!(verdict, Err(Error::SignatureInvalid)), "{provider} {hash:?} {at}");
                }
                let verdict = verifier.verify(&digest, &signature[1..]);
                assert!(matches!(verdict, Err(Error::SignatureLength)), "{provider}");
                let other = hash_of(hash, &[b"samples"]).unwrap();
                assert!(matches!(verifier.verify(&other, &signature), Err(Error::SignatureInvalid)));
            }
        }
    }
}

#[test]
fn private_keys_sign_for_their_public_values() {
    for key in KEYS {
        let group = key.group();
        let verifier = dsa_public(&group, &key.public()).unwrap();
        for (provider, signer) in all(|provider| provider.dsa_private(&group, &bytes(key.private))) {
            let signer = signer.unwrap();
            assert_eq!(signer.public_value(), key.public(), "{provider}");
            for (hash, known) in HASHES.into_iter().zip(key.signatures) {
                let digest = hash_of(hash, &[b"sample"]).unwrap();
                let signature = signer.sign(&digest).unwrap();
                verifier.verify(&digest, &signature).unwrap();
                // Its nonces are those of RFC 6979 by SHA-512.
                let same = provider == "RustCrypto" && hash == Hash::Sha512;
                assert_eq!(signature == bytes(known), same, "{provider} {hash:?}");
            }
        }
    }
}

#[test]
fn public_values_follow_from_private_ones() {
    let [p, q, g, x, y] = PAIR.map(bytes);
    let group = DsaGroup::new(&p, &q, &g).unwrap();
    for (provider, key) in all(|provider| provider.dsa_private(&group, &x)) {
        assert_eq!(key.unwrap().public_value(), y, "{provider}");
    }
}

#[test]
fn what_cavs_changed_is_refused() {
    let [p, q, g] = VERIFIED.map(bytes);
    let group = DsaGroup::new(&p, &q, &g).unwrap();
    for (digest, y, signature, changed) in CASES {
        for (provider, key) in all(|provider| provider.dsa_public(&group, &bytes(y))) {
            let verdict = key.and_then(|key| key.verify(&bytes(digest), &bytes(signature)));
            let expected = match changed {
                "nothing" => verdict.is_ok(),
                // It is not of order q any more.
                "y" => matches!(verdict, Err(Error::PublicKeyInvalid)),
                _ => matches!(verdict, Err(Error::SignatureInvalid)),
            };
            assert!(expected, "{provider}: {changed}");
        }
    }
}

#[test]
fn private_values_are_below_the_order() {
    let group = KEYS[0].group();
    let order = bytes(KEYS[0].subprime);
    let mut last = order.clone();
    *last.last_mut().unwrap() -= 1;
    for (value, fits) in
        [(vec![1], true), (last, true), (vec![], false), (vec![0; 20], false), (order, false)]
    {
        for (provider, key) in all(|provider| provider.dsa_private(&group, &value)) {
            assert_eq!(key.is_ok(), fits, "{provider} {value:?}");
        }
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_no_group() {
    let [one, other] = &KEYS;
    // q of other p, and g of other order.
    for [p, q, g] in [[other.prime, one.subprime, other.base], [one.prime, one.subprime, "02"]] {
        let group = DsaGroup::new(&bytes(p), &bytes(q), &bytes(g)).unwrap();
        for (provider, answer) in all(|provider| provider.check_dsa_group(&group)) {
            assert!(matches!(answer, Err(Error::DomainParamsInvalid)), "{provider}");
        }
        for (provider, answer) in all(|provider| provider.generate_dsa(&group)) {
            assert!(matches!(answer, Err(Error::DomainParamsInvalid)), "{provider}");
        }
        assert!(matches!(dsa_private(&group, &[2]), Err(Error::DomainParamsInvalid)));
        assert!(matches!(dsa_public(&group, &[2]), Err(Error::DomainParamsInvalid)));
    }
}

#[test]
fn groups_have_the_lengths_that_were_asked_for() {
    for (prime_bits, subprime_bits) in [(1024, 160), (2048, 224)] {
        for (provider, group) in all(|provider| provider.generate_dsa_group(prime_bits, subprime_bits)) {
            let group = group.unwrap();
            assert_eq!((group.prime().len(), group.scalar_len()), (prime_bits / 8, subprime_bits / 8));
            assert!(group.prime()[0] >= 0x80 && group.subprime()[0] >= 0x80, "{provider}");
            for (other, answer) in all(|other| other.check_dsa_group(&group)) {
                answer.unwrap_or_else(|error| panic!("{provider}, seen by {other}: {error}"));
            }
            let value = generate_dsa(&group).unwrap();
            let signature = dsa_private(&group, value.expose()).unwrap().sign(&[7; 32]).unwrap();
            let public = dsa_private(&group, value.expose()).unwrap().public_value();
            dsa_public(&group, &public).unwrap().verify(&[7; 32], &signature).unwrap();
        }
    }
    assert!(matches!(generate_dsa_group(1024, 224), Err(Error::NotSupported)));
}
