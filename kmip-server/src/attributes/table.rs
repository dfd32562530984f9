//! THE table of KMIP's attributes: KMIP 1.4, section 3, and 2.1, section 4. A row for each, with its
//! name in 1.x, its tag in 2.x, and who may say it when.
//!
//! Inside the server an attribute's value is an item with the attribute's own tag, as 2.x writes it;
//! 1.x's name and Attribute Value are put around it at the edge (`form`).

use crate::ttlv::{ItemType, Tag, Version};

/// Who may set an attribute, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rights {
    /// The server alone.
    Server,
    /// A client when it makes the object, and nobody afterwards.
    AtStart,
    /// A client when it makes the object; who says the same again later changes nothing.
    Unchanging,
    /// A client, while the object's state is Pre-Active; it may not be taken away.
    BeforeActive,
    /// A client, while the object's state is Pre-Active or Active; it may not be taken away.
    BeforeEnd,
    /// As `BeforeEnd`, and until the date that it is has come.
    BeforeReached,
    /// A client, until the object is used; it may be taken away until then.
    BeforeUsed,
    /// A client at any time; it may not be taken away.
    Always,
    /// A client at any time, who may also take it away.
    Free,
}

/// One attribute.
#[derive(Debug)]
pub struct Row {
    /// Its tag.
    pub tag: Tag,
    /// Its name in 1.x.
    pub name: &'static str,
    /// The type of its value.
    pub value: ItemType,
    /// Whether an object may have several.
    pub multiple: bool,
    /// Who may set it.
    pub rights: Rights,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it.
    pub last: Version,
}

impl Row {
    /// Whether a version has it.
    pub fn is_in(&self, version: Version) -> bool {
        self.since <= version && version <= self.last
    }
}

/// The row of a tag.
pub fn row(tag: Tag) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.tag == tag)
}

/// The row of a 1.x name.
pub fn named(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// Every row, in the order in which attributes are listed.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter()
}

const ONE: bool = false;
const MANY: bool = true;

macro_rules! rows {
    ($($tag:ident $name:literal $value:ident $multiple:ident $rights:ident $since:ident $last:ident;)*) => {
        &[$(Row {
            tag: Tag::$tag,
            name: $name,
            value: ItemType::$value,
            multiple: $multiple,
            rights: Rights::$rights,
            since: Version::$since,
            last: Version::$last,
        }),*]
    };
}

