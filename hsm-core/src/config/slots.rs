//! How slots get their numbers: those that the configuration fixes, and for the rest SoftHSM2's way, so that its users
//! find their tokens where they were.

use super::SlotNumbers;

impl SlotNumbers {
    /// A token's number: the configured one, else what SoftHSM2 makes of the serial (its last eight hexadecimal digits
    /// without the top bit). Where another slot has it (`used`), the next one that is nobody's.
    pub fn for_token(&self, serial: &[u8; 16], label: &[u8; 32], used: &dyn Fn(u64) -> bool) -> u64 {
        let label = String::from_utf8_lossy(label.trim_ascii_end());
        let fixed = self.number(&label, &String::from_utf8_lossy(serial));
        match fixed.filter(|number| !used(*number)) {
            Some(number) => number,
            None => self.unused(from_serial(serial), used),
        }
    }

    /// The free slot's number: how many other slots there are, as in SoftHSM2.
    pub fn for_free(&self, others: usize, used: &dyn Fn(u64) -> bool) -> u64 {
        self.unused(u64::try_from(others).unwrap_or(0), used)
    }

    /// The first number from `start` on that no slot has and the configuration keeps for none.
    fn unused(&self, start: u64, used: &dyn Fn(u64) -> bool) -> u64 {
        (start..).find(|number| !used(*number) && !self.reserved(*number)).unwrap_or(start)
    }
}

/// The number inside a serial; 0 for a serial that is not hexadecimal.
fn from_serial(serial: &[u8; 16]) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *serial;
    let digits = [a, b, c, d, e, f, g, h];
    let number = std::str::from_utf8(&digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
    u64::from(number.unwrap_or(0) & 0x7fff_ffff)
}
