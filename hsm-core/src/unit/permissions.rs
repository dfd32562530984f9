//! What a unit's administrators allow: EP11's domain permissions (`XCP_ADMP_*`) and the
//! change-control bits that lock them. Which command asks for which permission stands with the
//! commands.

use super::refusal::Refusal;

/// The permission word of a unit, with EP11's bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Permissions(u32);

impl Permissions {
    /// Master keys may be loaded from key parts.
    pub const IMPORT: Permissions = Permissions(0x0000_0001);
    /// Master keys may be exported.
    pub const EXPORT: Permissions = Permissions(0x0000_0002);
    /// One key part is enough.
    pub const SINGLE_PART: Permissions = Permissions(0x0000_0004);
    /// The unit may draw a master key itself.
    pub const RANDOM: Permissions = Permissions(0x0000_0008);
    /// Thresholds of 1 are allowed.
    pub const SINGLE_SIGNATURE: Permissions = Permissions(0x0000_0010);
    /// One signature zeroizes the unit.
    pub const ZEROIZE_SINGLE_SIGNATURE: Permissions = Permissions(0x0000_0040);
    /// The signature threshold may be changed.
    pub const CHANGE_SIGNATURE_THRESHOLD: Permissions = Permissions(0x0010_0000);
    /// The revocation threshold may be changed.
    pub const CHANGE_REVOCATION_THRESHOLD: Permissions = Permissions(0x0020_0000);

    /// Each permission that this unit knows with the bit that lets it change. (The change-control
    /// bits are not the permissions shifted by one distance: the thresholds' stand between.)
    const CONTROLLED: [(u32, u32); 6] = [
        (0x0000_0001, 0x0001_0000),
        (0x0000_0002, 0x0002_0000),
        (0x0000_0004, 0x0004_0000),
        (0x0000_0008, 0x0008_0000),
        (0x0000_0010, 0x0040_0000),
        (0x0000_0040, 0x0100_0000),
    ];

    /// All change-control bits that this unit knows.
    const CONTROL: u32 = 0x017f_0000;

    /// What a unit in imprint mode has: loading several parts, thresholds of 1, zeroizing with one
    /// signature, and every permission open to change.
    pub const INITIAL: Permissions = Permissions(0x0000_0051 | Permissions::CONTROL);

    /// What a recovery unit in imprint mode has: besides, drawing a master key and handing it out, which is what
    /// it is for.
    pub const RECOVERY: Permissions = Permissions(Permissions::INITIAL.0 | 0x0000_000a);

    /// The word with these bits.
    pub fn from_bits(bits: u32) -> Permissions {
        Permissions(bits)
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// These permissions and those.
    pub fn with(self, more: Permissions) -> Permissions {
        Permissions(self.0 | more.0)
    }

    /// These permissions less those.
    pub fn without(self, fewer: Permissions) -> Permissions {
        Permissions(self.0 & !fewer.0)
    }

    /// Whether all of `asked` are given.
    pub fn allow(self, asked: Permissions) -> bool {
        self.0 & asked.0 == asked.0
    }

    /// Whether this word may become `next`. Control bits only fall, and a permission moves only
    /// while its control bit was set before. Bits that this unit does not know stay as they are.
    pub(super) fn may_become(self, next: Permissions) -> Result<(), Refusal> {
        let changed = self.0 ^ next.0;
        if changed & next.0 & Permissions::CONTROL != 0 {
            return Err(Refusal::ControlBitSet);
        }
        let movable = Permissions::CONTROLLED
            .iter()
            .filter(|(_, control)| self.0 & control != 0)
            .fold(Permissions::CONTROL, |bits, (permission, _)| bits | permission);
        if changed & !movable != 0 { Err(Refusal::PermissionLocked) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_and_threshold_starts_open_to_change() {
        let all = Permissions::CONTROLLED.iter().fold(0, |bits, (_, control)| bits | control)
            | Permissions::CHANGE_SIGNATURE_THRESHOLD.0
            | Permissions::CHANGE_REVOCATION_THRESHOLD.0;
        assert_eq!(all, Permissions::CONTROL);
        assert!(Permissions::INITIAL.allow(Permissions(all)));
    }

    #[test]
    fn a_permission_moves_while_its_control_bit_is_set() {
        let open = Permissions::INITIAL;
        assert_eq!(open.may_become(open.with(Permissions::RANDOM)), Ok(()));
        let locked = open.without(Permissions(0x0008_0000));
        assert_eq!(open.may_become(locked), Ok(()));
        assert_eq!(locked.may_become(locked.with(Permissions::RANDOM)), Err(Refusal::PermissionLocked));
    }

    #[test]
    fn a_control_bit_never_rises() {
        let locked = Permissions::INITIAL.without(Permissions(0x0008_0000));
        assert_eq!(locked.may_become(Permissions::INITIAL), Err(Refusal::ControlBitSet));
    }

    #[test]
    fn an_unknown_bit_is_refused() {
        let odd = Permissions::INITIAL.with(Permissions(0x0000_2000));
        assert_eq!(Permissions::INITIAL.may_become(odd), Err(Refusal::PermissionLocked));
    }
}
