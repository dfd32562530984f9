//! The KMIP door as a client sees it: a server of its own for each test ([`server`]), throw-away
//! certificates ([`certificates`]), and a client that knows only what these tests say ([`client`],
//! [`message`]).

pub mod certificates;
pub mod client;
pub mod message;
pub mod server;
