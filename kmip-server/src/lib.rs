//! The KMIP door. It holds nothing yet: the server comes with a later version, on the same core.
#![forbid(unsafe_code)]
