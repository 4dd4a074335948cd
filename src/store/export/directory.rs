//! An image layout as a directory.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::durability::Durability;
use crate::fs::oci_layout::OciLayout;
use crate::fs::staged::{self, Staged};
use crate::fs::{ops, read};
use crate::name::Digest;
use crate::oci::{self, LAYOUT, NewIndex};
use crate::store::blobs;
use crate::store::handle::Store;

use super::plan::{Plan, PlannedBlob};
use super::tar::read_blob;

impl Store {
    /// Writes first what says that the directory is a layout, so that an export which is killed can
    /// be made again, then blobs, and the index last: a model is in the directory when all of it is.
    pub(super) fn export_directory(&self, plan: &Plan, to: &Path, replace: bool) -> Result<()> {
        let layout = OciLayout::new(to);
        let index = index_with(&layout, plan, replace)?;
        let mut made = Made::of(&layout);
        let durability = self.options().durability;
        staged::make_all(layout.root(), durability)?;
        if read::is_gone(&layout.layout_file()) {
            made.file(&layout.layout_file(), durability, |staged| {
                staged.write(LAYOUT)
            })?;
        }
        staged::make_all(&layout.blobs(), durability)?;
        for (digest, bytes) in &plan.documents {
            if !self.has_bytes(&layout.blob(digest), digest, bytes.len() as u64, |_| Ok(())) {
                made.file(&layout.blob(digest), durability, |staged| {
                    staged.write(bytes)
                })?;
            }
        }
        for blob in &plan.blobs {
            self.export_blob(blob, &layout.blob(&blob.digest), &mut made)?;
        }
        let named = self.write_index(&layout, &index);
        let holds = read::read_text(&layout.index());
        if holds.is_ok_and(|text| text.bytes == index) {
            // Also where its name could not be made durable: it names the blobs.
            made.keep();
        }
        named
    }

    fn write_index(&self, layout: &OciLayout, index: &[u8]) -> Result<()> {
        let path = layout.index();
        let mut staged = Staged::beside(&path, self.options().durability, Error::io)?;
        staged.write(index)?;
        staged.commit(&path, &[])
    }

    fn export_blob(&self, blob: &PlannedBlob, to: &Path, made: &mut Made) -> Result<()> {
        let advance = |count| self.advance(count);
        if self.has_bytes(to, &blob.digest, blob.size, advance) {
            self.finish_file();
            return Ok(());
        }
        // What was compared with in vain, and a call that is to stop.
        self.advance(0)?;
        made.file(to, self.options().durability, |staged| {
            read_blob(self, blob, |piece| staged.write(piece))
        })
    }

    /// Returns whether a file of a directory has the bytes of a digest already.
    fn has_bytes(
        &self,
        path: &Path,
        digest: &Digest,
        size: u64,
        advance: impl Fn(u64) -> Result<()>,
    ) -> bool {
        let Ok(mut file) = read::open_regular(path) else {
            return false;
        };
        if !file.metadata().is_ok_and(|metadata| metadata.len() == size) {
            return false;
        }
        let found = blobs::hash(&mut file, path, |piece| advance(piece.len() as u64));
        found.is_ok_and(|found| found.digest == *digest)
    }
}

/// Returns the index that the directory is to have.
fn index_with(layout: &OciLayout, plan: &Plan, replace: bool) -> Result<Vec<u8>> {
    let mut index = existing(layout)?;
    for (name, digest, size) in &plan.images {
        if !index.add(name, *digest, *size, replace) {
            let text = format!(
                "exporting '{name}': {} has another model of that name",
                layout.root().display()
            );
            return Err(Error::new(ErrorKind::AlreadyExists, text).at(layout.root()));
        }
    }
    Ok(index.to_bytes())
}

/// Returns the index of a layout that is there, or an empty one.
fn existing(layout: &OciLayout) -> Result<NewIndex> {
    let root = layout.root();
    let at = |e| Error::io("looking at", root, e);
    if !layout.holds_something().map_err(at)? {
        return Ok(NewIndex::new());
    }
    let file = layout.layout_file();
    let Ok(text) = read::read_text(&file) else {
        let text = format!(
            "exporting to {}: it holds other things than an image layout",
            root.display()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, text).at(root));
    };
    oci::check_layout(&text.bytes)?;
    let index = layout.index();
    match read::read_text(&index) {
        Ok(text) => NewIndex::of(&text.bytes),
        Err(_) if read::is_gone(&index) => Ok(NewIndex::new()),
        Err(e) => Err(Error::io("reading", &index, e)),
    }
}

/// What an export has made, and takes away again where it is broken off.
struct Made {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn of(layout: &OciLayout) -> Self {
        Made {
            directories: layout.missing_directories(),
            files: Vec::new(),
        }
    }

    /// Makes a file, which appears whole.
    fn file(
        &mut self,
        path: &Path,
        durability: Durability,
        write: impl FnOnce(&mut Staged) -> Result<()>,
    ) -> Result<()> {
        let was_there = !read::is_gone(path);
        let mut staged = Staged::beside(path, durability, Error::io)?;
        write(&mut staged)?;
        if !was_there {
            self.files.push(path.to_owned());
        }
        staged.commit(path, &[])
    }

    fn keep(mut self) {
        self.files.clear();
        self.directories.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Nothing names these files. What cannot be removed is used by the next export there, as long
        // as the first of them, by which the directory is a layout, goes last.
        for path in self.files.iter().rev() {
            let _ = ops::unlink(path);
        }
        for path in self.directories.iter().rev() {
            let _ = ops::remove_directory(path);
        }
    }
}
