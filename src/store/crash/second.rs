//! A second writer: a server that acts between any two of our changes, and in every wait.
//!
//! What it does at one moment is what a server does between a check and a write that follow each
//! other at once. Whatever it does, and wherever we are stopped afterwards, no manifest lacks a
//! blob that was there, and the next call brings home what is in the trash.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::disk::{Disk, Image};
use super::{DAMAGED, Operation, SHARED, Scene, applies, manifests, operations};
use crate::fs::ops::{Change, hook};
use crate::manifest::Manifest;
use crate::name::Digest;
use crate::store::gc::GcOptions;
use crate::store::handle::Store;
use crate::store::options::StoreOptions;

/// What a server does at one moment.
type Act = fn(&Path);

const OWN_OF_A: &[u8] = b"own of a";
const ORPHAN: &[u8] = b"orphan";

const ACTS: [(&str, Act); 6] = [
    ("creates from blobs that are there", |root| {
        for bytes in [SHARED, OWN_OF_A, ORPHAN] {
            if blob(root, bytes).is_file() {
                write_manifest(root, &format!("made{}", bytes.len()), &[bytes]);
            }
        }
    }),
    ("copies a", |root| {
        if let Ok(text) = fs::read(manifest(root, "a")) {
            write(&manifest(root, "copied"), &text);
        }
    }),
    ("deletes a", |root| delete(root, "a")),
    ("pulls by rename", |root| {
        for bytes in [SHARED, OWN_OF_A, ORPHAN] {
            let home = blob(root, bytes);
            let arriving = home.with_file_name("arriving");
            write(&arriving, bytes);
            fs::rename(arriving, home).unwrap();
        }
        write_manifest(root, "pulled", &[SHARED, OWN_OF_A, ORPHAN]);
    }),
    ("tears a manifest", |root| {
        write(&manifest(root, "torn"), b"")
    }),
    ("heals what is damaged", |root| {
        let weights = fs::read(root.join("weights.gguf")).unwrap();
        let home = blob(root, &weights);
        let arriving = home.with_file_name("arriving");
        write(&arriving, &weights);
        fs::rename(arriving, home).unwrap();
        write_manifest(root, "healed", &[&weights]);
    }),
];

fn blob(root: &Path, bytes: &[u8]) -> std::path::PathBuf {
    root.join("blobs")
        .join(format!("sha256-{}", Digest::of(bytes).hex()))
}

