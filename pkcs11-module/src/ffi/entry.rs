//! THE list of entry points. A row gives a function's C name and arguments, how it passes the gate, and
//! the safe body it calls with what `args` makes of the arguments. From the rows come the exported
//! symbols, the panic guard and trace around each, and the function lists of 2.40, 3.0 and 3.2.
//!
//! How a row passes the gate: `inside` needs the loaded library, `alone` loads or unloads it,
//! `outside` works without it, `waiting` is tried again until it has an outcome. Section numbers are those of PKCS #11 3.2.
#![allow(non_snake_case, reason = "the names are the standard's")]
#![allow(unused_unsafe, reason = "numbers among the arguments need none")]

use std::ffi::c_void;

use cryptoki_sys::*;

use super::args::*;
use crate::calls::{
    asynchronous, digests, dual, encryption, general, keys, message_signing, messages, objects, random,
    sessions, signing, slots,
};
use crate::gate;

type Any = *mut c_void;
type Attributes = *mut CK_ATTRIBUTE;
type Bytes = *mut CK_BYTE;
type Length = CK_ULONG;
type LengthOut = *mut CK_ULONG;
type Mechanism = *mut CK_MECHANISM;
type Object = CK_OBJECT_HANDLE;
type ObjectOut = *mut CK_OBJECT_HANDLE;
type Session = CK_SESSION_HANDLE;
type Slot = CK_SLOT_ID;

/// Makes functions and function lists of the rows.
macro_rules! entry_points {
    (
        2.40 { $($first:tt)* }
        3.0 { $($second:tt)* }
        3.2 { $($third:tt)* }
    ) => {
        entry_points! { functions $($first)* $($second)* $($third)* }
        entry_points! { list FUNCTIONS_2_40: CK_FUNCTION_LIST = 2, 40; $($first)* }
        entry_points! { list FUNCTIONS_3_0: CK_FUNCTION_LIST_3_0 = 3, 0; $($first)* $($second)* }
        entry_points! { list FUNCTIONS_3_2: CK_FUNCTION_LIST_3_2 = 3, 2; $($first)* $($second)* $($third)* }
    };

    (functions $(
        $name:ident($($arg:ident: $type:ty),*) = $gate:ident $body:path [$($given:expr),*];
    )*) => { $(
        /// # Safety
        /// The caller's promise (see `ffi`) must hold for every pointer.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($($arg: $type),*) -> CK_RV {
            // Functions that are not offered look at none of their arguments.
            let _ = ($($arg,)*);
            entry_points! { $gate stringify!($name), $body, $($given),* }
        }
    )* };

    (list $list:ident: $type:ident = $major:literal, $minor:literal; $(
        $name:ident($($args:tt)*) = $gate:ident $body:path [$($given:expr),*];
    )*) => {
        pub(super) static $list: $type = $type {
            version: CK_VERSION { major: $major, minor: $minor },
            $($name: Some($name),)*
        };
    };

    (inside $name:expr, $body:path, $($given:expr),*) => {
        gate::with_library($name, |library| $body(library, $(
            // SAFETY: the C caller's promise, see `ffi`.
            unsafe { $given }
        ),*))
    };
    (waiting $name:expr, $body:path, $($given:expr),*) => {
        gate::waiting($name, |library| $body(library, $(
            // SAFETY: the C caller's promise, see `ffi`.
            unsafe { $given }
        ),*))
    };
    (alone $name:expr, $body:path, $($given:expr),*) => {
        gate::exclusively($name, |loaded| $body(loaded, $(
            // SAFETY: the C caller's promise, see `ffi`.
            unsafe { $given }
        ),*))
    };
    (outside $name:expr, $body:path, $($given:expr),*) => {
        gate::outside($name, || $body($(
            // SAFETY: the C caller's promise, see `ffi`.
            unsafe { $given }
        ),*))
    };
}

