//! softhsm-rs.
fn main() {}
