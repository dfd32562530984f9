//! PKCS #11 inside KMIP, with parameters as the profile encodes them.

use cryptoki_sys::*;

use super::kit::*;
use crate::ttlv::enums::{
    Operation, PKCS_11Function as Function, PKCS_11ReturnCode as Code, ResultReason as Reason,
};
use crate::ttlv::{Item, Tag, Version};

/// An application of a client's.
struct Application<'a> {
    server: &'a Server,
    client: &'static str,
    correlation: Vec<u8>,
}

/// The answer of a function, whatever its return code.
fn ask(
    server: &Server,
    who: &str,
    function: Function,
    correlation: Option<&[u8]>,
    input: &[u8],
) -> Result<Vec<Item>, Reason> {
    let mut payload = vec![Item::enumeration(Tag::PKCS11_FUNCTION, function)];
    payload.extend(correlation.map(|value| Item::bytes(Tag::CORRELATION_VALUE, value.to_vec())));
    payload.push(Item::bytes(Tag::PKCS11_INPUT_PARAMETERS, input.to_vec()));
    server.ask_as(&client(who), Version::V2_1, vec![], Operation::PKCS_11, payload)
}

fn code_and_output(answer: &[Item]) -> (Code, Vec<u8>) {
    let code = field(answer, Tag::PKCS11_RETURN_CODE).as_value_of().unwrap();
    let output = answer.iter().find(|item| item.tag == Tag::PKCS11_OUTPUT_PARAMETERS);
    (code, output.map(|item| item.as_bytes().unwrap().to_vec()).unwrap_or_default())
}

impl Application<'_> {
    fn new<'a>(server: &'a Server, client: &'static str) -> Application<'a> {
        let answer = ask(server, client, Function::C_Initialize, None, &[1]).unwrap();
        let correlation = field(&answer, Tag::CORRELATION_VALUE).as_bytes().unwrap().to_vec();
        Application { server, client, correlation }
    }

    fn call(&self, function: Function, input: &[u8]) -> (Code, Vec<u8>) {
        let answer = ask(self.server, self.client, function, Some(&self.correlation), input);
        code_and_output(&answer.unwrap())
    }

    fn ok(&self, function: Function, input: &[u8]) -> Vec<u8> {
        let (code, output) = self.call(function, input);
        assert_eq!(code, Code::OK, "{}", function.name());
        output
    }

    /// The handle of a session.
    fn session(&self) -> Vec<u8> {
        self.ok(Function::C_OpenSession, &[&[0; 8][..], &CKF_SERIAL_SESSION.to_be_bytes()].concat())
    }

    /// The handles of all objects that are found.
    fn found(&self, session: &[u8]) -> Vec<[u8; 8]> {
        self.ok(Function::C_FindObjectsInit, &[session, &[0; 4]].concat());
        let found = self.ok(Function::C_FindObjects, &[session, &9_u64.to_be_bytes()].concat());
        self.ok(Function::C_FindObjectsFinal, session);
        found[4..].chunks(8).map(|handle| handle.try_into().unwrap()).collect()
    }
}

/// A CK_MECHANISM of AES-CBC with an IV of zeros.
fn cbc() -> Vec<u8> {
    [&CKM_AES_CBC.to_be_bytes()[..], &[1], &20_u32.to_be_bytes(), &16_u32.to_be_bytes(), &[0; 16]].concat()
}

