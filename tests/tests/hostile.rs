//! Null and misaligned pointers in every position of every function of PKCS #11, and impossible
//! lengths: an error of the standard, never a crash. What stands inside mechanisms and templates is in
//! `hostile_inside.rs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::keys;
use hsm_tests::messages::{self, Gcm, Way};
use hsm_tests::operations::{DECRYPT, DIGEST, ENCRYPT, SIGN, VERIFY};
use hsm_tests::prelude::*;
use hsm_tests::raw::{Arg, Function};
use hsm_tests::rv::assert_refused;
use hsm_tests::template::attribute_into;

/// What stands in a position of a call.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Position {
    SlotId,
    SessionId,
    Number(CK_ULONG),
    KeyId,
    Mechanism,
    /// A template.
    Attributes,
    /// How many attributes it has.
    Count,
    /// Input bytes.
    Data,
    DataLength,
    /// Output bytes; null asks for their length.
    Output,
    OutputLength,
    /// Output bytes that may not be null.
    Room,
    /// Place for a handle, a count or a structure.
    Place,
    /// Always null.
    Null,
    /// A message's parameter.
    Parameter,
    ParameterLength,
}
use Position::*;

/// What must run before the call.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Running(hsm_tests::operations::Kind, CK_MECHANISM_TYPE),
    Finding,
    /// A process of messages.
    Messages(Way),
    /// The same, in the middle of a message.
    Message(Way),
    /// A verification whose signature was given first.
    Known,
}

