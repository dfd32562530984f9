//! Enumerations with which a server describes itself.

use super::enumeration;

enumeration! {
    /// Who validated the server.
    ValidationAuthorityType {
        Unspecified = 0x01, V1_3;
        NISTCMVP = 0x02, V1_3;
        CommonCriteria = 0x03, V1_3;
    }
}

enumeration! {
    /// What of the server was validated.
    ValidationType {
        Unspecified = 0x01, V1_3;
        Hardware = 0x02, V1_3;
        Software = 0x03, V1_3;
        Firmware = 0x04, V1_3;
        Hybrid = 0x05, V1_3;
    }
}

enumeration! {
    /// What unwrapping does with a key.
    UnwrapMode {
        Unspecified = 0x01, V1_3;
        Processed = 0x02, V1_3;
        NotProcessed = 0x03, V1_3;
    }
}

enumeration! {
    /// What destroying leaves.
    DestroyActionType {
        Unspecified = 0x01, V1_3;
        KeyMaterialDeleted = 0x02, V1_3;
        KeyMaterialShredded = 0x03, V1_3;
        MetaDataDeleted = 0x04, V1_3;
        MetaDataShredded = 0x05, V1_3;
        Deleted = 0x06, V1_3;
        Shredded = 0x07, V1_3;
    }
}

enumeration! {
    /// How key material is shredded.
    ShreddingAlgorithm {
        Unspecified = 0x01, V1_3;
        Cryptographic = 0x02, V1_3;
        Unsupported = 0x03, V1_3;
    }
}

enumeration! {
    /// How clients are made known to the server.
    ClientRegistrationMethod {
        Unspecified = 0x01, V1_3;
        ServerPreGenerated = 0x02, V1_3;
        ServerOnDemand = 0x03, V1_3;
        ClientGenerated = 0x04, V1_3;
        ClientRegistered = 0x05, V1_3;
    }
}