#[rustfmt::skip]
static TABLE: &[Row] = rows! {
    UNIQUE_IDENTIFIER               "Unique Identifier"                TextString  ONE  Server       V1_0 V2_1;
    NAME                            "Name"                             Structure   MANY Free         V1_0 V2_1;
    OBJECT_TYPE                     "Object Type"                      Enumeration ONE  Server       V1_0 V2_1;
    CRYPTOGRAPHIC_ALGORITHM         "Cryptographic Algorithm"          Enumeration ONE  AtStart      V1_0 V2_1;
    CRYPTOGRAPHIC_LENGTH            "Cryptographic Length"             Integer     ONE  AtStart      V1_0 V2_1;
    CRYPTOGRAPHIC_PARAMETERS        "Cryptographic Parameters"         Structure   MANY Free         V1_0 V2_1;
    CRYPTOGRAPHIC_DOMAIN_PARAMETERS "Cryptographic Domain Parameters"  Structure   ONE  AtStart      V1_0 V2_1;
    CERTIFICATE_TYPE                "Certificate Type"                 Enumeration ONE  Server       V1_0 V2_1;
    CERTIFICATE_LENGTH              "Certificate Length"               Integer     ONE  Server       V1_1 V2_1;
    X509_CERTIFICATE_IDENTIFIER     "X.509 Certificate Identifier"     Structure   ONE  Server       V1_1 V1_4;
    X509_CERTIFICATE_SUBJECT        "X.509 Certificate Subject"        Structure   ONE  Server       V1_1 V1_4;
    X509_CERTIFICATE_ISSUER         "X.509 Certificate Issuer"         Structure   ONE  Server       V1_1 V1_4;
    CERTIFICATE_IDENTIFIER          "Certificate Identifier"           Structure   ONE  Server       V1_0 V1_4;
    CERTIFICATE_SUBJECT             "Certificate Subject"              Structure   ONE  Server       V1_0 V1_4;
    CERTIFICATE_ISSUER              "Certificate Issuer"               Structure   ONE  Server       V1_0 V1_4;
    CERTIFICATE_SUBJECT_CN          "Certificate Subject CN"           TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_O           "Certificate Subject O"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_OU          "Certificate Subject OU"           TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_EMAIL       "Certificate Subject Email"        TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_C           "Certificate Subject C"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_ST          "Certificate Subject ST"           TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_L           "Certificate Subject L"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_UID         "Certificate Subject UID"          TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_SERIAL_NUMBER "Certificate Subject Serial Number" TextString MANY Server     V1_4 V2_1;
    CERTIFICATE_SUBJECT_TITLE       "Certificate Subject Title"        TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_DC          "Certificate Subject DC"           TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_SUBJECT_DN_QUALIFIER "Certificate Subject DN Qualifier" TextString MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_CN           "Certificate Issuer CN"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_O            "Certificate Issuer O"             TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_OU           "Certificate Issuer OU"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_EMAIL        "Certificate Issuer Email"         TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_C            "Certificate Issuer C"             TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_ST           "Certificate Issuer ST"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_L            "Certificate Issuer L"             TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_UID          "Certificate Issuer UID"           TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_SERIAL_NUMBER "Certificate Issuer Serial Number" TextString MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_TITLE        "Certificate Issuer Title"         TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_DC           "Certificate Issuer DC"            TextString  MANY Server       V1_4 V2_1;
    CERTIFICATE_ISSUER_DN_QUALIFIER "Certificate Issuer DN Qualifier"  TextString  MANY Server       V1_4 V2_1;
    DIGITAL_SIGNATURE_ALGORITHM     "Digital Signature Algorithm"      Enumeration MANY Server       V1_1 V2_1;
    DIGEST                          "Digest"                           Structure   MANY Server       V1_0 V2_1;
    OPERATION_POLICY_NAME           "Operation Policy Name"            TextString  ONE  Unchanging   V1_0 V1_4;
    CRYPTOGRAPHIC_USAGE_MASK        "Cryptographic Usage Mask"         Integer     ONE  Always       V1_0 V2_1;
    LEASE_TIME                      "Lease Time"                       Interval    ONE  Server       V1_0 V2_1;
    USAGE_LIMITS                    "Usage Limits"                     Structure   ONE  BeforeUsed   V1_0 V2_1;
    STATE                           "State"                            Enumeration ONE  Server       V1_0 V2_1;
    INITIAL_DATE                    "Initial Date"                     DateTime    ONE  Server       V1_0 V2_1;
    ACTIVATION_DATE                 "Activation Date"                  DateTime    ONE  BeforeActive V1_0 V2_1;
    PROCESS_START_DATE              "Process Start Date"               DateTime    ONE  BeforeReached V1_0 V2_1;
    PROTECT_STOP_DATE               "Protect Stop Date"                DateTime    ONE  BeforeReached V1_0 V2_1;
    DEACTIVATION_DATE               "Deactivation Date"                DateTime    ONE  BeforeEnd    V1_0 V2_1;
    DESTROY_DATE                    "Destroy Date"                     DateTime    ONE  Server       V1_0 V2_1;
    COMPROMISE_OCCURRENCE_DATE      "Compromise Occurrence Date"       DateTime    ONE  Server       V1_0 V2_1;
    COMPROMISE_DATE                 "Compromise Date"                  DateTime    ONE  Server       V1_0 V2_1;
    REVOCATION_REASON               "Revocation Reason"                Structure   ONE  Server       V1_0 V2_1;
    ARCHIVE_DATE                    "Archive Date"                     DateTime    ONE  Server       V1_0 V2_1;
    OBJECT_GROUP                    "Object Group"                     TextString  MANY Free         V1_0 V2_1;
    FRESH                           "Fresh"                            Boolean     ONE  AtStart      V1_1 V2_1;
    LINK                            "Link"                             Structure   MANY Free         V1_0 V2_1;
    APPLICATION_SPECIFIC_INFORMATION "Application Specific Information" Structure  MANY Free         V1_0 V2_1;
    CONTACT_INFORMATION             "Contact Information"              TextString  ONE  Free         V1_0 V2_1;
    LAST_CHANGE_DATE                "Last Change Date"                 DateTime    ONE  Server       V1_0 V2_1;
    ALTERNATIVE_NAME                "Alternative Name"                 Structure   MANY Free         V1_2 V2_1;
    KEY_VALUE_PRESENT               "Key Value Present"                Boolean     ONE  Server       V1_2 V2_1;
    KEY_VALUE_LOCATION              "Key Value Location"               Structure   MANY Free         V1_2 V2_1;
    ORIGINAL_CREATION_DATE          "Original Creation Date"           DateTime    ONE  AtStart      V1_2 V2_1;
    RANDOM_NUMBER_GENERATOR         "Random Number Generator"          Structure   ONE  AtStart      V1_3 V2_1;
    PKCS12_FRIENDLY_NAME            "PKCS#12 Friendly Name"            TextString  ONE  Free         V1_4 V2_1;
    DESCRIPTION                     "Description"                      TextString  ONE  Free         V1_4 V2_1;
    COMMENT                         "Comment"                          TextString  ONE  Free         V1_4 V2_1;
    SENSITIVE                       "Sensitive"                        Boolean     ONE  Always       V1_4 V2_1;
    ALWAYS_SENSITIVE                "Always Sensitive"                 Boolean     ONE  Server       V1_4 V2_1;
    EXTRACTABLE                     "Extractable"                      Boolean     ONE  Always       V1_4 V2_1;
    NEVER_EXTRACTABLE               "Never Extractable"                Boolean     ONE  Server       V1_4 V2_1;
    KEY_FORMAT_TYPE                 "Key Format Type"                  Enumeration ONE  Server       V2_0 V2_1;
    NIST_KEY_TYPE                   "NIST Key Type"                    Enumeration MANY Free         V2_0 V2_1;
    OPAQUE_DATA_TYPE                "Opaque Data Type"                 Enumeration ONE  Server       V2_0 V2_1;
    PROTECTION_LEVEL                "Protection Level"                 Enumeration ONE  AtStart      V2_0 V2_1;
    PROTECTION_PERIOD               "Protection Period"                Interval    ONE  AtStart      V2_0 V2_1;
    PROTECTION_STORAGE_MASK         "Protection Storage Mask"          Integer     ONE  Server       V2_0 V2_1;
    QUANTUM_SAFE                    "Quantum Safe"                     Boolean     ONE  AtStart      V2_0 V2_1;
    SHORT_UNIQUE_IDENTIFIER         "Short Unique Identifier"          ByteString  ONE  Server       V2_0 V2_1;
    ROTATE_DATE                     "Rotate Date"                      DateTime    ONE  Server       V2_1 V2_1;
    ROTATE_GENERATION               "Rotate Generation"                Integer     ONE  Server       V2_1 V2_1;
    ROTATE_INTERVAL                 "Rotate Interval"                  Interval    ONE  Free         V2_1 V2_1;
    ROTATE_LATEST                   "Rotate Latest"                    Boolean     ONE  Server       V2_1 V2_1;
    ROTATE_NAME                     "Rotate Name"                      TextString  ONE  Free         V2_1 V2_1;
    ROTATE_OFFSET                   "Rotate Offset"                    Interval    ONE  Free         V2_1 V2_1;
};