/// Bytes with their length before them.
fn counted(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// A buffer of a length.
fn buffer(length: u32) -> Vec<u8> {
    [&[1][..], &length.to_be_bytes()].concat()
}

/// An Active AES key that encrypts and decrypts.
fn key(server: &Server, more: Vec<Item>) -> String {
    server.aes(0xc, [vec![Item::date(Tag::ACTIVATION_DATE, 1000)], more].concat())
}

#[test]
fn an_application_begins_asks_and_ends() {
    let server = Server::new();
    let application = Application::new(&server, "a");
    let info = application.ok(Function::C_GetInfo, &[]);
    assert_eq!((info.len(), &info[..2]), (76, &[3, 0][..]));
    assert_eq!(application.ok(Function::C_GetSlotList, &[1, 0, 0, 0, 0, 0]), [0, 0, 0, 0, 1]);
    let slots = application.ok(Function::C_GetSlotList, &[&[1][..], &buffer(1)].concat());
    assert_eq!(slots, [&[1, 0, 0, 0, 1][..], &[0; 8]].concat());
    assert_eq!(application.ok(Function::C_GetSlotInfo, &[0; 8]).len(), 64 + 32 + 8 + 4);
    assert_eq!(application.ok(Function::C_GetTokenInfo, &[0; 8]).len(), 32 + 32 + 16 + 16 + 8 * 11 + 4 + 16);
    let (code, needed) = application.call(Function::C_GetMechanismList, &[&[0; 8][..], &buffer(1)].concat());
    assert_eq!((code, needed[0]), (Code::BUFFER_TOO_SMALL, 0));
    let listed = application.ok(Function::C_GetMechanismList, &[&[0; 8][..], &buffer(1000)].concat());
    let kinds: Vec<_> =
        listed[5..].chunks(8).map(|kind| u64::from_be_bytes(kind.try_into().unwrap())).collect();
    assert!(kinds.contains(&CKM_AES_CBC) && kinds.contains(&CKM_SHA_1_HMAC));
    // Its signatures hold addresses of the caller's.
    assert!(!kinds.contains(&CKM_HOTP));
    let of_hotp =
        application.call(Function::C_GetMechanismInfo, &[&[0; 8][..], &CKM_HOTP.to_be_bytes()].concat());
    assert_eq!(of_hotp.0, Code::MECHANISM_INVALID);
    let of_cbc =
        application.ok(Function::C_GetMechanismInfo, &[&[0; 8][..], &CKM_AES_CBC.to_be_bytes()].concat());
    let flags = u64::from_be_bytes(of_cbc[16..].try_into().unwrap());
    assert_eq!(flags, CKF_ENCRYPT | CKF_DECRYPT);
    assert!(application.ok(Function::C_Finalize, &[]).is_empty());
    assert_eq!(application.call(Function::C_GetInfo, &[]).0, Code::CRYPTOKI_NOT_INITIALIZED);
}

#[test]
fn a_key_of_the_clients_encrypts_and_decrypts() {
    let server = Server::new();
    key(&server, vec![]);
    let application = Application::new(&server, "a");
    let session = application.session();
    let found = application.found(&session);
    assert_eq!(found.len(), 1);
    let init = [session.clone(), cbc(), found[0].to_vec()].concat();
    application.ok(Function::C_EncryptInit, &init);
    let data = counted(&[7; 32]);
    let asked = application.ok(Function::C_Encrypt, &[session.clone(), data.clone(), vec![0; 5]].concat());
    assert_eq!(asked, [0, 0, 0, 0, 32]);
    let short = [session.clone(), data.clone(), buffer(31)].concat();
    assert_eq!(application.call(Function::C_Encrypt, &short), (Code::BUFFER_TOO_SMALL, vec![0, 0, 0, 0, 32]));
    // More than comes out, and far more than anything could be.
    let encrypted = application.ok(Function::C_Encrypt, &[session.clone(), data, buffer(u32::MAX)].concat());
    assert_eq!(encrypted[..5], [1, 0, 0, 0, 32]);
    application.ok(Function::C_DecryptInit, &init);
    let input = [session, counted(&encrypted[5..]), buffer(32)].concat();
    assert_eq!(application.ok(Function::C_Decrypt, &input)[5..], [7; 32]);
}

#[test]
fn attributes_are_seen_but_not_secrets() {
    let server = Server::new();
    key(&server, vec![name("named"), Item::boolean(Tag::SENSITIVE, true)]);
    let application = Application::new(&server, "a");
    let session = application.session();
    let handle = application.found(&session)[0];
    let wanted = |kind: u64| [&kind.to_be_bytes()[..], &[0, 0]].concat();
    let ask = |kind: u64| {
        let input = [session.clone(), handle.to_vec(), vec![0, 0, 0, 1], wanted(kind)].concat();
        application.call(Function::C_GetAttributeValue, &input)
    };
    let (code, label) = ask(CKA_LABEL);
    assert_eq!((code, &label[14..]), (Code::OK, &b"\0\0\0\x05named"[..]));
    let (code, class) = ask(CKA_CLASS);
    assert_eq!((code, &class[14..]), (Code::OK, &CKO_SECRET_KEY.to_be_bytes()[..]));
    let (code, value) = ask(CKA_VALUE);
    assert_eq!((code, &value[12..]), (Code::ATTRIBUTE_SENSITIVE, &[0, 0][..]));
    assert_eq!(ask(CKA_MODULUS).0, Code::ATTRIBUTE_TYPE_INVALID);
    // A search by label finds it, by another none.
    let by = |label: &[u8]| {
        let attribute = [&CKA_LABEL.to_be_bytes()[..], &[1, 1], &counted(label)].concat();
        application.ok(Function::C_FindObjectsInit, &[session.clone(), vec![0, 0, 0, 1], attribute].concat());
        let found = application
            .ok(Function::C_FindObjects, &[session.clone(), 9_u64.to_be_bytes().to_vec()].concat());
        application.ok(Function::C_FindObjectsFinal, &session);
        found[3]
    };
    assert_eq!((by(b"named"), by(b"other")), (1, 0));
}

#[test]
fn nothing_of_another_client_is_reached() {
    let server = Server::new();
    key(&server, vec![]);
    let (own, other) = (Application::new(&server, "a"), Application::new(&server, "b"));
    let handle = own.found(&own.session())[0];
    let session = other.session();
    assert!(other.found(&session).is_empty());
    let init = [session, cbc(), handle.to_vec()].concat();
    assert_eq!(other.call(Function::C_EncryptInit, &init).0, Code::KEY_HANDLE_INVALID);
    let stolen = ask(&server, "b", Function::C_GetInfo, Some(&own.correlation), &[]).unwrap();
    assert_eq!(code_and_output(&stolen).0, Code::CRYPTOKI_NOT_INITIALIZED);
}

#[test]
fn states_and_limits_hold_here_too() {
    let server = Server::new();
    let early = server.aes(0xc, vec![]);
    let application = Application::new(&server, "a");
    let session = application.session();
    let init = |handle: [u8; 8]| [session.clone(), cbc(), handle.to_vec()].concat();
    let handle = application.found(&session)[0];
    assert_eq!(application.call(Function::C_EncryptInit, &init(handle)).0, Code::KEY_FUNCTION_NOT_PERMITTED);
    server.ask(Version::V2_1, Operation::Destroy, vec![id(&early)]).unwrap();
    let gone = application.call(Function::C_EncryptInit, &init(handle)).0;
    assert!(matches!(gone, Code::KEY_HANDLE_INVALID | Code::KEY_FUNCTION_NOT_PERMITTED), "{gone:?}");
    let limits = Item::structure(
        Tag::USAGE_LIMITS,
        vec![Item::long(Tag::USAGE_LIMITS_TOTAL, 9), Item::enumeration(Tag::USAGE_LIMITS_UNIT, 1_u32)],
    );
    key(&server, vec![limits]);
    let counted = application.found(&session)[0];
    assert_eq!(application.call(Function::C_EncryptInit, &init(counted)).0, Code::KEY_FUNCTION_NOT_PERMITTED);
}

#[test]
fn what_is_not_offered_or_not_encoded_is_refused() {
    let server = Server::new();
    let application = Application::new(&server, "a");
    for function in [
        Function::C_CreateObject,
        Function::C_GenerateKey,
        Function::C_DestroyObject,
        Function::C_SetAttributeValue,
        Function::C_WrapKey,
        Function::C_InitToken,
        Function::C_Logout,
    ] {
        assert_eq!(application.call(function, &[]).0, Code::FUNCTION_NOT_SUPPORTED, "{}", function.name());
    }
    assert_eq!(application.call(Function::C_Login, &[]).0, Code::USER_ALREADY_LOGGED_IN);
    let writing = [&[0; 8][..], &(CKF_SERIAL_SESSION | CKF_RW_SESSION).to_be_bytes()].concat();
    assert_eq!(application.call(Function::C_OpenSession, &writing).0, Code::TOKEN_WRITE_PROTECTED);
    assert_eq!(application.call(Function::C_GetSlotInfo, &[1; 8]).0, Code::SLOT_ID_INVALID);
    assert_eq!(application.call(Function::C_CloseSession, &[9; 8]).0, Code::SESSION_HANDLE_INVALID);
    let correlation = Some(application.correlation.as_slice());
    let short = ask(&server, "a", Function::C_CloseSession, correlation, &[0; 7]).unwrap_err();
    assert_eq!(short, Reason::PKCS_11CodecError);
    let session = application.session();
    let huge = [session.clone(), vec![0xff; 4]].concat();
    let lied = ask(&server, "a", Function::C_SeedRandom, correlation, &huge).unwrap_err();
    assert_eq!(lied, Reason::PKCS_11CodecError);
    assert_eq!(application.call(Function::C_GenerateRandom, &huge).0, Code::ARGUMENTS_BAD);
    let random = application.ok(Function::C_GenerateRandom, &[session, vec![0, 0, 0, 16]].concat());
    assert_eq!(random.len(), 16);
    let unknown = vec![
        Item::text(Tag::PKCS11_INTERFACE, "Vendor"),
        Item::enumeration(Tag::PKCS11_FUNCTION, Function::C_GetInfo),
    ];
    let refused = server.ask(Version::V2_1, Operation::PKCS_11, unknown).unwrap_err();
    assert_eq!(refused, Reason::PKCS_11InvalidInterface);
    let unknown = vec![Item::enumeration(Tag::PKCS11_FUNCTION, 0x7777_u32)];
    let refused = server.ask(Version::V2_1, Operation::PKCS_11, unknown).unwrap_err();
    assert_eq!(refused, Reason::PKCS_11InvalidFunction);
}

#[test]
fn each_function_is_recorded_by_its_name_with_its_key_and_its_return_code() {
    let server = Server::new();
    let key = key(&server, vec![]);
    let application = Application::new(&server, "a");
    let session = application.session();
    let found = application.found(&session);
    let init = |handle: &[u8]| [&session[..], &cbc(), handle].concat();
    application.ok(Function::C_EncryptInit, &init(&found[0]));
    assert_eq!(application.call(Function::C_DecryptInit, &init(&[0xee; 8])).0, Code::KEY_HANDLE_INVALID);
    assert_eq!(application.call(Function::C_DestroyObject, &session).0, Code::FUNCTION_NOT_SUPPORTED);
    assert!(ask(&server, "a", Function::C_EncryptInit, Some(&application.correlation), &[1]).is_err());
    let events = server.events();
    let of = |action: &str| -> Vec<_> { events.iter().filter(|event| event["action"] == action).collect() };
    let [begun] = of("kmip.c-encrypt-init")[..] else { panic!("{events:?}") };
    assert_eq!((&begun["class"], &begun["outcome"]), (&"use".into(), &"success".into()));
    assert_eq!(begun["target"]["id"], key);
    let [refused] = of("kmip.c-decrypt-init")[..] else { panic!("{events:?}") };
    assert_eq!((&refused["outcome"], &refused["severity"]), (&"failure".into(), &"warning".into()));
    assert_eq!(refused["reason"]["reasonType"], "KEY_HANDLE_INVALID");
    assert_ne!(refused["target"]["id"], key, "the key of the call before");
    assert_eq!(of("kmip.c-destroy-object")[0]["outcome"], "failure");
    assert_eq!(of("kmip.pkcs-11").len(), 1, "a call that cannot be read");
}

#[test]
fn no_function_changes_anything() {
    let server = Server::new();
    key(&server, vec![]);
    let application = Application::new(&server, "a");
    let before = server.written_events().len();
    for function in [
        Function::C_CreateObject,
        Function::C_CopyObject,
        Function::C_DestroyObject,
        Function::C_SetAttributeValue,
        Function::C_GenerateKey,
        Function::C_GenerateKeyPair,
        Function::C_UnwrapKey,
        Function::C_DeriveKey,
        Function::C_InitToken,
        Function::C_InitPIN,
        Function::C_SetPIN,
    ] {
        assert_eq!(application.call(function, &[]).0, Code::FUNCTION_NOT_SUPPORTED, "{}", function.name());
    }
    assert_eq!(server.written_events().len(), before, "no change is recorded, since there was none");
}
