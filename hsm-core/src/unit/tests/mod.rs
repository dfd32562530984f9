//! The unit as a whole: every cell of its table, what signatures are worth, random sequences, files,
//! and the ceremony.

mod audit;
mod ceremony;
mod holder;
mod kit;
mod quorum;
mod random;
mod recovery;
mod sealers;
mod storage;
mod table;
mod thresholds;
