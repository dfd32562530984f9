//! DSA: domain parameters, key pairs, keys that are created, signatures by hash and over digests, and private keys
//! that are wrapped. OpenSSL's command line is asked whether what comes out is right. PKCS #11 3.2, section 6.2;
//! FIPS 186-4; RFC 6979.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

use hsm_tests::groups::{dsa, dsa_group, dsa_private, dsa_public, known_dsa};
use hsm_tests::keys::{self, generate_aes, hex};
use hsm_tests::openssl::{OpenSsl, ecdsa_der};
use hsm_tests::operations::{SIGN, VERIFY};
use hsm_tests::prelude::*;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";
const PARTS: &[&[u8]] = &[b"a message, ", b"", b"signed in one part", b" or in several"];

/// The mechanisms with their hashes, as OpenSSL names them, and the digests.
const HASHED: [(CK_MECHANISM_TYPE, &str, CK_MECHANISM_TYPE); 9] = [
    (CKM_DSA_SHA1, "sha1", CKM_SHA_1),
    (CKM_DSA_SHA224, "sha224", CKM_SHA224),
    (CKM_DSA_SHA256, "sha256", CKM_SHA256),
    (CKM_DSA_SHA384, "sha384", CKM_SHA384),
    (CKM_DSA_SHA512, "sha512", CKM_SHA512),
    (CKM_DSA_SHA3_224, "sha3-224", CKM_SHA3_224),
    (CKM_DSA_SHA3_256, "sha3-256", CKM_SHA3_256),
    (CKM_DSA_SHA3_384, "sha3-384", CKM_SHA3_384),
    (CKM_DSA_SHA3_512, "sha3-512", CKM_SHA3_512),
];

/// Of "sample" with SHA-1, by RFC 6979, appendix A.2.1.
const SAMPLE: &str = "2e1a0c2562b2912caaf89186fb0f42001585da5529efb6b0aff2d7a68eb70ca313022253b9a88df5";

fn open() -> Template {
    attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true]
}

fn parameters(session: &Session<'_>, bits: CK_ULONG, more: Template) -> Result<Object, Rv> {
    session.generate(&Mech::plain(CKM_DSA_PARAMETER_GEN), &attrs![CKA_PRIME_BITS => bits].and(more))
}

/// p, q and g of an object, as a template.
fn group_of(session: &Session<'_>, object: Object) -> Template {
    Template(
        [CKA_PRIME, CKA_SUBPRIME, CKA_BASE].map(|kind| (kind, session.get(object, kind).unwrap())).to_vec(),
    )
}

