//! The operating system's memory calls, as safe types: a mark that a fork wipes, and pages for secret
//! bytes that are locked, left out of core dumps and wiped on fork; numbers in a file that processes share;
//! and how the process was started.
//! Besides the C boundary this is the only place with `unsafe`. What is kept in the pages, and what to
//! do after a fork, is the caller's.

mod execution;
mod guarded;
mod mark;
mod pages;
mod shared;
#[cfg(test)]
mod testing;

pub use execution::secure_execution;
pub use guarded::Guarded;
pub use mark::ForkMark;
pub use shared::SharedPair;
