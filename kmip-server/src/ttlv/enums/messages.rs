//! Enumerations of messages: operations, their results, what they are asked.

use super::enumeration;

enumeration! {
    /// Operations.
    Operation {
        Create = 0x01, V1_0;
        CreateKeyPair = 0x02, V1_0;
        Register = 0x03, V1_0;
        ReKey = 0x04, V1_0;
        DeriveKey = 0x05, V1_0;
        Certify = 0x06, V1_0;
        ReCertify = 0x07, V1_0;
        Locate = 0x08, V1_0;
        Check = 0x09, V1_0;
        Get = 0x0a, V1_0;
        GetAttributes = 0x0b, V1_0;
        GetAttributeList = 0x0c, V1_0;
        AddAttribute = 0x0d, V1_0;
        ModifyAttribute = 0x0e, V1_0;
        DeleteAttribute = 0x0f, V1_0;
        ObtainLease = 0x10, V1_0;
        GetUsageAllocation = 0x11, V1_0;
        Activate = 0x12, V1_0;
        Revoke = 0x13, V1_0;
        Destroy = 0x14, V1_0;
        Archive = 0x15, V1_0;
        Recover = 0x16, V1_0;
        Validate = 0x17, V1_0;
        Query = 0x18, V1_0;
        Cancel = 0x19, V1_0;
        Poll = 0x1a, V1_0;
        Notify = 0x1b, V1_0;
        Put = 0x1c, V1_0;
        ReKeyKeyPair = 0x1d, V1_1;
        DiscoverVersions = 0x1e, V1_1;
        Encrypt = 0x1f, V1_2;
        Decrypt = 0x20, V1_2;
        Sign = 0x21, V1_2;
        SignatureVerify = 0x22, V1_2;
        MAC = 0x23, V1_2;
        MACVerify = 0x24, V1_2;
        RNGRetrieve = 0x25, V1_2;
        RNGSeed = 0x26, V1_2;
        Hash = 0x27, V1_2;
        CreateSplitKey = 0x28, V1_2;
        JoinSplitKey = 0x29, V1_2;
        Import = 0x2a, V1_4;
        Export = 0x2b, V1_4;
        Log = 0x2c, V2_0;
        Login = 0x2d, V2_0;
        Logout = 0x2e, V2_0;
        DelegatedLogin = 0x2f, V2_0;
        AdjustAttribute = 0x30, V2_0;
        SetAttribute = 0x31, V2_0;
        SetEndpointRole = 0x32, V2_0;
        PKCS_11 = 0x33, V2_0;
        Interop = 0x34, V2_0;
        ReProvision = 0x35, V2_0;
        SetDefaults = 0x36, V2_1;
        SetConstraints = 0x37, V2_1;
        GetConstraints = 0x38, V2_1;
        QueryAsynchronousRequests = 0x39, V2_1;
        Process = 0x3a, V2_1;
        Ping = 0x3b, V2_1;
    }
}

enumeration! {
    /// What became of a batch item.
    ResultStatus {
        Success = 0x00, V1_0;
        OperationFailed = 0x01, V1_0;
        OperationPending = 0x02, V1_0;
        OperationUndone = 0x03, V1_0;
    }
}

