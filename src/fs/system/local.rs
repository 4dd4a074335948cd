//! Whether what a file looks like is known here first.

use std::path::Path;

/// Returns whether a directory is on a file system of this machine, of which it is known that every
/// change shows at once in a `stat`. A client of a file server may answer that for seconds with what
/// it knew.
pub(crate) fn shows_changes(directory: &Path) -> bool {
    system::shows_changes(directory)
}

#[cfg(target_os = "linux")]
mod system {
    use super::Path;

    // linux/magic.h; those of zfs and bcachefs are their own.
    const LOCAL: [u32; 8] = [
        0xef53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683e, // btrfs
        0xf2f5_2010, // f2fs
        0x0102_1994, // tmpfs
        0x794c_7630, // overlayfs
        0x2fc1_2fc1, // zfs
        0xca45_1a4e, // bcachefs
    ];

    pub(super) fn shows_changes(directory: &Path) -> bool {
        let found = rustix::fs::statfs(directory);
        // The number has 32 bits, whatever the type is that carries it.
        found.is_ok_and(|found| {
            LOCAL
                .iter()
                .any(|kind| i128::from(found.f_type) & 0xffff_ffff == i128::from(*kind))
        })
    }
}

/// Nobody says so.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::Path;

    pub(super) fn shows_changes(_directory: &Path) -> bool {
        false
    }
}
