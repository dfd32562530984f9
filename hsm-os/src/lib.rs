//! The operating system's memory calls.