struct Row(Function, Before, CK_MECHANISM_TYPE, &'static [Position]);

const ECB: CK_MECHANISM_TYPE = CKM_AES_ECB;
const HASH: CK_MECHANISM_TYPE = CKM_SHA256;
const CMAC: CK_MECHANISM_TYPE = CKM_AES_CMAC;

macro_rules! rows {
    ($($name:ident $before:expr, $mech:expr, [$($position:expr),*];)*) => {
        &[$(Row(function!($name), $before, $mech, &[$($position),*])),*]
    };
}

#[rustfmt::skip]
const ROWS: &[Row] = rows![
    C_GetInfo            Before::Nothing, 0, [Place];
    C_GetSlotList        Before::Nothing, 0, [Number(0), Output, OutputLength];
    C_GetSlotInfo        Before::Nothing, 0, [SlotId, Place];
    C_GetTokenInfo       Before::Nothing, 0, [SlotId, Place];
    C_GetMechanismList   Before::Nothing, 0, [SlotId, Output, OutputLength];
    C_GetMechanismInfo   Before::Nothing, 0, [SlotId, Number(ECB), Place];
    C_OpenSession        Before::Nothing, 0, [SlotId, Number(CKF_SERIAL_SESSION), Null, Null, Place];
    C_GetSessionInfo     Before::Nothing, 0, [SessionId, Place];
    C_GetOperationState  Before::Nothing, 0, [SessionId, Output, OutputLength];
    C_SetOperationState  Before::Nothing, 0, [SessionId, Data, DataLength, KeyId, KeyId];
    C_Login              Before::Nothing, 0, [SessionId, Number(CKU_USER), Data, DataLength];
    C_InitPIN            Before::Nothing, 0, [SessionId, Data, DataLength];
    C_SetPIN             Before::Nothing, 0, [SessionId, Data, DataLength, Data, DataLength];
    C_CreateObject       Before::Nothing, 0, [SessionId, Attributes, Count, Place];
    C_CopyObject         Before::Nothing, 0, [SessionId, KeyId, Attributes, Count, Place];
    C_GetObjectSize      Before::Nothing, 0, [SessionId, KeyId, Place];
    C_GetAttributeValue  Before::Nothing, 0, [SessionId, KeyId, Attributes, Count];
    C_SetAttributeValue  Before::Nothing, 0, [SessionId, KeyId, Attributes, Count];
    C_FindObjectsInit    Before::Nothing, 0, [SessionId, Attributes, Count];
    C_FindObjects        Before::Finding, 0, [SessionId, Room, Number(4), Place];
    C_DigestInit         Before::Nothing, HASH, [SessionId, Mechanism];
    C_Digest             Before::Running(DIGEST, HASH), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DigestUpdate       Before::Running(DIGEST, HASH), 0, [SessionId, Data, DataLength];
    C_DigestFinal        Before::Running(DIGEST, HASH), 0, [SessionId, Output, OutputLength];
    C_EncryptInit        Before::Nothing, ECB, [SessionId, Mechanism, KeyId];
    C_Encrypt            Before::Running(ENCRYPT, ECB), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_EncryptUpdate      Before::Running(ENCRYPT, ECB), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_EncryptFinal       Before::Running(ENCRYPT, ECB), 0, [SessionId, Output, OutputLength];
    C_DecryptInit        Before::Nothing, ECB, [SessionId, Mechanism, KeyId];
    C_Decrypt            Before::Running(DECRYPT, ECB), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DecryptUpdate      Before::Running(DECRYPT, ECB), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DecryptFinal       Before::Running(DECRYPT, ECB), 0, [SessionId, Output, OutputLength];
    C_SignInit           Before::Nothing, CMAC, [SessionId, Mechanism, KeyId];
    C_Sign               Before::Running(SIGN, CMAC), 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_SignUpdate         Before::Running(SIGN, CMAC), 0, [SessionId, Data, DataLength];
    C_SignFinal          Before::Running(SIGN, CMAC), 0, [SessionId, Output, OutputLength];
    C_SignRecoverInit    Before::Nothing, CKM_RSA_PKCS, [SessionId, Mechanism, KeyId];
    C_SignRecover        Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_VerifyInit         Before::Nothing, CMAC, [SessionId, Mechanism, KeyId];
    C_Verify             Before::Running(VERIFY, CMAC), 0, [SessionId, Data, DataLength, Data, DataLength];
    C_VerifyUpdate       Before::Running(VERIFY, CMAC), 0, [SessionId, Data, DataLength];
    C_VerifyFinal        Before::Running(VERIFY, CMAC), 0, [SessionId, Data, DataLength];
    C_VerifyRecoverInit  Before::Nothing, CKM_RSA_PKCS, [SessionId, Mechanism, KeyId];
    C_VerifyRecover      Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DigestEncryptUpdate Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DecryptDigestUpdate Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_SignEncryptUpdate  Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_DecryptVerifyUpdate Before::Nothing, 0, [SessionId, Data, DataLength, Output, OutputLength];
    C_GenerateKey        Before::Nothing, CKM_AES_KEY_GEN, [SessionId, Mechanism, Attributes, Count, Place];
    C_GenerateKeyPair    Before::Nothing, CKM_EC_KEY_PAIR_GEN, [SessionId, Mechanism, Attributes, Count, Attributes, Count, Place, Place];
    C_WrapKey            Before::Nothing, CKM_AES_KEY_WRAP, [SessionId, Mechanism, KeyId, KeyId, Output, OutputLength];
    C_UnwrapKey          Before::Nothing, CKM_AES_KEY_WRAP, [SessionId, Mechanism, KeyId, Data, DataLength, Attributes, Count, Place];
    C_DeriveKey          Before::Nothing, CKM_ECDH1_DERIVE, [SessionId, Mechanism, KeyId, Attributes, Count, Place];
    C_SeedRandom         Before::Nothing, 0, [SessionId, Data, DataLength];
    C_GenerateRandom     Before::Nothing, 0, [SessionId, Room, DataLength];
    C_VerifySignatureInit Before::Nothing, CMAC, [SessionId, Mechanism, KeyId, Data, DataLength];
    C_VerifySignature    Before::Known, 0, [SessionId, Data, DataLength];
    C_VerifySignatureUpdate Before::Known, 0, [SessionId, Data, DataLength];
    C_MessageEncryptInit Before::Nothing, CKM_AES_GCM, [SessionId, Mechanism, KeyId];
    C_EncryptMessage     Before::Messages(messages::ENCRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength, Data, DataLength, Output, OutputLength];
    C_EncryptMessageBegin Before::Messages(messages::ENCRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength];
    C_EncryptMessageNext Before::Message(messages::ENCRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength, Output, OutputLength, Number(CKF_END_OF_MESSAGE)];
    C_MessageDecryptInit Before::Nothing, CKM_AES_GCM, [SessionId, Mechanism, KeyId];
    C_DecryptMessage     Before::Messages(messages::DECRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength, Data, DataLength, Output, OutputLength];
    C_DecryptMessageBegin Before::Messages(messages::DECRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength];
    C_DecryptMessageNext Before::Message(messages::DECRYPT), 0, [SessionId, Parameter, ParameterLength, Data, DataLength, Output, OutputLength, Number(CKF_END_OF_MESSAGE)];
    C_MessageSignInit    Before::Nothing, CMAC, [SessionId, Mechanism, KeyId];
    C_SignMessage        Before::Messages(messages::SIGN), 0, [SessionId, Null, Number(0), Data, DataLength, Output, OutputLength];
    C_SignMessageNext    Before::Message(messages::SIGN), 0, [SessionId, Null, Number(0), Data, DataLength, Output, Null];
    C_MessageVerifyInit  Before::Nothing, CMAC, [SessionId, Mechanism, KeyId];
    C_VerifyMessage      Before::Messages(messages::VERIFY), 0, [SessionId, Null, Number(0), Data, DataLength, Data, DataLength];
    C_VerifyMessageNext  Before::Message(messages::VERIFY), 0, [SessionId, Null, Number(0), Data, DataLength, Data, DataLength];
    C_WrapKeyAuthenticated Before::Nothing, CKM_AES_GCM, [SessionId, Mechanism, KeyId, KeyId, Data, DataLength, Output, OutputLength];
    C_UnwrapKeyAuthenticated Before::Nothing, CKM_AES_GCM, [SessionId, Mechanism, KeyId, Data, DataLength, Attributes, Count, Data, DataLength, Place];
    C_GetSessionValidationFlags Before::Nothing, 0, [SessionId, Number(CKS_LAST_VALIDATION_OK), Place];
    C_AsyncGetID         Before::Nothing, 0, [SessionId, Data, Place];
    C_AsyncJoin          Before::Nothing, 0, [SessionId, Data, Number(1), Data, DataLength];
    C_WaitForSlotEvent   Before::Nothing, 0, [Number(CKF_DONT_BLOCK), Place, Null];
];

/// What a call's pointers point to.
struct Bench {
    key: Object,
    mech: Mech,
    label: [u8; 5],
    data: [u8; 32],
    room: [CK_ULONG; 128],
    length: [CK_ULONG; 2],
    place: [CK_ULONG; 64],
    parameter: Gcm,
}

/// Says what stands in a position instead of what should.
type Wrong<'w> = &'w dyn Fn(usize, Arg<'static>) -> Option<Arg<'static>>;

impl Bench {
    fn new(session: &Session<'_>, mech: CK_MECHANISM_TYPE) -> Bench {
        let key = keys::aes_template(&[7; 32]).and(attrs![CKA_EXTRACTABLE => true]);
        Bench {
            key: session.create(&key).unwrap(),
            mech: Mech::plain(mech),
            label: *b"label",
            data: [7; 32],
            room: [0; 128],
            length: [1024; 2],
            place: [0; 64],
            parameter: Gcm::given(&[9; 12]),
        }
    }

    fn prepare(&self, session: &Session<'_>, before: Before) {
        match before {
            Before::Nothing => {}
            Before::Finding => session.find_init(&attrs![]).unwrap(),
            Before::Running(_, HASH) => session.digest_init(&Mech::plain(HASH)).unwrap(),
            Before::Messages(way) => session.message_init(way, &messages_of(way), self.key).unwrap(),
            Before::Message(way) => {
                session.message_init(way, &messages_of(way), self.key).unwrap();
                match way.init.name {
                    "C_MessageSignInit" | "C_MessageVerifyInit" => {
                        session.call(way.begin, &[Arg::NULL, 0usize.into()]).unwrap();
                    }
                    _ => session.message_begin(way, &self.parameter, b"").unwrap(),
                }
            }
            Before::Known => {
                let raw = Mech::plain(CMAC).raw();
                let args = [(&raw).into(), self.key.into(), self.data[..16].into(), 16usize.into()];
                session.call(function!(C_VerifySignatureInit), &args).unwrap();
            }
            Before::Running(kind, mech) => session.init(kind, &Mech::plain(mech), self.key).unwrap(),
        }
    }

    /// Calls a row's function with some positions changed.
    fn call(&mut self, session: &Session<'_>, row: &Row, wrong: Wrong<'_>) -> Result<(), Rv> {
        let Row(function, before, _, positions) = row;
        self.prepare(session, *before);
        // Two of each, so that a misaligned pointer still has memory behind it.
        let mut mechanisms = [self.mech.raw(), self.mech.raw()];
        let one = attribute_into(CKA_LABEL, &mut self.label);
        let mut attributes = [one, one];
        let slot = session.info().unwrap().slotID;
        let mut arg = |position: Position| match position {
            SlotId => slot.into(),
            SessionId => session.handle.into(),
            Number(number) => number.into(),
            KeyId => self.key.into(),
            Mechanism => Arg::from(mechanisms.as_mut_slice()).detached(),
            Attributes => Arg::from(attributes.as_mut_slice()).detached(),
            Count => 1usize.into(),
            Data => Arg::from(self.data.as_mut_slice()).detached(),
            DataLength => 16usize.into(),
            Output | Room => Arg::from(self.room.as_mut_slice()).detached(),
            OutputLength => Arg::from(self.length.as_mut_slice()).detached(),
            Place => Arg::from(self.place.as_mut_slice()).detached(),
            Null => Arg::NULL,
            Parameter => Arg::from(self.parameter.raw()).detached(),
            ParameterLength => size_of::<CK_GCM_MESSAGE_PARAMS>().into(),
        };
        let right: Vec<Arg<'_>> = positions.iter().map(|position| arg(*position)).collect();
        let args: Vec<Arg<'_>> =
            right.iter().enumerate().map(|(at, right)| wrong(at, *right).unwrap_or(*right)).collect();
        session.module.call(*function, &args)
    }
}

/// The mechanism of a process of messages.
fn messages_of(way: Way) -> Mech {
    match way.init.name {
        "C_MessageSignInit" | "C_MessageVerifyInit" => Mech::plain(CMAC),
        _ => Mech::plain(CKM_AES_GCM),
    }
}

/// Calls every function with each of the named positions changed in turn, in a session of its own, and
/// hands over the answers.
fn each(
    token: &Token<'_>,
    positions: &[Position],
    wrong: impl Fn(usize, usize, Arg<'static>) -> Option<Arg<'static>>,
    check: impl Fn(&str, Position, Rv),
) {
    token.user();
    for row in ROWS {
        let Row(function, _, mech, all) = row;
        for (at, position) in all.iter().enumerate().filter(|(_, it)| positions.contains(it)) {
            let session = token.rw();
            let mut bench = Bench::new(&session, *mech);
            let got = bench.call(&session, row, &|it, right| wrong(at, it, right));
            check(&format!("{} argument {at}", function.name), *position, got.err().unwrap_or(Rv(CKR_OK)));
            let _ = session.close();
        }
    }
}

/// Codes that blame the module or the machine, not the argument.
const BLAME: [CK_RV; 5] =
    [CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_HOST_MEMORY, CKR_DEVICE_MEMORY];

isolated! {
    fn a_null_pointer_is_a_bad_argument(kit) {
        let pointers = [Mechanism, Parameter, Attributes, Data, OutputLength, Room, Place];
        let null = |at: usize, it: usize, _: Arg<'static>| (it == at).then_some(Arg::NULL);
        each(&kit.token(), &pointers, null, |call, position, code| {
            // From 3.0 on, a null mechanism ends a running operation.
            let allowed = code.0 != CKR_OK || (position == Mechanism && call.contains("Init"));
            assert!(allowed && !BLAME.contains(&code.0), "{call} null: {code:?}");
        });
    }

    fn a_null_pointer_with_the_largest_length_is_a_bad_argument(kit) {
        let wrong = |at: usize, it: usize, _: Arg<'static>| match it {
            it if it == at => Some(CK_ULONG::MAX.into()),
            it if it + 1 == at => Some(Arg::NULL),
            _ => None,
        };
        each(&kit.token(), &[Count, DataLength, ParameterLength], wrong, |call, _, code| {
            assert!(code.0 != CKR_OK && !BLAME.contains(&code.0), "{call}: {code:?}");
        });
    }

    fn a_misaligned_pointer_does_not_crash(kit) {
        let pointers = [Mechanism, Attributes, Data, Output, OutputLength, Room, Place];
        let wrong = |at: usize, it: usize, right: Arg<'static>| (it == at).then_some(right.misaligned());
        each(&kit.token(), &pointers, wrong, |call, _, code| {
            assert!(!BLAME.contains(&code.0), "{call} misaligned: {code:?}");
        });
    }

    fn a_length_that_no_memory_has_is_refused(kit) {
        let session = kit.user();
        let template = attrs![CKA_LABEL => "label"];
        let raw = template.raw();
        let mut place: CK_ULONG = 0;
        for count in [CK_ULONG::MAX, CK_ULONG::MAX / 24 + 2, 1 << 62] {
            let args = [raw.as_slice().into(), count.into(), (&mut place).into()];
            let refused = session.call(function!(C_CreateObject), &args);
            assert_refused(refused, &[CKR_ARGUMENTS_BAD], &format!("C_CreateObject, {count:#x} attributes"));
            let args = [raw.as_slice().into(), count.into()];
            let refused = session.call(function!(C_FindObjectsInit), &args);
            assert_refused(
                refused,
                &[CKR_ARGUMENTS_BAD],
                &format!("C_FindObjectsInit, {count:#x} attributes"),
            );
            session.digest_init(&Mech::plain(HASH)).unwrap();
            let args = [[7u8; 8].as_slice().into(), CK_ULONG::MAX.into()];
            let refused = session.call(function!(C_DigestUpdate), &args);
            assert_refused(refused, &[CKR_ARGUMENTS_BAD, CKR_DATA_LEN_RANGE], "C_DigestUpdate");
        }
    }

    fn invalid_session_handles_are_refused_everywhere(kit) {
        let token = kit.token();
        let valid = token.user();
        for row in ROWS.iter().filter(|Row(_, _, _, positions)| positions[0] == SessionId) {
            let Row(function, _, mech, positions) = row;
            let mut bench = Bench::new(&valid, *mech);
            let none = Row(*function, Before::Nothing, *mech, positions);
            for handle in [0, 0x7777_7777, CK_ULONG::MAX] {
                let got = bench.call(&valid, &none, &|at, _| (at == 0).then_some(handle.into()));
                let expected = [CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED];
                assert_refused(got, &expected, &format!("{} with session {handle:#x}", function.name));
            }
        }
    }
}
