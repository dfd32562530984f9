//! The tags of KMIP 1.0 to 2.1, one row each: KMIP 1.4, section 9.1.3.1; 2.1, section 11.56. Names are as
//! in the text encodings (KMIP Profiles 2.1, section 5.4.1.3).
//!
//! A row ends with the first version that lists the tag and, if later ones dropped it, the last.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use super::version::{Version, last};

/// What an item is: three bytes, of which the first is 42 for the standard's own and 54 for extensions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// What the standard says of a tag.
struct Row {
    tag: Tag,
    name: &'static str,
    since: Version,
    last: Version,
}

/// Makes the constants and the table.
macro_rules! tags {
    ($($constant:ident = $number:literal, $name:literal, $since:ident $(to $last:ident)?;)*) => {
        impl Tag {
            $(
                #[doc = concat!("`", $name, "`")]
                pub const $constant: Tag = Tag($number);
            )*
        }

        /// In the order of numbers, for binary search.
        const ROWS: &[Row] = &[
            $(Row { tag: Tag::$constant, name: $name, since: Version::$since, last: last!($($last)?) },)*
        ];
    };
}

static BY_NAME: LazyLock<HashMap<&'static str, Tag>> =
    LazyLock::new(|| ROWS.iter().map(|row| (row.name, row.tag)).collect());

impl Tag {
    fn row(self) -> Option<&'static Row> {
        let at = ROWS.binary_search_by_key(&self, |row| row.tag).ok()?;
        ROWS.get(at)
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Its name in the text encodings. `None` for those that are not the standard's.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// The first version that lists it. `None` for those that are not the standard's.
    pub fn since(self) -> Option<Version> {
        self.row().map(|row| row.since)
    }

    /// The last version that lists it. `None` for those that are not the standard's.
    pub fn last(self) -> Option<Version> {
        self.row().map(|row| row.last)
    }

    /// Whether that version lists it. Extensions may be sent in any.
    pub fn is_in(self, version: Version) -> bool {
        match self.row() {
            Some(row) => row.since <= version && version <= row.last,
            None => self.is_extension(),
        }
    }

    /// Whether it is from the range that the standard leaves to others.
    pub fn is_extension(self) -> bool {
        self.0 >> 16 == 0x54
    }

    /// Whether it may be a tag at all: the standard's range or the extensions'.
    pub fn is_possible(self) -> bool {
        matches!(self.0 >> 16, 0x42 | 0x54)
    }

    /// The tag with that name in the text encodings.
    pub fn of_name(name: &str) -> Option<Tag> {
        BY_NAME.get(name).copied()
    }
}

