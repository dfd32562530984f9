//! The KMIP door as a client sees it: a server of its own for each test ([`server`]), throw-away
//! certificates ([`certificates`]), a client that knows only what these tests say ([`client`],
//! [`message`]), and the one of the command line ([`tool`]).

pub mod certificates;
pub mod client;
pub mod message;
pub mod server;
pub mod tool;
