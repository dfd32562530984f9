//! Enumerations of cryptography: algorithms, their parameters, and generators of random numbers.

use super::enumeration;

enumeration! {
    /// Algorithms of keys and of operations.
    CryptographicAlgorithm {
        DES = 0x01, V1_0;
        DES3 = 0x02, V1_0;
        AES = 0x03, V1_0;
        RSA = 0x04, V1_0;
        DSA = 0x05, V1_0;
        ECDSA = 0x06, V1_0;
        HMAC_SHA1 = 0x07, V1_0;
        HMAC_SHA224 = 0x08, V1_0;
        HMAC_SHA256 = 0x09, V1_0;
        HMAC_SHA384 = 0x0a, V1_0;
        HMAC_SHA512 = 0x0b, V1_0;
        HMAC_MD5 = 0x0c, V1_0;
        DH = 0x0d, V1_0;
        ECDH = 0x0e, V1_0;
        ECMQV = 0x0f, V1_0;
        Blowfish = 0x10, V1_0;
        Camellia = 0x11, V1_0;
        CAST5 = 0x12, V1_0;
        IDEA = 0x13, V1_0;
        MARS = 0x14, V1_0;
        RC2 = 0x15, V1_0;
        RC4 = 0x16, V1_0;
        RC5 = 0x17, V1_0;
        SKIPJACK = 0x18, V1_0;
        Twofish = 0x19, V1_0;
        EC = 0x1a, V1_2;
        OneTimePad = 0x1b, V1_3;
        ChaCha20 = 0x1c, V1_4;
        Poly1305 = 0x1d, V1_4;
        ChaCha20Poly1305 = 0x1e, V1_4;
        SHA3_224 = 0x1f, V1_4;
        SHA3_256 = 0x20, V1_4;
        SHA3_384 = 0x21, V1_4;
        SHA3_512 = 0x22, V1_4;
        HMAC_SHA3_224 = 0x23, V1_4;
        HMAC_SHA3_256 = 0x24, V1_4;
        HMAC_SHA3_384 = 0x25, V1_4;
        HMAC_SHA3_512 = 0x26, V1_4;
        SHAKE_128 = 0x27, V1_4;
        SHAKE_256 = 0x28, V1_4;
        ARIA = 0x29, V2_0;
        SEED = 0x2a, V2_0;
        SM2 = 0x2b, V2_0;
        SM3 = 0x2c, V2_0;
        SM4 = 0x2d, V2_0;
        GOSTR34_10_2012 = 0x2e, V2_0;
        GOSTR34_11_2012 = 0x2f, V2_0;
        GOSTR34_13_2015 = 0x30, V2_0;
        GOST28147_89 = 0x31, V2_0;
        XMSS = 0x32, V2_0;
        SPHINCS_256 = 0x33, V2_0;
        McEliece = 0x34, V2_0;
        McEliece_6960119 = 0x35, V2_0;
        McEliece_8192128 = 0x36, V2_0;
        Ed25519 = 0x37, V2_0;
        Ed448 = 0x38, V2_0;
    }
}

enumeration! {
    /// Named elliptic curves.
    RecommendedCurve {
        P_192 = 0x01, V1_0;
        K_163 = 0x02, V1_0;
        B_163 = 0x03, V1_0;
        P_224 = 0x04, V1_0;
        K_233 = 0x05, V1_0;
        B_233 = 0x06, V1_0;
        P_256 = 0x07, V1_0;
        K_283 = 0x08, V1_0;
        B_283 = 0x09, V1_0;
        P_384 = 0x0a, V1_0;
        K_409 = 0x0b, V1_0;
        B_409 = 0x0c, V1_0;
        P_521 = 0x0d, V1_0;
        K_571 = 0x0e, V1_0;
        B_571 = 0x0f, V1_0;
        SECP112R1 = 0x10, V1_2;
        SECP112R2 = 0x11, V1_2;
        SECP128R1 = 0x12, V1_2;
        SECP128R2 = 0x13, V1_2;
        SECP160K1 = 0x14, V1_2;
        SECP160R1 = 0x15, V1_2;
        SECP160R2 = 0x16, V1_2;
        SECP192K1 = 0x17, V1_2;
        SECP224K1 = 0x18, V1_2;
        SECP256K1 = 0x19, V1_2;
        SECT113R1 = 0x1a, V1_2;
        SECT113R2 = 0x1b, V1_2;
        SECT131R1 = 0x1c, V1_2;
        SECT131R2 = 0x1d, V1_2;
        SECT163R1 = 0x1e, V1_2;
        SECT193R1 = 0x1f, V1_2;
        SECT193R2 = 0x20, V1_2;
        SECT239K1 = 0x21, V1_2;
        ANSIX9P192V2 = 0x22, V1_2;
        ANSIX9P192V3 = 0x23, V1_2;
        ANSIX9P239V1 = 0x24, V1_2;
        ANSIX9P239V2 = 0x25, V1_2;
        ANSIX9P239V3 = 0x26, V1_2;
        ANSIX9C2PNB163V1 = 0x27, V1_2;
        ANSIX9C2PNB163V2 = 0x28, V1_2;
        ANSIX9C2PNB163V3 = 0x29, V1_2;
        ANSIX9C2PNB176V1 = 0x2a, V1_2;
        ANSIX9C2TNB191V1 = 0x2b, V1_2;
        ANSIX9C2TNB191V2 = 0x2c, V1_2;
        ANSIX9C2TNB191V3 = 0x2d, V1_2;
        ANSIX9C2PNB208W1 = 0x2e, V1_2;
        ANSIX9C2TNB239V1 = 0x2f, V1_2;
        ANSIX9C2TNB239V2 = 0x30, V1_2;
        ANSIX9C2TNB239V3 = 0x31, V1_2;
        ANSIX9C2PNB272W1 = 0x32, V1_2;
        ANSIX9C2PNB304W1 = 0x33, V1_2;
        ANSIX9C2TNB359V1 = 0x34, V1_2;
        ANSIX9C2PNB368W1 = 0x35, V1_2;
        ANSIX9C2TNB431R1 = 0x36, V1_2;
        BRAINPOOLP160R1 = 0x37, V1_2;
        BRAINPOOLP160T1 = 0x38, V1_2;
        BRAINPOOLP192R1 = 0x39, V1_2;
        BRAINPOOLP192T1 = 0x3a, V1_2;
        BRAINPOOLP224R1 = 0x3b, V1_2;
        BRAINPOOLP224T1 = 0x3c, V1_2;
        BRAINPOOLP256R1 = 0x3d, V1_2;
        BRAINPOOLP256T1 = 0x3e, V1_2;
        BRAINPOOLP320R1 = 0x3f, V1_2;
        BRAINPOOLP320T1 = 0x40, V1_2;
        BRAINPOOLP384R1 = 0x41, V1_2;
        BRAINPOOLP384T1 = 0x42, V1_2;
        BRAINPOOLP512R1 = 0x43, V1_2;
        BRAINPOOLP512T1 = 0x44, V1_2;
        CURVE25519 = 0x45, V2_0;
        CURVE448 = 0x46, V2_0;
    }
}