enumeration! {
    /// Profiles that a server may conform to. 2.0 gave them names without a version.
    ProfileName {
        BaselineServerBasicKMIPV1_2 = 0x01, V1_3 to V1_4;
        BaselineServerTLSV1_2KMIPV1_2 = 0x02, V1_3 to V1_4;
        BaselineClientBasicKMIPV1_2 = 0x03, V1_3 to V1_4;
        BaselineClientTLSV1_2KMIPV1_2 = 0x04, V1_3 to V1_4;
        CompleteServerBasicKMIPV1_2 = 0x05, V1_3 to V1_4;
        CompleteServerTLSV1_2KMIPV1_2 = 0x06, V1_3 to V1_4;
        TapeLibraryClientKMIPV1_0 = 0x07, V1_3 to V1_4;
        TapeLibraryClientKMIPV1_1 = 0x08, V1_3 to V1_4;
        TapeLibraryClientKMIPV1_2 = 0x09, V1_3 to V1_4;
        TapeLibraryServerKMIPV1_0 = 0x0a, V1_3 to V1_4;
        TapeLibraryServerKMIPV1_1 = 0x0b, V1_3 to V1_4;
        TapeLibraryServerKMIPV1_2 = 0x0c, V1_3 to V1_4;
        SymmetricKeyLifecycleClientKMIPV1_0 = 0x0d, V1_3 to V1_4;
        SymmetricKeyLifecycleClientKMIPV1_1 = 0x0e, V1_3 to V1_4;
        SymmetricKeyLifecycleClientKMIPV1_2 = 0x0f, V1_3 to V1_4;
        SymmetricKeyLifecycleServerKMIPV1_0 = 0x10, V1_3 to V1_4;
        SymmetricKeyLifecycleServerKMIPV1_1 = 0x11, V1_3 to V1_4;
        SymmetricKeyLifecycleServerKMIPV1_2 = 0x12, V1_3 to V1_4;
        AsymmetricKeyLifecycleClientKMIPV1_0 = 0x13, V1_3 to V1_4;
        AsymmetricKeyLifecycleClientKMIPV1_1 = 0x14, V1_3 to V1_4;
        AsymmetricKeyLifecycleClientKMIPV1_2 = 0x15, V1_3 to V1_4;
        AsymmetricKeyLifecycleServerKMIPV1_0 = 0x16, V1_3 to V1_4;
        AsymmetricKeyLifecycleServerKMIPV1_1 = 0x17, V1_3 to V1_4;
        AsymmetricKeyLifecycleServerKMIPV1_2 = 0x18, V1_3 to V1_4;
        BasicCryptographicClientKMIPV1_2 = 0x19, V1_3 to V1_4;
        BasicCryptographicServerKMIPV1_2 = 0x1a, V1_3 to V1_4;
        AdvancedCryptographicClientKMIPV1_2 = 0x1b, V1_3 to V1_4;
        AdvancedCryptographicServerKMIPV1_2 = 0x1c, V1_3 to V1_4;
        RNGCryptographicClientKMIPV1_2 = 0x1d, V1_3 to V1_4;
        RNGCryptographicServerKMIPV1_2 = 0x1e, V1_3 to V1_4;
        BasicSymmetricKeyFoundryClientKMIPV1_0 = 0x1f, V1_3 to V1_4;
        IntermediateSymmetricKeyFoundryClientKMIPV1_0 = 0x20, V1_3 to V1_4;
        AdvancedSymmetricKeyFoundryClientKMIPV1_0 = 0x21, V1_3 to V1_4;
        BasicSymmetricKeyFoundryClientKMIPV1_1 = 0x22, V1_3 to V1_4;
        IntermediateSymmetricKeyFoundryClientKMIPV1_1 = 0x23, V1_3 to V1_4;
        AdvancedSymmetricKeyFoundryClientKMIPV1_1 = 0x24, V1_3 to V1_4;
        BasicSymmetricKeyFoundryClientKMIPV1_2 = 0x25, V1_3 to V1_4;
        IntermediateSymmetricKeyFoundryClientKMIPV1_2 = 0x26, V1_3 to V1_4;
        AdvancedSymmetricKeyFoundryClientKMIPV1_2 = 0x27, V1_3 to V1_4;
        SymmetricKeyFoundryServerKMIPV1_0 = 0x28, V1_3 to V1_4;
        SymmetricKeyFoundryServerKMIPV1_1 = 0x29, V1_3 to V1_4;
        SymmetricKeyFoundryServerKMIPV1_2 = 0x2a, V1_3 to V1_4;
        OpaqueManagedObjectStoreClientKMIPV1_0 = 0x2b, V1_3 to V1_4;
        OpaqueManagedObjectStoreClientKMIPV1_1 = 0x2c, V1_3 to V1_4;
        OpaqueManagedObjectStoreClientKMIPV1_2 = 0x2d, V1_3 to V1_4;
        OpaqueManagedObjectStoreServerKMIPV1_0 = 0x2e, V1_3 to V1_4;
        OpaqueManagedObjectStoreServerKMIPV1_1 = 0x2f, V1_3 to V1_4;
        OpaqueManagedObjectStoreServerKMIPV1_2 = 0x30, V1_3 to V1_4;
        SuiteBMinLOS_128ClientKMIPV1_0 = 0x31, V1_3 to V1_4;
        SuiteBMinLOS_128ClientKMIPV1_1 = 0x32, V1_3 to V1_4;
        SuiteBMinLOS_128ClientKMIPV1_2 = 0x33, V1_3 to V1_4;
        SuiteBMinLOS_128ServerKMIPV1_0 = 0x34, V1_3 to V1_4;
        SuiteBMinLOS_128ServerKMIPV1_1 = 0x35, V1_3 to V1_4;
        SuiteBMinLOS_128ServerKMIPV1_2 = 0x36, V1_3 to V1_4;
        SuiteBMinLOS_192ClientKMIPV1_0 = 0x37, V1_3 to V1_4;
        SuiteBMinLOS_192ClientKMIPV1_1 = 0x38, V1_3 to V1_4;
        SuiteBMinLOS_192ClientKMIPV1_2 = 0x39, V1_3 to V1_4;
        SuiteBMinLOS_192ServerKMIPV1_0 = 0x3a, V1_3 to V1_4;
        SuiteBMinLOS_192ServerKMIPV1_1 = 0x3b, V1_3 to V1_4;
        SuiteBMinLOS_192ServerKMIPV1_2 = 0x3c, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveClientKMIPV1_0 = 0x3d, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveClientKMIPV1_1 = 0x3e, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveClientKMIPV1_2 = 0x3f, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveServerKMIPV1_0 = 0x40, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveServerKMIPV1_1 = 0x41, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveServerKMIPV1_2 = 0x42, V1_3 to V1_4;
        HTTPSClientKMIPV1_0 = 0x43, V1_3 to V1_4;
        HTTPSClientKMIPV1_1 = 0x44, V1_3 to V1_4;
        HTTPSClientKMIPV1_2 = 0x45, V1_3 to V1_4;
        HTTPSServerKMIPV1_0 = 0x46, V1_3 to V1_4;
        HTTPSServerKMIPV1_1 = 0x47, V1_3 to V1_4;
        HTTPSServerKMIPV1_2 = 0x48, V1_3 to V1_4;
        JSONClientKMIPV1_0 = 0x49, V1_3 to V1_4;
        JSONClientKMIPV1_1 = 0x4a, V1_3 to V1_4;
        JSONClientKMIPV1_2 = 0x4b, V1_3 to V1_4;
        JSONServerKMIPV1_0 = 0x4c, V1_3 to V1_4;
        JSONServerKMIPV1_1 = 0x4d, V1_3 to V1_4;
        JSONServerKMIPV1_2 = 0x4e, V1_3 to V1_4;
        XMLClientKMIPV1_0 = 0x4f, V1_3 to V1_4;
        XMLClientKMIPV1_1 = 0x50, V1_3 to V1_4;
        XMLClientKMIPV1_2 = 0x51, V1_3 to V1_4;
        XMLServerKMIPV1_0 = 0x52, V1_3 to V1_4;
        XMLServerKMIPV1_1 = 0x53, V1_3 to V1_4;
        XMLServerKMIPV1_2 = 0x54, V1_3 to V1_4;
        BaselineServerBasicKMIPV1_3 = 0x55, V1_3 to V1_4;
        BaselineServerTLSV1_2KMIPV1_3 = 0x56, V1_3 to V1_4;
        BaselineClientBasicKMIPV1_3 = 0x57, V1_3 to V1_4;
        BaselineClientTLSV1_2KMIPV1_3 = 0x58, V1_3 to V1_4;
        CompleteServerBasicKMIPV1_3 = 0x59, V1_3 to V1_4;
        CompleteServerTLSV1_2KMIPV1_3 = 0x5a, V1_3 to V1_4;
        TapeLibraryClientKMIPV1_3 = 0x5b, V1_3 to V1_4;
        TapeLibraryServerKMIPV1_3 = 0x5c, V1_3 to V1_4;
        SymmetricKeyLifecycleClientKMIPV1_3 = 0x5d, V1_3 to V1_4;
        SymmetricKeyLifecycleServerKMIPV1_3 = 0x5e, V1_3 to V1_4;
        AsymmetricKeyLifecycleClientKMIPV1_3 = 0x5f, V1_3 to V1_4;
        AsymmetricKeyLifecycleServerKMIPV1_3 = 0x60, V1_3 to V1_4;
        BasicCryptographicClientKMIPV1_3 = 0x61, V1_3 to V1_4;
        BasicCryptographicServerKMIPV1_3 = 0x62, V1_3 to V1_4;
        AdvancedCryptographicClientKMIPV1_3 = 0x63, V1_3 to V1_4;
        AdvancedCryptographicServerKMIPV1_3 = 0x64, V1_3 to V1_4;
        RNGCryptographicClientKMIPV1_3 = 0x65, V1_3 to V1_4;
        RNGCryptographicServerKMIPV1_3 = 0x66, V1_3 to V1_4;
        BasicSymmetricKeyFoundryClientKMIPV1_3 = 0x67, V1_3 to V1_4;
        IntermediateSymmetricKeyFoundryClientKMIPV1_3 = 0x68, V1_3 to V1_4;
        AdvancedSymmetricKeyFoundryClientKMIPV1_3 = 0x69, V1_3 to V1_4;
        SymmetricKeyFoundryServerKMIPV1_3 = 0x6a, V1_3 to V1_4;
        OpaqueManagedObjectStoreClientKMIPV1_3 = 0x6b, V1_3 to V1_4;
        OpaqueManagedObjectStoreServerKMIPV1_3 = 0x6c, V1_3 to V1_4;
        SuiteBMinLOS_128ClientKMIPV1_3 = 0x6d, V1_3 to V1_4;
        SuiteBMinLOS_128ServerKMIPV1_3 = 0x6e, V1_3 to V1_4;
        SuiteBMinLOS_192ClientKMIPV1_3 = 0x6f, V1_3 to V1_4;
        SuiteBMinLOS_192ServerKMIPV1_3 = 0x70, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveClientKMIPV1_3 = 0x71, V1_3 to V1_4;
        StorageArrayWithSelfEncryptingDriveServerKMIPV1_3 = 0x72, V1_3 to V1_4;
        HTTPSClientKMIPV1_3 = 0x73, V1_3 to V1_4;
        HTTPSServerKMIPV1_3 = 0x74, V1_3 to V1_4;
        JSONClientKMIPV1_3 = 0x75, V1_3 to V1_4;
        JSONServerKMIPV1_3 = 0x76, V1_3 to V1_4;
        XMLClientKMIPV1_3 = 0x77, V1_3 to V1_4;
        XMLServerKMIPV1_3 = 0x78, V1_3 to V1_4;
        BaselineServerBasicKMIPV1_4 = 0x79, V1_4 to V1_4;
        BaselineServerTLSV1_2KMIPV1_4 = 0x7a, V1_4 to V1_4;
        BaselineClientBasicKMIPV1_4 = 0x7b, V1_4 to V1_4;
        BaselineClientTLSV1_2KMIPV1_4 = 0x7c, V1_4 to V1_4;
        CompleteServerBasicKMIPV1_4 = 0x7d, V1_4 to V1_4;
        CompleteServerTLSV1_2KMIPV1_4 = 0x7e, V1_4 to V1_4;
        TapeLibraryClientKMIPV1_4 = 0x7f, V1_4 to V1_4;
        TapeLibraryServerKMIPV1_4 = 0x80, V1_4 to V1_4;
        SymmetricKeyLifecycleClientKMIPV1_4 = 0x81, V1_4 to V1_4;
        SymmetricKeyLifecycleServerKMIPV1_4 = 0x82, V1_4 to V1_4;
        AsymmetricKeyLifecycleClientKMIPV1_4 = 0x83, V1_4 to V1_4;
        AsymmetricKeyLifecycleServerKMIPV1_4 = 0x84, V1_4 to V1_4;
        BasicCryptographicClientKMIPV1_4 = 0x85, V1_4 to V1_4;
        BasicCryptographicServerKMIPV1_4 = 0x86, V1_4 to V1_4;
        AdvancedCryptographicClientKMIPV1_4 = 0x87, V1_4 to V1_4;
        AdvancedCryptographicServerKMIPV1_4 = 0x88, V1_4 to V1_4;
        RNGCryptographicClientKMIPV1_4 = 0x89, V1_4 to V1_4;
        RNGCryptographicServerKMIPV1_4 = 0x8a, V1_4 to V1_4;
        BasicSymmetricKeyFoundryClientKMIPV1_4 = 0x8b, V1_4 to V1_4;
        IntermediateSymmetricKeyFoundryClientKMIPV1_4 = 0x8c, V1_4 to V1_4;
        AdvancedSymmetricKeyFoundryClientKMIPV1_4 = 0x8d, V1_4 to V1_4;
        SymmetricKeyFoundryServerKMIPV1_4 = 0x8e, V1_4 to V1_4;
        OpaqueManagedObjectStoreClientKMIPV1_4 = 0x8f, V1_4 to V1_4;
        OpaqueManagedObjectStoreServerKMIPV1_4 = 0x90, V1_4 to V1_4;
        SuiteBMinLOS_128ClientKMIPV1_4 = 0x91, V1_4 to V1_4;
        SuiteBMinLOS_128ServerKMIPV1_4 = 0x92, V1_4 to V1_4;
        SuiteBMinLOS_192ClientKMIPV1_4 = 0x93, V1_4 to V1_4;
        SuiteBMinLOS_192ServerKMIPV1_4 = 0x94, V1_4 to V1_4;
        StorageArrayWithSelfEncryptingDriveClientKMIPV1_4 = 0x95, V1_4 to V1_4;
        StorageArrayWithSelfEncryptingDriveServerKMIPV1_4 = 0x96, V1_4 to V1_4;
        HTTPSClientKMIPV1_4 = 0x97, V1_4 to V1_4;
        HTTPSServerKMIPV1_4 = 0x98, V1_4 to V1_4;
        JSONClientKMIPV1_4 = 0x99, V1_4 to V1_4;
        JSONServerKMIPV1_4 = 0x9a, V1_4 to V1_4;
        XMLClientKMIPV1_4 = 0x9b, V1_4 to V1_4;
        XMLServerKMIPV1_4 = 0x9c, V1_4 to V1_4;
        CompleteServerBasic = 0x104, V2_0;
        CompleteServerTLSV1_2 = 0x105, V2_0;
        TapeLibraryClient = 0x106, V2_0;
        TapeLibraryServer = 0x107, V2_0;
        SymmetricKeyLifecycleClient = 0x108, V2_0;
        SymmetricKeyLifecycleServer = 0x109, V2_0;
        AsymmetricKeyLifecycleClient = 0x10a, V2_0;
        AsymmetricKeyLifecycleServer = 0x10b, V2_0;
        BasicCryptographicClient = 0x10c, V2_0;
        BasicCryptographicServer = 0x10d, V2_0;
        AdvancedCryptographicClient = 0x10e, V2_0;
        AdvancedCryptographicServer = 0x10f, V2_0;
        RNGCryptographicClient = 0x110, V2_0;
        RNGCryptographicServer = 0x111, V2_0;
        BasicSymmetricKeyFoundryClient = 0x112, V2_0;
        IntermediateSymmetricKeyFoundryClient = 0x113, V2_0;
        AdvancedSymmetricKeyFoundryClient = 0x114, V2_0;
        SymmetricKeyFoundryServer = 0x115, V2_0;
        OpaqueManagedObjectStoreClient = 0x116, V2_0;
        OpaqueManagedObjectStoreServer = 0x117, V2_0;
        StorageArrayWithSelfEncryptingDriveClient = 0x11c, V2_0;
        StorageArrayWithSelfEncryptingDriveServer = 0x11d, V2_0;
        HTTPSClient = 0x11e, V2_0;
        HTTPSServer = 0x11f, V2_0;
        JSONClient = 0x120, V2_0;
        JSONServer = 0x121, V2_0;
        XMLClient = 0x122, V2_0;
        XMLServer = 0x123, V2_0;
        AESXTSClient = 0x124, V2_0;
        AESXTSServer = 0x125, V2_0;
        QuantumSafeClient = 0x126, V2_0;
        QuantumSafeServer = 0x127, V2_0;
        PKCS_11Client = 0x128, V2_0;
        PKCS_11Server = 0x129, V2_0;
        BaselineClient = 0x12a, V2_0;
        BaselineServer = 0x12b, V2_0;
        CompleteServer = 0x12c, V2_0;
    }
}
