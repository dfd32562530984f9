//! Slots: C_GetSlotList, C_GetSlotInfo, and the numbers that tokens keep. PKCS #11 3.2, section 5.5;
//! initialised tokens first, one that is not initialised last, as SoftHSM2's users know them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use hsm_tests::function;
use hsm_tests::kit::{Child, Gate, SO_PIN};
use hsm_tests::module::text;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

const NO_SLOT: CK_SLOT_ID = 0x7fff_fff1;

fn is_initialised(module: &Module, slot: CK_SLOT_ID) -> bool {
    module.token_info(slot).unwrap().flags & CKF_TOKEN_INITIALIZED != 0
}

isolated! {
    fn a_new_directory_has_one_slot_whose_token_is_not_initialised(kit) {
        let module = kit.initialised();
        let slots = module.slots(true).unwrap();
        assert_eq!(slots.len(), 1);
        assert!(!is_initialised(module, slots[0]));
    }

    fn a_missing_token_directory_is_like_an_empty_one(kit) {
        let tokens = kit.directory.join("tokens");
        std::fs::remove_dir(&tokens).unwrap();
        let module = kit.initialised();
        assert_eq!(module.slots(true).unwrap().len(), 1);
        module.finalize().unwrap();
        assert!(!tokens.exists(), "C_Initialize creates nothing");
    }

    fn listing_slots_creates_nothing(kit) {
        let module = kit.initialised();
        module.slots(true).unwrap();
        module.token_info(module.free_slot()).unwrap();
        module.finalize().unwrap();
        let files = std::fs::read_dir(kit.directory.join("tokens")).unwrap().count();
        assert_eq!(files, 0);
    }

    fn initialising_a_token_brings_another_free_slot(kit) {
        let module = kit.token().module;
        let slots = module.slots(true).unwrap();
        assert_eq!(slots.len(), 2);
        assert_eq!(slots.iter().filter(|&&slot| is_initialised(module, slot)).count(), 1);
    }

    fn initialised_tokens_come_first(kit) {
        let module = kit.token().module;
        for label in ["second", "third"] {
            Token::make(module, label);
        }
        let states: Vec<bool> =
            module.slots(true).unwrap().iter().map(|&s| is_initialised(module, s)).collect();
        assert_eq!(states, [true, true, true, false]);
    }

    fn a_slots_number_stays_valid_until_finalize(kit) {
        let module = kit.initialised();
        let free = module.free_slot();
        module.init_token(free, SO_PIN, "first").unwrap();
        assert!(module.token_info(free).is_ok(), "the number that C_InitToken was called with");
        module.slots(true).unwrap();
        assert!(module.open_rw(free).is_ok());
    }

    fn a_tokens_number_is_the_same_after_finalize_and_initialize(kit) {
        let token = kit.token();
        kit.module.finalize().unwrap();
        let before = Token::find(kit.initialised()).slot;
        kit.module.finalize().unwrap();
        assert_eq!(Token::find(kit.initialised()).slot, before);
        let _ = token;
    }

    fn a_tokens_number_is_the_same_in_another_process(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        let here = Token::find(kit.initialised()).slot;
        kit.module.finalize().unwrap();
        Child::fork(|| assert_eq!(Token::find(kit.initialised()).slot, here)).succeeds();
    }

    fn a_tokens_number_follows_from_its_serial(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        let token = Token::find(kit.initialised());
        let serial = text(&token.info().serialNumber);
        let low = CK_SLOT_ID::from_str_radix(&serial[serial.len() - 8..], 16).unwrap();
        assert_eq!(token.slot, low & 0x7fff_ffff, "serial {serial}");
    }

    fn a_tokens_number_does_not_change_when_others_come(kit) {
        kit.token();
        kit.module.finalize().unwrap();
        let module = kit.initialised();
        let before = Token::find(module).slot;
        Token::make(module, "second");
        assert_eq!(Token::find(module).slot, before);
        module.finalize().unwrap();
        assert_eq!(Token::find(kit.initialised()).slot, before);
    }

    fn a_token_made_by_another_process_appears(kit) {
        let gate = Gate::new();
        let child = Child::fork(|| {
            gate.wait();
            Token::make(kit.initialised(), "second");
        });
        kit.token();
        gate.open();
        child.succeeds();
        kit.module.finalize().unwrap();
        assert!(kit.initialised().slot_of("second").is_some());
    }

    fn slot_list_says_its_length_without_a_buffer(kit) {
        let module = kit.token().module;
        let mut count: CK_ULONG = 99;
        let args = [1usize.into(), Arg::NULL, (&mut count).into()];
        module.call(function!(C_GetSlotList), &args).unwrap();
        assert_eq!(count, 2);
    }

    fn slot_list_refuses_a_small_buffer_and_says_what_it_needs(kit) {
        let module = kit.token().module;
        let mut one: [CK_SLOT_ID; 1] = [NO_SLOT];
        let mut count: CK_ULONG = 1;
        let args = [1usize.into(), one.as_mut_slice().into(), (&mut count).into()];
        refused!(CKR_BUFFER_TOO_SMALL, module.call(function!(C_GetSlotList), &args));
        assert_eq!((count, one[0]), (2, NO_SLOT));
    }

    fn slot_list_accepts_a_larger_buffer(kit) {
        let module = kit.token().module;
        let mut many: [CK_SLOT_ID; 9] = [NO_SLOT; 9];
        let mut count: CK_ULONG = 9;
        let args = [1usize.into(), many.as_mut_slice().into(), (&mut count).into()];
        module.call(function!(C_GetSlotList), &args).unwrap();
        assert_eq!(count, 2);
        assert_eq!(many[2..], [NO_SLOT; 7]);
    }

    fn slots_with_and_without_tokens_are_the_same(kit) {
        let module = kit.token().module;
        assert_eq!(module.slots(true).unwrap(), module.slots(false).unwrap());
    }

    fn slot_info_says_that_a_token_is_present(kit) {
        let module = kit.token().module;
        for slot in module.slots(false).unwrap() {
            let info = module.slot_info(slot).unwrap();
            assert_eq!(info.flags & CKF_TOKEN_PRESENT, CKF_TOKEN_PRESENT);
            assert_eq!(info.flags & CKF_HW_SLOT, 0, "this is software");
            assert_eq!(info.flags & CKF_REMOVABLE_DEVICE, 0);
        }
    }

    fn slot_info_is_padded_with_blanks(kit) {
        let module = kit.initialised();
        let info = module.slot_info(module.free_slot()).unwrap();
        assert!(!text(&info.slotDescription).is_empty());
        assert!(!info.slotDescription.contains(&0));
        assert!(!info.manufacturerID.contains(&0));
    }

    fn a_slot_that_does_not_exist_is_refused(kit) {
        let module = kit.initialised();
        refused!(CKR_SLOT_ID_INVALID, module.slot_info(NO_SLOT));
        refused!(CKR_SLOT_ID_INVALID, module.token_info(NO_SLOT));
        refused!(CKR_SLOT_ID_INVALID, module.mechanisms(NO_SLOT));
        refused!(CKR_SLOT_ID_INVALID, module.mechanism_info(NO_SLOT, CKM_SHA256));
        refused!(CKR_SLOT_ID_INVALID, module.init_token(NO_SLOT, SO_PIN, "label"));
        refused!(CKR_SLOT_ID_INVALID, module.open_rw(NO_SLOT));
        refused!(CKR_SLOT_ID_INVALID, module.close_all(NO_SLOT));
    }
}
