//! Versions of the protocol, and the two ranges that the tables state: since when, and until when.

use std::fmt;

/// A version of KMIP that this server speaks. Later versions are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the name says it")]
pub enum Version {
    V1_0,
    V1_1,
    V1_2,
    V1_3,
    V1_4,
    V2_0,
    V2_1,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Version; 7] = [
        Version::V1_0,
        Version::V1_1,
        Version::V1_2,
        Version::V1_3,
        Version::V1_4,
        Version::V2_0,
        Version::V2_1,
    ];

    /// The newest one.
    pub const NEWEST: Version = Version::V2_1;

    /// The version with these numbers, if it is one that we speak.
    pub fn of(major: i32, minor: i32) -> Option<Version> {
        Version::ALL.into_iter().find(|version| (version.major(), version.minor()) == (major, minor))
    }

    /// Protocol Version Major.
    pub fn major(self) -> i32 {
        if self < Version::V2_0 { 1 } else { 2 }
    }

    /// Protocol Version Minor.
    pub fn minor(self) -> i32 {
        match self {
            Version::V1_0 | Version::V2_0 => 0,
            Version::V1_1 | Version::V2_1 => 1,
            Version::V1_2 => 2,
            Version::V1_3 => 3,
            Version::V1_4 => 4,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

/// The last version of a row of a table: the one that it names, or the newest.
macro_rules! last {
    () => {
        $crate::ttlv::Version::NEWEST
    };
    ($last:ident) => {
        $crate::ttlv::Version::$last
    };
}
pub(super) use last;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_their_version_and_no_other() {
        for version in Version::ALL {
            assert_eq!(Version::of(version.major(), version.minor()), Some(version));
        }
        for (major, minor) in [(0, 9), (1, 5), (2, 2), (3, 0), (1, -1), (-1, 0)] {
            assert_eq!(Version::of(major, minor), None, "{major}.{minor}");
        }
    }

    #[test]
    fn versions_are_in_order_and_written_with_a_dot() {
        assert!(Version::ALL.is_sorted());
        assert_eq!(Version::ALL.map(|version| version.to_string()).join(" "), "1.0 1.1 1.2 1.3 1.4 2.0 2.1");
    }
}
