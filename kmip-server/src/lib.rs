//! The KMIP door: the same keys as through PKCS #11, over mutual TLS. KMIP 1.0 to 2.1 (OASIS).
//!
//! A request comes in through `connection` (or `http`), is decoded by `ttlv`, and answered by `engine`,
//! which knows nothing of sockets. Who the client is, is `identity`'s matter.
#![forbid(unsafe_code)]

pub mod attributes;
pub mod config;
pub mod context;
pub mod dispatch;
pub mod engine;
pub mod failure;
pub mod identity;
pub mod message;
pub mod objects;
pub mod operations;
pub mod parameters;
pub mod server;
pub mod streams;
pub mod tls;
pub mod ttlv;
