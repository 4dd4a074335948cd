//! What vanishes from `blobs/`, and by whom: a server that starts in that moment ends.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::{Scene, operations};
use crate::fs::ops::{Change, hook};
use crate::store::gc::GcOptions;
use crate::store::handle::Store;
use crate::store::options::StoreOptions;
use crate::store::show::ShowOptions;
use crate::store::verify::VerifyOptions;

/// Returns the names in `blobs/` that a call takes away. A rename over a name does not.
fn vanished(scene: &Scene, call: impl FnOnce(&Store)) -> Vec<PathBuf> {
    let blobs = scene.store().layout().blobs_directory();
    let gone = Rc::new(RefCell::new(Vec::new()));
    let noted = gone.clone();
    let note = move |change: &Change<'_>| {
        if let Change::Unlink(path) | Change::Rename(path, _) | Change::RenameNew(path, _) = change
            && path.starts_with(&blobs)
        {
            noted.borrow_mut().push(path.to_path_buf());
        }
        Ok(())
    };
    let store = Store::open_with(StoreOptions::new(scene.root())).unwrap();
    hook::with(note, || call(&store));
    gone.take()
}

#[test]
fn reading_makes_nothing_vanish_from_blobs() {
    let scene = Scene::new();
    let gone = vanished(&scene, |store| {
        store.list().unwrap();
        let reference = "a";
        let _ = store.show(reference, &ShowOptions::default());
        let _ = store.model(reference).unwrap().config();
        let all = VerifyOptions::default();
        let _ = store.verify(&all).unwrap();
        store.usage().unwrap();
        let _ = store.doctor().unwrap();
        store.gc(&GcOptions::default().dry_run(true)).unwrap();
    });
    assert_eq!(gone, Vec::<PathBuf>::new());
}

#[test]
fn of_the_changes_only_removals_make_something_vanish_from_blobs() {
    for (name, operation) in operations() {
        let scene = Scene::new();
        if name == "repair" {
            let damaged = scene.blob(b"sound");
            std::fs::write(scene.store().blob_path(&damaged), b"wrong").unwrap();
        }
        let gone = vanished(&scene, |store| operation(store).unwrap());
        let removes = ["delete", "gc", "repair"];
        let may = removes.iter().any(|word| name.starts_with(word));
        assert_eq!(!gone.is_empty(), may, "{name}: {gone:?}");
    }
}
