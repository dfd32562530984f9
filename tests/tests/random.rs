//! C_GenerateRandom and C_SeedRandom. PKCS #11 3.2, section 5.19.

use hsm_tests::function;
use hsm_tests::kit::Child;
use hsm_tests::prelude::*;
use hsm_tests::raw::Arg;

isolated! {
    fn random_bytes_differ(kit) {
        let session = kit.token().rw();
        let mut seen: Vec<_> = (0..1000).map(|_| session.random(16).unwrap()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
    }

    fn random_bytes_take_every_value(kit) {
        let bytes = kit.token().rw().random(100_000).unwrap();
        let mut counts = [0; 256];
        for byte in bytes {
            counts[usize::from(byte)] += 1;
        }
        // 390 are expected, with a standard deviation of 20.
        assert!(counts.iter().all(|count| (190..590).contains(count)), "{counts:?}");
    }

    fn the_whole_buffer_is_filled_and_no_more(kit) {
        let session = kit.token().rw();
        let mut buffer = [0u8; 64];
        let pointer = Arg::from(&mut buffer[..32]);
        session.call(function!(C_GenerateRandom), &[pointer, 32usize.into()]).unwrap();
        assert!(buffer[..32].iter().filter(|byte| **byte == 0).count() < 8);
        assert_eq!(buffer[32..], [0; 32]);
    }

    fn random_needs_no_login(kit) {
        assert!(kit.token().ro().random(8).is_ok());
    }

    fn random_without_a_buffer_is_refused(kit) {
        let session = kit.token().rw();
        let args = [Arg::NULL, 8usize.into()];
        refused!(CKR_ARGUMENTS_BAD, session.call(function!(C_GenerateRandom), &args));
    }

    fn a_seed_is_taken(kit) {
        let session = kit.token().rw();
        session.seed(b"a seed of some bytes").unwrap();
        assert_ne!(session.random(16).unwrap(), session.random(16).unwrap());
    }

    fn a_seed_does_not_make_random_bytes_repeat(kit) {
        let session = kit.token().rw();
        let after = || {
            session.seed(b"the same seed").unwrap();
            session.random(16).unwrap()
        };
        assert_ne!(after(), after());
    }

    fn parent_and_child_have_different_random_bytes(kit) {
        let session = kit.token().rw();
        session.random(16).unwrap();
        let file = kit.directory.join("random");
        let child = Child::fork(|| {
            kit.module.initialize().expect("C_Initialize in the child");
            let bytes = Token::find(&kit.module).rw().random(16).unwrap();
            std::fs::write(&file, bytes).unwrap();
        });
        let here = session.random(16).unwrap();
        child.succeeds();
        assert_ne!(std::fs::read(&file).unwrap(), here);
    }

    fn two_children_have_different_random_bytes(kit) {
        kit.token().rw().random(16).unwrap();
        let bytes = [1, 2].map(|number| {
            let file = kit.directory.join(format!("random-{number}"));
            Child::fork(|| {
                kit.module.initialize().expect("C_Initialize in the child");
                std::fs::write(&file, Token::find(&kit.module).rw().random(16).unwrap()).unwrap();
            })
            .succeeds();
            std::fs::read(&file).unwrap()
        });
        assert_ne!(bytes[0], bytes[1]);
    }

    fn children_make_different_keys(kit) {
        kit.token().rw().random(16).unwrap();
        let values = [1, 2].map(|number| {
            let file = kit.directory.join(format!("key-{number}"));
            Child::fork(|| {
                kit.module.initialize().expect("C_Initialize in the child");
                let session = Token::find(&kit.module).user();
                let open = attrs![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
                let key = hsm_tests::keys::generate_aes(&session, open);
                std::fs::write(&file, session.get(key, CKA_VALUE).unwrap()).unwrap();
            })
            .succeeds();
            std::fs::read(&file).unwrap()
        });
        assert_ne!(values[0], values[1]);
    }
}