enumeration! {
    /// Why a batch item failed.
    ResultReason {
        ItemNotFound = 0x01, V1_0;
        ResponseTooLarge = 0x02, V1_0;
        AuthenticationNotSuccessful = 0x03, V1_0;
        InvalidMessage = 0x04, V1_0;
        OperationNotSupported = 0x05, V1_0;
        MissingData = 0x06, V1_0;
        InvalidField = 0x07, V1_0;
        FeatureNotSupported = 0x08, V1_0;
        OperationCanceledByRequester = 0x09, V1_0;
        CryptographicFailure = 0x0a, V1_0;
        IllegalOperation = 0x0b, V1_0 to V1_4;
        PermissionDenied = 0x0c, V1_0;
        ObjectArchived = 0x0d, V1_0;
        IndexOutOfBounds = 0x0e, V1_0 to V1_4;
        ApplicationNamespaceNotSupported = 0x0f, V1_0;
        KeyFormatTypeNotSupported = 0x10, V1_0;
        KeyCompressionTypeNotSupported = 0x11, V1_0;
        EncodingOptionError = 0x12, V1_1;
        KeyValueNotPresent = 0x13, V1_2;
        AttestationRequired = 0x14, V1_2;
        AttestationFailed = 0x15, V1_2;
        Sensitive = 0x16, V1_4;
        NotExtractable = 0x17, V1_4;
        ObjectAlreadyExists = 0x18, V1_4;
        InvalidTicket = 0x19, V2_0;
        UsageLimitExceeded = 0x1a, V2_0;
        NumericRange = 0x1b, V2_0;
        InvalidDataType = 0x1c, V2_0;
        ReadOnlyAttribute = 0x1d, V2_0;
        MultiValuedAttribute = 0x1e, V2_0;
        UnsupportedAttribute = 0x1f, V2_0;
        AttributeInstanceNotFound = 0x20, V2_0;
        AttributeNotFound = 0x21, V2_0;
        AttributeReadOnly = 0x22, V2_0;
        AttributeSingleValued = 0x23, V2_0;
        BadCryptographicParameters = 0x24, V2_0;
        BadPassword = 0x25, V2_0;
        CodecError = 0x26, V2_0;
        IllegalObjectType = 0x28, V2_0;
        IncompatibleCryptographicUsageMask = 0x29, V2_0;
        InternalServerError = 0x2a, V2_0;
        InvalidAsynchronousCorrelationValue = 0x2b, V2_0;
        InvalidAttribute = 0x2c, V2_0;
        InvalidAttributeValue = 0x2d, V2_0;
        InvalidCorrelationValue = 0x2e, V2_0;
        InvalidCSR = 0x2f, V2_0;
        InvalidObjectType = 0x30, V2_0;
        KeyWrapTypeNotSupported = 0x32, V2_0;
        MissingInitializationVector = 0x34, V2_0;
        NonUniqueNameAttribute = 0x35, V2_0;
        ObjectDestroyed = 0x36, V2_0;
        ObjectNotFound = 0x37, V2_0;
        NotAuthorised = 0x39, V2_0;
        ServerLimitExceeded = 0x3a, V2_0;
        UnknownEnumeration = 0x3b, V2_0;
        UnknownMessageExtension = 0x3c, V2_0;
        UnknownTag = 0x3d, V2_0;
        UnsupportedCryptographicParameters = 0x3e, V2_0;
        UnsupportedProtocolVersion = 0x3f, V2_0;
        WrappingObjectArchived = 0x40, V2_0;
        WrappingObjectDestroyed = 0x41, V2_0;
        WrappingObjectNotFound = 0x42, V2_0;
        WrongKeyLifecycleState = 0x43, V2_0;
        ProtectionStorageUnavailable = 0x44, V2_0;
        PKCS_11CodecError = 0x45, V2_0;
        PKCS_11InvalidFunction = 0x46, V2_0;
        PKCS_11InvalidInterface = 0x47, V2_0;
        PrivateProtectionStorageUnavailable = 0x48, V2_0;
        PublicProtectionStorageUnavailable = 0x49, V2_0;
        UnknownObjectGroup = 0x4a, V2_1;
        ConstraintViolation = 0x4b, V2_1;
        DuplicateProcessRequest = 0x4c, V2_1;
        GeneralFailure = 0x100, V1_0;
    }
}

enumeration! {
    /// What a client asks of the server about itself.
    QueryFunction {
        QueryOperations = 0x01, V1_0;
        QueryObjects = 0x02, V1_0;
        QueryServerInformation = 0x03, V1_0;
        QueryApplicationNamespaces = 0x04, V1_0;
        QueryExtensionList = 0x05, V1_1;
        QueryExtensionMap = 0x06, V1_1;
        QueryAttestationTypes = 0x07, V1_2;
        QueryRNGs = 0x08, V1_3;
        QueryValidations = 0x09, V1_3;
        QueryProfiles = 0x0a, V1_3;
        QueryCapabilities = 0x0b, V1_3;
        QueryClientRegistrationMethods = 0x0c, V1_3;
        QueryDefaultsInformation = 0x0d, V2_0;
        QueryStorageProtectionMasks = 0x0e, V2_0;
    }
}

enumeration! {
    /// What a credential proves itself with.
    CredentialType {
        UsernameAndPassword = 0x01, V1_0;
        Device = 0x02, V1_1;
        Attestation = 0x03, V1_2;
        OneTimePassword = 0x04, V2_0;
        HashedPassword = 0x05, V2_0;
        Ticket = 0x06, V2_0;
    }
}