entry_points! {
2.40 {
    // Section 5.4: general purpose.
    C_Initialize(arguments: Any) = alone general::initialize [initialization(arguments)];
    C_Finalize(reserved: Any) = alone general::finalize [reserved.is_null()];
    C_GetInfo(info: *mut CK_INFO) = inside general::info [place(info)];
    C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) = outside general::function_list [place(list)];

    // Section 5.5: slots and tokens.
    C_GetSlotList(present: CK_BBOOL, slots: *mut CK_SLOT_ID, count: LengthOut) =
        inside slots::list [present != CK_FALSE, list(slots, count)];
    C_GetSlotInfo(slot: Slot, info: *mut CK_SLOT_INFO) = inside slots::slot_info [slot, place(info)];
    C_GetTokenInfo(slot: Slot, info: *mut CK_TOKEN_INFO) = inside slots::token_info [slot, place(info)];
    C_WaitForSlotEvent(flags: CK_FLAGS, slot: *mut CK_SLOT_ID, reserved: Any) =
        waiting slots::wait_for_event [flags, place(slot), reserved.is_null()];
    C_GetMechanismList(slot: Slot, mechanisms: *mut CK_MECHANISM_TYPE, count: LengthOut) =
        inside slots::mechanisms [slot, list(mechanisms, count)];
    C_GetMechanismInfo(slot: Slot, kind: CK_MECHANISM_TYPE, info: *mut CK_MECHANISM_INFO) =
        inside slots::mechanism_info [slot, kind, place(info)];
    C_InitToken(slot: Slot, so_pin: Bytes, so_pin_length: Length, name: Bytes) =
        inside slots::init_token [slot, pin(so_pin, so_pin_length), label(name)];
    C_InitPIN(session: Session, new: Bytes, new_length: Length) =
        inside sessions::init_pin [session, pin(new, new_length)];
    C_SetPIN(session: Session, old: Bytes, old_length: Length, new: Bytes, new_length: Length) =
        inside sessions::set_pin [session, pin(old, old_length), pin(new, new_length)];

    // Section 5.6: sessions and login.
    C_OpenSession(
        slot: Slot, flags: CK_FLAGS, _application: Any, _notify: CK_NOTIFY, session: *mut
        CK_SESSION_HANDLE
    ) =
        inside sessions::open [slot, flags, place(session)];
    C_CloseSession(session: Session) = inside sessions::close [session];
    C_CloseAllSessions(slot: Slot) = inside sessions::close_all [slot];
    C_GetSessionInfo(session: Session, info: *mut CK_SESSION_INFO) =
        inside sessions::info [session, place(info)];
    C_GetOperationState(session: Session, state: Bytes, length: LengthOut) =
        inside sessions::operation_state [session, out(state, length)];
    C_SetOperationState(
        session: Session, state: Bytes, length: Length, encryption: Object, authentication: Object
    ) =
        inside sessions::set_operation_state [
            session, bytes(state, length), encryption, authentication
        ];
    C_Login(session: Session, user: CK_USER_TYPE, text: Bytes, length: Length) =
        inside sessions::login [session, user, pin(text, length)];
    C_Logout(session: Session) = inside sessions::logout [session];

    // Section 5.7: objects.
    C_CreateObject(session: Session, attributes: Attributes, count: Length, object: ObjectOut) =
        inside objects::create [session, template(attributes, count), place(object)];
    C_CopyObject(
        session: Session, object: Object, attributes: Attributes, count: Length, copy: ObjectOut
    ) =
        inside objects::copy [session, object, template(attributes, count), place(copy)];
    C_DestroyObject(session: Session, object: Object) = inside objects::destroy [session, object];
    C_GetObjectSize(session: Session, object: Object, size: LengthOut) =
        inside objects::size [session, object, place(size)];
    C_GetAttributeValue(session: Session, object: Object, attributes: Attributes, count: Length) =
        inside objects::attributes [session, object, query(attributes, count)];
    C_SetAttributeValue(session: Session, object: Object, attributes: Attributes, count: Length) =
        inside objects::set_attributes [session, object, template(attributes, count)];
    C_FindObjectsInit(session: Session, attributes: Attributes, count: Length) =
        inside objects::find_init [session, search_template(attributes, count)];
    C_FindObjects(session: Session, objects: ObjectOut, room: Length, count: LengthOut) =
        inside objects::find [session, bounded(objects, room, count)];
    C_FindObjectsFinal(session: Session) = inside objects::find_final [session];

    // Section 5.8 and 5.10: encryption and decryption.
    C_EncryptInit(session: Session, kind: Mechanism, key: Object) =
        inside encryption::encrypt_init [session, optional_mechanism(kind), key];
    C_Encrypt(session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut) =
        inside encryption::encrypt [session, transform(data, data_length, buffer, length)];
    C_EncryptUpdate(
        session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside encryption::encrypt_update [session, transform(data, data_length, buffer, length)];
    C_EncryptFinal(session: Session, buffer: Bytes, length: LengthOut) =
        inside encryption::encrypt_final [session, out(buffer, length)];
    C_DecryptInit(session: Session, kind: Mechanism, key: Object) =
        inside encryption::decrypt_init [session, optional_mechanism(kind), key];
    C_Decrypt(session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut) =
        inside encryption::decrypt [session, transform(data, data_length, buffer, length)];
    C_DecryptUpdate(
        session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside encryption::decrypt_update [session, transform(data, data_length, buffer, length)];
    C_DecryptFinal(session: Session, buffer: Bytes, length: LengthOut) =
        inside encryption::decrypt_final [session, out(buffer, length)];

    // Section 5.12: digests.
    C_DigestInit(session: Session, kind: Mechanism) =
        inside digests::init [session, optional_mechanism(kind)];
    C_Digest(session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut) =
        inside digests::digest [session, transform(data, data_length, buffer, length)];
    C_DigestUpdate(session: Session, data: Bytes, data_length: Length) =
        inside digests::update [session, bytes(data, data_length)];
    C_DigestKey(session: Session, key: Object) = inside digests::key [session, key];
    C_DigestFinal(session: Session, buffer: Bytes, length: LengthOut) =
        inside digests::finish [session, out(buffer, length)];

    // Section 5.13 and 5.15: signatures and message authentication codes.
    C_SignInit(session: Session, kind: Mechanism, key: Object) =
        inside signing::sign_init [session, optional_mechanism(kind), key];
    C_Sign(session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut) =
        inside signing::sign [session, transform(data, data_length, buffer, length)];
    C_SignUpdate(session: Session, data: Bytes, data_length: Length) =
        inside signing::sign_update [session, bytes(data, data_length)];
    C_SignFinal(session: Session, buffer: Bytes, length: LengthOut) =
        inside signing::sign_final [session, out(buffer, length)];
    C_SignRecoverInit(session: Session, kind: Mechanism, key: Object) =
        inside signing::sign_recover_init [session, optional_mechanism(kind), key];
    C_SignRecover(
        session: Session, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside signing::sign_recover [session, transform(data, data_length, buffer, length)];
    C_VerifyInit(session: Session, kind: Mechanism, key: Object) =
        inside signing::verify_init [session, optional_mechanism(kind), key];
    C_Verify(session: Session, data: Bytes, data_length: Length, signature: Bytes, length: Length) =
        inside signing::verify [session, bytes(data, data_length), bytes(signature, length)];
    C_VerifyUpdate(session: Session, data: Bytes, data_length: Length) =
        inside signing::verify_update [session, bytes(data, data_length)];
    C_VerifyFinal(session: Session, signature: Bytes, length: Length) =
        inside signing::verify_final [session, bytes(signature, length)];
    C_VerifyRecoverInit(session: Session, kind: Mechanism, key: Object) =
        inside signing::verify_recover_init [session, optional_mechanism(kind), key];
    C_VerifyRecover(
        session: Session, signature: Bytes, signature_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside signing::verify_recover [
            session, transform(signature, signature_length, buffer, length)
        ];

    // Section 5.17: two operations at once.
    C_DigestEncryptUpdate(
        session: Session, part: Bytes, part_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside dual::digest_encrypt [session, transform(part, part_length, buffer, length)];
    C_DecryptDigestUpdate(
        session: Session, part: Bytes, part_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside dual::decrypt_digest [session, transform(part, part_length, buffer, length)];
    C_SignEncryptUpdate(
        session: Session, part: Bytes, part_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside dual::sign_encrypt [session, transform(part, part_length, buffer, length)];
    C_DecryptVerifyUpdate(
        session: Session, part: Bytes, part_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside dual::decrypt_verify [session, transform(part, part_length, buffer, length)];

    // Section 5.18: keys.
    C_GenerateKey(
        session: Session, kind: Mechanism, attributes: Attributes, count: Length, key: ObjectOut
    ) =
        inside keys::generate [session, mechanism(kind), template(attributes, count), place(key)];
    C_GenerateKeyPair(
        session: Session, kind: Mechanism, public: Attributes, public_count: Length, private:
        Attributes, private_count: Length, public_key: ObjectOut, private_key: ObjectOut
    ) =
        inside keys::generate_pair [
            session, mechanism(kind), template(public, public_count), template(private, private_count),
            place(public_key), place(private_key)
        ];
    C_WrapKey(
        session: Session, kind: Mechanism, wrapping: Object, key: Object, buffer: Bytes, length:
        LengthOut
    ) =
        inside keys::wrap [session, wrapping_mechanism(kind), wrapping, key, out(buffer, length)];
    C_UnwrapKey(
        session: Session, kind: Mechanism, unwrapping: Object, wrapped: Bytes, wrapped_length: Length,
        attributes: Attributes, count: Length, key: ObjectOut
    ) =
        inside keys::unwrap [
            session, wrapping_mechanism(kind), unwrapping, bytes(wrapped, wrapped_length), template(attributes,
            count), place(key)
        ];
    C_DeriveKey(
        session: Session, kind: Mechanism, base: Object, attributes: Attributes, count: Length, key:
        ObjectOut
    ) =
        inside keys::derive [
            session, mechanism(kind), returned(kind), base, template(attributes, count), place(key)
        ];

    // Section 5.19: random numbers.
    C_SeedRandom(session: Session, seed: Bytes, length: Length) =
        inside random::seed [session, bytes(seed, length)];
    C_GenerateRandom(session: Session, data: Bytes, length: Length) =
        inside random::generate [session, buffer(data, length)];

    // Section 5.20: functions of older versions that ran in parallel.
    C_GetFunctionStatus(session: Session) = inside general::not_parallel [];
    C_CancelFunction(session: Session) = inside general::not_parallel [];
}
3.0 {
    // Section 5.4.5 and 5.4.6.
    C_GetInterfaceList(interfaces: *mut CK_INTERFACE, count: LengthOut) =
        outside general::interface_list [list(interfaces, count)];
    C_GetInterface(
        name: Bytes, version: *mut CK_VERSION, interface: *mut *mut CK_INTERFACE, flags: CK_FLAGS
    ) =
        outside general::interface [wanted(name, version, flags), place(interface)];

    // Section 5.6: sessions and login.
    C_LoginUser(
        session: Session, user: CK_USER_TYPE, text: Bytes, length: Length, name: Bytes, name_length:
        Length
    ) =
        inside sessions::login_user [session, user, pin(text, length), bytes(name, name_length)];
    C_SessionCancel(session: Session, flags: CK_FLAGS) = inside sessions::cancel [session, flags];

    // Section 5.9: message-based encryption.
    C_MessageEncryptInit(session: Session, kind: Mechanism, key: Object) =
        inside messages::encrypt_init [session, message_mechanism(kind), key];
    C_EncryptMessage(
        session: Session, parameter: Any, parameter_length: Length, associated: Bytes,
        associated_length: Length, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside messages::encrypt [
            session, message(parameter, parameter_length), copied(associated, associated_length),
            transform(data, data_length, buffer, length)
        ];
    C_EncryptMessageBegin(
        session: Session, parameter: Any, parameter_length: Length, associated: Bytes,
        associated_length: Length
    ) =
        inside messages::encrypt_begin [
            session, message(parameter, parameter_length), copied(associated, associated_length)
        ];
    C_EncryptMessageNext(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        buffer: Bytes, length: LengthOut, flags: CK_FLAGS
    ) =
        inside messages::encrypt_next [
            session, message(parameter, parameter_length), transform(data, data_length, buffer, length),
            flags
        ];
    C_MessageEncryptFinal(session: Session) = inside messages::encrypt_final [session];

    // Section 5.11: message-based decryption.
    C_MessageDecryptInit(session: Session, kind: Mechanism, key: Object) =
        inside messages::decrypt_init [session, message_mechanism(kind), key];
    C_DecryptMessage(
        session: Session, parameter: Any, parameter_length: Length, associated: Bytes,
        associated_length: Length, data: Bytes, data_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside messages::decrypt [
            session, message(parameter, parameter_length), copied(associated, associated_length),
            transform(data, data_length, buffer, length)
        ];
    C_DecryptMessageBegin(
        session: Session, parameter: Any, parameter_length: Length, associated: Bytes,
        associated_length: Length
    ) =
        inside messages::decrypt_begin [
            session, message(parameter, parameter_length), copied(associated, associated_length)
        ];
    C_DecryptMessageNext(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        buffer: Bytes, length: LengthOut, flags: CK_FLAGS
    ) =
        inside messages::decrypt_next [
            session, message(parameter, parameter_length), transform(data, data_length, buffer, length),
            flags
        ];
    C_MessageDecryptFinal(session: Session) = inside messages::decrypt_final [session];

    // Section 5.14: message-based signatures.
    C_MessageSignInit(session: Session, kind: Mechanism, key: Object) =
        inside message_signing::sign_init [session, optional_mechanism(kind), key];
    C_SignMessage(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        buffer: Bytes, length: LengthOut
    ) =
        inside message_signing::sign [
            session, no_parameter(parameter, parameter_length), transform(data, data_length, buffer, length)
        ];
    C_SignMessageBegin(session: Session, parameter: Any, parameter_length: Length) =
        inside message_signing::sign_begin [session, no_parameter(parameter, parameter_length)];
    C_SignMessageNext(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        buffer: Bytes, length: LengthOut
    ) =
        inside message_signing::sign_next [
            session, no_parameter(parameter, parameter_length), signed_part(data, data_length, buffer, length)
        ];
    C_MessageSignFinal(session: Session) = inside message_signing::sign_final [session];

    // Section 5.16: message-based verification.
    C_MessageVerifyInit(session: Session, kind: Mechanism, key: Object) =
        inside message_signing::verify_init [session, optional_mechanism(kind), key];
    C_VerifyMessage(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        signature: Bytes, length: Length
    ) =
        inside message_signing::verify [
            session, no_parameter(parameter, parameter_length), bytes(data, data_length),
            bytes(signature, length)
        ];
    C_VerifyMessageBegin(session: Session, parameter: Any, parameter_length: Length) =
        inside message_signing::verify_begin [session, no_parameter(parameter, parameter_length)];
    C_VerifyMessageNext(
        session: Session, parameter: Any, parameter_length: Length, data: Bytes, data_length: Length,
        signature: Bytes, length: Length
    ) =
        inside message_signing::verify_next [
            session, no_parameter(parameter, parameter_length), bytes(data, data_length),
            optional_bytes(signature, length)
        ];
    C_MessageVerifyFinal(session: Session) = inside message_signing::verify_final [session];
}
3.2 {
    // Section 5.18: encapsulation and authenticated wrapping.
    C_EncapsulateKey(
        session: Session, kind: Mechanism, public: Object, attributes: Attributes, count: Length,
        buffer: Bytes, length: LengthOut, key: ObjectOut
    ) =
        inside keys::encapsulate [
            session, mechanism(kind), public, template(attributes, count), out(buffer, length), place(key)
        ];
    C_DecapsulateKey(
        session: Session, kind: Mechanism, private: Object, attributes: Attributes, count: Length,
        ciphertext: Bytes, length: Length, key: ObjectOut
    ) =
        inside keys::decapsulate [
            session, mechanism(kind), private, template(attributes, count), bytes(ciphertext, length), place(key)
        ];
    C_WrapKeyAuthenticated(
        session: Session, kind: Mechanism, wrapping: Object, key: Object, associated: Bytes,
        associated_length: Length, buffer: Bytes, length: LengthOut
    ) =
        inside keys::wrap_authenticated [
            session, authenticated(kind, associated, associated_length), wrapping, key, out(buffer, length)
        ];
    C_UnwrapKeyAuthenticated(
        session: Session, kind: Mechanism, unwrapping: Object, wrapped: Bytes, wrapped_length: Length,
        attributes: Attributes, count: Length, associated: Bytes, associated_length: Length, key:
        ObjectOut
    ) =
        inside keys::unwrap_authenticated [
            session, authenticated(kind, associated, associated_length), unwrapping,
            bytes(wrapped, wrapped_length), template(attributes, count), place(key)
        ];

    // Section 5.15: verification with the signature known first.
    C_VerifySignatureInit(
        session: Session, kind: Mechanism, key: Object, signature: Bytes, length: Length
    ) =
        inside signing::verify_signature_init [
            session, optional_mechanism(kind), key, bytes(signature, length)
        ];
    C_VerifySignature(session: Session, data: Bytes, length: Length) =
        inside signing::verify_signature [session, bytes(data, length)];
    C_VerifySignatureUpdate(session: Session, data: Bytes, length: Length) =
        inside signing::verify_signature_update [session, bytes(data, length)];
    C_VerifySignatureFinal(session: Session) = inside signing::verify_signature_final [session];

    // Validation and asynchronous operations.
    C_GetSessionValidationFlags(
        session: Session, kind: CK_SESSION_VALIDATION_FLAGS_TYPE, flags: *mut CK_FLAGS
    ) =
        inside sessions::validation_flags [session, kind, place(flags)];
    C_AsyncComplete(session: Session, function: Bytes, result: *mut CK_ASYNC_DATA) =
        inside asynchronous::complete [session, function.is_null()];
    C_AsyncGetID(session: Session, function: Bytes, identifier: LengthOut) =
        inside asynchronous::identifier [session, function.is_null(), place(identifier)];
    C_AsyncJoin(session: Session, function: Bytes, identifier: Length, data: Bytes, length: Length) =
        inside asynchronous::join [session, function.is_null(), bytes(data, length)];
}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every member of a list, as a pointer-sized word: the version, then the functions.
    fn words<T>(list: &T) -> &[usize] {
        // SAFETY: a function list is a version padded to a word, and function pointers.
        unsafe {
            std::slice::from_raw_parts(std::ptr::from_ref(list).cast(), size_of::<T>() / size_of::<usize>())
        }
    }

    #[test]
    fn no_function_list_has_a_gap() {
        for list in [words(&FUNCTIONS_2_40), words(&FUNCTIONS_3_0), words(&FUNCTIONS_3_2)] {
            assert!(list[1..].iter().all(|function| *function != 0));
        }
        assert_eq!(words(&FUNCTIONS_3_2).len(), 105);
    }

    #[test]
    fn newer_lists_begin_with_the_older_ones() {
        let (old, middle, new) = (words(&FUNCTIONS_2_40), words(&FUNCTIONS_3_0), words(&FUNCTIONS_3_2));
        assert_eq!(&middle[1..old.len()], &old[1..]);
        assert_eq!(&new[1..middle.len()], &middle[1..]);
    }
}
