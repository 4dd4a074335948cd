//! What an import reads, how often, and what it does where somebody writes meanwhile.

#[cfg(unix)]
mod merged;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::fs::ops::{Change, hook};
use crate::fs::read::opened;
use crate::gguf::{TensorType, Writer};
use crate::skip::not_here;
use crate::store::copy_mode::CopyMode;
use crate::store::options::StoreOptions;

const SIZE: usize = 2 << 20;
/// What an import reads besides the weights: manifests, configs, names of directories.
const LITTLE: u64 = 100 << 10;

struct Scene {
    directory: tempfile::TempDir,
    store: Store,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(directory.path().join("models")).create(true);
        let store = Store::open_with(options.delete_delay(Duration::ZERO)).unwrap();
        Scene { directory, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A GGUF file with a header of some size. Two of other fills differ where the fill begins.
    fn gguf(&self, name: &str, header: usize, fill: [u8; 2]) -> PathBuf {
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.set("general.description", &*"x".repeat(header));
        let mut data = vec![fill[0]; SIZE];
        data[SIZE / 2..].fill(fill[1]);
        writer.tensor("blk.0.a", &[SIZE as u64], TensorType::I8, data);
        let path = self.path(name);
        writer.write_to(&mut File::create(&path).unwrap()).unwrap();
        path
    }

    fn modelfile(&self, text: &str) -> PathBuf {
        let path = self.path("Modelfile");
        fs::write(&path, text).unwrap();
        path
    }

    fn import(&self, file: &Path, name: &str, copy_mode: CopyMode) -> Result<Imported> {
        let options = ImportOptions::new().copy_mode(copy_mode);
        self.store.import_file(file, name, &options)
    }

    /// Whether nothing is stored, nor on its way.
    fn is_empty(&self) -> bool {
        let staging = self.path("models/.modelkeep/tmp");
        let is_empty = |path: &Path| fs::read_dir(path).is_ok_and(|mut read| read.next().is_none());
        self.store.layout().blobs().unwrap_or_default().is_empty() && is_empty(&staging)
    }
}

/// The bytes that this thread has read; `None` where the system does not count them.
fn bytes_read() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/io").ok()?;
    text.strip_prefix("rchar: ")?.lines().next()?.parse().ok()
}

/// Runs a call; returns how often each file was opened, and how many bytes were read altogether.
fn reads(files: &[&Path], call: impl FnOnce()) -> (Vec<usize>, u64) {
    let opens = || files.iter().map(|file| opened::count(file));
    let (before, read) = (opens().collect::<Vec<_>>(), bytes_read());
    call();
    let bytes = bytes_read().zip(read).map(|(now, then)| now - then);
    let opens = opens().zip(before).map(|(now, then)| now - then);
    if bytes.is_none() {
        not_here("the bytes of an import", "the system does not count them");
    }
    (opens.collect(), bytes.unwrap_or(0))
}

fn is_about(bytes: u64, times: u64, file: &Path) -> bool {
    let size = times * file.metadata().unwrap().len();
    bytes == 0 || (size..size + LITTLE).contains(&bytes)
}

