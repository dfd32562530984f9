//! Import tokens, their parts apart from any store.

mod algorithm;
mod kit;
mod life;
mod objects;
mod private_keys;
mod random;
mod redeem;
mod stored;
