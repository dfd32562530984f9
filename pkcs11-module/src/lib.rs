//! `libsofthsm-rs.so`, the PKCS#11 door: turns C calls into calls of the core and the core's outcomes
//! into CKR values. It holds what belongs to a process (the loaded library, its session handles, its
//! slot numbers) and nothing else; keys, objects, PINs and files are the core's.
//!
//! `unsafe` lives in `ffi` alone: pointers become slices, templates and output places there, and the
//! bodies in `calls` are safe Rust.
#![deny(unsafe_code)]

#[cfg(panic = "abort")]
compile_error!("a panic must not take the host application down: build with panic = \"unwind\"");

#[cfg(not(target_pointer_width = "64"))]
compile_error!("CK_ULONG and the core's numbers are 64 bits wide; other widths are not supported");

mod attributes;
mod calls;
mod counted;
#[allow(unsafe_code, reason = "the C boundary")]
mod ffi;
mod gate;
mod handles;
mod library;
mod logging;
mod rv;
mod slots;
