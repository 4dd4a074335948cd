//! No observer sees more done than there was to do.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::fs::ops::hook;
use crate::gguf::Writer;
use crate::name::Digest;
use crate::store::copy_mode::CopyMode;
use crate::store::export::ExportOptions;
use crate::store::gc::GcOptions;
use crate::store::import::ImportOptions;
use crate::store::import_archive::ImportArchiveOptions;
use crate::store::options::StoreOptions;
use crate::store::verify::VerifyOptions;

/// Fails where more is done than there was to do, and where less is than before.
fn check(progress: &Progress, last: &Cell<Progress>) {
    let is_within = progress.bytes <= progress.total_bytes;
    assert!(
        is_within && progress.files <= progress.total_files,
        "{progress:?}"
    );
    let before = last.replace(*progress);
    assert!(
        progress.bytes >= before.bytes && progress.files >= before.files,
        "{before:?}"
    );
}

fn is_done(progress: &Progress) -> bool {
    (progress.bytes, progress.files) == (progress.total_bytes, progress.total_files)
}

fn store(root: &Path) -> Store {
    let options = StoreOptions::new(root.join("models")).create(true);
    Store::open_with(options.delete_delay(Duration::ZERO)).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Begin(u64),
    Advance(u64),
    Restart,
    Finish,
    Expect(u64),
    Count(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || prop_oneof![0_u64..10, Just(u64::MAX), any::<u64>()];
    prop_oneof![
        bytes().prop_map(Step::Begin),
        bytes().prop_map(Step::Advance),
        Just(Step::Restart),
        Just(Step::Finish),
        bytes().prop_map(Step::Expect),
        bytes().prop_map(Step::Count),
    ]
}

proptest! {
    /// Whatever is expected of files, and however much there is of them.
    #[test]
    fn no_more_is_done_than_there_is_to_do(steps in prop::collection::vec(step(), 0..30)) {
        let root = tempfile::tempdir().unwrap();
        let work = Arc::new(Work::default());
        let store = store(root.path()).watched_by(work.clone());
        let (mut files, last) = (Vec::new(), Cell::default());
        for step in steps {
            match (step, files.last_mut()) {
                (Step::Begin(bytes), _) => files.push(store.begin_file(bytes)),
                (Step::Advance(bytes), Some(file)) => file.advance(bytes).unwrap(),
                (Step::Restart, Some(file)) => file.restart(),
                (Step::Finish, Some(_)) => files.pop().unwrap().finish(),
                (Step::Expect(bytes), _) => store.expect(bytes),
                (Step::Count(bytes), _) => store.advance(bytes).unwrap(),
                _ => store.finish_file(),
            }
            check(&work.progress(), &last);
        }
    }

    /// What was expected wrongly is right in the end.
    #[test]
    fn in_the_end_all_is_done(files in prop::collection::vec((0_u64..99, 0_u64..99), 0..9)) {
        let root = tempfile::tempdir().unwrap();
        let work = Arc::new(Work::default());
        let store = store(root.path()).watched_by(work.clone());
        let last = Cell::default();
        for (stated, bytes) in &files {
            let mut file = store.begin_file(*stated);
            file.advance(bytes / 2).unwrap();
            file.restart();
            file.advance(*bytes).unwrap();
            check(&work.progress(), &last);
            file.finish();
            check(&work.progress(), &last);
        }
        prop_assert!(is_done(&work.progress()));
    }
}

/// A GGUF file with data of some bytes.
fn gguf(path: PathBuf, fill: [u8; 2]) -> PathBuf {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    let data = fill.map(|byte| vec![byte; 200_000]).concat();
    let dims = [data.len() as u64];
    writer.tensor("blk.0.a", &dims, crate::gguf::TensorType::I8, data);
    writer.write_to(&mut File::create(&path).unwrap()).unwrap();
    path
}

type Call = fn(&Store, &Path) -> Result<()>;

/// The same store, without anybody who watches.
fn unwatched(store: &Store) -> Store {
    Store::open_with(StoreOptions::new(store.path()).delete_delay(Duration::ZERO)).unwrap()
}

fn export(store: &Store, to: &Path) -> Result<()> {
    let options = ExportOptions::new().replace(true);
    store.export(["a"], to, &options).map(drop)
}

/// Imports what was exported, where one of its blobs is stored already and one is not.
fn arrive(store: &Store, root: &Path, from: &str) -> Result<()> {
    export(&unwatched(store), &root.join(from))?;
    let config = store.model("a")?.manifest().digests();
    fs::remove_file(store.blob_path(&config[0])).unwrap();
    let options = ImportArchiveOptions::new().replace(true);
    store.import_archive(root.join(from), &options).map(drop)
}

/// Imports a file, after another one whose bytes are stored then.
fn import(store: &Store, root: &Path, fill: [u8; 2], copy_mode: CopyMode) -> Result<()> {
    let options = ImportOptions::new().copy_mode(copy_mode);
    let options = options.system("s").licenses(["a license", "another"]);
    let file = gguf(root.join("b.gguf"), fill);
    store.import(file, "b", &options).map(drop)
}

/// Every call that somebody may watch, on a store of a model with weights of `[1, 1]`.
const CALLS: &[(&str, Call)] = &[
    ("import", |store, root| {
        import(store, root, [2, 2], CopyMode::Copy)
    }),
    ("import what is stored", |store, root| {
        import(store, root, [1, 1], CopyMode::Auto)
    }),
    ("import what differs late", |store, root| {
        import(store, root, [1, 2], CopyMode::Copy)
    }),
    ("import by a link", |store, root| {
        import(store, root, [2, 2], CopyMode::HardLink)
    }),
    ("import from a model", |store, root| {
        let modelfile = root.join("Modelfile");
        fs::write(&modelfile, "FROM a\nSYSTEM s").unwrap();
        store
            .import_file(modelfile, "b", &ImportOptions::new())
            .map(drop)
    }),
    ("add a blob", |store, _| {
        let mut stream = std::io::repeat(7).take(3_000_000);
        store.add_blob(&mut stream, None).map(drop)
    }),
    ("gc", |store, _| {
        store.add_blob(&mut &b"orphan"[..], None)?;
        store.gc(&GcOptions::new().grace(Duration::ZERO)).map(drop)
    }),
    ("maintain", |store, _| {
        store.add_blob(&mut &b"orphan"[..], None)?;
        store
            .maintain_with(&GcOptions::new().grace(Duration::ZERO))
            .map(drop)
    }),
    ("repair", |store, _| {
        let weights = store.model("a")?.gguf_path()?;
        fs::write(&weights, "damaged").unwrap();
        let report = store.verify(&VerifyOptions::new())?;
        store.repair(&report).map(drop)
    }),
    ("repair of a misnamed blob", |store, _| {
        let weights = store.model("a")?.gguf_path()?;
        fs::rename(&weights, weights.with_extension("bak")).unwrap();
        let report = store.verify(&VerifyOptions::new())?;
        store.repair(&report).map(drop)
    }),
    ("which", |store, root| {
        let file = gguf(root.join("c.gguf"), [3, 3]);
        store.which(file.to_str().unwrap()).map(drop)
    }),
    ("delete", |store, _| store.delete("a").map(drop)),
    ("copy", |store, _| store.copy("a", "c").map(drop)),
    ("export to a file", |store, root| {
        export(store, &root.join("a.tar"))
    }),
    ("export to a directory", |store, root| {
        export(store, &root.join("a"))
    }),
    ("export over damaged files", |store, root| {
        let directory = root.join("a");
        export(&unwatched(store), &directory)?;
        let blob = store.model("a")?.manifest().layers()[0].digest()?;
        let file = directory.join("blobs/sha256").join(blob.hex());
        let mut bytes = fs::read(&file).unwrap();
        bytes[300_000] ^= 1;
        fs::write(file, bytes).unwrap();
        export(store, &directory)
    }),
    ("import an archive", |store, root| {
        arrive(store, root, "a.tar")
    }),
    ("import a directory", |store, root| arrive(store, root, "a")),
    ("import a stream", |store, root| {
        let archive = root.join("a.tar");
        export(&unwatched(store), &archive)?;
        let mut stream = File::open(archive).unwrap();
        let options = ImportArchiveOptions::new().replace(true);
        store.import_stream(&mut stream, &options).map(drop)
    }),
];

/// Between any two changes to the disk, and in the end.
#[test]
fn no_call_says_that_more_is_done_than_there_was_to_do() {
    for (name, call) in CALLS {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path());
        let file = gguf(root.path().join("a.gguf"), [1, 1]);
        store.import(file, "a", &ImportOptions::new()).unwrap();
        let work = Arc::new(Work::default());
        let (seen, last) = (work.clone(), Rc::new(Cell::default()));
        let note = last.clone();
        let look = move |_: &crate::fs::ops::Change<'_>| {
            check(&seen.progress(), &note);
            Ok(())
        };
        let watched = store.watched_by(work.clone());
        hook::with(look, || call(&watched, root.path())).unwrap();
        check(&work.progress(), &last);
        assert!(is_done(&work.progress()), "{name}: {:?}", work.progress());
    }
}

