//! What names, descriptions, aliases, tags and key rings may be, with Key Protect's limits.

use std::ops::RangeInclusive;

use super::KeyId;
use super::refusal::Reason;

/// Characters of a name.
const NAME: RangeInclusive<usize> = 2..=90;
/// Characters of a description.
const DESCRIPTION: RangeInclusive<usize> = 2..=240;
/// Characters of an alias, and of a key ring's name.
const ALIAS: RangeInclusive<usize> = 2..=90;
const RING: RangeInclusive<usize> = 2..=100;
/// Characters of a tag, and how many a key may have.
const TAG: RangeInclusive<usize> = 1..=30;
const TAGS: usize = 30;
/// Aliases of a key.
pub(super) const ALIASES_OF_KEY: usize = 5;
/// Aliases of a partition.
pub(super) const ALIASES: u32 = 1000;
/// Key rings of a partition.
pub(super) const RINGS: usize = 50;
/// The key ring that is there from the beginning.
pub const DEFAULT_RING: &str = "default";
/// Characters of a resource's name.
const RESOURCE: RangeInclusive<usize> = 1..=512;

/// What would be taken for another part of a path.
const RESERVED: [&str; 16] = [
    "allowed_ip",
    "key",
    "keys",
    "metadata",
    "policy",
    "policies",
    "registration",
    "registrations",
    "ring",
    "rings",
    "rotate",
    "wrap",
    "unwrap",
    "rewrap",
    "version",
    "versions",
];

fn within(text: &str, limits: &RangeInclusive<usize>) -> bool {
    limits.contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn is_word(text: &str, also: &[char]) -> bool {
    text.chars().all(|character| character.is_ascii_alphanumeric() || also.contains(&character))
}

fn field(is_fine: bool, name: &'static str, must: &'static str) -> Result<(), Reason> {
    if is_fine { Ok(()) } else { Err(Reason::Field { name, must }) }
}

/// A key's name.
///
/// # Errors
/// [`Reason::Field`], as of all of these.
pub fn check_name(name: &str) -> Result<(), Reason> {
    field(within(name, &NAME), "name", "2 to 90 characters")
}

/// A key's description.
pub fn check_description(description: &str) -> Result<(), Reason> {
    field(within(description, &DESCRIPTION), "description", "2 to 240 characters")
}

/// An alias.
pub fn check_alias(alias: &str) -> Result<(), Reason> {
    let is_fine = within(alias, &ALIAS)
        && is_word(alias, &['-', '_'])
        && KeyId::of_text(alias).is_none()
        && !RESERVED.contains(&alias.to_ascii_lowercase().as_str());
    field(is_fine, "alias", "2 to 90 letters, digits, '-' and '_', no UUID and no reserved word")
}

/// A key's tags.
pub fn check_tags(tags: &[String]) -> Result<(), Reason> {
    let is_fine = tags.len() <= TAGS && tags.iter().all(|tag| within(tag, &TAG));
    field(is_fine, "tags", "at most 30, each of 1 to 30 characters")
}

/// The name of a key ring.
pub fn check_ring(ring: &str) -> Result<(), Reason> {
    field(within(ring, &RING) && is_word(ring, &['-']), "key-ring-id", "2 to 100 letters, digits and '-'")
}

/// The name of a resource that a key protects.
pub(super) fn check_resource(resource: &str) -> Result<(), Reason> {
    field(within(resource, &RESOURCE), "resourceCrn", "1 to 512 characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(length: usize) -> String {
        "ä".repeat(length)
    }

    #[test]
    fn lengths_count_characters() {
        for (check, limits) in [
            (check_name as fn(&str) -> Result<(), Reason>, NAME),
            (check_description, DESCRIPTION),
            (check_resource, RESOURCE),
        ] {
            assert_eq!(check(&of(*limits.start())), Ok(()));
            assert_eq!(check(&of(*limits.end())), Ok(()));
            assert!(check(&of(limits.start() - 1)).is_err());
            assert!(check(&of(limits.end() + 1)).is_err());
        }
        assert!(check_name("a\nb").is_err(), "a control character");
    }

    #[test]
    fn aliases_are_words_that_nothing_else_is() {
        for good in ["my-key_1", "ab", "KEYRING", &"a".repeat(90)] {
            assert_eq!(check_alias(good), Ok(()), "{good}");
        }
        for bad in ["a", "", "a b", "ä-key", "a.b", &"a".repeat(91), "02fd6835-6001-4482-a892-13bd2085f75d"]
        {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
        for reserved in RESERVED {
            assert!(check_alias(reserved).is_err(), "{reserved}");
            assert!(check_alias(&reserved.to_uppercase()).is_err(), "{reserved}");
        }
    }

    #[test]
    fn tags_are_few_and_short() {
        assert_eq!(check_tags(&vec!["t".repeat(30); 30]), Ok(()));
        assert!(check_tags(&vec!["t".to_owned(); 31]).is_err());
        assert!(check_tags(&["t".repeat(31)]).is_err());
        assert!(check_tags(&[String::new()]).is_err());
    }

    #[test]
    fn rings_are_words() {
        assert_eq!(check_ring("team-1"), Ok(()));
        assert!(check_ring("team_1").is_err());
        assert!(check_ring("t").is_err());
    }
}
