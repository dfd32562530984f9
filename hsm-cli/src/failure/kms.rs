//! Refusals of the key management service: their exit codes, and what to do next. The text says Key Protect's code.

use hsm_core::kms::Reason;

use super::Outcome;

/// The kind of each reason, and what to do about it.
#[rustfmt::skip]
pub(super) fn classify(reason: &Reason) -> (Outcome, Option<&'static str>) {
    let (outcome, next) = match reason {
        Reason::NotFound            => (Outcome::NotFound, "`softhsm-rs kms key list` shows what there is; what was erased is gone"),
        Reason::AliasMissing        => (Outcome::NotFound, "`softhsm-rs kms key show` says which aliases a key has"),
        Reason::RingMissing         => (Outcome::NotFound, "`softhsm-rs kms ring list` shows what there is"),
        Reason::RegistrationMissing => (Outcome::NotFound, "`softhsm-rs kms key registrations list` shows what there is"),
        Reason::AliasTaken          => (Outcome::Exists, "`softhsm-rs kms key show ALIAS` says which key has it; a deleted key keeps its own"),
        Reason::RingTaken           => (Outcome::Exists, "`softhsm-rs kms ring list` shows what there is"),
        Reason::SearchTooBroad      => (Outcome::KeyRefused, "search in one key ring: --ring"),
        Reason::Field { .. }        => return (Outcome::Usage, None),
        Reason::NotBase64(_)        => (Outcome::Usage, "give the wrapped key as `softhsm-rs kms key wrap` answered it"),
        Reason::Deleted             => (Outcome::KeyRefused, "`softhsm-rs kms key restore` brings it back, within 30 days"),
        Reason::State               => (Outcome::KeyRefused, "`softhsm-rs kms key enable` makes a suspended key active; one that expired unwraps, and wraps no more"),
        Reason::NotActive
        | Reason::NotSuspended      => (Outcome::KeyRefused, "active keys are disabled, and suspended ones enabled; `softhsm-rs kms key show` says the state"),
        Reason::NotDeleted          => (Outcome::KeyRefused, "only a deleted key is restored or erased"),
        Reason::RootRequired
        | Reason::RootRequiredToRegister => (Outcome::KeyRefused, "a standard key is kept and given out: `softhsm-rs kms read`"),
        Reason::Expired(_)          => (Outcome::KeyRefused, "a deleted key whose expiration date is past is not restored"),
        Reason::AuthorizationMissing => (Outcome::KeyRefused, "`softhsm-rs kms key schedule-delete` first; then somebody else deletes it, within 7 days"),
        Reason::AuthorizationFailed => (Outcome::KeyRefused, "somebody else than who set it for deletion deletes it"),
        Reason::NotDualAuth         => (Outcome::KeyRefused, "one person deletes it at once: `softhsm-rs kms key delete`"),
        Reason::Protected           => (Outcome::KeyRefused, "`softhsm-rs kms key registrations list` shows the resources; --force deletes it all the same"),
        Reason::Retained            => (Outcome::KeyRefused, "`softhsm-rs kms key registrations rm` takes the registration away that prevents it"),
        Reason::RotatedRecently     => (Outcome::KeyRefused, "`softhsm-rs kms key show` says when it was rotated; try again an hour later"),
        Reason::MaterialRequired    => (Outcome::KeyRefused, "bring new material with --import-token or --payload-file; no policy rotates such a key"),
        Reason::TooEarly            => (Outcome::KeyRefused, "enabling and restoring wait for 30 seconds after the last action, erasing for 4 hours after the deletion"),
        Reason::RestoreExpired      => (Outcome::KeyRefused, "a deleted key is restored within 30 days"),
        Reason::AccessPolicy        => (Outcome::KeyRefused, "`softhsm-rs kms policy show` says what may be made and brought; where tokens are enforced, bring it with --import-token"),
        Reason::Unprocessable       => (Outcome::KeyRefused, "it needs the root key that wrapped it, and the same --aad in the same order"),
        Reason::AliasLimit          => (Outcome::KeyRefused, "`softhsm-rs kms key alias rm` takes one away"),
        Reason::RingLimit           => (Outcome::KeyRefused, "`softhsm-rs kms ring delete` takes one away"),
        Reason::RingDefault         => return (Outcome::KeyRefused, None),
        Reason::RingNotEmpty        => (Outcome::KeyRefused, "move its keys with `softhsm-rs kms key update --ring`; by --force a ring goes whose keys are all deleted"),
        Reason::RegistrationLimit   => (Outcome::KeyRefused, "`softhsm-rs kms key registrations rm` takes one away"),
    };
    (outcome, Some(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_tell_apart_has_its_own_code() {
        assert_eq!(classify(&Reason::NotFound).0, Outcome::NotFound);
        assert_eq!(classify(&Reason::RingTaken).0, Outcome::Exists);
        assert_eq!(classify(&Reason::NotBase64(0)).0, Outcome::Usage);
        assert_eq!(classify(&Reason::AuthorizationFailed).0, Outcome::KeyRefused);
    }
}
