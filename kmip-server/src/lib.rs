//! The KMIP door: the same keys as through PKCS #11, over mutual TLS. KMIP 1.0 to 2.1 (OASIS).
//!
//! A request comes in through `connection` (or `http`), is decoded by `ttlv`, and answered by `engine`,
//! which knows nothing of sockets: `service` is what connections know of it. Who the client is, is
//! `identity`'s matter, and whether its certificate is good `tls`'s. `server` is the life of it all.
#![forbid(unsafe_code)]

pub mod attributes;
mod audit;
pub mod certificates;
pub mod config;
mod connection;
pub mod context;
mod credential;
pub mod dispatch;
pub mod engine;
pub mod failure;
mod heavy;
mod http;
pub mod identity;
pub mod logging;
pub mod message;
pub mod metrics;
pub mod objects;
pub mod operations;
pub mod parameters;
pub mod partitions;
pub mod pkcs11;
pub mod produced;
pub mod server;
pub mod service;
pub mod streams;
pub mod tickets;
pub mod tls;
pub mod ttlv;
pub mod upkeep;
