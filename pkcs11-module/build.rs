//! Link options of the shared library. Cargo cannot give it a hyphen, so the name that loaders record is
//! set here, and the Makefile installs the file under it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libsofthsm-rs.so");
    // A host that unloads the library while one of its threads still has thread-local destructors of
    // ours to run would jump into unmapped memory. So the code stays mapped.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
