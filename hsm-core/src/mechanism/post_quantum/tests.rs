//! Answers of others: NIST's ACVP server (ML-DSA-sigGen-FIPS204), and @noble/post-quantum 0.7.1, whose
//! signatures are kept as their SHA-256 digests, under keys made from the bytes 0, 1, 2 and so on.

use std::sync::Arc;

use cryptoki_sys::*;

use crate::crypto::{Hash, hash_of};
use crate::error::Error;
use crate::mechanism::{Parameter, Signing, Verifying, row};
use crate::object::material::Key;
use crate::object::{Object, Value, post_quantum, values};
use crate::secret::Secret;

const MESSAGE: &[u8] = b"a message, signed in one part or in several";

/// Of [`MESSAGE`] with the context "context", by ML-DSA-65.
const LATTICE: [(u64, &str); 10] = [
    (CKM_HASH_ML_DSA_SHA224, "5cdf88d6f59a18668791e06f94e05ffcb71d62c94788011252396418290f010c"),
    (CKM_HASH_ML_DSA_SHA256, "8aacba6ba3e2a837e6da52b676ddbf5b3f4ad28f2b3a4fd955664c3cabbd99cc"),
    (CKM_HASH_ML_DSA_SHA384, "79c0155f421c75f50de564593313f0117f0adcbc8257fcc1f8be514849a42e35"),
    (CKM_HASH_ML_DSA_SHA512, "053dab985aa3a2954d13454f20ccea2a0c19f2e573ab74e71279a0690f787d9a"),
    (CKM_HASH_ML_DSA_SHA3_224, "bf0109f4299800370eefc981e6404dbee10313750083a80a1a0f01ca58401875"),
    (CKM_HASH_ML_DSA_SHA3_256, "6d8216e20e9be48b70b6ca0c254f230156d9982f15475563d9e20dcf488bee56"),
    (CKM_HASH_ML_DSA_SHA3_384, "f0cbcb2c6731ced75f77d79c870a395bace56ebf3dab9f66f52062cfa1326188"),
    (CKM_HASH_ML_DSA_SHA3_512, "eadf918cc4cc20220470d6206325317d2e8c60c3b272f72d6592fd26ad0ddb81"),
    (CKM_HASH_ML_DSA_SHAKE128, "989c349e1b738531c39f0f89ccfffc63f52bc619e5064e0818fff48e311e0213"),
    (CKM_HASH_ML_DSA_SHAKE256, "39275158b7788c2e0ba05bf47c8d9c9e1dc305a134be444ab891782013308925"),
];

/// The same by SLH-DSA-SHA2-128f.
const HASHES: [(u64, &str); 10] = [
    (CKM_HASH_SLH_DSA_SHA224, "e1209f8a828bb9addb1026016c3d33a329e513be6b8c1046e959bd74edede443"),
    (CKM_HASH_SLH_DSA_SHA256, "badd6f2321c563441958fb104cd85e00d31da306232c650c4e2dd1a2d30ce2fe"),
    (CKM_HASH_SLH_DSA_SHA384, "e10c2a4aa0701fdaf80286356a0a4c3d83c310f14aa42fa730617e844b384bf6"),
    (CKM_HASH_SLH_DSA_SHA512, "2c1df78d3373c41938b5648a8820fda1e3f21255c803919365cf9f94a979685c"),
    (CKM_HASH_SLH_DSA_SHA3_224, "d500c5951b7bbdb03f5e9f3e730042a0379409fce4082b06e51ac2d8b4c8bab8"),
    (CKM_HASH_SLH_DSA_SHA3_256, "0c5c77fc05f936045bb62aaf730a3b6cb814932bd95fd316917f6b3c9bceebb0"),
    (CKM_HASH_SLH_DSA_SHA3_384, "cf543f14e53425fdfd6555aff326166144a21f2388494d4e61da73d1c4609b70"),
    (CKM_HASH_SLH_DSA_SHA3_512, "1b9bd1badfda8afb5bcbb018e4b151b7760441a6641229e774b5c4ac2a7790fa"),
    (CKM_HASH_SLH_DSA_SHAKE128, "adc0086253e880d5ff9e1cc8477f704ff8d45fc0b1b7c379840ae2bbc68b57bd"),
    (CKM_HASH_SLH_DSA_SHAKE256, "9aa7ab26f9042b34ea9ab29ed36058ca688097558f30959eb5d63fa0a7354a88"),
];

