//! The unit as a whole: every cell of its table, what signatures are worth, random sequences, files,
//! and the ceremony.

mod ceremony;
mod kit;
mod quorum;
mod random;
mod recovery;
mod storage;
mod table;
mod thresholds;