enumeration! {
    /// What a ticket is for.
    TicketType {
        Login = 0x01, V2_0;
    }
}

enumeration! {
    /// What a client proves its own state with.
    AttestationType {
        TPMQuote = 0x01, V1_2;
        TCGIntegrityReport = 0x02, V1_2;
        SAMLAssertion = 0x03, V1_2;
    }
}

enumeration! {
    /// What happens to a batch after an item failed.
    BatchErrorContinuation {
        Continue = 0x01, V1_0;
        Stop = 0x02, V1_0;
        Undo = 0x03, V1_0;
    }
}

enumeration! {
    /// Whether an operation may be answered later (2.0; a Boolean before).
    AsynchronousIndicator {
        Mandatory = 0x01, V2_0;
        Optional = 0x02, V2_0;
        Prohibited = 0x03, V2_0;
    }
}

enumeration! {
    /// How far an asynchronous request is.
    ProcessingStage {
        Submitted = 0x01, V2_1;
        InProcess = 0x02, V2_1;
        Completed = 0x03, V2_1;
    }
}

enumeration! {
    /// What became of a cancelled operation.
    CancellationResult {
        Canceled = 0x01, V1_0;
        UnableToCancel = 0x02, V1_0;
        Completed = 0x03, V1_0;
        Failed = 0x04, V1_0;
        Unavailable = 0x05, V1_0;
    }
}

enumeration! {
    /// Whether a pushed object is new.
    PutFunction {
        New = 0x01, V1_0;
        Replace = 0x02, V1_0;
    }
}

enumeration! {
    /// Whether objects are valid.
    ValidityIndicator {
        Valid = 0x01, V1_0;
        Invalid = 0x02, V1_0;
        Unknown = 0x03, V1_0;
    }
}

enumeration! {
    /// How an attribute is adjusted.
    AdjustmentType {
        Increment = 0x01, V2_0;
        Decrement = 0x02, V2_0;
        Negate = 0x03, V2_0;
    }
}

enumeration! {
    /// What an interoperability test is about to do.
    InteropFunction {
        Begin = 0x01, V2_0;
        End = 0x02, V2_0;
        Reset = 0x03, V2_0;
    }
}

enumeration! {
    /// Which end of a connection asks.
    EndpointRole {
        Client = 0x01, V2_0;
        Server = 0x02, V2_0;
    }
}

enumeration! {
    /// An object that an earlier item of the same batch named, instead of its identifier.
    UniqueIdentifier {
        IDPlaceholder = 0x01, V2_0;
        Certify = 0x02, V2_0;
        Create = 0x03, V2_0;
        CreateKeyPair = 0x04, V2_0;
        CreateKeyPairPrivateKey = 0x05, V2_0;
        CreateKeyPairPublicKey = 0x06, V2_0;
        CreateSplitKey = 0x07, V2_0;
        DeriveKey = 0x08, V2_0;
        Import = 0x09, V2_0;
        JoinSplitKey = 0x0a, V2_0;
        Locate = 0x0b, V2_0;
        Register = 0x0c, V2_0;
        ReKey = 0x0d, V2_0;
        ReCertify = 0x0e, V2_0;
        ReKeyKeyPair = 0x0f, V2_0;
        ReKeyKeyPairPrivateKey = 0x10, V2_0;
        ReKeyKeyPairPublicKey = 0x11, V2_0;
    }
}

enumeration! {
    /// Data that an earlier item of the same batch produced, instead of the data itself.
    Data {
        Decrypt = 0x01, V2_0;
        Encrypt = 0x02, V2_0;
        Hash = 0x03, V2_0;
        MACMACData = 0x04, V2_0;
        RNGRetrieve = 0x05, V2_0;
        SignSignatureData = 0x06, V2_0;
        SignatureVerify = 0x07, V2_0;
    }
}

enumeration! {
    /// Types of items.
    ItemType {
        Structure = 0x01, V2_0;
        Integer = 0x02, V2_0;
        LongInteger = 0x03, V2_0;
        BigInteger = 0x04, V2_0;
        Enumeration = 0x05, V2_0;
        Boolean = 0x06, V2_0;
        TextString = 0x07, V2_0;
        ByteString = 0x08, V2_0;
        DateTime = 0x09, V2_0;
        Interval = 0x0a, V2_0;
        DateTimeExtended = 0x0b, V2_0;
    }
}
