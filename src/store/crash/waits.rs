//! What each change owes to what happens meanwhile, one promise at a time.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::disk::Disk;
use super::{Operation, Scene, applies, manifests, operations};
use crate::error::ErrorKind;
use crate::fs::durability::Durability;
use crate::fs::ops::{Change, hook};
use crate::name::ModelName;
use crate::skip::not_here;
use crate::store::gc::GcOptions;
use crate::store::handle::Store;
use crate::store::options::StoreOptions;

/// Runs a call; `act` is done once, in the first wait.
fn in_the_wait<T>(act: impl FnOnce() + 'static, call: impl FnOnce() -> T) -> T {
    let mut act = Some(act);
    let hooked = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_))
            && let Some(act) = act.take()
        {
            act();
        }
        Ok(())
    };
    hook::with(hooked, call)
}

fn names_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_manifest_that_becomes_unreadable_in_the_wait_brings_everything_back() {
    let calls: [fn(&Store) -> usize; 2] = [
        |store| {
            let name: ModelName = "a".parse().unwrap();
            let deleted = store.delete(name).unwrap();
            assert!(deleted.blobs.is_empty());
            deleted.kept.len()
        },
        |store| {
            let collected = store
                .gc(&GcOptions::default().grace(Duration::ZERO))
                .unwrap();
            assert!(collected.blobs.is_empty());
            collected.kept.len()
        },
    ];
    for call in calls {
        let scene = Scene::new();
        let blobs = scene.root().join("blobs");
        let before = names_in(&blobs);
        let torn = scene.store().layout().manifest(&"torn".parse().unwrap());
        let tear = move || {
            fs::create_dir_all(torn.parent().unwrap()).unwrap();
            fs::write(torn, b"{").unwrap();
        };
        assert_eq!(in_the_wait(tear, || call(&scene.store())), 1);
        assert_eq!(names_in(&blobs), before);
        assert!(names_in(&scene.root().join(".modelkeep/trash")).is_empty());
    }
}

#[test]
fn a_source_that_changes_while_it_is_copied_is_copied_as_it_is_then() {
    let scene = Scene::new();
    let source = scene.store().layout().manifest(&"a".parse().unwrap());
    let change = move || fs::write(source, br#"{"layers":[]}"#).unwrap();
    let (from, to): (ModelName, ModelName) = ("a".parse().unwrap(), "c".parse().unwrap());
    in_the_wait(change, || scene.store().copy(&from, &to)).unwrap();
    let copied = fs::read(scene.store().layout().manifest(&to)).unwrap();
    assert_eq!(copied, br#"{"layers":[]}"#);
}

/// The very file comes back, whether it can be read or not.
#[test]
fn a_copy_that_is_undone_puts_back_whatever_was_there() {
    let makes: [fn(&Path); 4] = [
        |path| fs::write(path, b"not a manifest").unwrap(),
        |path| std::os::unix::fs::symlink("/nonexistent", path).unwrap(),
        |path| {
            fs::File::create(path).unwrap().set_len(17 << 20).unwrap();
        },
        |path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        },
    ];
    for make in makes {
        let scene = Scene::new();
        let store = scene.store();
        let (from, to): (ModelName, ModelName) = ("a".parse().unwrap(), "c".parse().unwrap());
        let (source, target) = (store.layout().manifest(&from), store.layout().manifest(&to));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        make(&target);
        let before = format!("{:?}", target.symlink_metadata().unwrap());
        let vanish = move || fs::remove_file(source).unwrap();
        let error = in_the_wait(vanish, || store.copy(&from, &to)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let same = |text: &str| {
            // The time of the inode shows the second name that it had for a moment.
            let fields = text.split(", ").filter(|field| !field.contains("ctime"));
            fields.map(str::to_owned).collect::<Vec<_>>()
        };
        let now = format!("{:?}", target.symlink_metadata().unwrap());
        assert_eq!(same(&now), same(&before));
        assert!(names_in(&scene.root().join(".modelkeep/tmp")).is_empty());
    }
}

/// Notes every change that a call makes.
fn changes(options: StoreOptions, operation: Operation) -> Vec<String> {
    let noted = Rc::new(RefCell::new(Vec::new()));
    let note = noted.clone();
    let hooked = move |change: &Change<'_>| {
        note.borrow_mut().push(match change {
            Change::Sync(_) => "sync".to_owned(),
            Change::SyncDirectory(_) => "sync directory".to_owned(),
            Change::Wait(time) => format!("wait {time:?}"),
            _ => "other".to_owned(),
        });
        Ok(())
    };
    let store = Store::open_with(options).unwrap();
    hook::with(hooked, || operation(&store)).unwrap();
    noted.take()
}

#[test]
fn without_durability_nothing_is_flushed() {
    for (name, operation) in operations() {
        let scene = Scene::new();
        let options = StoreOptions::new(scene.root()).durability(Durability::None);
        let made = changes(options.delete_delay(Duration::ZERO), operation);
        assert!(made.contains(&"other".to_owned()), "{name}");
        assert!(
            made.iter().all(|change| !change.starts_with("sync")),
            "{name}: {made:?}"
        );
    }
}

#[test]
fn removals_wait_as_long_as_they_were_told() {
    for (name, operation) in operations()
        .into_iter()
        .filter(|(name, _)| ["delete", "gc"].iter().any(|word| name.starts_with(word)))
    {
        let scene = Scene::new();
        let options = StoreOptions::new(scene.root()).delete_delay(Duration::from_millis(7));
        let made = changes(options, operation);
        let waits = made.iter().filter(|change| *change == "wait 7ms");
        assert_eq!(waits.count(), 1, "{name}: {made:?}");
    }
}

#[test]
fn a_directory_that_a_server_prunes_before_the_rename_is_made_again() {
    for times in [1, 3] {
        let scene = Scene::new();
        let manifests_of_c = scene.root().join("manifests/registry.ollama.ai/ns");
        let mut left = times;
        let hooked = move |change: &Change<'_>| {
            if let Change::Rename(_, to) = change
                && to.starts_with(&manifests_of_c)
                && left > 0
            {
                left -= 1;
                fs::remove_dir_all(&manifests_of_c).unwrap();
            }
            Ok(())
        };
        let store = scene.store();
        let (from, to): (ModelName, ModelName) = ("a".parse().unwrap(), "ns/c:t".parse().unwrap());
        hook::with(hooked, || store.copy(&from, &to)).unwrap();
        assert!(store.find(&to).unwrap().is_some());
    }
}

