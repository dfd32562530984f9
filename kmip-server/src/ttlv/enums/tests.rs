//! The tables of enumerations: that each row leads back to itself, and that versions are the standard's.

use super::*;

#[test]
fn rows_are_in_order_and_their_names_unique() {
    for table in TABLES {
        assert!(table.rows.is_sorted_by(|a, b| a.number < b.number), "{}", table.name);
        for row in table.rows {
            assert_eq!(table.row(row.number).map(|found| found.name), Some(row.name));
            for name in [Some(row.name), row.older].into_iter().flatten() {
                let same = table.rows.iter().filter(|row| row.name == name || row.older == Some(name));
                assert_eq!(same.count(), 1, "{} {name}", table.name);
            }
            assert!(row.since <= row.last, "{} {}", table.name, row.name);
        }
    }
}

#[test]
fn no_value_is_older_than_a_tag_that_carries_it() {
    for tag in CARRIERS {
        let table = of_tag(*tag).or_else(|| bits_of_tag(*tag)).unwrap();
        assert!(!table.rows.is_empty() && tag.since().is_some(), "{tag}");
    }
}

#[test]
fn bits_are_single() {
    for table in CARRIERS.iter().filter_map(|tag| bits_of_tag(*tag)) {
        assert!(table.rows.iter().all(|row| row.number.is_power_of_two()), "{}", table.name);
    }
}

#[test]
fn variants_and_rows_agree() {
    for value in Operation::ALL {
        assert_eq!(Operation::from_number(value.number()), Some(*value));
        assert_eq!(name_of(Tag::OPERATION, value.number()), Some(value.name()));
        assert_eq!(number_of(Tag::OPERATION, value.name()), Some(value.number()));
        assert_eq!(since_of(Tag::OPERATION, value.number()), Some(value.since()));
        assert!(value.since() <= value.last());
    }
    assert_eq!(Operation::from_number(0), None);
    assert_eq!(Operation::from_number(0x8000_0001), None);
}

#[test]
fn values_have_the_version_that_brought_them() {
    assert_eq!(Operation::DiscoverVersions.since(), Version::V1_1);
    assert_eq!(Operation::Encrypt.since(), Version::V1_2);
    assert_eq!(Operation::Import.since(), Version::V1_4);
    assert_eq!(Operation::Ping.since(), Version::V2_1);
    assert_eq!(ResultReason::GeneralFailure.since(), Version::V1_0);
    assert_eq!(ResultReason::Sensitive.since(), Version::V1_4);
    assert_eq!(ResultReason::ObjectNotFound.since(), Version::V2_0);
    assert_eq!(ResultReason::IllegalOperation.last(), Version::V1_4);
    assert_eq!(CryptographicUsageMask::FPEEncrypt.since(), Version::V2_0);
    let operations = |version| Operation::ALL.iter().filter(|value| value.since() <= version).count();
    assert_eq!(Version::ALL.map(operations), [28, 30, 41, 41, 43, 53, 59]);
}

#[test]
fn a_tag_may_carry_an_enumeration_of_another_name() {
    assert_eq!(name_of(Tag::MASK_GENERATOR_HASHING_ALGORITHM, 6), Some("SHA_256"));
    assert_eq!(name_of(Tag::DESTROY_ACTION, 7), Some("Shredded"));
    assert_eq!(name_of(Tag::UNIQUE_IDENTIFIER, 1), Some("IDPlaceholder"));
    assert_eq!(name_of(Tag::BATCH_COUNT, 1), None);
    assert_eq!(number_of(Tag::BATCH_COUNT, "Continue"), None);
}

#[test]
fn an_attribute_reference_carries_a_tag() {
    assert_eq!(name_of(Tag::ATTRIBUTE_REFERENCE, Tag::STATE.number()), Some("State"));
    assert_eq!(number_of(Tag::ATTRIBUTE_REFERENCE, "RotateDate"), Some(Tag::ROTATE_DATE.number()));
    assert_eq!(since_of(Tag::ATTRIBUTE_REFERENCE, Tag::ROTATE_DATE.number()), Some(Version::V2_1));
    assert_eq!(number_of(Tag::ATTRIBUTE_REFERENCE, "Nothing"), None);
}

#[test]
fn older_names_are_understood() {
    let number = HashingAlgorithm::SHA3_256.number();
    assert_eq!(number_of(Tag::HASHING_ALGORITHM, "SHA_3_256"), Some(number));
    assert_eq!(name_of(Tag::HASHING_ALGORITHM, number), Some("SHA3_256"));
}

#[test]
fn functions_and_return_values_of_pkcs11_are_numbered_as_there() {
    assert_eq!(PKCS_11Function::C_Initialize.number(), 1);
    assert_eq!(PKCS_11Function::C_GetFunctionList.number(), 4);
    assert_eq!(PKCS_11Function::ALL.len(), 92);
    assert_eq!(PKCS_11ReturnCode::OK.number(), 0);
    assert_eq!(PKCS_11ReturnCode::BUFFER_TOO_SMALL.number(), 0x150);
}
