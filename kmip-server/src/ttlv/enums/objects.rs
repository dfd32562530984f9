//! Enumerations of managed objects: kinds, formats, attributes, life.

use super::enumeration;

enumeration! {
    /// Kinds of managed objects.
    ObjectType {
        Certificate = 0x01, V1_0;
        SymmetricKey = 0x02, V1_0;
        PublicKey = 0x03, V1_0;
        PrivateKey = 0x04, V1_0;
        SplitKey = 0x05, V1_0;
        Template = 0x06, V1_0 to V1_4;
        SecretData = 0x07, V1_0;
        OpaqueObject = 0x08, V1_0;
        PGPKey = 0x09, V1_2;
        CertificateRequest = 0x0a, V2_0;
    }
}

enumeration! {
    /// How key material is written. The formats of single EC algorithms gave way to the EC ones in 1.3.
    KeyFormatType {
        Raw = 0x01, V1_0;
        Opaque = 0x02, V1_0;
        PKCS_1 = 0x03, V1_0;
        PKCS_8 = 0x04, V1_0;
        X_509 = 0x05, V1_0;
        ECPrivateKey = 0x06, V1_0;
        TransparentSymmetricKey = 0x07, V1_0;
        TransparentDSAPrivateKey = 0x08, V1_0;
        TransparentDSAPublicKey = 0x09, V1_0;
        TransparentRSAPrivateKey = 0x0a, V1_0;
        TransparentRSAPublicKey = 0x0b, V1_0;
        TransparentDHPrivateKey = 0x0c, V1_0;
        TransparentDHPublicKey = 0x0d, V1_0;
        TransparentECDSAPrivateKey = 0x0e, V1_0 to V1_2;
        TransparentECDSAPublicKey = 0x0f, V1_0 to V1_2;
        TransparentECDHPrivateKey = 0x10, V1_0 to V1_2;
        TransparentECDHPublicKey = 0x11, V1_0 to V1_2;
        TransparentECMQVPrivateKey = 0x12, V1_0 to V1_2;
        TransparentECMQVPublicKey = 0x13, V1_0 to V1_2;
        TransparentECPrivateKey = 0x14, V1_3;
        TransparentECPublicKey = 0x15, V1_3;
        PKCS_12 = 0x16, V1_4;
        PKCS_10 = 0x17, V2_0;
    }
}

enumeration! {
    /// How the point of an elliptic-curve public key is written.
    KeyCompressionType {
        ECPublicKeyTypeUncompressed = 0x01, V1_0;
        ECPublicKeyTypeX9_62CompressedPrime = 0x02, V1_0;
        ECPublicKeyTypeX9_62CompressedChar2 = 0x03, V1_0;
        ECPublicKeyTypeX9_62Hybrid = 0x04, V1_0;
    }
}

enumeration! {
    /// Kinds of certificates.
    CertificateType {
        X_509 = 0x01, V1_0;
        PGP = 0x02, V1_0;
    }
}

enumeration! {
    /// How a certificate request is written.
    CertificateRequestType {
        CRMF = 0x01, V1_0;
        PKCS_10 = 0x02, V1_0;
        PEM = 0x03, V1_0;
        PGP = 0x04, V1_0 to V1_1;
    }
}

enumeration! {
    /// What secret data is.
    SecretDataType {
        Password = 0x01, V1_0;
        Seed = 0x02, V1_0;
    }
}

enumeration! {
    /// How a key was split.
    SplitKeyMethod {
        XOR = 0x01, V1_0;
        PolynomialSharingGF2_16 = 0x02, V1_0;
        PolynomialSharingPrimeField = 0x03, V1_0;
        PolynomialSharingGF2_8 = 0x04, V1_2;
    }
}

enumeration! {
    /// What was done to a wrapped key.
    WrappingMethod {
        Encrypt = 0x01, V1_0;
        MACSign = 0x02, V1_0;
        EncryptThenMACSign = 0x03, V1_0;
        MACSignThenEncrypt = 0x04, V1_0;
        TR_31 = 0x05, V1_0;
    }
}

enumeration! {
    /// Whether what was wrapped is the key value as a TTLV item or its bytes alone.
    EncodingOption {
        NoEncoding = 0x01, V1_1;
        TTLVEncoding = 0x02, V1_1;
    }
}

enumeration! {
    /// Whether a key is given wrapped as it was registered.
    KeyWrapType {
        NotWrapped = 0x01, V1_4;
        AsRegistered = 0x02, V1_4;
    }
}

enumeration! {
    /// Roles of keys in banking.
    KeyRoleType {
        BDK = 0x01, V1_0;
        CVK = 0x02, V1_0;
        DEK = 0x03, V1_0;
        MKAC = 0x04, V1_0;
        MKSMC = 0x05, V1_0;
        MKSMI = 0x06, V1_0;
        MKDAC = 0x07, V1_0;
        MKDN = 0x08, V1_0;
        MKCP = 0x09, V1_0;
        MKOTH = 0x0a, V1_0;
        KEK = 0x0b, V1_0;
        MAC16609 = 0x0c, V1_0;
        MAC97971 = 0x0d, V1_0;
        MAC97972 = 0x0e, V1_0;
        MAC97973 = 0x0f, V1_0;
        MAC97974 = 0x10, V1_0;
        MAC97975 = 0x11, V1_0;
        ZPK = 0x12, V1_0;
        PVKIBM = 0x13, V1_0;
        PVKPVV = 0x14, V1_0;
        PVKOTH = 0x15, V1_0;
        DUKPT = 0x16, V1_4;
        IV = 0x17, V1_4;
        TRKBK = 0x18, V1_4;
    }
}

