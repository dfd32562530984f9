//! What is on the disk: nothing of a private object in clear, and no bit whose change leads to a
//! wrong answer. The store's own treatment of damaged files is tested with its back ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod kit;

use std::fs;
use std::path::Path;

use cryptoki_sys::*;
use hsm_core::error::{Error, Result};
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::Mechanism;
use hsm_core::object::Template;
use hsm_core::session::{Access, ObjectHandle, Output, Role, Session};
use kit::*;

const MESSAGE: &[u8] = b"message";
/// The label of objects that are there to make the file longer.
const FILLER: &str = "filler";

/// The objects of the token whose bits are flipped, all of public classes and private ones.
fn fill(session: &Session) {
    let with_id = |mut template: Template, id: &str| {
        template.push(bytes(CKA_ID, id));
        template
    };
    session.create_object(data(false, "public data", b"one")).unwrap();
    session.create_object(data(true, "private data", b"two")).unwrap();
    session.create_object(data(true, "twin", b"first")).unwrap();
    session.create_object(data(true, "twin", b"second")).unwrap();
    generate_ec(session, "pair");
    for (private, text) in [(false, "public"), (true, "private")] {
        session
            .create_object(with_id(secret(private, &format!("{text} aes"), CKK_AES, &[5; 32]), text))
            .unwrap();
        let hmac = secret(private, &format!("{text} secret"), CKK_GENERIC_SECRET, &[9; 40]);
        session.create_object(with_id(hmac, &format!("id of {text}"))).unwrap();
    }
    for filler in 0..48 {
        session.create_object(data(filler % 2 == 0, FILLER, &[filler])).unwrap();
    }
    let mut certificate = token(false, "certificate");
    certificate.extend([
        number(CKA_CLASS, CKO_CERTIFICATE),
        number(CKA_CERTIFICATE_TYPE, CKC_X_509),
        bytes(CKA_SUBJECT, "subject"),
        bytes(CKA_VALUE, [3; 300]),
    ]);
    session.create_object(certificate).unwrap();
}

/// A question and what was answered.
type Answers = Vec<(String, Result<String>)>;

/// The fixed script of questions. With a PIN, private objects are asked for too.
fn interview(hsm: &Hsm, pin: Option<&[u8]>) -> Answers {
    let mut answers = Answers::new();
    let partitions = match hsm.partitions() {
        Ok(partitions) => partitions,
        Err(error) => return vec![("partitions".into(), Err(error))],
    };
    answers.push(("partitions".into(), Ok(partitions.len().to_string())));
    for partition in &partitions {
        let info = partition.info();
        let said = (info.label, info.serial, info.so_pin_set, info.user_pin_set);
        answers.push(("partition".into(), Ok(format!("{said:?}"))));
        let tries = info.so_tries.zip(info.user_tries);
        answers.extend(tries.map(|tries| ("tries".into(), Ok(format!("{tries:?}")))));
        let session = match partition.open_session(Access::ReadOnly) {
            Ok(session) => session,
            Err(error) => {
                answers.push(("session".into(), Err(error)));
                continue;
            }
        };
        if let Some(pin) = pin {
            let login = session.login(Role::User, pin).map(|()| String::new());
            let failed = login.is_err();
            answers.push(("login".into(), login));
            if failed {
                continue;
            }
        }
        ask_for_objects(&session, &mut answers);
        partition.close_session(&session);
    }
    answers
}

fn searches() -> Vec<Template> {
    let labels = [
        "public data",
        "private data",
        "twin",
        "pair",
        FILLER,
        "public aes",
        "private secret",
        "certificate",
    ];
    let ids = ["public", "private", "id of public", "id of private", "no such id"];
    let classes = [CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY];
    let mut out = vec![vec![], vec![label("no such label")]];
    out.extend(labels.map(|text| vec![label(text)]));
    out.extend(ids.map(|id| vec![bytes(CKA_ID, id)]));
    out.extend(classes.map(|class| vec![number(CKA_CLASS, class)]));
    out.push(vec![label("twin"), bytes(CKA_VALUE, "second")]);
    out
}

fn ask_for_objects(session: &Session, answers: &mut Answers) {
    for search in searches() {
        let question = format!("find {search:?}");
        answers.push((question, find(session, search).map(|found| found.len().to_string())));
    }
    let objects = find(session, vec![]).unwrap_or_default();
    let mut described: Answers = objects.into_iter().map(|object| describe(session, object)).collect();
    // Identities are random, and with them the order of twins.
    described.sort_by(|a, b| a.0.cmp(&b.0));
    answers.append(&mut described);
}

