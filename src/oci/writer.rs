//! The frames of a tar archive, in the one way that gives the same bytes for the same content.
//!
//! The builder of the crate `tar` ends an archive when it is dropped, also one that was broken off:
//! nobody could tell it from a whole one. So only its headers are used.

use tar::Header;

/// The size of a block of a tar archive.
const BLOCK: u64 = 512;

/// Returns the header of a file: of no owner, from the beginning of time.
pub(crate) fn header(path: &str, size: u64) -> [u8; BLOCK as usize] {
    let mut header = Header::new_gnu();
    header
        .set_path(path)
        .expect("a path of a layout is relative and short");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    *header.as_bytes()
}

/// Returns the zeros that follow a file of a size.
pub(crate) fn padding(size: u64) -> Vec<u8> {
    let rest = size.next_multiple_of(BLOCK) - size;
    vec![0; usize::try_from(rest).unwrap_or_default()]
}

/// Returns the end of an archive.
pub(crate) fn end() -> [u8; 2 * BLOCK as usize] {
    [0; 2 * BLOCK as usize]
}
