//! The operating system's memory calls.

mod execution;

pub use execution::secure_execution;
