//! The crypto unit: imprint mode, administrators, thresholds, master key registers.

/// A command that the crypto unit refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused")]
pub struct Refusal;
