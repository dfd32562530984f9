//! TLS: server and client certificates, revocation, and why a client was refused.