/// A directory of manifests that is a link to another device is only found out by the rename.
#[test]
fn what_is_staged_once_more_on_another_device_is_as_durable_and_has_the_same_owner() {
    let scene = Scene::new();
    let owner = (1234, 1234);
    let library = scene.root().join("manifests/registry.ollama.ai/library");
    let is_root = std::os::unix::fs::chown(&library, Some(owner.0), Some(owner.1)).is_ok();
    if !is_root {
        not_here("files of another owner", "the user is not root");
    }
    let disk = Rc::new(RefCell::new(Disk::of(scene.root())));
    let noted = disk.clone();
    let hooked = move |change: &Change<'_>| {
        if let Change::Rename(from, to) = change
            && from.parent() != to.parent()
        {
            return Err(io::Error::from_raw_os_error(libc::EXDEV));
        }
        if applies(change) {
            noted.borrow_mut().apply(change);
        }
        Ok(())
    };
    let store = scene.store();
    let to: ModelName = "b".parse().unwrap();
    let from: ModelName = "a".parse().unwrap();
    for directory in [library.join("b"), library.clone()] {
        let _ = std::os::unix::fs::chown(directory, Some(owner.0), Some(owner.1));
    }
    hook::with(hooked, || store.copy(&from, &to)).unwrap();
    let target = store.layout().manifest(&to);
    let expected = fs::read(store.layout().manifest(&from)).unwrap();
    let durable = disk.borrow().durable();
    assert_eq!(
        manifests(&durable)
            .find(|(path, _)| **path == target)
            .unwrap()
            .1,
        &expected
    );
    if is_root {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(target.metadata().unwrap().uid(), owner.0);
    }
    let beside = names_in(target.parent().unwrap());
    assert_eq!(beside, [target]);
}

#[test]
fn a_blob_with_another_digest_than_was_promised_is_refused_and_leaves_nothing() {
    let scene = Scene::new();
    let store = scene.store();
    let blobs = names_in(&scene.root().join("blobs"));
    let promised = crate::Digest::of(b"promised");
    let error = store
        .add_blob(&mut &b"given"[..], Some(&promised))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(names_in(&scene.root().join("blobs")), blobs);
    assert!(names_in(&scene.root().join(".modelkeep/tmp")).is_empty());
    store
        .add_blob(&mut &b"promised"[..], Some(&promised))
        .unwrap();
    assert!(store.has_blob(&promised));
}

#[test]
fn what_cannot_be_taken_back_now_is_kept_until_it_can() {
    let scene = Scene::new();
    let store = scene.store();
    let [a, b] = ["a", "b"].map(|name| name.parse::<ModelName>().unwrap());
    let layout = store.layout();
    let target = layout.manifest(&b);
    let before = fs::read(&target).unwrap();
    let named = |name: &ModelName| store.model(name).unwrap().manifest().digests();
    let (of_b, digests) = (named(&b), named(&a));
    let only_its = digests.iter().filter(|digest| !of_b.contains(digest));
    let blobs: Vec<PathBuf> = only_its.map(|digest| layout.blob(digest)).collect();
    assert!(!blobs.is_empty());
    // A server deletes `a` just before its copy is in its place, which is not replaced any more then.
    let (mut is_gone, of_a, to) = (false, layout.manifest(&a), target.clone());
    let hooked = move |change: &Change<'_>| match change {
        Change::Rename(_, path) if **path == *to && !is_gone => {
            is_gone = true;
            fs::remove_file(&of_a)?;
            blobs.iter().try_for_each(fs::remove_file)
        }
        Change::Rename(_, path) if **path == *to => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    };
    let copied = hook::with(hooked, || store.copy(a, b));
    let error = copied.unwrap_err();
    assert!(error.to_string().contains("putting back"), "{error}");
    assert_ne!(fs::read(&target).unwrap(), before);
    let to = target.clone();
    let refuse = move |change: &Change<'_>| match change {
        Change::Rename(_, path) if **path == *to => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    };
    let gc = GcOptions::default().grace(Duration::ZERO);
    hook::with(refuse, || store.gc(&gc)).unwrap_err();
    assert_ne!(fs::read(&target).unwrap(), before);
    store.gc(&gc).unwrap();
    assert_eq!(fs::read(&target).unwrap(), before);
}
