//! That the table can be searched, and has one row for each attribute of each object.

use super::*;

#[test]
fn the_table_is_in_the_order_of_numbers() {
    assert!(TABLE.is_sorted_by_key(|row| row.kind), "binary search relies on it");
}

#[test]
fn an_attribute_has_one_type_and_one_row_for_each_object() {
    for class in [CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY, CKO_OTP_KEY] {
        for key_type in
            [None, Some(CKK_RSA), Some(CKK_EC), Some(CKK_AES), Some(CKK_ML_DSA), Some(CKK_SLH_DSA)]
        {
            let mut kinds: Vec<_> = rows_of(class, key_type).map(|row| row.kind).collect();
            let count = kinds.len();
            kinds.dedup();
            assert_eq!(kinds.len(), count, "class {class}, key type {key_type:?}");
        }
    }
    for row in TABLE {
        assert_eq!(Some(row.value), type_of(row.kind), "{}", row.name);
    }
}

#[test]
fn secrets_are_exactly_the_private_and_secret_values() {
    let secrets: Vec<_> = rows_of(CKO_PRIVATE_KEY, Some(CKK_RSA)).filter(|row| row.is_secret()).collect();
    // The six numbers, and the form in which a key was registered.
    assert_eq!(secrets.len(), 7);
    assert!(row(CKA_VALUE, CKO_SECRET_KEY, Some(CKK_AES)).is_some_and(Row::is_secret));
    assert!(!row(CKA_VALUE, CKO_CERTIFICATE, None).is_some_and(Row::is_secret));
    assert!(!row(CKA_MODULUS, CKO_PRIVATE_KEY, Some(CKK_RSA)).is_some_and(Row::is_secret));
}
