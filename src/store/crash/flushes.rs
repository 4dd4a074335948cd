//! What is flushed, and in which order: what a power cut leaves of removals and of new names.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::disk::Disk;
use super::others::{beside, model, repair, without_the_first_move};
use super::{SHARED, Scene, applies};
use crate::fs::ops::Change;
use crate::name::Digest;
use crate::store::handle::Store;

/// Notes the flushes and the renames of blobs that a call makes.
fn steps(call: impl FnOnce()) -> Vec<String> {
    let noted = Rc::new(RefCell::new(Vec::new()));
    let note = noted.clone();
    let in_directory = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let name = move |change: &Change<'_>| {
        let step = match *change {
            Change::Sync(path) => format!("flush in {}", in_directory(path.parent().unwrap())),
            Change::SyncDirectory(path) => format!("flush {}", in_directory(path)),
            Change::RenameNew(_, to) => format!("to {}", in_directory(to.parent().unwrap())),
            _ => return,
        };
        note.borrow_mut().push(step);
    };
    beside(name, call);
    noted.take()
}

fn without_durability(scene: &Scene) -> Store {
    let options = crate::StoreOptions::new(scene.root()).durability(crate::Durability::None);
    Store::open_with(options.delete_delay(Duration::ZERO)).unwrap()
}

#[test]
fn what_comes_home_is_flushed_before_it_has_its_name_and_its_name_after() {
    let aside = |scene: &Scene| {
        let home = scene.store().blob_path(&Digest::of(SHARED));
        let trash = scene.root().join(".modelkeep/trash");
        fs::create_dir_all(&trash).unwrap();
        fs::rename(&home, trash.join(home.file_name().unwrap())).unwrap();
    };
    let scene = Scene::new();
    aside(&scene);
    let made = steps(|| drop(scene.store().lock().unwrap()));
    assert_eq!(made, ["flush in trash", "to blobs", "flush blobs"]);
    aside(&scene);
    let made = steps(|| drop(without_durability(&scene).lock().unwrap()));
    assert_eq!(made, ["to blobs"]);
}

#[test]
fn a_quarantined_blob_survives_a_power_cut() {
    let scene = Scene::new();
    let damaged = scene.store().blob_path(&Digest::of(SHARED));
    fs::write(&damaged, b"wrong").unwrap();
    let made = steps(|| drop(repair(&without_durability(&scene)).unwrap()));
    assert!(made.iter().all(|step| step == "to quarantine"), "{made:?}");

    fs::write(&damaged, b"wrong").unwrap();
    let disk = Rc::new(RefCell::new(Disk::of(scene.root())));
    let noted = disk.clone();
    let note = move |change: &Change<'_>| {
        if applies(change) {
            noted.borrow_mut().apply(change);
        }
    };
    let repaired = beside(note, || repair(&scene.store())).unwrap();
    assert_eq!(
        disk.borrow().durable()[&repaired.quarantined[0].to],
        b"wrong"
    );
}

#[test]
fn a_link_that_was_an_alias_is_gone_after_a_power_cut() {
    let scene = Scene::new();
    let store = scene.store();
    let directory = store.layout().manifest(&model("b"));
    let alias = directory.parent().unwrap().with_file_name("alias");
    std::os::unix::fs::symlink(directory.parent().unwrap(), &alias).unwrap();
    let made = steps(|| {
        let deleted = store.delete(model("alias")).unwrap();
        assert_eq!(deleted.aliases[0].link, alias);
    });
    assert_eq!(made, ["flush library"]);
    assert!(alias.symlink_metadata().is_err() && store.find(model("b")).unwrap().is_some());
}

#[test]
fn a_blob_that_got_its_name_has_it_after_a_power_cut() {
    let scene = Scene::new();
    let store = scene.store();
    let home = store.blob_path(&Digest::of(b"own of a"));
    fs::rename(&home, home.with_file_name("unknown")).unwrap();
    let named = store.layout().manifest(&model("a"));
    let text = fs::read_to_string(&named).unwrap();
    let (of_shared, of_own) = text.split_once("},").unwrap();
    let sized = of_own.replacen('}', r#","size":8}"#, 1);
    fs::write(&named, format!("{of_shared}}},{sized}")).unwrap();
    let made = steps(|| assert_eq!(repair(&store).unwrap().renamed.len(), 1));
    assert_eq!(made[made.len() - 2..], ["to blobs", "flush blobs"]);

    let scene = Scene::new();
    let old = |scene: &Scene| {
        let digest = Digest::of(SHARED);
        let store = scene.store();
        fs::rename(
            store.layout().new_blob(&digest),
            store.layout().old_blob(&digest),
        )
        .unwrap();
    };
    old(&scene);
    let made = steps(|| drop(scene.store().rename_old_blobs().unwrap()));
    assert_eq!(made, ["to blobs", "flush blobs"]);
    old(&scene);
    let made = steps(|| drop(without_durability(&scene).rename_old_blobs().unwrap()));
    assert_eq!(made, ["to blobs"]);
    old(&scene);
    let error = without_the_first_move(|| scene.store().rename_old_blobs()).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
}
