//! wycheproof