enumeration! {
    /// Modes of block ciphers, key wraps among them.
    BlockCipherMode {
        CBC = 0x01, V1_0;
        ECB = 0x02, V1_0;
        PCBC = 0x03, V1_0;
        CFB = 0x04, V1_0;
        OFB = 0x05, V1_0;
        CTR = 0x06, V1_0;
        CMAC = 0x07, V1_0;
        CCM = 0x08, V1_0;
        GCM = 0x09, V1_0;
        CBC_MAC = 0x0a, V1_0;
        XTS = 0x0b, V1_0;
        AESKeyWrapPadding = 0x0c, V1_0;
        NISTKeyWrap = 0x0d, V1_0;
        X9_102AESKW = 0x0e, V1_0;
        X9_102TDKW = 0x0f, V1_0;
        X9_102AKW1 = 0x10, V1_0;
        X9_102AKW2 = 0x11, V1_0;
        AEAD = 0x12, V1_4;
    }
}

enumeration! {
    /// How data is padded.
    PaddingMethod {
        None = 0x01, V1_0;
        OAEP = 0x02, V1_0;
        PKCS5 = 0x03, V1_0;
        SSL3 = 0x04, V1_0;
        Zeros = 0x05, V1_0;
        ANSIX9_23 = 0x06, V1_0;
        ISO10126 = 0x07, V1_0;
        PKCS1V1_5 = 0x08, V1_0;
        X9_31 = 0x09, V1_0;
        PSS = 0x0a, V1_0;
    }
}

enumeration! {
    /// Hash functions. Those of SHA-3 were written with one more dash in 1.4.
    HashingAlgorithm {
        MD2 = 0x01, V1_0;
        MD4 = 0x02, V1_0;
        MD5 = 0x03, V1_0;
        SHA_1 = 0x04, V1_0;
        SHA_224 = 0x05, V1_0;
        SHA_256 = 0x06, V1_0;
        SHA_384 = 0x07, V1_0;
        SHA_512 = 0x08, V1_0;
        RIPEMD_160 = 0x09, V1_0;
        Tiger = 0x0a, V1_0;
        Whirlpool = 0x0b, V1_0;
        SHA_512_224 = 0x0c, V1_2;
        SHA_512_256 = 0x0d, V1_2;
        SHA3_224 = 0x0e, V1_4 was "SHA_3_224";
        SHA3_256 = 0x0f, V1_4 was "SHA_3_256";
        SHA3_384 = 0x10, V1_4 was "SHA_3_384";
        SHA3_512 = 0x11, V1_4 was "SHA_3_512";
    }
}

