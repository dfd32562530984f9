//! Random operations have the same outcome on every back end.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// One step of a transaction. Identities come from small sets, so that steps meet.
#[derive(Debug, Clone)]
enum Step {
    Get(u8, u8),
    Put(u8, u8, u64, Vec<u8>),
    Remove(u8, u8, u64),
    PutEntry(u8, Indexed),
    RemoveEntry(u8, Entry),
    Before(u8, Entry),
    After(u8, Entry, usize),
    RemovePartition(u8),
}

/// What happens to the store.
#[derive(Debug, Clone)]
enum Action {
    /// A write, and whether it commits.
    Write(Vec<Step>, bool),
    /// A read; its steps that write are left out.
    Read(Vec<Step>),
    /// Suspended and resumed.
    Suspend,
    /// Closed and opened again.
    Reopen,
}

fn some_entry() -> impl Strategy<Value = Entry> {
    let edge = prop_oneof![0..4_u8, Just(255)];
    (prop_oneof![0..3_u8, Just(255)], edge.clone(), edge)
        .prop_map(|(chain, tag, record)| indexed(chain, tag, record).entry)
}

fn some_step() -> impl Strategy<Value = Step> {
    let (p, r) = (0..3_u8, 0..4_u8);
    prop_oneof![
        2 => (p.clone(), r.clone()).prop_map(|(p, r)| Step::Get(p, r)),
        6 => (p.clone(), r.clone(), 0..4_u64, vec(any::<u8>(), 0..40))
            .prop_map(|(p, r, revision, sealed)| Step::Put(p, r, revision, sealed)),
        2 => (p.clone(), r, 0..4_u64).prop_map(|(p, r, revision)| Step::Remove(p, r, revision)),
        6 => (p.clone(), some_entry(), any::<[u8; 16]>())
            .prop_map(|(p, entry, mac)| Step::PutEntry(p, Indexed { entry, mac })),
        2 => (p.clone(), some_entry()).prop_map(|(p, entry)| Step::RemoveEntry(p, entry)),
        3 => (p.clone(), some_entry()).prop_map(|(p, entry)| Step::Before(p, entry)),
        3 => (p.clone(), some_entry(), 0..6_usize).prop_map(|(p, entry, limit)| Step::After(p, entry, limit)),
        1 => p.prop_map(Step::RemovePartition),
    ]
}

fn some_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => (vec(some_step(), 0..12), prop::bool::weighted(0.8))
            .prop_map(|(steps, commits)| Action::Write(steps, commits)),
        6 => vec(some_step(), 0..12).prop_map(Action::Read),
        1 => Just(Action::Suspend),
        1 => Just(Action::Reopen),
    ]
}

fn partition(number: u8) -> PartitionId {
    PartitionId([number; 16])
}

/// Runs a step that reads; the answer as text, to be compared. `None` for a step that writes.
fn ask(reader: &mut dyn Reader, step: &Step) -> Option<String> {
    Some(match step {
        Step::Get(p, r) => format!("{:?}", reader.get(partition(*p), id(*r))),
        Step::Before(p, at) => format!("{:?}", reader.entry_before(partition(*p), *at)),
        Step::After(p, after, limit) => {
            format!("{:?}", reader.entries_after(partition(*p), *after, *limit))
        }
        Step::Put(..)
        | Step::Remove(..)
        | Step::PutEntry(..)
        | Step::RemoveEntry(..)
        | Step::RemovePartition(..) => return None,
    })
}

fn run(writer: &mut dyn Writer, step: &Step) -> String {
    let result = match step {
        Step::Put(p, r, revision, sealed) => {
            let row = Row { kind: *p, revision: *revision, sealed: sealed.clone() };
            writer.put(partition(*p), id(*r), &row)
        }
        Step::Remove(p, r, revision) => writer.remove(partition(*p), id(*r), *revision),
        Step::PutEntry(p, indexed) => writer.put_entry(partition(*p), indexed),
        Step::RemoveEntry(p, entry) => writer.remove_entry(partition(*p), *entry),
        Step::RemovePartition(p) => writer.remove_partition(partition(*p)),
        Step::Get(..) | Step::Before(..) | Step::After(..) => {
            let reader: &mut dyn Reader = writer;
            return ask(reader, step).unwrap();
        }
    };
    format!("{result:?}")
}

/// Everything that the back end answers to `actions`, and then holds.
fn answers(mut subject: Subject, actions: &[Action]) -> Vec<String> {
    let mut answers = Vec::new();
    for action in actions {
        match action {
            Action::Write(steps, commits) => {
                let done = subject.store().write(partition(0), &mut |writer| {
                    answers.extend(steps.iter().map(|step| run(writer, step)));
                    if *commits { Ok(()) } else { Err(Error::NotSupported) }
                });
                answers.push(format!("{done:?}"));
            }
            Action::Read(steps) => {
                let ask_all =
                    |reader: &mut dyn Reader| Ok(steps.iter().filter_map(|step| ask(reader, step)).collect());
                let told: Vec<_> = read(subject.store(), ask_all);
                answers.extend(told);
            }
            Action::Suspend => {
                subject.store().suspend();
                subject.store().resume();
            }
            Action::Reopen => {
                subject.reopened();
            }
        }
    }
    answers.push(contents(subject.store()));
    answers
}

fn contents(store: &dyn Store) -> String {
    let mut text = String::new();
    for number in 0..3 {
        for record in 0..4 {
            text += &format!("{:?} ", get(store, partition(number), id(record)));
        }
        for chain in [0, 1, 2, 255] {
            let begin = super::super::overlay::first_of(chain);
            text += &format!("{:?} ", before(store, partition(number), begin));
            text += &format!("{:?} ", after(store, partition(number), begin, 1000));
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_back_ends_answer_alike(actions in vec(some_action(), 1..20)) {
        let expected = answers(Subject::new(memory), &actions);
        prop_assert_eq!(&answers(Subject::new(sqlite), &actions), &expected);
        #[cfg(feature = "sled")]
        prop_assert_eq!(&answers(Subject::new(sled), &actions), &expected);
    }
}