#[test]
#[cfg(unix)]
fn a_file_is_opened_once_and_each_byte_of_it_is_read_once() {
    // The header in one step, and in several.
    for header in [100, 600 << 10] {
        for copy_mode in [CopyMode::Auto, CopyMode::Copy, CopyMode::HardLink] {
            let scene = Scene::new();
            let file = scene.gguf("a.gguf", header, [1, 1]);
            let import = || drop(scene.import(&file, "a", copy_mode).unwrap());
            let (opens, bytes) = reads(&[&file], import);
            assert_eq!(opens, [1], "{copy_mode}");
            assert!(is_about(bytes, 1, &file), "{copy_mode}: {bytes}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_modelfile_and_every_file_that_it_names_are_opened_once() {
    let scene = Scene::new();
    let files = ["a.gguf", "projector.gguf", "adapter.gguf", "draft.gguf"];
    let files = [0, 1, 2, 3].map(|fill| scene.gguf(files[usize::from(fill)], 100, [fill, 0]));
    let [_, projector, ..] = &files;
    let text = "FROM a.gguf\nADAPTER adapter.gguf\nDRAFT draft.gguf\nSYSTEM s";
    let modelfile = scene.modelfile(text);
    let options = ImportOptions::new().projectors([projector]);
    let mut all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    all.push(&modelfile);
    let import = || drop(scene.store.import_file(&modelfile, "a", &options).unwrap());
    let (opens, bytes) = reads(&all, import);
    assert_eq!(opens, [1; 5]);
    // Those of one size differ in the first byte of their data, which is in memory; so does a blob
    // that is compared with them.
    let compared = 2 * 3 * (64 << 10);
    let size = 4 * files[0].metadata().unwrap().len();
    assert!(
        bytes == 0 || (size..size + compared + LITTLE).contains(&bytes),
        "{bytes} of {size}"
    );
}

#[test]
#[cfg(unix)]
fn a_file_that_is_stored_is_read_once_and_so_is_its_blob() {
    for copy_mode in [CopyMode::Auto, CopyMode::Copy, CopyMode::HardLink] {
        let scene = Scene::new();
        let file = scene.gguf("a.gguf", 600 << 10, [1, 1]);
        let imported = scene.import(&file, "a", CopyMode::Copy).unwrap();
        let blob = scene.store.blob_path(&imported.digest);
        let import = || drop(scene.import(&file, "b", copy_mode).unwrap());
        let (opens, bytes) = reads(&[&file, &blob], import);
        assert_eq!(opens, [1, 1], "{copy_mode}");
        assert!(is_about(bytes, 2, &file), "{copy_mode}: {bytes}");
    }
}

#[test]
#[cfg(unix)]
fn a_blob_of_a_model_is_opened_once_for_another_model() {
    let scene = Scene::new();
    let file = scene.gguf("a.gguf", 100, [1, 1]);
    let imported = scene.import(&file, "a", CopyMode::Copy).unwrap();
    let blob = scene.store.blob_path(&imported.digest);
    let modelfile = scene.modelfile("FROM a\nSYSTEM s");
    let import = || drop(scene.import(&modelfile, "b", CopyMode::Copy).unwrap());
    let (opens, bytes) = reads(&[&file, &blob, &modelfile], import);
    assert_eq!(opens, [0, 1, 1]);
    assert!(bytes < LITTLE, "{bytes}");
}

#[test]
fn another_file_of_the_size_of_a_blob_is_read_again_only_from_where_it_differs() {
    for (fill, most) in [([2, 1], 1.1), ([1, 2], 1.6)] {
        let scene = Scene::new();
        let first = scene.gguf("a.gguf", 100, [1, 1]);
        scene.import(&first, "a", CopyMode::Copy).unwrap();
        let file = scene.gguf("b.gguf", 100, fill);
        let mut digest = None;
        let import = || digest = Some(scene.import(&file, "b", CopyMode::Copy).unwrap().digest);
        let (opens, bytes) = reads(&[&file], import);
        assert_eq!(opens, [1]);
        // The blob is compared as far as the file is read in vain.
        let vain = (most - 1.0) * SIZE as f64 * 2.0;
        let size = file.metadata().unwrap().len();
        assert!(
            bytes <= size + vain as u64 + 2 * LITTLE,
            "{fill:?}: {bytes}"
        );
        let stored = fs::read(scene.store.blob_path(&digest.unwrap())).unwrap();
        assert!(stored == fs::read(&file).unwrap());
    }
}

#[test]
fn a_blob_that_goes_on_after_the_bytes_of_a_file_is_not_that_file() {
    let scene = Scene::new();
    let file = scene.gguf("a.gguf", 100, [1, 1]);
    let digest = scene.import(&file, "a", CopyMode::Copy).unwrap().digest;
    let blob = scene.store.blob_path(&digest);
    let source = Source::open(&file).unwrap();
    let stored = |store: &Store| {
        let mut work = store.begin_file(source.size());
        store.stored_copy(&source, &mut work).unwrap().is_some()
    };
    assert!(stored(&scene.store));
    let other = blob.with_file_name(format!("sha256-{}", Digest::of(b"other").hex()));
    fs::rename(&blob, &other).unwrap();
    assert!(!stored(&scene.store), "its name is that of other bytes");
    fs::rename(&other, &blob).unwrap();
    let longer = File::options().append(true).open(&blob).unwrap();
    (&longer).write_all(b"more").unwrap();
    assert!(!stored(&scene.store));
}

#[test]
fn a_header_that_is_too_large_to_be_kept_is_read_where_it_was_written() {
    for mmap in [true, false] {
        let scene = Scene::new();
        let file = scene.gguf("a.gguf", 2 << 20, [1, 1]);
        let options = StoreOptions::new(scene.store.path()).mmap(mmap);
        let store = Store::open_with(options).unwrap();
        let (opens, _) = reads(&[&file], || {
            store.import(&file, "a", &ImportOptions::new()).unwrap();
        });
        assert_eq!(opens, [1]);
        let digest = store
            .import(&file, "b", &ImportOptions::new())
            .unwrap()
            .digest;
        assert!(fs::read(store.blob_path(&digest)).unwrap() == fs::read(&file).unwrap());
        let config = store.model("a").unwrap().config().unwrap().clone();
        assert_eq!(config.family, "llama");
        // A part of a split model is seen in it as well.
        let mut writer = Writer::new();
        writer.set("general.description", &*"x".repeat(2 << 20));
        writer.set("split.no", 0_u16).set("split.count", 2_u16);
        writer.write_to(&mut File::create(&file).unwrap()).unwrap();
        let error = store.import(&file, "c", &ImportOptions::new()).unwrap_err();
        assert!(
            error.to_string().contains("which part of how many"),
            "{error}"
        );
    }
}

/// Imports while something writes to the file, once at the first change of a kind.
fn written_meanwhile(
    scene: &Scene,
    file: &Path,
    copy_mode: CopyMode,
    is_moment: fn(&Change<'_>) -> bool,
    write: fn(&Path),
) -> Error {
    let (path, mut is_done) = (file.to_owned(), false);
    let act = move |change: &Change<'_>| {
        if is_moment(change) && !std::mem::replace(&mut is_done, true) {
            write(&path);
        }
        Ok(())
    };
    hook::with(act, || scene.import(file, "a", copy_mode)).unwrap_err()
}

#[test]
fn a_file_that_somebody_writes_to_meanwhile_is_not_stored() {
    fn edit(path: &Path, act: impl FnOnce(&mut File)) {
        act(&mut File::options().write(true).open(path).unwrap());
    }
    let longer: fn(&Path) = |path| edit(path, |file| file.set_len(SIZE as u64 * 2).unwrap());
    let shorter: fn(&Path) = |path| edit(path, |file| file.set_len(SIZE as u64 / 2).unwrap());
    let other: fn(&Path) = |path| edit(path, |file| file.write_all(b"GGUF other").unwrap());
    let linked: fn(&Change<'_>) -> bool = |change| matches!(change, Change::Link(..));
    let written: fn(&Change<'_>) -> bool = |change| matches!(change, Change::Write(..));
    for write in [longer, shorter, other] {
        for (copy_mode, moment) in [(CopyMode::Copy, written), (CopyMode::HardLink, linked)] {
            let scene = Scene::new();
            let file = scene.gguf("a.gguf", 100, [1, 1]);
            let error = written_meanwhile(&scene, &file, copy_mode, moment, write);
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            let text = error.to_string();
            assert!(text.contains("it was changed while it was read"), "{text}");
            assert!(text.contains("a.gguf"), "{text}");
            assert!(scene.is_empty(), "{copy_mode}");
        }
    }
}

#[test]
#[cfg(unix)]
fn a_file_that_is_replaced_before_it_is_linked_is_not_stored_as_what_was_checked() {
    let scene = Scene::new();
    let file = scene.gguf("a.gguf", 100, [1, 1]);
    let replace: fn(&Path) = |path| {
        let new = path.with_extension("new");
        fs::copy(path, &new).unwrap();
        File::options()
            .write(true)
            .open(&new)
            .unwrap()
            .write_all(b"GGUG")
            .unwrap();
        fs::rename(new, path).unwrap();
    };
    let linked: fn(&Change<'_>) -> bool = |change| matches!(change, Change::Link(..));
    let error = written_meanwhile(&scene, &file, CopyMode::HardLink, linked, replace);
    assert!(
        error.to_string().contains("changed while it was read"),
        "{error}"
    );
    assert!(scene.is_empty());
}

#[test]
fn what_is_no_gguf_file_is_refused_before_anything_is_written() {
    let scene = Scene::new();
    let file = scene.gguf("a.gguf", 600 << 10, [1, 1]);
    // Beyond what is read first: a type of value that no header has.
    let mut bytes = fs::read(&file).unwrap();
    let name = bytes
        .windows(7)
        .position(|window| window == b"blk.0.a")
        .unwrap();
    bytes[name + 7] = 200;
    fs::write(&file, bytes).unwrap();
    let changes = Rc::new(RefCell::new(0));
    let counted = changes.clone();
    let count = move |change: &Change<'_>| {
        *counted.borrow_mut() +=
            usize::from(matches!(change, Change::Write(..) | Change::Link(..)));
        Ok(())
    };
    for copy_mode in [CopyMode::Auto, CopyMode::Copy, CopyMode::HardLink] {
        let import = || scene.import(&file, "a", copy_mode);
        let error = hook::with(count.clone(), import).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGguf, "{error}");
    }
    assert_eq!(*changes.borrow(), 0);
    assert!(scene.is_empty());
}