enumeration! {
    /// Signature algorithms with their hash. Those of PKCS #1 named the document until 1.4.
    DigitalSignatureAlgorithm {
        MD2WithRSAEncryption = 0x01, V1_1 was "MD2WithRSAEncryptionPKCS_1V1_5";
        MD5WithRSAEncryption = 0x02, V1_1 was "MD5WithRSAEncryptionPKCS_1V1_5";
        SHA_1WithRSAEncryption = 0x03, V1_1 was "SHA_1WithRSAEncryptionPKCS_1V1_5";
        SHA_224WithRSAEncryption = 0x04, V1_1 was "SHA_224WithRSAEncryptionPKCS_1V1_5";
        SHA_256WithRSAEncryption = 0x05, V1_1 was "SHA_256WithRSAEncryptionPKCS_1V1_5";
        SHA_384WithRSAEncryption = 0x06, V1_1 was "SHA_384WithRSAEncryptionPKCS_1V1_5";
        SHA_512WithRSAEncryption = 0x07, V1_1 was "SHA_512WithRSAEncryptionPKCS_1V1_5";
        RSASSA_PSS = 0x08, V1_1 was "RSASSA_PSSPKCS_1V2_1";
        DSAWithSHA_1 = 0x09, V1_1;
        DSAWithSHA224 = 0x0a, V1_1;
        DSAWithSHA256 = 0x0b, V1_1;
        ECDSAWithSHA_1 = 0x0c, V1_1;
        ECDSAWithSHA224 = 0x0d, V1_1;
        ECDSAWithSHA256 = 0x0e, V1_1;
        ECDSAWithSHA384 = 0x0f, V1_1;
        ECDSAWithSHA512 = 0x10, V1_1;
        SHA3_256WithRSAEncryption = 0x11, V1_4;
        SHA3_384WithRSAEncryption = 0x12, V1_4;
        SHA3_512WithRSAEncryption = 0x13, V1_4;
    }
}

enumeration! {
    /// Mask generation functions. 2.0 and 2.1 misspell the only one.
    MaskGenerator {
        MGF1 = 0x01, V1_4;
    }
}

enumeration! {
    /// How a key or secret is derived.
    DerivationMethod {
        PBKDF2 = 0x01, V1_0;
        HASH = 0x02, V1_0;
        HMAC = 0x03, V1_0;
        ENCRYPT = 0x04, V1_0;
        NIST800_108_C = 0x05, V1_0;
        NIST800_108_F = 0x06, V1_0;
        NIST800_108_DPI = 0x07, V1_0;
        AsymmetricKey = 0x08, V1_4;
        AWSSignatureVersion4 = 0x09, V2_0;
        HKDF = 0x0a, V2_0;
    }
}

enumeration! {
    /// Random number generators.
    RNGAlgorithm {
        Unspecified = 0x01, V1_3;
        FIPS186_2 = 0x02, V1_3;
        DRBG = 0x03, V1_3;
        NRBG = 0x04, V1_3;
        ANSIX9_31 = 0x05, V1_3;
        ANSIX9_62 = 0x06, V1_3;
    }
}

enumeration! {
    /// Deterministic generators of SP 800-90A.
    DRBGAlgorithm {
        Unspecified = 0x01, V1_3;
        Dual_EC = 0x02, V1_3;
        Hash = 0x03, V1_3;
        HMAC = 0x04, V1_3;
        CTR = 0x05, V1_3;
    }
}

enumeration! {
    /// Variants of the generators of FIPS 186-2.
    FIPS186Variation {
        Unspecified = 0x01, V1_3;
        GPXOriginal = 0x02, V1_3;
        GPXChangeNotice = 0x03, V1_3;
        XOriginal = 0x04, V1_3;
        XChangeNotice = 0x05, V1_3;
        KOriginal = 0x06, V1_3;
        KChangeNotice = 0x07, V1_3;
    }
}

enumeration! {
    /// Whether clients share a generator.
    RNGMode {
        Unspecified = 0x01, V1_3;
        SharedInstantiation = 0x02, V1_3;
        NonSharedInstantiation = 0x03, V1_3;
    }
}

enumeration! {
    /// What a key may be used for: bits of an integer.
    CryptographicUsageMask {
        Sign = 0x00000001, V1_0;
        Verify = 0x00000002, V1_0;
        Encrypt = 0x00000004, V1_0;
        Decrypt = 0x00000008, V1_0;
        WrapKey = 0x00000010, V1_0;
        UnwrapKey = 0x00000020, V1_0;
        Export = 0x00000040, V1_0 to V1_4;
        MACGenerate = 0x00000080, V1_0;
        MACVerify = 0x00000100, V1_0;
        DeriveKey = 0x00000200, V1_0;
        ContentCommitmentNonRepudiation = 0x00000400, V1_0 to V1_4;
        KeyAgreement = 0x00000800, V1_0;
        CertificateSign = 0x00001000, V1_0;
        CRLSign = 0x00002000, V1_0;
        GenerateCryptogram = 0x00004000, V1_0 to V1_4;
        ValidateCryptogram = 0x00008000, V1_0 to V1_4;
        TranslateEncrypt = 0x00010000, V1_0 to V1_4;
        TranslateDecrypt = 0x00020000, V1_0 to V1_4;
        TranslateWrap = 0x00040000, V1_0 to V1_4;
        TranslateUnwrap = 0x00080000, V1_0 to V1_4;
        Authenticate = 0x00100000, V2_0;
        Unrestricted = 0x00200000, V2_0;
        FPEEncrypt = 0x00400000, V2_0;
        FPEDecrypt = 0x00800000, V2_0;
    }
}