fn manifest(root: &Path, model: &str) -> std::path::PathBuf {
    let library = root.join("manifests/registry.ollama.ai/library");
    library.join(model).join("latest")
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn write_manifest(root: &Path, model: &str, layers: &[&[u8]]) {
    let layers: Vec<String> = layers
        .iter()
        .map(|bytes| format!(r#"{{"digest":"{}"}}"#, Digest::of(bytes)))
        .collect();
    let text = format!(r#"{{"layers":[{}]}}"#, layers.join(","));
    write(&manifest(root, model), text.as_bytes());
}

/// A server's order: the name, who uses what, the blobs.
fn delete(root: &Path, model: &str) {
    for blob in begin_to_delete(root, model) {
        let _ = fs::remove_file(blob);
    }
}

/// What a server that deletes does first: the name goes, and who uses the blobs is looked up.
/// Returns what it is going to remove.
fn begin_to_delete(root: &Path, model: &str) -> Vec<std::path::PathBuf> {
    let path = manifest(root, model);
    let Ok(text) = fs::read(&path) else {
        return Vec::new();
    };
    fs::remove_file(path).unwrap();
    let image = Disk::of(root).live();
    let used: BTreeSet<Digest> = manifests(&image)
        .filter_map(|(_, text)| Manifest::parse(text).ok())
        .flat_map(|manifest| manifest.digests())
        .collect();
    let named = Manifest::parse(&text).unwrap().digests().into_iter();
    named
        .filter(|digest| !used.contains(digest))
        .map(|digest| root.join("blobs").join(format!("sha256-{}", digest.hex())))
        .collect()
}

/// Every manifest that decodes has its blobs, at home or, where that is enough, in the trash.
fn check(image: &Image, or_in_trash: bool, place: &str) {
    for (path, text) in manifests(image) {
        let Ok(manifest) = Manifest::parse(text) else {
            assert!(
                path.to_string_lossy().contains("/torn/"),
                "{place}: {path:?} is torn"
            );
            continue;
        };
        for digest in manifest.digests() {
            let is_held = image.iter().any(|(path, bytes)| {
                let parent = path.parent().unwrap();
                let is_place = parent.ends_with("blobs")
                    || or_in_trash && parent.ends_with(".modelkeep/trash");
                is_place && Digest::of(bytes) == digest
            });
            assert!(is_held, "{place}: {path:?} lacks {digest}");
        }
    }
    let homes = image
        .iter()
        .filter(|(path, _)| path.parent().unwrap().ends_with("blobs"));
    for (path, bytes) in homes {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_whole = name
            .parse()
            .is_ok_and(|name: Digest| name == Digest::of(bytes));
        assert!(is_whole || bytes == DAMAGED, "{place}: {path:?} is partial");
    }
}

/// What a run met.
struct Met {
    changes: usize,
    /// The waits, by how many changes were made before.
    waits: Vec<usize>,
    disk: Disk,
}

/// Runs an operation; before its change number `at` the act is done, and from number `stop` on
/// every change fails, as when the process is gone.
fn run(scene: &Scene, operation: Operation, act: Act, at: usize, stop: usize) -> Met {
    let root = scene.root().to_owned();
    let met = Rc::new(RefCell::new(Met {
        changes: 0,
        waits: Vec::new(),
        disk: Disk::of(&root),
    }));
    let noted = met.clone();
    let hooked = move |change: &Change<'_>| {
        let mut met = noted.borrow_mut();
        met.changes += 1;
        let number = met.changes;
        if matches!(change, Change::Wait(_)) {
            met.waits.push(number);
            // As when somebody else flushes a file of the same disk.
            met.disk.commit_names();
        }
        if number == at {
            act(&root);
            met.disk.adopt(&root);
        }
        if number >= stop {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        if applies(change) {
            met.disk.apply(change);
        }
        Ok(())
    };
    let options = StoreOptions::new(scene.root()).delete_delay(Duration::ZERO);
    let store = Store::open_with(options).unwrap();
    // Whether it succeeds is not asked: what is on the disk is.
    let _ = hook::with(hooked, || operation(&store));
    Rc::try_unwrap(met)
        .unwrap_or_else(|_| panic!("the hook is gone"))
        .into_inner()
}

#[test]
fn a_server_that_acts_between_any_two_changes_loses_nothing_and_takes_nothing() {
    let mut runs = 0;
    for (name, operation) in operations() {
        for (does, act) in ACTS {
            for at in 1.. {
                let scene = Scene::new();
                let met = run(&scene, operation, act, at, usize::MAX);
                let place = format!("{name}, a server {does} before change {at}");
                check(&Disk::of(scene.root()).live(), false, &place);
                // What went home is there to stay.
                check(&met.disk.durable(), false, &format!("{place}, power cut"));
                runs += 1;
                if at > met.changes {
                    break;
                }
            }
        }
    }
    println!("{runs} runs");
    assert!(
        runs > 500,
        "{runs} runs: the hook is not where the changes are"
    );
}

#[test]
fn stopped_anywhere_after_a_server_acted_in_a_wait_the_next_call_brings_everything_home() {
    let mut runs = 0;
    for (name, operation) in operations() {
        let waits = run(&Scene::new(), operation, |_| {}, 0, usize::MAX).waits;
        for (does, act) in ACTS {
            for wait in &waits {
                for stop in wait + 1.. {
                    let scene = Scene::new();
                    let met = run(&scene, operation, act, *wait, stop);
                    let place =
                        format!("{name}, a server {does} in wait {wait}, stopped at {stop}");
                    check(&met.disk.live(), true, &place);
                    check(&met.disk.durable(), true, &format!("{place}, power cut"));
                    let _ = scene.store().gc(&GcOptions::default());
                    check(
                        &Disk::of(scene.root()).live(),
                        false,
                        &format!("{place}, next call"),
                    );
                    runs += 1;
                    if stop > met.changes {
                        break;
                    }
                }
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 50, "{runs} runs: nobody waits");
}

/// Runs an operation while a server deletes a model: from the change `at` on its name is gone, from
/// `removed_at` on what nobody else used then, and from `stop` on we are. Returns how many changes
/// were made or tried.
fn run_beside_a_delete(
    scene: &Scene,
    operation: Operation,
    model: &'static str,
    [at, removed_at, stop]: [usize; 3],
) -> usize {
    let root = scene.root().to_owned();
    let changes = Rc::new(Cell::new(0));
    let counted = changes.clone();
    let mut unused = Vec::new();
    let hooked = move |_: &Change<'_>| {
        let number = counted.get() + 1;
        counted.set(number);
        if number == at {
            unused = begin_to_delete(&root, model);
        }
        if number == removed_at {
            unused.iter().for_each(|path| drop(fs::remove_file(path)));
        }
        match number >= stop {
            true => Err(io::Error::from_raw_os_error(libc::EIO)),
            false => Ok(()),
        }
    };
    let store = scene.store();
    let _ = hook::with(hooked, || operation(&store));
    changes.get()
}

#[test]
fn stopped_after_a_server_deleted_no_model_lacks_a_blob_once_the_next_call_was_made() {
    const NEVER: usize = usize::MAX;
    let mut runs = 0;
    let mut operations = operations();
    operations.retain(|(name, _)| {
        ["copy", "rename", "import", "pull"]
            .iter()
            .any(|it| name.starts_with(it))
    });
    for (name, operation) in operations {
        let changes = run_beside_a_delete(&Scene::new(), operation, "a", [NEVER; 3]);
        for (model, at) in (1..=changes).flat_map(|at| [("a", at), ("b", at)]) {
            for removed_at in [at, at + 2] {
                for stop in [1, 2, 3, 5, 8].map(|later| removed_at + later) {
                    let scene = Scene::new();
                    run_beside_a_delete(&scene, operation, model, [at, removed_at, stop]);
                    let _ = scene.store().gc(&GcOptions::default());
                    let place = format!(
                        "{name}, a server deletes {model} from {at} to {removed_at}, stopped at {stop}"
                    );
                    check(&Disk::of(scene.root()).live(), false, &place);
                    runs += 1;
                }
            }
        }
    }
    println!("{runs} runs");
    assert!(
        runs > 500,
        "{runs} runs: the hook is not where the changes are"
    );
}
