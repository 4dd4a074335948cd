//! Every change of the store, stopped or failed at every point, once and for ever.

mod again;
mod archives;
mod disk;
mod flushes;
mod links;
mod others;
mod quiet;
mod second;
mod waits;
mod writes;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::fs::ops::{Change, hook};
use crate::gguf::{Editor, TensorType, Writer};
use crate::manifest::Manifest;
use crate::name::Digest;
use crate::store::copy_mode::CopyMode;
use crate::store::edit::EditOptions;
use crate::store::gc::GcOptions;
use crate::store::handle::Store;
use crate::store::import::ImportOptions;
use crate::store::options::StoreOptions;
use crate::store::verify::VerifyOptions;

use again::Expected;
use disk::{Disk, Image};

/// A store with two models that share a blob, an orphan, and a damaged blob of the name that an
/// import is going to write.
struct Scene {
    directory: tempfile::TempDir,
}

const SHARED: &[u8] = b"shared weights";
const DAMAGED: &[u8] = b"damaged from the beginning";

/// An archive that an export replaces.
const OLD: &[u8] = b"an archive of somebody else";

impl Scene {
    fn new() -> Self {
        let scene = Scene::empty();
        scene.write(&scene.root().join("old.tar"), OLD);
        scene.blob(b"orphan");
        scene.model("a", &[SHARED, b"own of a"]);
        scene.model("b", &[SHARED]);
        let mut weights = Vec::new();
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.tensor("token_embd.weight", &[4], TensorType::F32, vec![7; 16]);
        writer.write_to(&mut weights).unwrap();
        scene.write(&scene.root().join("weights.gguf"), &weights);
        for no in 0..2_u16 {
            let mut part = Writer::new();
            part.set("split.no", no).set("split.count", 2_u16);
            part.tensor(&format!("blk.{no}.w"), &[4], TensorType::F32, vec![7; 16]);
            let mut bytes = Vec::new();
            part.write_to(&mut bytes).unwrap();
            let name = format!("part-0000{}-of-00002.gguf", no + 1);
            scene.write(&scene.root().join(name), &bytes);
        }
        let damaged = scene.store().layout().new_blob(&Digest::of(&weights));
        scene.write(&damaged, DAMAGED);
        scene
    }

    fn empty() -> Self {
        // What a flush costs is not what is tested: in memory, where there is such a place.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Scene {
            directory: directory.unwrap(),
        }
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    fn store(&self) -> Store {
        Store::open_with(StoreOptions::new(self.root()).delete_delay(Duration::ZERO)).unwrap()
    }

    fn write(&self, path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.write(&self.store().layout().new_blob(&digest), bytes);
        digest
    }

