//! Whether a directory's file system can be trusted with locks between processes. Network file
//! systems lose or invent them, and share no memory between hosts, which SQLite's WAL needs.

use std::path::Path;

use super::{StoreError, StoreResult};

/// The numbers by which Linux names the file systems that are refused (`statfs(2)`, `f_type`).
/// FUSE and 9p are let through: they are as often local disks of containers and virtual machines.
const REFUSED: [(u32, &str); 11] = [
    (0x0000_6969, "nfs"),
    (0x0000_517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x0000_564c, "ncp"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x0bd0_0bd1, "lustre"),
];

/// Refuses a directory on a network file system with [`StoreError::Network`]. It asks for the
/// directory and not for the database file, which nobody but SQLite may open.
pub(super) fn refuse_network(directory: &Path) -> StoreResult<()> {
    let answer =
        rustix::fs::statfs(directory).map_err(|error| super::place::failure(directory, error.into()))?;
    // The number has 32 bits in a field whose width and sign differ between architectures.
    let number = u32::try_from(i128::from(answer.f_type) & 0xffff_ffff).unwrap_or_default();
    match network(number) {
        Some(kind) => Err(StoreError::Network { path: directory.to_path_buf(), kind: kind.to_owned() }),
        None => Ok(()),
    }
}

/// The name of the network file system with this number.
fn network(number: u32) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_named() {
        assert_eq!(network(0x6969), Some("nfs"));
        assert_eq!(network(0xff53_4d42), Some("cifs"));
        assert_eq!(network(0x00c3_6400), Some("ceph"));
    }

    #[test]
    fn local_file_systems_pass() {
        for (number, name) in [
            (0xef53, "ext4"),
            (0x5846_5342, "xfs"),
            (0x9123_683e, "btrfs"),
            (0x0102_1994, "tmpfs"),
            (0x794c_7630, "overlayfs"),
            (0x6573_5546, "fuse"),
        ] {
            assert_eq!(network(number), None, "{name}");
        }
    }

    #[test]
    fn the_temporary_directory_passes() {
        let directory = tempfile::tempdir().unwrap();
        refuse_network(directory.path()).unwrap();
    }

    #[test]
    fn a_missing_directory_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("none");
        assert!(matches!(refuse_network(&missing), Err(StoreError::Missing(path)) if path == missing));
    }
}