impl From<Tag> for u32 {
    fn from(tag: Tag) -> u32 {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:06x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[rustfmt::skip]
tags! {
    ACTIVATION_DATE = 0x420001, "ActivationDate", V1_0;
    APPLICATION_DATA = 0x420002, "ApplicationData", V1_0;
    APPLICATION_NAMESPACE = 0x420003, "ApplicationNamespace", V1_0;
    APPLICATION_SPECIFIC_INFORMATION = 0x420004, "ApplicationSpecificInformation", V1_0;
    ARCHIVE_DATE = 0x420005, "ArchiveDate", V1_0;
    ASYNCHRONOUS_CORRELATION_VALUE = 0x420006, "AsynchronousCorrelationValue", V1_0;
    ASYNCHRONOUS_INDICATOR = 0x420007, "AsynchronousIndicator", V1_0;
    ATTRIBUTE = 0x420008, "Attribute", V1_0;
    ATTRIBUTE_INDEX = 0x420009, "AttributeIndex", V1_0 to V1_4;
    ATTRIBUTE_NAME = 0x42000a, "AttributeName", V1_0;
    ATTRIBUTE_VALUE = 0x42000b, "AttributeValue", V1_0;
    AUTHENTICATION = 0x42000c, "Authentication", V1_0;
    BATCH_COUNT = 0x42000d, "BatchCount", V1_0;
    BATCH_ERROR_CONTINUATION_OPTION = 0x42000e, "BatchErrorContinuationOption", V1_0;
    BATCH_ITEM = 0x42000f, "BatchItem", V1_0;
    BATCH_ORDER_OPTION = 0x420010, "BatchOrderOption", V1_0;
    BLOCK_CIPHER_MODE = 0x420011, "BlockCipherMode", V1_0;
    CANCELLATION_RESULT = 0x420012, "CancellationResult", V1_0;
    CERTIFICATE = 0x420013, "Certificate", V1_0;
    CERTIFICATE_IDENTIFIER = 0x420014, "CertificateIdentifier", V1_0 to V1_0;
    CERTIFICATE_ISSUER = 0x420015, "CertificateIssuer", V1_0 to V1_0;
    CERTIFICATE_ISSUER_ALTERNATIVE_NAME = 0x420016, "CertificateIssuerAlternativeName", V1_0 to V1_0;
    CERTIFICATE_ISSUER_DISTINGUISHED_NAME = 0x420017, "CertificateIssuerDistinguishedName", V1_0 to V1_0;
    CERTIFICATE_REQUEST = 0x420018, "CertificateRequest", V1_0;
    CERTIFICATE_REQUEST_TYPE = 0x420019, "CertificateRequestType", V1_0;
    CERTIFICATE_SUBJECT = 0x42001a, "CertificateSubject", V1_0 to V1_0;
    CERTIFICATE_SUBJECT_ALTERNATIVE_NAME = 0x42001b, "CertificateSubjectAlternativeName", V1_0 to V1_0;
    CERTIFICATE_SUBJECT_DISTINGUISHED_NAME = 0x42001c, "CertificateSubjectDistinguishedName", V1_0 to V1_0;
    CERTIFICATE_TYPE = 0x42001d, "CertificateType", V1_0;
    CERTIFICATE_VALUE = 0x42001e, "CertificateValue", V1_0;
    COMMON_TEMPLATE_ATTRIBUTE = 0x42001f, "CommonTemplateAttribute", V1_0 to V1_4;
    COMPROMISE_DATE = 0x420020, "CompromiseDate", V1_0;
    COMPROMISE_OCCURRENCE_DATE = 0x420021, "CompromiseOccurrenceDate", V1_0;
    CONTACT_INFORMATION = 0x420022, "ContactInformation", V1_0;
    CREDENTIAL = 0x420023, "Credential", V1_0;
    CREDENTIAL_TYPE = 0x420024, "CredentialType", V1_0;
    CREDENTIAL_VALUE = 0x420025, "CredentialValue", V1_0;
    CRITICALITY_INDICATOR = 0x420026, "CriticalityIndicator", V1_0;
    CRT_COEFFICIENT = 0x420027, "CRTCoefficient", V1_0;
    CRYPTOGRAPHIC_ALGORITHM = 0x420028, "CryptographicAlgorithm", V1_0;
    CRYPTOGRAPHIC_DOMAIN_PARAMETERS = 0x420029, "CryptographicDomainParameters", V1_0;
    CRYPTOGRAPHIC_LENGTH = 0x42002a, "CryptographicLength", V1_0;
    CRYPTOGRAPHIC_PARAMETERS = 0x42002b, "CryptographicParameters", V1_0;
    CRYPTOGRAPHIC_USAGE_MASK = 0x42002c, "CryptographicUsageMask", V1_0;
    CUSTOM_ATTRIBUTE = 0x42002d, "CustomAttribute", V1_0 to V1_4;
    D = 0x42002e, "D", V1_0;
    DEACTIVATION_DATE = 0x42002f, "DeactivationDate", V1_0;
    DERIVATION_DATA = 0x420030, "DerivationData", V1_0;
    DERIVATION_METHOD = 0x420031, "DerivationMethod", V1_0;
    DERIVATION_PARAMETERS = 0x420032, "DerivationParameters", V1_0;
    DESTROY_DATE = 0x420033, "DestroyDate", V1_0;
    DIGEST = 0x420034, "Digest", V1_0;
    DIGEST_VALUE = 0x420035, "DigestValue", V1_0;
    ENCRYPTION_KEY_INFORMATION = 0x420036, "EncryptionKeyInformation", V1_0;
    G = 0x420037, "G", V1_0;
    HASHING_ALGORITHM = 0x420038, "HashingAlgorithm", V1_0;
    INITIAL_DATE = 0x420039, "InitialDate", V1_0;
    INITIALIZATION_VECTOR = 0x42003a, "InitializationVector", V1_0;
    ISSUER = 0x42003b, "Issuer", V1_0 to V1_0;
    ITERATION_COUNT = 0x42003c, "IterationCount", V1_0;
    IV_COUNTER_NONCE = 0x42003d, "IVCounterNonce", V1_0;
    J = 0x42003e, "J", V1_0;
    KEY = 0x42003f, "Key", V1_0;
    KEY_BLOCK = 0x420040, "KeyBlock", V1_0;
    KEY_COMPRESSION_TYPE = 0x420041, "KeyCompressionType", V1_0;
    KEY_FORMAT_TYPE = 0x420042, "KeyFormatType", V1_0;
    KEY_MATERIAL = 0x420043, "KeyMaterial", V1_0;
    KEY_PART_IDENTIFIER = 0x420044, "KeyPartIdentifier", V1_0;
    KEY_VALUE = 0x420045, "KeyValue", V1_0;
    KEY_WRAPPING_DATA = 0x420046, "KeyWrappingData", V1_0;
    KEY_WRAPPING_SPECIFICATION = 0x420047, "KeyWrappingSpecification", V1_0;
    LAST_CHANGE_DATE = 0x420048, "LastChangeDate", V1_0;
    LEASE_TIME = 0x420049, "LeaseTime", V1_0;
    LINK = 0x42004a, "Link", V1_0;
    LINK_TYPE = 0x42004b, "LinkType", V1_0;
    LINKED_OBJECT_IDENTIFIER = 0x42004c, "LinkedObjectIdentifier", V1_0;
    MAC_SIGNATURE = 0x42004d, "MACSignature", V1_0;
    MAC_SIGNATURE_KEY_INFORMATION = 0x42004e, "MACSignatureKeyInformation", V1_0;
    MAXIMUM_ITEMS = 0x42004f, "MaximumItems", V1_0;
    MAXIMUM_RESPONSE_SIZE = 0x420050, "MaximumResponseSize", V1_0;
    MESSAGE_EXTENSION = 0x420051, "MessageExtension", V1_0;
    MODULUS = 0x420052, "Modulus", V1_0;
    NAME = 0x420053, "Name", V1_0;
    NAME_TYPE = 0x420054, "NameType", V1_0;
    NAME_VALUE = 0x420055, "NameValue", V1_0;
    OBJECT_GROUP = 0x420056, "ObjectGroup", V1_0;
    OBJECT_TYPE = 0x420057, "ObjectType", V1_0;
    OFFSET = 0x420058, "Offset", V1_0;
    OPAQUE_DATA_TYPE = 0x420059, "OpaqueDataType", V1_0;
    OPAQUE_DATA_VALUE = 0x42005a, "OpaqueDataValue", V1_0;
    OPAQUE_OBJECT = 0x42005b, "OpaqueObject", V1_0;
    OPERATION = 0x42005c, "Operation", V1_0;
    OPERATION_POLICY_NAME = 0x42005d, "OperationPolicyName", V1_0 to V1_2;
    P = 0x42005e, "P", V1_0;
    PADDING_METHOD = 0x42005f, "PaddingMethod", V1_0;
    PRIME_EXPONENT_P = 0x420060, "PrimeExponentP", V1_0;
    PRIME_EXPONENT_Q = 0x420061, "PrimeExponentQ", V1_0;
    PRIME_FIELD_SIZE = 0x420062, "PrimeFieldSize", V1_0;
    PRIVATE_EXPONENT = 0x420063, "PrivateExponent", V1_0;
    PRIVATE_KEY = 0x420064, "PrivateKey", V1_0;
    PRIVATE_KEY_TEMPLATE_ATTRIBUTE = 0x420065, "PrivateKeyTemplateAttribute", V1_0 to V1_4;
    PRIVATE_KEY_UNIQUE_IDENTIFIER = 0x420066, "PrivateKeyUniqueIdentifier", V1_0;
    PROCESS_START_DATE = 0x420067, "ProcessStartDate", V1_0;
    PROTECT_STOP_DATE = 0x420068, "ProtectStopDate", V1_0;
    PROTOCOL_VERSION = 0x420069, "ProtocolVersion", V1_0;
    PROTOCOL_VERSION_MAJOR = 0x42006a, "ProtocolVersionMajor", V1_0;
    PROTOCOL_VERSION_MINOR = 0x42006b, "ProtocolVersionMinor", V1_0;
    PUBLIC_EXPONENT = 0x42006c, "PublicExponent", V1_0;
    PUBLIC_KEY = 0x42006d, "PublicKey", V1_0;
    PUBLIC_KEY_TEMPLATE_ATTRIBUTE = 0x42006e, "PublicKeyTemplateAttribute", V1_0 to V1_4;
    PUBLIC_KEY_UNIQUE_IDENTIFIER = 0x42006f, "PublicKeyUniqueIdentifier", V1_0;
    PUT_FUNCTION = 0x420070, "PutFunction", V1_0;
    Q = 0x420071, "Q", V1_0;
    Q_STRING = 0x420072, "QString", V1_0;
    QLENGTH = 0x420073, "Qlength", V1_0;
    QUERY_FUNCTION = 0x420074, "QueryFunction", V1_0;
    RECOMMENDED_CURVE = 0x420075, "RecommendedCurve", V1_0;
    REPLACED_UNIQUE_IDENTIFIER = 0x420076, "ReplacedUniqueIdentifier", V1_0;
    REQUEST_HEADER = 0x420077, "RequestHeader", V1_0;
    REQUEST_MESSAGE = 0x420078, "RequestMessage", V1_0;
    REQUEST_PAYLOAD = 0x420079, "RequestPayload", V1_0;
    RESPONSE_HEADER = 0x42007a, "ResponseHeader", V1_0;
    RESPONSE_MESSAGE = 0x42007b, "ResponseMessage", V1_0;
    RESPONSE_PAYLOAD = 0x42007c, "ResponsePayload", V1_0;
    RESULT_MESSAGE = 0x42007d, "ResultMessage", V1_0;
    RESULT_REASON = 0x42007e, "ResultReason", V1_0;
    RESULT_STATUS = 0x42007f, "ResultStatus", V1_0;
    REVOCATION_MESSAGE = 0x420080, "RevocationMessage", V1_0;
    REVOCATION_REASON = 0x420081, "RevocationReason", V1_0;
    REVOCATION_REASON_CODE = 0x420082, "RevocationReasonCode", V1_0;
    KEY_ROLE_TYPE = 0x420083, "KeyRoleType", V1_0;
    SALT = 0x420084, "Salt", V1_0;
    SECRET_DATA = 0x420085, "SecretData", V1_0;
    SECRET_DATA_TYPE = 0x420086, "SecretDataType", V1_0;
    SERIAL_NUMBER = 0x420087, "SerialNumber", V1_0 to V1_0;
    SERVER_INFORMATION = 0x420088, "ServerInformation", V1_0;
    SPLIT_KEY = 0x420089, "SplitKey", V1_0;
    SPLIT_KEY_METHOD = 0x42008a, "SplitKeyMethod", V1_0;
    SPLIT_KEY_PARTS = 0x42008b, "SplitKeyParts", V1_0;
    SPLIT_KEY_THRESHOLD = 0x42008c, "SplitKeyThreshold", V1_0;
    STATE = 0x42008d, "State", V1_0;
    STORAGE_STATUS_MASK = 0x42008e, "StorageStatusMask", V1_0;
    SYMMETRIC_KEY = 0x42008f, "SymmetricKey", V1_0;
    TEMPLATE = 0x420090, "Template", V1_0 to V1_4;
    TEMPLATE_ATTRIBUTE = 0x420091, "TemplateAttribute", V1_0 to V1_4;
    TIME_STAMP = 0x420092, "TimeStamp", V1_0;
    UNIQUE_BATCH_ITEM_ID = 0x420093, "UniqueBatchItemID", V1_0;
    UNIQUE_IDENTIFIER = 0x420094, "UniqueIdentifier", V1_0;
    USAGE_LIMITS = 0x420095, "UsageLimits", V1_0;
    USAGE_LIMITS_COUNT = 0x420096, "UsageLimitsCount", V1_0;
    USAGE_LIMITS_TOTAL = 0x420097, "UsageLimitsTotal", V1_0;
    USAGE_LIMITS_UNIT = 0x420098, "UsageLimitsUnit", V1_0;
    USERNAME = 0x420099, "Username", V1_0;
    VALIDITY_DATE = 0x42009a, "ValidityDate", V1_0;
    VALIDITY_INDICATOR = 0x42009b, "ValidityIndicator", V1_0;
    VENDOR_EXTENSION = 0x42009c, "VendorExtension", V1_0;
    VENDOR_IDENTIFICATION = 0x42009d, "VendorIdentification", V1_0;
    WRAPPING_METHOD = 0x42009e, "WrappingMethod", V1_0;
    X = 0x42009f, "X", V1_0;
    Y = 0x4200a0, "Y", V1_0;
    PASSWORD = 0x4200a1, "Password", V1_0;
    DEVICE_IDENTIFIER = 0x4200a2, "DeviceIdentifier", V1_1;
    ENCODING_OPTION = 0x4200a3, "EncodingOption", V1_1;
    EXTENSION_INFORMATION = 0x4200a4, "ExtensionInformation", V1_1;
    EXTENSION_NAME = 0x4200a5, "ExtensionName", V1_1;
    EXTENSION_TAG = 0x4200a6, "ExtensionTag", V1_1;
    EXTENSION_TYPE = 0x4200a7, "ExtensionType", V1_1;
    FRESH = 0x4200a8, "Fresh", V1_1;
    MACHINE_IDENTIFIER = 0x4200a9, "MachineIdentifier", V1_1;
    MEDIA_IDENTIFIER = 0x4200aa, "MediaIdentifier", V1_1;
    NETWORK_IDENTIFIER = 0x4200ab, "NetworkIdentifier", V1_1;
    OBJECT_GROUP_MEMBER = 0x4200ac, "ObjectGroupMember", V1_1;
    CERTIFICATE_LENGTH = 0x4200ad, "CertificateLength", V1_1;
    DIGITAL_SIGNATURE_ALGORITHM = 0x4200ae, "DigitalSignatureAlgorithm", V1_1;
    CERTIFICATE_SERIAL_NUMBER = 0x4200af, "CertificateSerialNumber", V1_1;
    DEVICE_SERIAL_NUMBER = 0x4200b0, "DeviceSerialNumber", V1_1;
    ISSUER_ALTERNATIVE_NAME = 0x4200b1, "IssuerAlternativeName", V1_1;
    ISSUER_DISTINGUISHED_NAME = 0x4200b2, "IssuerDistinguishedName", V1_1;
    SUBJECT_ALTERNATIVE_NAME = 0x4200b3, "SubjectAlternativeName", V1_1;
    SUBJECT_DISTINGUISHED_NAME = 0x4200b4, "SubjectDistinguishedName", V1_1;
    X509_CERTIFICATE_IDENTIFIER = 0x4200b5, "X_509CertificateIdentifier", V1_1;
    X509_CERTIFICATE_ISSUER = 0x4200b6, "X_509CertificateIssuer", V1_1;
    X509_CERTIFICATE_SUBJECT = 0x4200b7, "X_509CertificateSubject", V1_1;
    KEY_VALUE_LOCATION = 0x4200b8, "KeyValueLocation", V1_2;
    KEY_VALUE_LOCATION_VALUE = 0x4200b9, "KeyValueLocationValue", V1_2;
    KEY_VALUE_LOCATION_TYPE = 0x4200ba, "KeyValueLocationType", V1_2;
    KEY_VALUE_PRESENT = 0x4200bb, "KeyValuePresent", V1_2;
    ORIGINAL_CREATION_DATE = 0x4200bc, "OriginalCreationDate", V1_2;
    PGP_KEY = 0x4200bd, "PGPKey", V1_2;
    PGP_KEY_VERSION = 0x4200be, "PGPKeyVersion", V1_2;
    ALTERNATIVE_NAME = 0x4200bf, "AlternativeName", V1_2;
    ALTERNATIVE_NAME_VALUE = 0x4200c0, "AlternativeNameValue", V1_2;
    ALTERNATIVE_NAME_TYPE = 0x4200c1, "AlternativeNameType", V1_2;
    DATA = 0x4200c2, "Data", V1_2;
    SIGNATURE_DATA = 0x4200c3, "SignatureData", V1_2;
    DATA_LENGTH = 0x4200c4, "DataLength", V1_2;
    RANDOM_IV = 0x4200c5, "RandomIV", V1_2;
    MAC_DATA = 0x4200c6, "MACData", V1_2;
    ATTESTATION_TYPE = 0x4200c7, "AttestationType", V1_2;
    NONCE = 0x4200c8, "Nonce", V1_2;
    NONCE_ID = 0x4200c9, "NonceID", V1_2;
    NONCE_VALUE = 0x4200ca, "NonceValue", V1_2;
    ATTESTATION_MEASUREMENT = 0x4200cb, "AttestationMeasurement", V1_2;
    ATTESTATION_ASSERTION = 0x4200cc, "AttestationAssertion", V1_2;
    IV_LENGTH = 0x4200cd, "IVLength", V1_2;
    TAG_LENGTH = 0x4200ce, "TagLength", V1_2;
    FIXED_FIELD_LENGTH = 0x4200cf, "FixedFieldLength", V1_2;
    COUNTER_LENGTH = 0x4200d0, "CounterLength", V1_2;
    INITIAL_COUNTER_VALUE = 0x4200d1, "InitialCounterValue", V1_2;
    INVOCATION_FIELD_LENGTH = 0x4200d2, "InvocationFieldLength", V1_2;
    ATTESTATION_CAPABLE_INDICATOR = 0x4200d3, "AttestationCapableIndicator", V1_2;
    OFFSET_ITEMS = 0x4200d4, "OffsetItems", V1_3;
    LOCATED_ITEMS = 0x4200d5, "LocatedItems", V1_3;
    CORRELATION_VALUE = 0x4200d6, "CorrelationValue", V1_3;
    INIT_INDICATOR = 0x4200d7, "InitIndicator", V1_3;
    FINAL_INDICATOR = 0x4200d8, "FinalIndicator", V1_3;
    RNG_PARAMETERS = 0x4200d9, "RNGParameters", V1_3;
    RNG_ALGORITHM = 0x4200da, "RNGAlgorithm", V1_3;
    DRBG_ALGORITHM = 0x4200db, "DRBGAlgorithm", V1_3;
    FIPS186_VARIATION = 0x4200dc, "FIPS186Variation", V1_3;
    PREDICTION_RESISTANCE = 0x4200dd, "PredictionResistance", V1_3;
    RANDOM_NUMBER_GENERATOR = 0x4200de, "RandomNumberGenerator", V1_3;
    VALIDATION_INFORMATION = 0x4200df, "ValidationInformation", V1_3;
    VALIDATION_AUTHORITY_TYPE = 0x4200e0, "ValidationAuthorityType", V1_3;
    VALIDATION_AUTHORITY_COUNTRY = 0x4200e1, "ValidationAuthorityCountry", V1_3;
    VALIDATION_AUTHORITY_URI = 0x4200e2, "ValidationAuthorityURI", V1_3;
    VALIDATION_VERSION_MAJOR = 0x4200e3, "ValidationVersionMajor", V1_3;
    VALIDATION_VERSION_MINOR = 0x4200e4, "ValidationVersionMinor", V1_3;
    VALIDATION_TYPE = 0x4200e5, "ValidationType", V1_3;
    VALIDATION_LEVEL = 0x4200e6, "ValidationLevel", V1_3;
    VALIDATION_CERTIFICATE_IDENTIFIER = 0x4200e7, "ValidationCertificateIdentifier", V1_3;
    VALIDATION_CERTIFICATE_URI = 0x4200e8, "ValidationCertificateURI", V1_3;
    VALIDATION_VENDOR_URI = 0x4200e9, "ValidationVendorURI", V1_3;
    VALIDATION_PROFILE = 0x4200ea, "ValidationProfile", V1_3;
    PROFILE_INFORMATION = 0x4200eb, "ProfileInformation", V1_3;
    PROFILE_NAME = 0x4200ec, "ProfileName", V1_3;
    SERVER_URI = 0x4200ed, "ServerURI", V1_3;
    SERVER_PORT = 0x4200ee, "ServerPort", V1_3;
    STREAMING_CAPABILITY = 0x4200ef, "StreamingCapability", V1_3;
    ASYNCHRONOUS_CAPABILITY = 0x4200f0, "AsynchronousCapability", V1_3;
    ATTESTATION_CAPABILITY = 0x4200f1, "AttestationCapability", V1_3;
    UNWRAP_MODE = 0x4200f2, "UnwrapMode", V1_3;
    DESTROY_ACTION = 0x4200f3, "DestroyAction", V1_3;
    SHREDDING_ALGORITHM = 0x4200f4, "ShreddingAlgorithm", V1_3;
    RNG_MODE = 0x4200f5, "RNGMode", V1_3;
    CLIENT_REGISTRATION_METHOD = 0x4200f6, "ClientRegistrationMethod", V1_3;
    CAPABILITY_INFORMATION = 0x4200f7, "CapabilityInformation", V1_3;
    KEY_WRAP_TYPE = 0x4200f8, "KeyWrapType", V1_4;
    BATCH_UNDO_CAPABILITY = 0x4200f9, "BatchUndoCapability", V1_4;
    BATCH_CONTINUE_CAPABILITY = 0x4200fa, "BatchContinueCapability", V1_4;
    PKCS12_FRIENDLY_NAME = 0x4200fb, "PKCS_12FriendlyName", V1_4;
    DESCRIPTION = 0x4200fc, "Description", V1_4;
    COMMENT = 0x4200fd, "Comment", V1_4;
    AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA = 0x4200fe, "AuthenticatedEncryptionAdditionalData", V1_4;
    AUTHENTICATED_ENCRYPTION_TAG = 0x4200ff, "AuthenticatedEncryptionTag", V1_4;
    SALT_LENGTH = 0x420100, "SaltLength", V1_4;
    MASK_GENERATOR = 0x420101, "MaskGenerator", V1_4;
    MASK_GENERATOR_HASHING_ALGORITHM = 0x420102, "MaskGeneratorHashingAlgorithm", V1_4;
    P_SOURCE = 0x420103, "PSource", V1_4;
    TRAILER_FIELD = 0x420104, "TrailerField", V1_4;
    CLIENT_CORRELATION_VALUE = 0x420105, "ClientCorrelationValue", V1_4;
    SERVER_CORRELATION_VALUE = 0x420106, "ServerCorrelationValue", V1_4;
    DIGESTED_DATA = 0x420107, "DigestedData", V1_4;
    CERTIFICATE_SUBJECT_CN = 0x420108, "CertificateSubjectCN", V1_4;
    CERTIFICATE_SUBJECT_O = 0x420109, "CertificateSubjectO", V1_4;
    CERTIFICATE_SUBJECT_OU = 0x42010a, "CertificateSubjectOU", V1_4;
    CERTIFICATE_SUBJECT_EMAIL = 0x42010b, "CertificateSubjectEmail", V1_4;
    CERTIFICATE_SUBJECT_C = 0x42010c, "CertificateSubjectC", V1_4;
    CERTIFICATE_SUBJECT_ST = 0x42010d, "CertificateSubjectST", V1_4;
    CERTIFICATE_SUBJECT_L = 0x42010e, "CertificateSubjectL", V1_4;
    CERTIFICATE_SUBJECT_UID = 0x42010f, "CertificateSubjectUID", V1_4;
    CERTIFICATE_SUBJECT_SERIAL_NUMBER = 0x420110, "CertificateSubjectSerialNumber", V1_4;
    CERTIFICATE_SUBJECT_TITLE = 0x420111, "CertificateSubjectTitle", V1_4;
    CERTIFICATE_SUBJECT_DC = 0x420112, "CertificateSubjectDC", V1_4;
    CERTIFICATE_SUBJECT_DN_QUALIFIER = 0x420113, "CertificateSubjectDNQualifier", V1_4;
    CERTIFICATE_ISSUER_CN = 0x420114, "CertificateIssuerCN", V1_4;
    CERTIFICATE_ISSUER_O = 0x420115, "CertificateIssuerO", V1_4;
    CERTIFICATE_ISSUER_OU = 0x420116, "CertificateIssuerOU", V1_4;
    CERTIFICATE_ISSUER_EMAIL = 0x420117, "CertificateIssuerEmail", V1_4;
    CERTIFICATE_ISSUER_C = 0x420118, "CertificateIssuerC", V1_4;
    CERTIFICATE_ISSUER_ST = 0x420119, "CertificateIssuerST", V1_4;
    CERTIFICATE_ISSUER_L = 0x42011a, "CertificateIssuerL", V1_4;
    CERTIFICATE_ISSUER_UID = 0x42011b, "CertificateIssuerUID", V1_4;
    CERTIFICATE_ISSUER_SERIAL_NUMBER = 0x42011c, "CertificateIssuerSerialNumber", V1_4;
    CERTIFICATE_ISSUER_TITLE = 0x42011d, "CertificateIssuerTitle", V1_4;
    CERTIFICATE_ISSUER_DC = 0x42011e, "CertificateIssuerDC", V1_4;
    CERTIFICATE_ISSUER_DN_QUALIFIER = 0x42011f, "CertificateIssuerDNQualifier", V1_4;
    SENSITIVE = 0x420120, "Sensitive", V1_4;
    ALWAYS_SENSITIVE = 0x420121, "AlwaysSensitive", V1_4;
    EXTRACTABLE = 0x420122, "Extractable", V1_4;
    NEVER_EXTRACTABLE = 0x420123, "NeverExtractable", V1_4;
    REPLACE_EXISTING = 0x420124, "ReplaceExisting", V1_4;
    ATTRIBUTES = 0x420125, "Attributes", V2_0;
    COMMON_ATTRIBUTES = 0x420126, "CommonAttributes", V2_0;
    PRIVATE_KEY_ATTRIBUTES = 0x420127, "PrivateKeyAttributes", V2_0;
    PUBLIC_KEY_ATTRIBUTES = 0x420128, "PublicKeyAttributes", V2_0;
    EXTENSION_ENUMERATION = 0x420129, "ExtensionEnumeration", V2_0;
    EXTENSION_ATTRIBUTE = 0x42012a, "ExtensionAttribute", V2_0;
    EXTENSION_PARENT_STRUCTURE_TAG = 0x42012b, "ExtensionParentStructureTag", V2_0;
    EXTENSION_DESCRIPTION = 0x42012c, "ExtensionDescription", V2_0;
    SERVER_NAME = 0x42012d, "ServerName", V2_0;
    SERVER_SERIAL_NUMBER = 0x42012e, "ServerSerialNumber", V2_0;
    SERVER_VERSION = 0x42012f, "ServerVersion", V2_0;
    SERVER_LOAD = 0x420130, "ServerLoad", V2_0;
    PRODUCT_NAME = 0x420131, "ProductName", V2_0;
    BUILD_LEVEL = 0x420132, "BuildLevel", V2_0;
    BUILD_DATE = 0x420133, "BuildDate", V2_0;
    CLUSTER_INFO = 0x420134, "ClusterInfo", V2_0;
    ALTERNATE_FAILOVER_ENDPOINTS = 0x420135, "AlternateFailoverEndpoints", V2_0;
    SHORT_UNIQUE_IDENTIFIER = 0x420136, "ShortUniqueIdentifier", V2_0;
    TAG = 0x420138, "Tag", V2_0;
    CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER = 0x420139, "CertificateRequestUniqueIdentifier", V2_0;
    NIST_KEY_TYPE = 0x42013a, "NISTKeyType", V2_0;
    ATTRIBUTE_REFERENCE = 0x42013b, "AttributeReference", V2_0;
    CURRENT_ATTRIBUTE = 0x42013c, "CurrentAttribute", V2_0;
    NEW_ATTRIBUTE = 0x42013d, "NewAttribute", V2_0;
    CERTIFICATE_REQUEST_VALUE = 0x420140, "CertificateRequestValue", V2_0;
    LOG_MESSAGE = 0x420141, "LogMessage", V2_0;
    PROFILE_VERSION = 0x420142, "ProfileVersion", V2_0;
    PROFILE_VERSION_MAJOR = 0x420143, "ProfileVersionMajor", V2_0;
    PROFILE_VERSION_MINOR = 0x420144, "ProfileVersionMinor", V2_0;
    PROTECTION_LEVEL = 0x420145, "ProtectionLevel", V2_0;
    PROTECTION_PERIOD = 0x420146, "ProtectionPeriod", V2_0;
    QUANTUM_SAFE = 0x420147, "QuantumSafe", V2_0;
    QUANTUM_SAFE_CAPABILITY = 0x420148, "QuantumSafeCapability", V2_0;
    TICKET = 0x420149, "Ticket", V2_0;
    TICKET_TYPE = 0x42014a, "TicketType", V2_0;
    TICKET_VALUE = 0x42014b, "TicketValue", V2_0;
    REQUEST_COUNT = 0x42014c, "RequestCount", V2_0;
    RIGHTS = 0x42014d, "Rights", V2_0;
    OBJECTS = 0x42014e, "Objects", V2_0;
    OPERATIONS = 0x42014f, "Operations", V2_0;
    RIGHT = 0x420150, "Right", V2_0;
    ENDPOINT_ROLE = 0x420151, "EndpointRole", V2_0;
    DEFAULTS_INFORMATION = 0x420152, "DefaultsInformation", V2_0;
    OBJECT_DEFAULTS = 0x420153, "ObjectDefaults", V2_0;
    EPHEMERAL = 0x420154, "Ephemeral", V2_0;
    SERVER_HASHED_PASSWORD = 0x420155, "ServerHashedPassword", V2_0;
    ONE_TIME_PASSWORD = 0x420156, "OneTimePassword", V2_0;
    HASHED_PASSWORD = 0x420157, "HashedPassword", V2_0;
    ADJUSTMENT_TYPE = 0x420158, "AdjustmentType", V2_0;
    PKCS11_INTERFACE = 0x420159, "PKCS_11Interface", V2_0;
    PKCS11_FUNCTION = 0x42015a, "PKCS_11Function", V2_0;
    PKCS11_INPUT_PARAMETERS = 0x42015b, "PKCS_11InputParameters", V2_0;
    PKCS11_OUTPUT_PARAMETERS = 0x42015c, "PKCS_11OutputParameters", V2_0;
    PKCS11_RETURN_CODE = 0x42015d, "PKCS_11ReturnCode", V2_0;
    PROTECTION_STORAGE_MASK = 0x42015e, "ProtectionStorageMask", V2_0;
    PROTECTION_STORAGE_MASKS = 0x42015f, "ProtectionStorageMasks", V2_0;
    INTEROP_FUNCTION = 0x420160, "InteropFunction", V2_0;
    INTEROP_IDENTIFIER = 0x420161, "InteropIdentifier", V2_0;
    ADJUSTMENT_VALUE = 0x420162, "AdjustmentValue", V2_0;
    COMMON_PROTECTION_STORAGE_MASKS = 0x420163, "CommonProtectionStorageMasks", V2_0;
    PRIVATE_PROTECTION_STORAGE_MASKS = 0x420164, "PrivateProtectionStorageMasks", V2_0;
    PUBLIC_PROTECTION_STORAGE_MASKS = 0x420165, "PublicProtectionStorageMasks", V2_0;
    OBJECT_GROUPS = 0x420166, "ObjectGroups", V2_1;
    OBJECT_TYPES = 0x420167, "ObjectTypes", V2_1;
    CONSTRAINTS = 0x420168, "Constraints", V2_1;
    CONSTRAINT = 0x420169, "Constraint", V2_1;
    ROTATE_INTERVAL = 0x42016a, "RotateInterval", V2_1;
    ROTATE_AUTOMATIC = 0x42016b, "RotateAutomatic", V2_1;
    ROTATE_OFFSET = 0x42016c, "RotateOffset", V2_1;
    ROTATE_DATE = 0x42016d, "RotateDate", V2_1;
    ROTATE_GENERATION = 0x42016e, "RotateGeneration", V2_1;
    ROTATE_NAME = 0x42016f, "RotateName", V2_1;
    ROTATE_NAME_VALUE = 0x420170, "RotateNameValue", V2_1;
    ROTATE_NAME_TYPE = 0x420171, "RotateNameType", V2_1;
    ROTATE_LATEST = 0x420172, "RotateLatest", V2_1;
    ASYNCHRONOUS_REQUEST = 0x420173, "AsynchronousRequest", V2_1;
    SUBMISSION_DATE = 0x420174, "SubmissionDate", V2_1;
    PROCESSING_STAGE = 0x420175, "ProcessingStage", V2_1;
    ASYNCHRONOUS_CORRELATION_VALUES = 0x420176, "AsynchronousCorrelationValues", V2_1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_and_in_range() {
        assert!(ROWS.is_sorted_by(|a, b| a.tag < b.tag));
        for row in ROWS {
            assert!((0x42_0001..=0x42_0176).contains(&row.tag.0) && row.since <= row.last, "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique_and_lead_back() {
        assert_eq!(BY_NAME.len(), ROWS.len());
        for row in ROWS {
            assert_eq!(Tag::of_name(row.name), Some(row.tag));
            assert_eq!(row.tag.to_string(), row.name);
        }
        assert_eq!(Tag::of_name("Uniqueidentifier"), None);
    }

    #[test]
    fn versions_are_those_of_the_standard() {
        let count = |version| ROWS.iter().filter(|row| row.tag.is_in(version)).count();
        assert_eq!(Version::ALL.map(count), [161, 174, 202, 237, 282, 337, 354]);
        assert!(
            Tag::TEMPLATE_ATTRIBUTE.is_in(Version::V1_4) && !Tag::TEMPLATE_ATTRIBUTE.is_in(Version::V2_0)
        );
        assert!(Tag::ATTRIBUTES.is_in(Version::V2_0) && !Tag::ATTRIBUTES.is_in(Version::V1_4));
    }

    #[test]
    fn extensions_are_in_every_version_and_other_numbers_in_none() {
        assert!(Tag(0x54_0001).is_in(Version::V1_0) && Tag(0x54_0001).is_possible());
        assert!(!Tag(0x42_ffff).is_in(Version::V2_1) && Tag(0x42_ffff).is_possible());
        assert!(!Tag(0x43_0001).is_in(Version::V2_1) && !Tag(0x43_0001).is_possible());
        assert_eq!(Tag(0x54_0001).to_string(), "0x540001");
    }
}
