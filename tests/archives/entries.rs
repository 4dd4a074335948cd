//! Archives that are taken apart, changed and put together again.

use std::io::Read;

use tar::{EntryType, Header};

/// One file of an archive.
#[derive(Clone)]
pub struct Entry {
    pub path: String,
    pub bytes: Vec<u8>,
}

pub fn entries(archive: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        Entry { path, bytes }
    });
    entries.collect()
}

pub fn file(path: &str, bytes: &[u8]) -> Vec<u8> {
    raw(EntryType::Regular, path, "", bytes.len() as u64, bytes)
}

/// An entry that says of itself what it likes.
pub fn raw(kind: EntryType, path: &str, link: &str, size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    let old = header.as_old_mut();
    old.name[..path.len()].copy_from_slice(path.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(1_700_000_000);
    header.set_cksum();
    let mut entry = header.as_bytes().to_vec();
    entry.extend(bytes);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

pub fn archive(entries: &[Entry]) -> Vec<u8> {
    let entries = entries.iter();
    let mut archive: Vec<u8> = entries
        .flat_map(|entry| file(&entry.path, &entry.bytes))
        .collect();
    archive.extend([0; 1024]);
    archive
}
