//! A service that holds administrators' signature keys and signs what it is sent, as the TKE tools and Terraform
//! know it: `GET /keys/NAME` and `POST /sign/NAME`, a token in `Authorization`. Here are a client, and a server
//! for tests and for those who have none. What is sent to be signed is the bytes themselves, which the service
//! hashes once, by SHA-512: such a signature counts as one of a key file.

mod address;
mod client;
mod fault;
mod keys;
mod server;
mod tls;
mod wire;

pub(crate) use address::Address;
pub(crate) use client::Client;
pub(crate) use keys::Keys;
pub(crate) use server::{Event, Settings, serve};

/// Longer than any request or reply, in bytes: a command carries three key parts, some 3 KiB.
const LONGEST: usize = 64 * 1024;
