//! Uses counted in memory: one entry for each client, key, operation and outcome, whatever number of times
//! it came, so that what is written does not grow with what is done.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::ObjectId;
use super::event::{Activity, Event, Initiator, Moment, Reason, cut};
use super::trail::Answered;

/// How many entries there are at most: then they are written at once.
pub(super) const MOST: usize = 4096;

/// What was counted since it was written last. Each use of a key is looked up here, by a text of a hundred
/// bytes, for which the standard library's hash took more time than all other counting.
#[derive(Default)]
pub(super) struct Tallies {
    /// By the identity of the initiator. Few have several names, partitions or hosts.
    initiators: HashMap<String, Vec<Actor>, RandomState>,
    entries: usize,
    /// How often something was not counted, since there was no room and the store took nothing.
    pub(super) lost: u64,
    /// Whether the store did not take what was counted, the last time: clients do not wait for it then.
    pub(super) waits: bool,
}

struct Actor {
    initiator: Initiator,
    counts: HashMap<Key, Event, RandomState>,
}

/// Failures are not told apart by object: whoever asks for things that do not exist would fill the memory
/// and the log with names of his own.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct Key {
    activity: Activity,
    object: Option<ObjectId>,
    with: Option<ObjectId>,
    reason: Option<Reason>,
}

/// Whether something could be counted.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Counted {
    /// It is the first of its kind since the last flush.
    First,
    /// It adds to others.
    More,
    /// It would be the first of its kind, and there is no room.
    Full,
}

impl Tallies {
    /// Counts something, `count` times: 0 only remembers that it is of a kind that is known now.
    pub(super) fn add(&mut self, answered: &Answered<'_>, count: u64) -> Counted {
        let now = Moment::now();
        let is_full = self.entries >= MOST;
        let key = Key {
            activity: answered.activity,
            object: answered.object.filter(|_| answered.reason.is_none()),
            with: answered.with.filter(|_| answered.reason.is_none()),
            reason: answered.reason,
        };
        let actor = self
            .initiators
            .get_mut(cut(answered.id))
            .and_then(|actors| actors.iter_mut().find(|actor| answered.is_by(&actor.initiator)));
        let known = actor.and_then(|actor| actor.counts.get_mut(&key));
        if let Some(event) = known {
            event.count += count;
            event.last = now;
            answered.objects().for_each(|object| event.about(object));
            return Counted::More;
        }
        if is_full {
            return Counted::Full;
        }
        // What is only remembered is an event already, with its object.
        let named = |object: Option<ObjectId>| object.filter(|_| count > 0);
        let told = Answered { object: named(answered.object), with: named(answered.with), ..*answered };
        let mut event = told.event();
        (event.request, event.count, event.first, event.last) = (None, count, now, now);
        self.insert(key, event);
        Counted::First
    }

    fn insert(&mut self, key: Key, event: Event) {
        let actors = self.initiators.entry(event.initiator.id.clone()).or_default();
        let at = actors.iter().position(|actor| actor.initiator == event.initiator);
        let at = at.unwrap_or_else(|| {
            actors.push(Actor { initiator: event.initiator.clone(), counts: HashMap::default() });
            actors.len() - 1
        });
        if let Some(actor) = actors.get_mut(at) {
            match actor.counts.get_mut(&key) {
                Some(known) => {
                    known.count += event.count;
                    known.first = known.first.min(event.first);
                    known.last = known.last.max(event.last);
                }
                None => {
                    actor.counts.insert(key, event);
                    self.entries += 1;
                }
            }
        }
    }

    /// Takes out what was counted.
    pub(super) fn take(&mut self) -> Tallies {
        std::mem::replace(self, Tallies { waits: self.waits, ..Tallies::default() })
    }

    /// Whether it is time to write.
    pub(super) fn is_half_full(&self) -> bool {
        self.entries >= MOST / 2
    }

    /// The events, in the order of their first moments.
    pub(super) fn into_events(self) -> Vec<Event> {
        let counts = self.initiators.into_values().flatten().flat_map(|actor| actor.counts.into_values());
        let mut events: Vec<Event> = counts.filter(|event| event.count > 0).collect();
        events.sort_by_key(|event| event.first);
        events
    }

    /// Takes events back that could not be written, as far as there is room.
    pub(super) fn put_back(&mut self, events: Vec<Event>) {
        for event in events {
            let mut objects = event.objects().iter().copied().filter(|_| event.reason.is_none());
            let (object, with) = (objects.next(), objects.next());
            if self.entries >= MOST {
                self.lost += event.count;
            } else {
                self.insert(Key { activity: event.activity, object, with, reason: event.reason }, event);
            }
        }
    }
}