/// Everything that an object shows, and what it does.
fn describe(session: &Session, object: ObjectHandle) -> (String, Result<String>) {
    let described = session.view(object).and_then(|view| {
        if view.attribute(CKA_LABEL)?.equals(&label(FILLER).1) {
            return Ok((FILLER.to_owned(), String::new()));
        }
        let shown: Vec<_> =
            view.kinds().into_iter().map(|kind| format!("{:?}", view.attribute(kind))).collect();
        let class = view.attribute(CKA_CLASS)?;
        let used = match class {
            class if class.equals(&number(0, CKO_SECRET_KEY).1) => use_secret(session, object)?,
            class if class.equals(&number(0, CKO_PRIVATE_KEY).1) => {
                sign(session, CKM_ECDSA_SHA256, object, MESSAGE)?.len().to_string()
            }
            _ => String::new(),
        };
        Ok((format!("{shown:?}"), used))
    });
    match described {
        Ok((shown, used)) => (format!("object {shown}"), Ok(used)),
        Err(error) => ("an object".into(), Err(error)),
    }
}

/// The first bytes of an HMAC or of a ciphertext.
fn use_secret(session: &Session, key: ObjectHandle) -> Result<String> {
    if value_len(session, key)? == 40 {
        return Ok(hex(&sign(session, CKM_SHA256_HMAC, key, MESSAGE)?));
    }
    session.encrypt_init(&cbc_pad(), key)?;
    let mut out = [0; 64];
    let length = session.encrypt(MESSAGE, Output::Buffer(&mut out))?;
    Ok(hex(&out[..length]))
}

fn value_len(session: &Session, key: ObjectHandle) -> Result<u64> {
    let view = session.view(key)?;
    match view.attribute(CKA_VALUE_LEN)? {
        hsm_core::object::Value::Number(length) => Ok(*length),
        other => panic!("{other:?}"),
    }
}

/// Whether an error says what it is: damage, found at the store or above it.
fn says_damage(error: &Error) -> bool {
    matches!(error, Error::RecordDamaged { .. } | Error::Store(_))
}

/// Every answer is the right one, or an error that says what it is.
fn compare(right: &Answers, given: Answers, what: &str) -> bool {
    let mut damaged = false;
    for (question, answer) in given {
        match answer {
            Ok(answer) => {
                let known = right.iter().any(|(asked, right)| {
                    *asked == question && right.as_ref().is_ok_and(|right| *right == answer)
                });
                assert!(known, "{what}: {question} was answered {answer}");
            }
            Err(error) => {
                assert!(says_damage(&error), "{what}: {question} failed with {error:?}");
                damaged = true;
            }
        }
    }
    damaged
}

/// A home whose database is put back, with a flipped bit, before each interview.
struct Victim {
    home: tempfile::TempDir,
    pristine: Vec<u8>,
}

impl Victim {
    /// A copy of a home whose handles are closed.
    fn of(original: &Path) -> Victim {
        let home = directory();
        copy(original, home.path());
        let pristine = fs::read(database(original)).unwrap();
        Victim { home, pristine }
    }

    /// Puts the database there, one bit of it flipped.
    fn put(&self, flip: Option<(usize, u8)>) {
        let main = database(self.home.path());
        let mut bytes = self.pristine.clone();
        if let Some((at, bit)) = flip {
            bytes[at] ^= 1 << bit;
        }
        for entry in fs::read_dir(main.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with(".generation") {
                fs::remove_file(path).unwrap();
            }
        }
        fs::write(main, bytes).unwrap();
    }