/// A file is hashed while it is compared with a blob, and stops as any other.
#[test]
fn an_import_of_what_is_stored_is_stopped_while_it_is_compared() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let file = gguf(root.path().join("a.gguf"), [1, 1]);
    store.import(&file, "a", &ImportOptions::new()).unwrap();
    let work = Arc::new(Work::default());
    work.stopped.store(true, Ordering::Relaxed);
    let watched = store.watched_by(work.clone());
    // The lock is not waited for: what is staged is staged before.
    let error = watched
        .import(&file, "b", &ImportOptions::new())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let size = file.metadata().unwrap().len();
    let progress = work.progress();
    assert!(progress.bytes > 0 && progress.bytes < size, "{progress:?}");
    assert_eq!(progress.total_bytes, size);
    assert!(store.has_blob(&Digest::of(&fs::read(&file).unwrap())));
}

#[test]
fn a_verification_of_a_file_that_grows_has_as_much_to_do_as_it_does() {
    let root = tempfile::tempdir().unwrap();
    let store = store(root.path());
    let file = gguf(root.path().join("a.gguf"), [1, 1]);
    store.import(file, "a", &ImportOptions::new()).unwrap();
    let weights = store.model("a").unwrap().gguf_path().unwrap();
    let gone = store.add_blob(&mut &b"orphan"[..], None).unwrap().digest;
    let (last, mut is_first) = (Cell::default(), true);
    let observe = &mut |progress: &Progress| {
        if std::mem::take(&mut is_first) {
            let weights = File::options().write(true).open(&weights).unwrap();
            weights.set_len(9_000_000).unwrap();
            fs::remove_file(store.blob_path(&gone)).unwrap();
        }
        check(progress, &last);
        ControlFlow::Continue(())
    };
    let report = store.verify_with(&VerifyOptions::new(), observe).unwrap();
    assert!(is_done(&last.get()), "{:?}", last.get());
    assert_eq!(last.get().bytes, report.hashed_bytes);
    assert!(report.hashed_bytes > 9_000_000);
}