/// The same without a digest before the signature, by every set that does not take seconds.
const PURE: [(u64, u64, &str); 10] = [
    (CKM_ML_DSA, CKP_ML_DSA_44, "d8275000b18dd0dd73b3c19333b31847609296a8ab33f1c26a51c2fb501837a2"),
    (CKM_ML_DSA, CKP_ML_DSA_65, "bc409251a41c95f873be485ea19bd29bc3241cd9440b94c5ae5530ff258cddbb"),
    (CKM_ML_DSA, CKP_ML_DSA_87, "dc2e906a786743bcf1b0b1140611423ea5e8b34db9690943821cb84bd4236ec4"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHA2_128F, "6490f72ad2ae0ac69f81b279f3cf497cc3a0283c1fa9f6ee5c524f73b8fd8402"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHA2_128S, "9e4ac2b539c4a792adef5cf0c3b5207d195542b1183d76bdcbb780a49a6a0c96"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHA2_192F, "c2486bf81e3ce212fb5db42f2a8227adae1a51f862aafe8035e5b26f050ccd3c"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHA2_256F, "7c71fae09e4cbe17d14201187eb4496707a0a9de03e2c4a230460caf3918f9bf"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHAKE_128F, "5ff680d2444c8745b3d5bdec3dd9b6d9c78d67e31908792402238e8b019beef1"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHAKE_192F, "93cd2330cdfbcdfead379b0f8d322ce3346a552edff8a896974a8d53b444c8ca"),
    (CKM_SLH_DSA, CKP_SLH_DSA_SHAKE_256F, "357563e3d3d3cbf0bd522f7a3dbb7b5f49fc971ce5ea82f743e127f8c5d13997"),
];

/// A key pair of a parameter set, public key first, from the bytes 0, 1, 2 and so on.
fn pair(key_type: u64, number: u64) -> (Arc<Key>, Arc<Key>) {
    let [mut public, mut private] = [CKO_PUBLIC_KEY, CKO_PRIVATE_KEY].map(|class| {
        let mut object = Object::default();
        object.set(CKA_CLASS, Value::Number(class));
        object.set(CKA_KEY_TYPE, Value::Number(key_type));
        object.set(CKA_LOCAL, Value::Bool(true));
        object
    });
    public.set(CKA_PARAMETER_SET, Value::Number(number));
    let length = crate::object::parameter_sets::ParameterSet::of(&public).unwrap().seed_len();
    let seed = Secret::new((0..length).map(|at| at as u8).collect());
    post_quantum::fill_pair(seed, &mut public, &mut private).unwrap();
    (Arc::new(values::settle(public).unwrap()), Arc::new(values::settle(private).unwrap()))
}

fn parameter(hedge: u64, hash: Option<u64>) -> Parameter {
    Parameter::SignContext { hedge, context: b"context".to_vec(), hash }
}

fn sign(kind: u64, parameter: &Parameter, key: &Arc<Key>, message: &[u8]) -> Vec<u8> {
    let mut signing = Signing::new(row(kind).unwrap(), parameter, key.clone()).unwrap();
    let mut out = vec![0; signing.signature_len()];
    assert_eq!(signing.sign(message, &mut out).unwrap(), out.len());
    out
}

fn verify(
    kind: u64,
    parameter: &Parameter,
    key: &Arc<Key>,
    message: &[u8],
    signature: &[u8],
) -> crate::Result<()> {
    Verifying::new(row(kind).unwrap(), parameter, key.clone()).unwrap().verify(message, signature)
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(hash_of(Hash::Sha256, &[bytes]).unwrap())
}

#[test]
fn signatures_over_digests_are_those_of_another_library() {
    let families = [(CKK_ML_DSA, CKP_ML_DSA_65, LATTICE), (CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128F, HASHES)];
    for (key_type, number, expected) in families {
        let (public, private) = pair(key_type, number);
        let given = parameter(CKH_DETERMINISTIC_REQUIRED, None);
        for (kind, expected) in expected {
            let signature = sign(kind, &given, &private, MESSAGE);
            assert_eq!(digest(&signature), expected, "{kind:#x}");
            verify(kind, &given, &public, MESSAGE, &signature).unwrap();
            let mut parts = Signing::new(row(kind).unwrap(), &given, private.clone()).unwrap();
            for part in MESSAGE.chunks(9) {
                parts.update(part).unwrap();
            }
            let mut out = vec![0; signature.len()];
            parts.finish(&mut out).unwrap();
            assert_eq!(out, signature, "{kind:#x}");
        }
    }
}

