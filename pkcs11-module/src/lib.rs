//! The PKCS#11 door.
