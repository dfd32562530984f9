//! Tests of keys as pure data: their lives, their versions, what hangs on them, and what they wrap.

mod envelope;
mod kit;
mod labels;
mod life;
mod policy;
mod rotation;
mod stored;