isolated! {
    fn every_hash_signs_as_openssl_verifies(kit) {
        let session = kit.user();
        let pair = dsa(&session, attrs![]);
        let openssl = OpenSsl::with_key(&kit.directory, &session, pair.public);
        for (kind, hash, digest) in HASHED {
            let mech = Mech::plain(kind);
            let whole = session.sign(&mech, pair.private, MESSAGE).unwrap();
            let parts = session.sign_parts(&mech, pair.private, PARTS).unwrap();
            let raw = session.digest(&Mech::plain(digest), MESSAGE).unwrap();
            let raw = session.sign(&Mech::plain(CKM_DSA), pair.private, &raw).unwrap();
            for signature in [whole, parts, raw] {
                assert_eq!(signature.len(), 40, "{hash}");
                assert!(openssl.verifies(hash, &[], MESSAGE, &ecdsa_der(&signature)), "{hash}");
                assert_eq!(session.verify(&mech, pair.public, MESSAGE, &signature), Ok(()), "{hash}");
                assert_eq!(session.verify_parts(&mech, pair.public, PARTS, &signature), Ok(()), "{hash}");
                refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, pair.public, b"other", &signature));
            }
        }
    }

    fn a_signature_of_rfc_6979_verifies(kit) {
        let session = kit.user();
        let pair = known_dsa(&session);
        let signature = hex(SAMPLE);
        assert_eq!(session.verify(&Mech::plain(CKM_DSA_SHA1), pair.public, b"sample", &signature), Ok(()));
        let digest = session.digest(&Mech::plain(CKM_SHA_1), b"sample").unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_DSA), pair.public, &digest, &signature), Ok(()));
        let own = session.sign(&Mech::plain(CKM_DSA_SHA1), pair.private, b"sample").unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_DSA_SHA1), pair.public, b"sample", &own), Ok(()));
    }

    fn no_nonce_serves_twice(kit) {
        let session = kit.user();
        let pair = dsa(&session, attrs![]);
        let mech = Mech::plain(CKM_DSA_SHA256);
        let halves: std::collections::HashSet<Vec<u8>> = (0..20u8)
            .map(|number| session.sign(&mech, pair.private, &[number]).unwrap()[..20].to_vec())
            .collect();
        assert_eq!(halves.len(), 20, "r follows from the nonce");
    }

    fn what_is_changed_is_refused(kit) {
        let session = kit.user();
        let pair = known_dsa(&session);
        let mech = Mech::plain(CKM_DSA_SHA1);
        let verify = |signature: &[u8]| session.verify(&mech, pair.public, b"sample", signature);
        for at in [0, 19, 20, 39] {
            let mut changed = hex(SAMPLE);
            changed[at] ^= 1;
            refused!(CKR_SIGNATURE_INVALID, verify(&changed), "byte {at}");
        }
        let (q, half) = (session.get(pair.public, CKA_SUBPRIME).unwrap(), hex(&SAMPLE[..40]));
        for (r, s) in [(&[0; 20][..], &half[..]), (&half, &[0; 20]), (&q, &half), (&half, &q), (&[0xff; 20], &half)] {
            refused!(CKR_SIGNATURE_INVALID, verify(&[r, s].concat()));
        }
        for length in [0, 1, 39, 41, 56] {
            refused!(CKR_SIGNATURE_LEN_RANGE, verify(&vec![1; length]), "{length} bytes");
        }
        let other = dsa(&session, attrs![]);
        refused!(CKR_SIGNATURE_INVALID, session.verify(&mech, other.public, b"sample", &hex(SAMPLE)));
    }

    fn digests_have_the_length_of_some_hash(kit) {
        let session = kit.user();
        let pair = dsa(&session, attrs![]);
        let mech = Mech::plain(CKM_DSA);
        for length in [20, 28, 32, 48, 64] {
            let signature = session.sign(&mech, pair.private, &vec![7; length]).unwrap();
            assert_eq!(session.verify(&mech, pair.public, &vec![7; length], &signature), Ok(()));
            // As many bits count as q has.
            assert_eq!(session.verify(&mech, pair.public, &[7; 20], &signature), Ok(()), "{length}");
        }
        for length in [0, 1, 19, 21, 40, 65, 1000] {
            refused!(CKR_DATA_LEN_RANGE, session.sign(&mech, pair.private, &vec![7; length]), "{length}");
            refused!(CKR_DATA_LEN_RANGE, session.verify(&mech, pair.public, &vec![7; length], &[1; 40]));
        }
    }

    fn dsa_over_a_digest_is_for_one_part(kit) {
        let session = kit.user();
        let pair = dsa(&session, attrs![]);
        session.init(SIGN, &Mech::plain(CKM_DSA), pair.private).unwrap();
        refused!(CKR_OPERATION_NOT_INITIALIZED | CKR_FUNCTION_NOT_SUPPORTED, session.update(SIGN, b"data"));
    }

    fn no_mechanism_takes_a_parameter(kit) {
        let session = kit.user();
        let pair = dsa(&session, attrs![]);
        for kind in [CKM_DSA, CKM_DSA_SHA256] {
            refused!(CKR_MECHANISM_PARAM_INVALID, session.init(SIGN, &Mech::bytes(kind, &[1]), pair.private));
        }
        let generated = session.generate_pair(&Mech::bytes(CKM_DSA_KEY_PAIR_GEN, &[1]), &dsa_group(), &attrs![]);
        refused!(CKR_MECHANISM_PARAM_INVALID, generated);
        let made = session.generate(&Mech::bytes(CKM_DSA_PARAMETER_GEN, &[1]), &attrs![CKA_PRIME_BITS => 512 as CK_ULONG]);
        refused!(CKR_MECHANISM_PARAM_INVALID, made);
    }

    fn keys_of_other_types_and_classes_are_refused(kit) {
        let session = kit.user();
        let (pair, other) = (dsa(&session, attrs![]), keys::ec(&session, keys::P256));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_DSA_SHA1), other.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_ECDSA), pair.private));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(SIGN, &Mech::plain(CKM_DSA_SHA1), pair.public));
        refused!(CKR_KEY_TYPE_INCONSISTENT, session.init(VERIFY, &Mech::plain(CKM_DSA_SHA1), pair.private));
        let group = session
            .create(&dsa_group().and(attrs![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DSA]))
            .unwrap();
        refused!(CKR_KEY_HANDLE_INVALID, session.init(SIGN, &Mech::plain(CKM_DSA_SHA1), group));
        let mute = dsa(&session, attrs![CKA_SIGN => false]);
        refused!(CKR_KEY_FUNCTION_NOT_PERMITTED, session.init(SIGN, &Mech::plain(CKM_DSA_SHA1), mute.private));
    }

    fn a_pair_has_its_parameters_in_both_keys(kit) {
        let session = kit.user();
        let pair = dsa(&session, open());
        assert_eq!(group_of(&session, pair.public), dsa_group());
        assert_eq!(group_of(&session, pair.private), dsa_group());
        let info = session.get(pair.public, CKA_PUBLIC_KEY_INFO).unwrap();
        assert_eq!(session.get(pair.private, CKA_PUBLIC_KEY_INFO).unwrap(), info);
        let value = session.get(pair.private, CKA_VALUE).unwrap();
        assert!((1..=20).contains(&value.len()));
        for object in [pair.public, pair.private] {
            assert_eq!(session.number(object, CKA_KEY_TYPE), Ok(CKK_DSA));
            assert_eq!(session.flag(object, CKA_LOCAL), Ok(true));
            assert_eq!(session.number(object, CKA_KEY_GEN_MECHANISM), Ok(CKM_DSA_KEY_PAIR_GEN));
        }
    }

    fn a_private_value_is_hidden(kit) {
        let session = kit.user();
        for more in [attrs![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true], attrs![CKA_EXTRACTABLE => false]] {
            let pair = dsa(&session, more);
            refused!(CKR_ATTRIBUTE_SENSITIVE, session.get(pair.private, CKA_VALUE));
            assert!(session.get(pair.private, CKA_PRIME).is_ok(), "p, q and g are public");
            assert!(session.get(pair.public, CKA_VALUE).is_ok());
        }
    }

    fn pairs_are_not_generated_without_their_parameters(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_DSA_KEY_PAIR_GEN);
        for kind in [CKA_PRIME, CKA_SUBPRIME, CKA_BASE] {
            refused!(
                CKR_TEMPLATE_INCOMPLETE,
                session.generate_pair(&mech, &dsa_group().without(kind), &attrs![])
            );
        }
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.generate_pair(&mech, &dsa_group(), &dsa_group()));
        let valued = attrs![CKA_VALUE => [2_u8; 20]];
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.generate_pair(&mech, &dsa_group(), &valued));
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.generate_pair(&mech, &dsa_group().and(valued.clone()), &attrs![]));
        let other = attrs![CKA_KEY_TYPE => CKK_DH];
        refused!(CKR_TEMPLATE_INCONSISTENT, session.generate_pair(&mech, &dsa_group().and(other), &attrs![]));
    }

    fn parameters_that_do_not_belong_together_are_refused(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_DSA_KEY_PAIR_GEN);
        let mut even = session.get(session.create(&dsa_public()).unwrap(), CKA_PRIME).unwrap();
        *even.last_mut().unwrap() -= 1;
        for wrong in [
            attrs![CKA_BASE => [1_u8]],
            attrs![CKA_BASE => [2_u8]],
            attrs![CKA_BASE => b""],
            attrs![CKA_BASE => even.clone()],
            attrs![CKA_SUBPRIME => [0xff_u8; 20]],
            attrs![CKA_SUBPRIME => [0xff_u8; 21]],
            attrs![CKA_SUBPRIME => [3_u8]],
            attrs![CKA_PRIME => even.clone()],
        ] {
            let public = dsa_group().and(wrong.clone());
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.generate_pair(&mech, &public, &attrs![]), "{wrong:?}");
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dsa_public().and(wrong.clone())));
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dsa_private().and(wrong)));
        }
    }

    fn primes_of_other_lengths_are_refused_before_any_work(kit) {
        let session = kit.user();
        let mech = Mech::plain(CKM_DSA_KEY_PAIR_GEN);
        for length in [1, 63, 385, 2048, 1 << 20] {
            let prime = attrs![CKA_PRIME => vec![0xff; length]];
            refused!(CKR_KEY_SIZE_RANGE, session.generate_pair(&mech, &dsa_group().and(prime.clone()), &attrs![]));
            refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&dsa_public().and(prime)), "{length} bytes");
        }
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dsa_public().and(attrs![CKA_PRIME => vec![0xff; (1 << 20) + 1]])));
    }

    fn created_keys_have_values_that_fit(kit) {
        let session = kit.user();
        let group = session.create(&dsa_public()).unwrap();
        let (p, q) = (session.get(group, CKA_PRIME).unwrap(), session.get(group, CKA_SUBPRIME).unwrap());
        let mut last = p.clone();
        *last.last_mut().unwrap() -= 1;
        // Of these, 2 is not of order q.
        for value in [vec![], vec![0], vec![1], vec![2], last, p.clone(), vec![0xff; 200]] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dsa_public().and(attrs![CKA_VALUE => value])));
        }
        for value in [vec![], vec![0; 20], q, p] {
            refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dsa_private().and(attrs![CKA_VALUE => value])));
        }
        for kind in [CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_VALUE] {
            refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&dsa_public().without(kind)));
            refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&dsa_private().without(kind)));
        }
        let wrong = attrs![CKA_PUBLIC_KEY_INFO => b"\x30\x00"];
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&dsa_private().and(wrong)));
    }

    fn parameters_are_generated(kit) {
        let session = kit.user();
        // The standard's length of q where nothing is said, and the other one.
        for (bits, given, subprime_bits) in [(512, None, 160), (1024, None, 160), (2048, None, 224), (2048, Some(256), 256)] {
            let more = given.map_or(attrs![], |given: CK_ULONG| attrs![CKA_SUBPRIME_BITS => given]);
            let group = parameters(&session, bits, more).unwrap();
            assert_eq!(session.number(group, CKA_CLASS), Ok(CKO_DOMAIN_PARAMETERS));
            assert_eq!(session.number(group, CKA_KEY_TYPE), Ok(CKK_DSA));
            assert_eq!(session.number(group, CKA_PRIME_BITS), Ok(bits));
            assert_eq!(session.number(group, CKA_SUBPRIME_BITS), Ok(subprime_bits));
            assert_eq!((session.flag(group, CKA_LOCAL), session.flag(group, CKA_PRIVATE)), (Ok(true), Ok(false)));
            let made = session.generate_pair(&Mech::plain(CKM_DSA_KEY_PAIR_GEN), &group_of(&session, group), &attrs![]);
            let (public, private) = made.unwrap();
            let signature = session.sign(&Mech::plain(CKM_DSA_SHA256), private, MESSAGE).unwrap();
            assert_eq!(signature.len() as CK_ULONG, 2 * subprime_bits / 8);
            let openssl = OpenSsl::with_key(&kit.directory, &session, public);
            assert!(openssl.verifies("sha256", &[], MESSAGE, &ecdsa_der(&signature)), "{bits}");
        }
    }

    fn parameters_of_other_lengths_are_not_generated(kit) {
        let session = kit.user();
        for bits in [0, 448, 513, 1088, 2047, 4096, CK_ULONG::MAX] {
            refused!(CKR_KEY_SIZE_RANGE, parameters(&session, bits, attrs![]), "{bits}");
        }
        for (bits, subprime_bits) in [(1024, 256), (2048, 160), (2048, 0), (3072, 224), (1024, CK_ULONG::MAX)] {
            refused!(CKR_KEY_SIZE_RANGE, parameters(&session, bits, attrs![CKA_SUBPRIME_BITS => subprime_bits]));
        }
        let mech = Mech::plain(CKM_DSA_PARAMETER_GEN);
        refused!(CKR_TEMPLATE_INCOMPLETE, session.generate(&mech, &attrs![]));
        refused!(CKR_ATTRIBUTE_READ_ONLY, parameters(&session, 512, attrs![CKA_PRIME => [0xff_u8; 64]]));
        refused!(CKR_TEMPLATE_INCONSISTENT, parameters(&session, 512, attrs![CKA_CLASS => CKO_SECRET_KEY]));
        refused!(CKR_TEMPLATE_INCONSISTENT, parameters(&session, 512, attrs![CKA_KEY_TYPE => CKK_DH]));
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, parameters(&session, 512, attrs![CKA_VALUE => [1_u8]]));
    }

    fn parameters_are_created_found_copied_and_kept(kit) {
        let session = kit.user();
        let class = attrs![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DSA];
        let template = dsa_group().and(class.clone()).and(attrs![CKA_TOKEN => true, CKA_LABEL => "group"]);
        let group = session.create(&template).unwrap();
        assert_eq!(session.number(group, CKA_PRIME_BITS), Ok(1024));
        assert_eq!(session.number(group, CKA_SUBPRIME_BITS), Ok(160));
        assert_eq!(session.flag(group, CKA_LOCAL), Ok(false));
        assert_eq!(session.find(&class).unwrap(), [group]);
        let copy = session.copy(group, &attrs![CKA_TOKEN => false, CKA_LABEL => "copy"]).unwrap();
        assert_eq!(group_of(&session, copy), dsa_group());
        session.logout().unwrap();
        assert_eq!(group_of(&session, group), dsa_group(), "it is public");
        refused!(CKR_ATTRIBUTE_TYPE_INVALID, session.get(group, CKA_KEY_GEN_MECHANISM));
    }

    fn parameters_that_are_none_are_not_created(kit) {
        let session = kit.user();
        let class = attrs![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_DSA];
        let template = dsa_group().and(class.clone());
        for kind in [CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_KEY_TYPE] {
            refused!(CKR_TEMPLATE_INCOMPLETE, session.create(&template.without(kind)));
        }
        refused!(CKR_DOMAIN_PARAMS_INVALID, session.create(&template.and(attrs![CKA_BASE => [2_u8]])));
        refused!(CKR_ATTRIBUTE_READ_ONLY, session.create(&template.and(attrs![CKA_PRIME_BITS => 1024 as CK_ULONG])));
        let rsa = attrs![CKA_CLASS => CKO_DOMAIN_PARAMETERS, CKA_KEY_TYPE => CKK_RSA];
        refused!(CKR_ATTRIBUTE_VALUE_INVALID, session.create(&rsa));
    }

    fn private_keys_are_wrapped_and_unwrapped(kit) {
        let session = kit.user();
        let pair = dsa(&session, open());
        let wrapping = generate_aes(&session, attrs![]);
        let mech = Mech::plain(CKM_AES_KEY_WRAP_KWP);
        let wrapped = session.wrap(&mech, wrapping, pair.private).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_DSA, CKA_SIGN => true];
        let back = session.unwrap(&mech, wrapping, &wrapped, &template.and(open())).unwrap();
        for kind in [CKA_VALUE, CKA_PRIME, CKA_SUBPRIME, CKA_BASE, CKA_PUBLIC_KEY_INFO] {
            assert_eq!(session.get(back, kind), session.get(pair.private, kind), "{kind:#x}");
        }
        let signature = session.sign(&Mech::plain(CKM_DSA_SHA1), back, MESSAGE).unwrap();
        assert_eq!(session.verify(&Mech::plain(CKM_DSA_SHA1), pair.public, MESSAGE, &signature), Ok(()));
        let other = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_DH];
        refused!(
            CKR_WRAPPED_KEY_INVALID | CKR_TEMPLATE_INCONSISTENT,
            session.unwrap(&mech, wrapping, &wrapped, &other)
        );
    }

    fn a_wrapped_group_that_is_none_is_a_wrapped_key_that_is_none(kit) {
        let session = kit.user();
        let wrapping = keys::aes(&session, &[7; 32]);
        let pair = dsa(&session, attrs![CKA_EXTRACTABLE => true]);
        let prime = session.get(pair.public, CKA_PRIME).unwrap();
        let mech = Mech::bytes(CKM_AES_CBC_PAD, &[0; 16]);
        let wrapped = session.wrap(&mech, wrapping, pair.private).unwrap();
        let mut inside = session.decrypt(&mech, wrapping, &wrapped).unwrap();
        let at = inside.windows(prime.len()).position(|bytes| bytes == prime).unwrap();
        inside[at + prime.len() - 1] ^= 1;
        let altered = session.encrypt(&mech, wrapping, &inside).unwrap();
        let template = attrs![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_DSA];
        assert!(session.unwrap(&mech, wrapping, &wrapped, &template).is_ok());
        refused!(CKR_WRAPPED_KEY_INVALID, session.unwrap(&mech, wrapping, &altered, &template));
    }
}