enumeration! {
    /// Kinds of keys of SP 800-57.
    NISTKeyType {
        PrivateSignatureKey = 0x01, V2_0;
        PublicSignatureVerificationKey = 0x02, V2_0;
        SymmetricAuthenticationKey = 0x03, V2_0;
        PrivateAuthenticationKey = 0x04, V2_0;
        PublicAuthenticationKey = 0x05, V2_0;
        SymmetricDataEncryptionKey = 0x06, V2_0;
        SymmetricKeyWrappingKey = 0x07, V2_0;
        SymmetricRandomNumberGenerationKey = 0x08, V2_0;
        SymmetricMasterKey = 0x09, V2_0;
        PrivateKeyTransportKey = 0x0a, V2_0;
        PublicKeyTransportKey = 0x0b, V2_0;
        SymmetricKeyAgreementKey = 0x0c, V2_0;
        PrivateStaticKeyAgreementKey = 0x0d, V2_0;
        PublicStaticKeyAgreementKey = 0x0e, V2_0;
        PrivateEphemeralKeyAgreementKey = 0x0f, V2_0;
        PublicEphemeralKeyAgreementKey = 0x10, V2_0;
        SymmetricAuthorizationKey = 0x11, V2_0;
        PrivateAuthorizationKey = 0x12, V2_0;
        PublicAuthorizationKey = 0x13, V2_0;
    }
}

enumeration! {
    /// Where an object is in its life.
    State {
        PreActive = 0x01, V1_0;
        Active = 0x02, V1_0;
        Deactivated = 0x03, V1_0;
        Compromised = 0x04, V1_0;
        Destroyed = 0x05, V1_0;
        DestroyedCompromised = 0x06, V1_0;
    }
}

enumeration! {
    /// Why an object was revoked.
    RevocationReasonCode {
        Unspecified = 0x01, V1_0;
        KeyCompromise = 0x02, V1_0;
        CACompromise = 0x03, V1_0;
        AffiliationChanged = 0x04, V1_0;
        Superseded = 0x05, V1_0;
        CessationOfOperation = 0x06, V1_0;
        PrivilegeWithdrawn = 0x07, V1_0;
    }
}

enumeration! {
    /// How an object is related to the one that its link names.
    LinkType {
        CertificateLink = 0x101, V1_0;
        PublicKeyLink = 0x102, V1_0;
        PrivateKeyLink = 0x103, V1_0;
        DerivationBaseObjectLink = 0x104, V1_0;
        DerivedKeyLink = 0x105, V1_0;
        ReplacementObjectLink = 0x106, V1_0;
        ReplacedObjectLink = 0x107, V1_0;
        ParentLink = 0x108, V1_2;
        ChildLink = 0x109, V1_2;
        PreviousLink = 0x10a, V1_2;
        NextLink = 0x10b, V1_2;
        PKCS_12CertificateLink = 0x10c, V1_4;
        PKCS_12PasswordLink = 0x10d, V1_4;
        WrappingKeyLink = 0x10e, V2_0;
    }
}

enumeration! {
    /// What a name is.
    NameType {
        UninterpretedTextString = 0x01, V1_0;
        URI = 0x02, V1_0;
    }
}

enumeration! {
    /// What the name of a rotated object is.
    RotateNameType {
        UninterpretedTextString = 0x01, V2_1;
        URI = 0x02, V2_1;
    }
}

enumeration! {
    /// What an alternative name is.
    AlternativeNameType {
        UninterpretedTextString = 0x01, V1_2;
        URI = 0x02, V1_2;
        ObjectSerialNumber = 0x03, V1_2;
        EmailAddress = 0x04, V1_2;
        DNSName = 0x05, V1_2;
        X_500DistinguishedName = 0x06, V1_2;
        IPAddress = 0x07, V1_2;
    }
}

enumeration! {
    /// What the place of a key value that is kept elsewhere is.
    KeyValueLocationType {
        UninterpretedTextString = 0x01, V1_2;
        URI = 0x02, V1_2;
    }
}

enumeration! {
    /// What usage limits count.
    UsageLimitsUnit {
        Byte = 0x01, V1_0;
        Object = 0x02, V1_0;
    }
}

enumeration! {
    /// Which member of a group is asked for.
    ObjectGroupMemberOption {
        GroupMemberFresh = 0x01, V1_1;
        GroupMemberDefault = 0x02, V1_1;
    }
}

enumeration! {
    /// How well an object is protected.
    ProtectionLevel {
        High = 0x01, V2_0;
        Low = 0x02, V2_0;
    }
}

enumeration! {
    /// How an object is kept: bits of an integer.
    ProtectionStorageMask {
        Software = 0x00000001, V2_0;
        Hardware = 0x00000002, V2_0;
        OnProcessor = 0x00000004, V2_0;
        OnSystem = 0x00000008, V2_0;
        OffSystem = 0x00000010, V2_0;
        Hypervisor = 0x00000020, V2_0;
        OperatingSystem = 0x00000040, V2_0;
        Container = 0x00000080, V2_0;
        OnPremises = 0x00000100, V2_0;
        OffPremises = 0x00000200, V2_0;
        SelfManaged = 0x00000400, V2_0;
        Outsourced = 0x00000800, V2_0;
        Validated = 0x00001000, V2_0;
        SameJurisdiction = 0x00002000, V2_0;
    }
}

enumeration! {
    /// Where an object is: bits of an integer.
    StorageStatusMask {
        OnLineStorage = 0x00000001, V1_0;
        ArchivalStorage = 0x00000002, V1_0;
        DestroyedStorage = 0x00000004, V2_0;
    }
}
