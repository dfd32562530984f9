//! An event: what was done, by whom, to what, and how it ended.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::ObjectId;

/// How many objects one event names; of more, it says how many there were.
pub(super) const MOST_OBJECTS: usize = 16;

/// How many bytes of a name an event keeps.
const LONGEST_NAME: usize = 256;

/// What kind of event it is, which decides how it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// Something was changed. Written in the change's own transaction.
    Change,
    /// A change was refused. Written before the answer.
    Refusal,
    /// A key was used, or something was read. Counted, and written a moment later.
    Use,
    /// Somebody came in, or was kept out. Kept as uses are.
    Login,
    /// The HSM, its partitions or its log were administered.
    Administration,
}

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// Daily business.
    Normal,
    /// Worth a look.
    Warning,
    /// Something is lost for good, or somebody was kept out.
    Critical,
}

/// What is done. Its words are the program's own, so that nothing else gets into them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Activity {
    /// The door: `kmip`. [`OWN_DOOR`] stands for that of the process.
    pub door: &'static str,
    /// The operation as the door's standard writes it: `CreateKeyPair`.
    pub operation: &'static str,
    /// Its class.
    pub class: Class,
    /// How much it matters, with its outcome.
    pub severity: Severity,
}

/// The door of what a process does by its own hands, whichever that is: module or command line.
pub const OWN_DOOR: &str = "";

/// Why something was refused, as the door's standard has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reason {
    /// Its number.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
}

/// Who it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Initiator {
    /// The stable identity.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The label of the partition that it works in.
    pub partition: String,
    /// Where it called from.
    pub host: Option<IpAddr>,
}

/// A request of a process, as its log names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The connection's number.
    pub connection: u64,
    /// The request's number on it.
    pub number: u64,
}

/// Milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub u64);

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// An event, or several that differ in their moments alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What was done.
    pub activity: Activity,
    /// Who did it.
    pub initiator: Initiator,
    /// Why it was refused; `None` where it succeeded.
    pub reason: Option<Reason>,
    /// The request, where it was one.
    pub request: Option<Request>,
    /// How often it was done.
    pub count: u64,
    /// When it was done first.
    pub first: Moment,
    /// When it was done last.
    pub last: Moment,
    objects: Vec<ObjectId>,
    /// How many objects are not named.
    unnamed: u64,
}

impl Event {
    /// One event of this moment.
    pub fn now(activity: Activity, initiator: Initiator) -> Event {
        let now = Moment::now();
        let (objects, unnamed) = (Vec::new(), 0);
        Event {
            activity,
            initiator,
            reason: None,
            request: None,
            count: 1,
            first: now,
            last: now,
            objects,
            unnamed,
        }
    }

    /// The same, refused.
    pub fn refused(self, reason: Reason) -> Event {
        Event { reason: Some(reason), ..self }
    }

    /// Names an object that it is about. Each is named once; of many, only the first ones are.
    pub fn about(&mut self, object: ObjectId) {
        if self.objects.contains(&object) {
            return;
        }
        if self.objects.len() < MOST_OBJECTS {
            self.objects.push(object);
        } else {
            self.unnamed += 1;
        }
    }

    /// The objects that it is about.
    pub fn objects(&self) -> &[ObjectId] {
        &self.objects
    }

    /// How many more objects it is about than it names.
    pub fn unnamed(&self) -> u64 {
        self.unnamed
    }
}

impl Initiator {
    /// An initiator. Of long names the first 256 bytes count.
    pub fn new(id: &str, name: &str, partition: &str, host: Option<IpAddr>) -> Initiator {
        let [id, name, partition] = [id, name, partition].map(|text| cut(text).to_owned());
        Initiator { id, name, partition, host }
    }
}

/// A name as events keep it.
pub(super) fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or_default()
}