    fn interview(&self, flip: Option<(usize, u8)>, pin: Option<&[u8]>) -> Answers {
        self.put(flip);
        interview(&handle(self.home.path()), pin)
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A home with the objects of [`fill`], every handle on it closed.
fn filled() -> tempfile::TempDir {
    let fresh = Fresh::new();
    fill(&fresh.user());
    let home = fresh.close();
    let log = database(home.path()).with_extension("sqlite-wal");
    assert!(!log.exists(), "the log was not moved into the database");
    home
}

/// The bits to flip in a database of this length: with `SOFTHSM_RS_FLIPS=all` one in every byte;
/// otherwise in every byte of what leads through the file (its header, and the headers and first cell
/// pointers of pages), and in one byte of each `step` elsewhere.
fn flips(length: usize, step: usize) -> Vec<(usize, u8)> {
    const PAGE: usize = 4096;
    let all = std::env::var_os("SOFTHSM_RS_FLIPS").is_some_and(|value| value == "all");
    let leads = |at: usize| at < 112 || at % PAGE < 24;
    // An odd multiplier that is no power of two, so that neighbours differ.
    let bit = |at: usize| (at.wrapping_mul(2_654_435_761) >> 7 & 7) as u8;
    (0..length).filter(|at| all || leads(*at) || at % step == 0).map(|at| (at, bit(at))).collect()
}

/// Flips bits in two threads and compares; answers how many were tried and how many of them noticed.
fn flip(step: usize, pin: Option<&[u8]>) -> (usize, usize) {
    let home = filled();
    let length = fs::metadata(database(home.path())).unwrap().len();
    assert!(length > 6 * 4096, "too small to have pages above others");
    let flips = flips(usize::try_from(length).unwrap(), step);
    let (first, second) = flips.split_at(flips.len() / 2);
    let noticed = std::thread::scope(|scope| {
        let threads = [first, second].map(|flips| {
            let victim = Victim::of(home.path());
            scope.spawn(move || {
                let right = victim.interview(None, pin);
                assert!(right.iter().all(|(_, answer)| answer.is_ok()), "{right:?}");
                let noticed = |flip: &&(usize, u8)| {
                    compare(&right, victim.interview(Some(**flip), pin), &format!("flip {flip:?}"))
                };
                flips.iter().filter(noticed).count()
            })
        });
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    (flips.len(), noticed)
}

#[test]
fn a_flipped_bit_never_changes_what_anybody_is_told() {
    let (tried, noticed) = flip(47, None);
    assert!(noticed > tried / 10, "{noticed} of {tried} were noticed: the test looks at the wrong file");
}

#[test]
fn a_flipped_bit_never_changes_what_the_user_is_told() {
    let (tried, noticed) = flip(401, Some(USER_PIN));
    assert!(noticed > tried / 10, "{noticed} of {tried} were noticed: the test looks at the wrong file");
}

/// All bytes of all files of a home.
fn everything(home: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in fs::read_dir(home).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(everything(&path));
        } else {
            out.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    out
}

/// Asserts that no file of the home holds any of these, as bytes or in hexadecimal.
fn assert_absent(home: &Path, needles: &[(&str, Vec<u8>)]) {
    for (name, bytes) in everything(home) {
        for (what, needle) in needles {
            // A part of a key is as bad as the key.
            let part = &needle[..needle.len().min(12)];
            for form in [part.to_vec(), hex(part).into_bytes(), hex(part).to_uppercase().into_bytes()] {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{name} holds the {what} in clear");
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Private objects of every kind, and what must not be found of them.
fn fill_with_secrets(session: &Session) -> Vec<(&'static str, Vec<u8>)> {
    let mut given = data(true, "LABEL-of-a-private-object", b"VALUE-of-a-private-object");
    given.extend([
        bytes(CKA_APPLICATION, "APPLICATION-of-a-private-object"),
        bytes(CKA_OBJECT_ID, "OBJECT-ID-of-a-private-object"),
    ]);
    session.create_object(given).unwrap();
    let mut aes = secret(true, "LABEL-of-a-private-key", CKK_AES, b"KEY-BYTES-that-are-32-long-so-so");
    aes.push(bytes(CKA_ID, "ID-of-a-private-key"));
    session.create_object(aes).unwrap();
    let mut public = token(false, "public half");
    public.push(number(CKA_MODULUS_BITS, 2048));
    let mut private = token(true, "LABEL-of-an-RSA-key");
    private.extend([flag(CKA_SENSITIVE, false), flag(CKA_EXTRACTABLE, true)]);
    let pair = session.generate_key_pair(&Mechanism::plain(CKM_RSA_PKCS_KEY_PAIR_GEN), public, private);
    let (_, rsa) = pair.unwrap();
    let mut out: Vec<(&str, Vec<u8>)> = [
        ("label", "LABEL-of-a"),
        ("value", "VALUE-of-a-private-object"),
        ("application", "APPLICATION-of-a-private-object"),
        ("object identifier", "OBJECT-ID-of-a-private-object"),
        ("AES key", "KEY-BYTES-that-are-32-long-so-so"),
        ("identifier", "ID-of-a-private-key"),
        ("end of the AES key", "32-long-so-so"),
        ("user PIN", "PIN-of-the-user"),
        ("SO PIN", "PIN-of-the-SO"),
    ]
    .map(|(what, text)| (what, text.as_bytes().to_vec()))
    .into();
    for (what, kind) in [
        ("private exponent", CKA_PRIVATE_EXPONENT),
        ("first prime", CKA_PRIME_1),
        ("second prime", CKA_PRIME_2),
        ("first exponent", CKA_EXPONENT_1),
        ("second exponent", CKA_EXPONENT_2),
        ("coefficient", CKA_COEFFICIENT),
    ] {
        out.push((what, value(session, rsa, kind)));
    }
    out
}

#[test]
fn no_file_holds_anything_of_a_private_object_or_a_pin() {
    let fresh = Fresh::new();
    let session = fresh.user();
    session.set_pin(USER_PIN, b"PIN-of-the-user").unwrap();
    session.logout().unwrap();
    session.login(Role::So, SO_PIN).unwrap();
    session.set_pin(SO_PIN, b"PIN-of-the-SO").unwrap();
    session.logout().unwrap();
    session.login(Role::User, b"PIN-of-the-user").unwrap();
    let needles = fill_with_secrets(&session);
    let log = database(fresh.home.path()).with_extension("sqlite-wal");
    assert!(fs::metadata(&log).unwrap().len() > 10_000, "the log is not where it was looked for");
    assert_absent(fresh.home.path(), &needles);
    let moved = the(&session, "LABEL-of-a-private-key");
    session.set_attributes(moved, vec![label("LABEL-of-a-changed-key")]).unwrap();
    session.destroy_object(moved).unwrap();
    drop(session);
    let home = fresh.close();
    assert!(!log.exists());
    assert_absent(home.path(), &needles);
}
