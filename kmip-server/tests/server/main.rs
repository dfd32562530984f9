//! The server as clients meet it: who is let in, what limits hold, reload and stop. Requests are
//! answered by a stub that says who it thinks is asking.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly: that is its work"
)]

mod https;
mod identity;
mod kit;
mod limits;
mod refusals;
mod reload;
mod stop;