    fn model(&self, name: &str, layers: &[&[u8]]) {
        let digests: Vec<String> = layers
            .iter()
            .map(|bytes| format!(r#"{{"digest":"{}"}}"#, self.blob(bytes)))
            .collect();
        let text = format!(r#"{{"layers":[{}]}}"#, digests.join(","));
        let path = self.store().layout().manifest(&name.parse().unwrap());
        self.write(&path, text.as_bytes());
    }
}

/// A change to the store, and what it leaves when it succeeded: manifests by tag path.
type Operation = fn(&Store) -> crate::Result<()>;

fn operations() -> Vec<(&'static str, Operation)> {
    fn name(text: &str) -> crate::ModelName {
        text.parse().unwrap()
    }
    let mut operations: Vec<(&'static str, Operation)> = vec![
        ("copy to a new name", |store| {
            store.copy(&name("a"), &name("ns/c:t")).map(drop)
        }),
        ("copy over a model", |store| {
            store.copy(&name("a"), &name("b")).map(drop)
        }),
        ("copy from another store", |store| {
            let own = StoreOptions::new(store.path().join("own")).create(true);
            let own = own.durability(store.options().durability);
            let own = Store::open_with(own.delete_delay(Duration::ZERO))?;
            own.take_model(store, &name("a"), &name("ns/c:t"), false)
                .map(drop)
        }),
        ("rename", |store| {
            store.rename(&name("a"), &name("ns/d:t")).map(drop)
        }),
        ("delete", |store| store.delete(name("a")).map(drop)),
        ("delete the last users", |store| {
            store.delete_all(["a", "b"]).map(drop)
        }),
        ("gc", |store| {
            store
                .gc(&GcOptions::default().grace(Duration::ZERO))
                .map(drop)
        }),
        ("import", |store| {
            let file = store.path().join("weights.gguf");
            store
                .import(file, name("new"), &ImportOptions::default())
                .map(drop)
        }),
        ("import of a split model", |store| {
            let part = store.path().join("part-00002-of-00002.gguf");
            store
                .import(part, name("new"), &ImportOptions::default())
                .map(drop)
        }),
        ("import over a model", |store| {
            let options = ImportOptions::new()
                .replace(true)
                .copy_mode(CopyMode::Copy)
                .system("be brief");
            let file = store.path().join("weights.gguf");
            store.import(file, name("a"), &options).map(drop)
        }),
        ("import, and edit what came", |store| {
            let file = store.path().join("weights.gguf");
            store.import(file, name("new"), &ImportOptions::default())?;
            let mut editor = Editor::new();
            editor.set("general.name", "edited");
            let edited = store.edit("new", name("edited"), &editor, &EditOptions::new());
            edited.map(drop)
        }),
        ("maintain", |store| store.maintain().map(drop)),
        ("repair", |store| {
            let report = store.verify(&VerifyOptions::default());
            store.repair(&report?).map(drop)
        }),
        ("add a blob", |store| {
            store.add_blob(&mut &b"new"[..], None).map(drop)
        }),
    ];
    operations.extend(archives::operations());
    operations
}

/// How a point of an operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    /// The call fails, and whatever follows works.
    Once(i32),
    /// The call and all that follow fail: a full disk, a lost device, a process that is gone.
    ForEver(i32),
}

/// Runs one operation with a failure at the `point`-th change; returns the disk's model and
/// whether the point was reached.
fn run(scene: &Scene, operation: Operation, point: usize, failure: Failure) -> (Disk, Run) {
    let disk = Rc::new(RefCell::new(Disk::of(scene.root())));
    let before = disk.borrow().durable();
    let count = Rc::new(RefCell::new(0));
    let mut images = Vec::new();
    let answer = {
        let (disk, count) = (disk.clone(), count.clone());
        let hooked = move |change: &Change<'_>| {
            *count.borrow_mut() += 1;
            let fails = match failure {
                Failure::Once(_) => *count.borrow() == point,
                Failure::ForEver(_) => *count.borrow() >= point,
            };
            let (Failure::Once(code) | Failure::ForEver(code)) = failure;
            if fails {
                return Err(io::Error::from_raw_os_error(code));
            }
            if applies(change) {
                disk.borrow_mut().apply(change);
            }
            Ok(())
        };
        let store = scene.store();
        hook::with(hooked, || operation(&store))
    };
    let disk = disk.borrow().clone();
    images.extend([disk.durable(), disk.names_first(), disk.live()]);
    let reached = *count.borrow() >= point;
    (
        disk,
        Run {
            before,
            images,
            succeeded: answer.is_ok(),
            reached,
        },
    )
}

/// Returns whether the operating system is going to make a change. What it refuses changes nothing.
fn applies(change: &Change<'_>) -> bool {
    match *change {
        Change::Rename(from, _) => from.symlink_metadata().is_ok(),
        Change::Symlink(_, to) => to.symlink_metadata().is_err(),
        Change::Link(from, to) | Change::RenameNew(from, to) => {
            from.symlink_metadata().is_ok() && to.symlink_metadata().is_err()
        }
        Change::MakeDirectory(path) => {
            path.symlink_metadata().is_err() && path.parent().is_some_and(Path::is_dir)
        }
        Change::RemoveDirectory(path) => {
            std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
        }
        Change::Reflink(..) | Change::ShareRange(..) => false,
        Change::Unlink(path) => path.symlink_metadata().is_ok(),
        Change::SyncDirectory(path) => path.exists(),
        _ => true,
    }
}

struct Run {
    before: Image,
    images: Vec<Image>,
    succeeded: bool,
    reached: bool,
}

fn manifests(image: &Image) -> impl Iterator<Item = (&PathBuf, &Vec<u8>)> {
    image.iter().filter(|(path, _)| {
        path.components()
            .any(|part| part.as_os_str() == "manifests")
    })
}

fn models(image: &Image) -> Vec<(PathBuf, Vec<u8>)> {
    let manifests = manifests(image);
    manifests
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect()
}

/// No manifest is torn, none lacks a blob, and no blob has bytes that are not its own.
fn check(image: &Image, place: &str) {
    archives::check(image, place);
    for (path, bytes) in manifests(image) {
        let manifest = Manifest::parse(bytes).unwrap_or_else(|e| panic!("{place}: {path:?}: {e}"));
        let is_manifests = |path: &&Path| path.ends_with("manifests");
        let root = path.ancestors().find(is_manifests).unwrap().parent();
        for digest in manifest.digests() {
            let held = image.iter().any(|(path, bytes)| {
                path.parent()
                    .is_some_and(|parent| parent.ends_with("blobs") && parent.parent() == root)
                    && Digest::of(bytes) == digest
            });
            assert!(held, "{place}: {path:?} lacks {digest}");
        }
    }
    for (path, bytes) in image
        .iter()
        .filter(|(path, _)| path.parent().is_some_and(|p| p.ends_with("blobs")))
    {
        let name: Digest = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let is_whole = Digest::of(bytes) == name || bytes == DAMAGED;
        assert!(is_whole, "{place}: {path:?} is partial");
    }
}

#[test]
fn every_point_of_every_change_leaves_the_old_state_or_the_new() {
    let failures = [
        libc::ENOSPC,
        libc::EIO,
        libc::EROFS,
        libc::EMFILE,
        libc::EACCES,
        libc::EDQUOT,
    ];
    let mut points = 0;
    for (name, operation) in operations() {
        let expected = Expected::of(name, operation);
        let failures = failures.map(|code| [Failure::Once(code), Failure::ForEver(code)]);
        for failure in failures.into_iter().flatten() {
            for point in 1.. {
                let scene = Scene::new();
                let (_, run) = run(&scene, operation, point, failure);
                let place = format!("{name}, {failure:?} at {point}");
                run.images.iter().for_each(|image| check(image, &place));
                check(&Disk::of(scene.root()).durable(), &place);
                if !run.reached {
                    break;
                }
                points += 1;
                // A later run needs no manual step.
                let place = format!("{place}, run again");
                let expected = expected.answer(&scene);
                assert_eq!(again::answer(operation, &scene), expected, "{place}");
                check(&Disk::of(scene.root()).durable(), &place);
            }
        }
    }
    println!("{points} points");
    assert!(
        points > 300,
        "{points} points: the hook is not where the changes are"
    );
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    for (name, operation) in operations() {
        let scene = Scene::new();
        let (_, run) = run(&scene, operation, usize::MAX, Failure::Once(libc::EIO));
        assert!(run.succeeded, "{name}");
        let [durable, _, live] = run.images.as_slice() else {
            panic!("three images")
        };
        assert_eq!(models(durable), models(live), "{name}");
        let changed = models(&run.before) != models(durable);
        assert_eq!(
            changed,
            ["copy", "rename", "delete", "import"]
                .iter()
                .any(|change| name.starts_with(change)),
            "{name}"
        );
    }
}
