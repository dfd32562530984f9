//! The shared library as a linker sees it: its name, what it shows and what it needs. `nm` and `readelf`
//! are the judges. What the symbols do is for the other tests.

use hsm_tests::prelude::*;
use hsm_tests::raw::module_path;
use hsm_tests::tool::Tool;

/// The rows of the dynamic section that have a tag, as `readelf` prints them.
fn dynamic(kit: &Kit, tag: &str) -> Vec<String> {
    let section = Tool::new(kit, "readelf").args(&["--wide", "-d"]).arg(module_path()).succeeds();
    let tag = format!("({tag})");
    section.lines().filter(|row| row.contains(&tag)).map(str::to_string).collect()
}

/// The symbols that the library defines for others.
fn symbols(kit: &Kit) -> Vec<String> {
    let table = Tool::new(kit, "nm").args(&["-D", "--defined-only"]).arg(module_path()).succeeds();
    table.lines().filter_map(|row| row.split_whitespace().last()).map(str::to_string).collect()
}

isolated! {
    fn only_functions_of_the_standard_are_shown(kit) {
        let symbols = symbols(kit);
        let others: Vec<_> = symbols.iter().filter(|name| !name.starts_with("C_")).collect();
        assert!(others.is_empty(), "{others:?}");
    }

    fn the_ways_in_are_shown(kit) {
        let symbols = symbols(kit);
        for name in ["C_GetFunctionList", "C_GetInterface", "C_GetInterfaceList", "C_Initialize"] {
            assert!(symbols.iter().any(|symbol| symbol == name), "{name} is not in {symbols:?}");
        }
    }

    fn the_recorded_name_has_the_hyphen(kit) {
        let name = dynamic(kit, "SONAME");
        assert!(matches!(&*name, [row] if row.contains("[libsofthsm-rs.so]")), "{name:?}");
    }

    fn the_code_stays_mapped_after_unloading(kit) {
        let flags = dynamic(kit, "FLAGS_1");
        assert!(matches!(&*flags, [row] if row.contains("NODELETE")), "{flags:?}");
    }

    fn no_openssl_is_needed(kit) {
        let needed = dynamic(kit, "NEEDED");
        assert!(needed.iter().any(|row| row.contains("[libc.so")), "the C library is needed: {needed:?}");
        let openssl: Vec<_> =
            needed.iter().filter(|row| row.contains("libcrypto") || row.contains("libssl")).collect();
        assert!(openssl.is_empty(), "{openssl:?}");
    }
}