/// The standard's attributes that apply to templates (KMIP 1.4, section 3, "Applies to Object Types": those
/// of all objects, and those that name templates).
const OF_TEMPLATES: &[Tag] = &[
    Tag::UNIQUE_IDENTIFIER,
    Tag::NAME,
    Tag::OBJECT_TYPE,
    Tag::CRYPTOGRAPHIC_ALGORITHM,
    Tag::CRYPTOGRAPHIC_LENGTH,
    Tag::CRYPTOGRAPHIC_PARAMETERS,
    Tag::CRYPTOGRAPHIC_DOMAIN_PARAMETERS,
    Tag::OPERATION_POLICY_NAME,
    Tag::CRYPTOGRAPHIC_USAGE_MASK,
    Tag::USAGE_LIMITS,
    Tag::INITIAL_DATE,
    Tag::ACTIVATION_DATE,
    Tag::PROCESS_START_DATE,
    Tag::PROTECT_STOP_DATE,
    Tag::DEACTIVATION_DATE,
    Tag::ARCHIVE_DATE,
    Tag::OBJECT_GROUP,
    Tag::APPLICATION_SPECIFIC_INFORMATION,
    Tag::CONTACT_INFORMATION,
    Tag::LAST_CHANGE_DATE,
    Tag::ALTERNATIVE_NAME,
    Tag::ORIGINAL_CREATION_DATE,
    Tag::DESCRIPTION,
    Tag::COMMENT,
    Tag::SENSITIVE,
    Tag::ALWAYS_SENSITIVE,
    Tag::EXTRACTABLE,
    Tag::NEVER_EXTRACTABLE,
];

/// Whether an attribute applies to templates, as every custom one does.
pub fn is_of_templates(tag: Tag) -> bool {
    tag == Tag::ATTRIBUTE || OF_TEMPLATES.contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tags_are_unique_and_tags_are_as_old_as_their_attributes() {
        for row in TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert_eq!(TABLE.iter().filter(|other| other.tag == row.tag).count(), 1, "{}", row.name);
            assert!(row.tag.since().is_some_and(|since| since <= row.since), "{}", row.name);
        }
    }
}