#[test]
fn pure_signatures_are_those_of_another_library() {
    for (kind, number, expected) in PURE {
        let key_type = if kind == CKM_ML_DSA { CKK_ML_DSA } else { CKK_SLH_DSA };
        let (public, private) = pair(key_type, number);
        let given = parameter(CKH_DETERMINISTIC_REQUIRED, None);
        let signature = sign(kind, &given, &private, MESSAGE);
        assert_eq!(digest(&signature), expected, "set {number} of {kind:#x}");
        verify(kind, &given, &public, MESSAGE, &signature).unwrap();
    }
}

#[test]
fn a_digest_that_is_given_is_signed_as_one_that_is_made() {
    for (kind, made, key_type, number) in [
        (CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHA3_384, CKK_ML_DSA, CKP_ML_DSA_65),
        (CKM_HASH_SLH_DSA, CKM_HASH_SLH_DSA_SHA3_384, CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128F),
    ] {
        let (public, private) = pair(key_type, number);
        let whole = sign(made, &parameter(CKH_DETERMINISTIC_REQUIRED, None), &private, MESSAGE);
        let given = parameter(CKH_DETERMINISTIC_REQUIRED, Some(CKM_SHA3_384));
        let hashed = hash_of(Hash::Sha3_384, &[MESSAGE]).unwrap();
        assert_eq!(sign(kind, &given, &private, &hashed), whole);
        verify(kind, &given, &public, &hashed, &whole).unwrap();
        assert!(matches!(verify(kind, &given, &public, MESSAGE, &whole), Err(Error::DataLength)));
        for other in [CKM_SHA_1, CKM_MD5, CKM_AES_ECB] {
            let refused = Signing::new(row(kind).unwrap(), &parameter(0, Some(other)), private.clone());
            assert!(matches!(refused, Err(Error::MechanismParamInvalid)), "{other:#x}");
        }
        let refused = Signing::new(row(kind).unwrap(), &Parameter::None, private);
        assert!(matches!(refused, Err(Error::MechanismParamInvalid)));
    }
}

#[test]
fn hedging_is_as_the_parameter_says() {
    let (public, private) = pair(CKK_ML_DSA, CKP_ML_DSA_44);
    for (hedge, same) in
        [(CKH_HEDGE_PREFERRED, false), (CKH_HEDGE_REQUIRED, false), (CKH_DETERMINISTIC_REQUIRED, true)]
    {
        let given = parameter(hedge, None);
        let [first, second] = [(); 2].map(|()| sign(CKM_ML_DSA, &given, &private, MESSAGE));
        assert_eq!(first == second, same, "{hedge}");
        verify(CKM_ML_DSA, &given, &public, MESSAGE, &first).unwrap();
        let without = verify(CKM_ML_DSA, &Parameter::None, &public, MESSAGE, &first);
        assert!(matches!(without, Err(Error::SignatureInvalid)), "the context counts");
    }
    let refused = Signing::new(row(CKM_ML_DSA).unwrap(), &parameter(3, None), private);
    assert!(matches!(refused, Err(Error::MechanismParamInvalid)));
}

#[test]
fn an_expanded_key_of_acvp_signs_as_there() {
    // Test case 29.
    let mut object = Object::default();
    object.set(CKA_CLASS, Value::Number(CKO_PRIVATE_KEY));
    object.set(CKA_KEY_TYPE, Value::Number(CKK_ML_DSA));
    object.set(CKA_PARAMETER_SET, Value::Number(CKP_ML_DSA_44));
    object.set(CKA_VALUE, Value::Secret(Secret::new(hex::decode(PRIVATE).unwrap())));
    let key = Arc::new(values::settle(object).unwrap());
    let context = hex::decode(CONTEXT).unwrap();
    let given = Parameter::SignContext { hedge: CKH_DETERMINISTIC_REQUIRED, context, hash: None };
    let signature = sign(CKM_HASH_ML_DSA_SHA384, &given, &key, &[0xde]);
    assert_eq!(digest(&signature), "83a9a5f99c351829ed5c61caa3d186d594fa89f706aad8ea00d303326be51792");
}

const CONTEXT: &str = "\
    a29c525a031947c9cae1b7ad360d7749c6969e1579926353f4d85328f541d04d664a4e41191af97b9d31439128de6155\
    748c6f08375f7df0dd6b74fd95e5fa0e72e08c9763ecd5359fd674f68240bf69d6e80df050422df2e1b12dee50995112\
    27c6d2e747373e817cbf4b65525ea20a5ac596e7f722d544c7d4cea16d51f5eb3cc755244b192e6ccf04122587f5c6b0\
    539a4045848dd97deb1d0175a30e868ee5d35a190ef5a59a0a1b75d19fc162c84972aff3dfdabe96e0641af0b43887";
const PRIVATE: &str = "\
    0f4e25ad0af2dfe3b76212799059f164e946419f332256cfc8ebe5bf4b79d516de408b604287fe8acc09cdf2a482cc9f\
    f3ab0d8bcbc49eabe00e04265b6d608bf8b4ccbf8b49c6b96c69e0d9d56d3ae176b688118652d89031c71e3092fef6f9\
    e43fd2f1a83672f7f51aa49ce3cfe13a577ec60f4600ee9206f2d54ccb164d50c3088ee2146d083370912622a4246082\
    280d0b334c430245899069a02221c220218b428253862d4c364488244a8b2666248828c3b86142906c5c38251b4611d8\
    b631da324462964cd400905420480c324e02c80443a2041329448b08691bc2691b184992a21099084dd8321298442004\
    a34980486ea2b46510c48c0b042e0410250302298334122126924a20515a84241c320448964854200d401802629048e1\
    08058888051084649932410b8644dc448982c22d62341282c44cd2382a9ba46852082813170080142042968dd422301b\
    0369080800dcb0600a96050840851347261b26269816061c446e4aa8110c04265ba85198a64012444d91107108339204\
    348952322a1940491bc14c82808002386854164ca2a420991090c2b8911c146c14a2101cb29052244653489242040cd4\
    049118140502452c8c3068028944a1388e63286d0b8668a41481c2b4249494419304661c30201c367098c22d19a55191\
    42498ab86120c7295084901288890b3120090926828001da02660902805906011307100b1265d9282e0a88689a4812a0\
    a284641244d9b001e3b80c20c80d94444803b95108a58c1323454848050b002ce2a010db220294026202082c63a02921\
    8781191726940691221092832689cab609838271c4a82850308e1022468b3020dc280c21292244a409a236910a946000\
    490d0c30458930841823682442101083284c24651231300b4392c8c87000326c201730114462999649402806100824a0\
    349293c4445b2286cbb4051cc520cb200d54842c43448c198720033080e1c80114188d00393160282063b8711b87890b\
    458e0b385208a80423b410dca2881129265ca800022366c282208004928ba44012396ee032100c374c1b8625440041db\
    8249998061148744191526a2c06914860803288c81c0841bc9480ab50012298c00c88903131162343103256a63925098\
    441009977154246a1a89851c0330c240424b1621d18871c1a480e10846438451d8304541108ac3140453802813a845c9\
    08201c4382204530d1444820068c604262db080421036c4ba84454084cc22885ea4eb05c79fdd62965bfaaf7ca82be22\
    5b28df4dba409bc3a7d32e2fb1ca4c5df0f8a08c4bff50906c759f6577d5a5b7538a04bd51c451193467c11f91c8de03\
    4dde4d4b4303a741d684dd026bfaae7d950c3ebc892a71dac81b2143b2a55283d74effa442fcad312a679a2420221046\
    b6f98d500c3e73bd0a46524a1d4b8d860f93a41e6afafb68087373a92f8ac17eb708e6db908b510ed83928004e72f9c0\
    dad3249c7aa446ca1f9a05a543b7834d93e150f4bb59c70060711a4f2650db44ad6261f0814a6fc39633cb2f671710b4\
    749cf02ca5898aab3d4232e225a3fe2cf61856a2595c32a3b0b46dbf2b38b02595dee6aa5b4e88fe01ed988551915056\
    c3ec4ee0ecc6ac3bd6a933175578358980af4eeb2c9579d1f8e35fa213fff595ccd00af04e2f11da2f7c1d15b79e53b3\
    bfa1c61df66ae717929813658a2b62c6a1577c31972ffccd03deabc387bbf66afac731557b42c4f4c4a458eb7d2c3529\
    c5cf7767e93d5427101ca5be5a02b57987e4536f453912ad4fa70109b65387031eb4cd309b48c8bfa2652acb1d027ebd\
    c82d29a55581537f53106a223f03dae7ebdceb077108eababfba8171302588252fd157f995fdf31edd5eabc0c1378179\
    26acac2ee5bfd9d5ad943e46f44a277e0ae094c6a915350403c7463f5aae2bed8fab2ea4d6487acdd8e34b14f6fa7541\
    7e20af4fc5d6ab5d59ccc54463ddb26c224c52f7abdc0c5e142cef696bdc409ab80f24192bd2af7e3c2e83682d3670dc\
    53485c41d92172956c2468cc43861bf194733571fc495a21b8954cfea9f968acdc7902278fc1202fbd5f72d260bd184a\
    70cff863bc9e4e347244482a24f93454d5d0d90c43fb4b373bdc5e9bb3a9167586c056da722715c5ce82c41ac1605715\
    251f4965806fccc2edc6224cbd01678aa718782b9c8f94d34cca91b5a40d0128e413fbd54d0e18d05ba62bfdfd73d0e2\
    2b31fedd0a636f8ab27ced589a5f80469dd32fe4397917a899b46e510d7393f97aba2b5d905c218aaf0e062b63262c3a\
    95b133d92cacdba3ea1ae29498b5ff323eb3cff8d3db5853b63aa120211e064e38c78f42cf2ec777de469e0cbd87d0c2\
    d1a186195cb3786d402102ba21ba6484496540d27672badd1b3f708d40df3c525004dbafa5eadd77ee6a952d73a31afc\
    bd0e6925a74c208e0044c7a4a904a5156017b5f925aa7687f692272d5ffa58f9c15142eefb9eaeaf8c109be908c257d4\
    3e8598d97b9bd28bd115a74353a7694735c13d13dc66e07d8d728fb6c9545c03f8df6afae6ee1203b4994fb74b94adea\
    7e579dca75da7a5412924cca971be9e821fda0042ab665fbe886c64119444a065c7d1899bdc5cc680ee4f00461c844fe\
    4e7c4db055e8fe6c17691714c0500f47e73733326d4cb5a833b93fcf6d0e84dee23ad06ed549dae7b1ebe6737d228718\
    763c9dc33d8b775d942e58bdaf7e61f5c1c923758d7056924d9417a760d590ce63d47307cc92c30e9ecd0ece3702c881\
    0713e4602acb73ae2f0768e483a5e11edf039612e548b8196dbc2d0bfb55dc2b9bd1ea72b31474a501b38ad5774a659c\
    f6b10b6e78ee82e708181fbe4ddd4d9c547a6583e92a9eddae6aab071ab5021c8acc47553f76d428f08414dc55a659df\
    a64a977c5a1f5ed396e9eeb2d24bb1356a1b9e52f41fa787d771eb2c4f51c047b00d26e3a92812786c35e4fe2838186c\
    8fef6bf56566cf849021acba16ae27e93a589f31474e3de4a14fb9b1b444062a1c2755ddb58c08f0cb3a110c44d00b8e\
    bfcee1946192e1892770e7edbb0ac158ba433ed17ff08f06b9cb985849e1a17b90465a6b11536cc24f24472152a2e190\
    214b87cbf0908536f7b54d79c6cc1a5b10494bb8d658121426e4a4ca7ae2411ef58702dc7608444e5d1a29751ed98151\
    6825f8e9bc5585b63fa55efd15898689b5ef8400365d3a72b18b1838e4be2c6d2f414b862088bea0e20985b0d41768bc\
    78602299e6edf88caa7615a6e1853ec6dcf914f7d8ebdc32c51a0ece052049f25728c414e9608078a5ed3527b7ea3b3e\
    9cab648701c47264bdbb3dbe60b153f975ec5b2fc56f1e8e98fe2fe067dca2a5562b594e477cd04cd9dfcad8938881ce\
    d428ad8b7e146c6604a4e66b2303e19793a9b45c7691cd114d0808f5bb9ed49c9963d28d15a67bd006b26b9715a4d5d9\
    1aaf1e38b0d60d437c11bd5150a677b1ad7b2a1a5dbb50eff0cbd4d87d6e74b118754572f4b6e1e8f5b796ad0608e565\
    46c70ccf50ef0bb1fc8d9b36d3ccabd04ced8fe6471268beb19b31c4ad0cd633dfb4ba65c242dfcb91d40810827ba122\
    61feb01395f813dc8efb89b9b3867713";
