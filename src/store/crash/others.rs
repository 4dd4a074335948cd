//! What others do between two steps of ours, and what the disk refuses: it stops nothing else, and
//! the answer tells it.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::disk::Disk;
use super::{SHARED, Scene, applies};
use crate::error::{ErrorKind, Result};
use crate::fs::ops::{Change, hook};
use crate::name::{Digest, ModelName};
use crate::store::gc::{Collected, GcOptions};
use crate::store::handle::Store;
use crate::store::import::ImportOptions;
use crate::store::repair::Repaired;
use crate::store::verify::VerifyOptions;

fn collect(store: &Store) -> Result<Collected> {
    store.gc(&GcOptions::default().grace(Duration::ZERO))
}

fn repair(store: &Store) -> Result<Repaired> {
    let all = VerifyOptions::default();
    let report = store.verify(&all, &mut |_| ControlFlow::Continue(()));
    store.repair(&report.unwrap())
}

fn model(text: &str) -> ModelName {
    text.parse().unwrap()
}

/// A rename out of `blobs/`, and the file that goes.
fn leaves<'c>(change: &Change<'c>) -> Option<&'c Path> {
    match *change {
        Change::RenameNew(from, _) if from.parent()?.ends_with("blobs") => Some(from),
        _ => None,
    }
}

/// A rename into `blobs/`: from where, and to where.
fn comes_home<'c>(change: &Change<'c>) -> Option<(&'c Path, &'c Path)> {
    match *change {
        Change::RenameNew(from, to) if to.parent()?.ends_with("blobs") => Some((from, to)),
        _ => None,
    }
}

/// Puts another file with these bytes in the place of one.
fn replace(path: &Path, bytes: &[u8]) {
    let arriving = path.with_file_name("arriving");
    fs::write(&arriving, bytes).unwrap();
    fs::rename(arriving, path).unwrap();
}

/// Runs a call; `act` is done before every change.
fn beside<T>(mut act: impl FnMut(&Change<'_>) + 'static, call: impl FnOnce() -> T) -> T {
    let act = move |change: &Change<'_>| {
        act(change);
        Ok(())
    };
    hook::with(act, call)
}

/// Runs a call while the first rename out of `blobs/` fails.
fn without_the_first_move<T>(call: impl FnOnce() -> T) -> T {
    let mut has_failed = false;
    let fail = move |change: &Change<'_>| match leaves(change) {
        Some(_) if !has_failed => {
            has_failed = true;
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    hook::with(fail, call)
}

/// Has a model use the orphan, in the wait of the call.
fn using_the_orphan(scene: &Scene) -> impl FnMut(&Change<'_>) + 'static {
    let path = scene.store().layout().manifest(&model("made"));
    let text = format!(r#"{{"layers":[{{"digest":"{}"}}]}}"#, Digest::of(b"orphan"));
    move |change| {
        if matches!(change, Change::Wait(_)) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
    }
}

fn in_trash(scene: &Scene) -> usize {
    let trash = fs::read_dir(scene.root().join(".modelkeep/trash"));
    trash.map_or(0, Iterator::count)
}

#[test]
fn a_blob_that_somebody_removes_first_is_no_failure_and_is_not_counted() {
    let scene = Scene::new();
    let take = |change: &Change<'_>| {
        if let Some(path) = leaves(change) {
            fs::remove_file(path).unwrap();
        }
    };
    let collected = beside(take, || collect(&scene.store())).unwrap();
    assert_eq!((collected.blobs, collected.bytes), (vec![], 0));
    let deleted = beside(take, || scene.store().delete(&model("a").into())).unwrap();
    assert_eq!((deleted.blobs, deleted.bytes), (vec![], 0));
}

#[test]
fn a_blob_that_is_pulled_in_the_last_moment_goes_home() {
    let scene = Scene::new();
    let pull = |change: &Change<'_>| {
        if let Some(path) = leaves(change) {
            replace(path, b"orphan");
        }
    };
    let collected = beside(pull, || collect(&scene.store())).unwrap();
    assert_eq!(collected.blobs, []);
    assert!(scene.store().has_blob(&Digest::of(b"orphan")));
    assert_eq!(in_trash(&scene), 0);
}

#[test]
fn a_blob_that_is_pulled_after_the_look_stays() {
    let scene = Scene::new();
    let mut others = vec![scene.blob(b"orphan"), scene.blob(b"another orphan")];
    others.push(Digest::of(
        &fs::read(scene.root().join("weights.gguf")).unwrap(),
    ));
    let homes: Vec<PathBuf> = others
        .iter()
        .map(|it| scene.store().blob_path(it))
        .collect();
    let mut is_first = true;
    let pull = move |change: &Change<'_>| {
        if let Some(path) = leaves(change)
            && std::mem::take(&mut is_first)
        {
            for home in homes.iter().filter(|home| *home != path) {
                replace(home, b"pulled");
            }
        }
    };
    let collected = beside(pull, || collect(&scene.store())).unwrap();
    others.sort();
    assert_eq!(collected.blobs, others[..1]);
    assert!(others[1..].iter().all(|it| scene.store().has_blob(it)));
}

#[test]
fn what_another_call_brings_home_first_is_no_failure() {
    let scene = Scene::new();
    let mut server = using_the_orphan(&scene);
    let race = move |change: &Change<'_>| {
        server(change);
        if let Some((from, to)) = comes_home(change) {
            fs::rename(from, to).unwrap();
        }
    };
    let collected = beside(race, || collect(&scene.store())).unwrap();
    assert!(!collected.blobs.contains(&Digest::of(b"orphan")));
    assert!(scene.store().has_blob(&Digest::of(b"orphan")));
}

#[test]
fn what_is_gone_from_the_trash_already_is_no_failure() {
    let scene = Scene::new();
    let take = |change: &Change<'_>| {
        if let Change::Unlink(path) = change
            && path.parent().unwrap().ends_with("trash")
        {
            fs::remove_file(path).unwrap();
        }
    };
    let collected = beside(take, || collect(&scene.store())).unwrap();
    assert!(collected.blobs.contains(&Digest::of(b"orphan")));
    assert_eq!(in_trash(&scene), 0);
}

#[test]
fn what_somebody_began_to_use_in_the_wait_is_told() {
    let orphan = Digest::of(b"orphan");
    let scene = Scene::new();
    let collected = beside(using_the_orphan(&scene), || collect(&scene.store())).unwrap();
    assert_eq!(collected.restored, [orphan]);
    assert!(!collected.blobs.contains(&orphan));
    let scene = Scene::new();
    scene.model("c", &[b"orphan"]);
    let delete = || scene.store().delete(&model("c").into());
    let deleted = beside(using_the_orphan(&scene), delete).unwrap();
    assert_eq!((deleted.restored, deleted.blobs), (vec![orphan], vec![]));
}

#[test]
fn a_blob_that_cannot_be_moved_is_told_and_stops_no_other() {
    let scene = Scene::new();
    let store = scene.store();
    let own = [Digest::of(SHARED), Digest::of(b"own of a")];
    let models = [model("a").into(), model("b").into()];
    let error = without_the_first_move(|| store.delete_all(&models)).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
    assert!(store.find(&model("a")).is_none() && store.find(&model("b")).is_none());
    assert_eq!(own.iter().filter(|it| store.has_blob(it)).count(), 1);

    let scene = Scene::new();
    let store = scene.store();
    let orphans = [scene.blob(b"orphan"), scene.blob(b"another orphan")];
    let before = fs::read_dir(store.layout().blobs_directory())
        .unwrap()
        .count();
    let error = without_the_first_move(|| collect(&store)).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
    let after = fs::read_dir(store.layout().blobs_directory())
        .unwrap()
        .count();
    // Two orphans and a damaged blob that nobody names.
    assert_eq!(before - after, orphans.len());

    let scene = Scene::new();
    let store = scene.store();
    for bytes in [SHARED, b"own of a"] {
        fs::write(store.blob_path(&Digest::of(bytes)), b"wrong").unwrap();
    }
    let error = without_the_first_move(|| repair(&store)).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
    assert_eq!(own.iter().filter(|it| store.has_blob(it)).count(), 1);
}

#[test]
fn what_cannot_be_removed_is_told_and_stops_no_other() {
    let scene = Scene::new();
    scene.blob(b"another orphan");
    let mut has_failed = false;
    let fail = move |change: &Change<'_>| match change {
        Change::Unlink(path) if !has_failed && path.parent().unwrap().ends_with("trash") => {
            has_failed = true;
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    let error = hook::with(fail, || collect(&scene.store())).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
    assert_eq!(in_trash(&scene), 1);
}

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
        let deleted = store.delete(&model("alias").into()).unwrap();
        assert_eq!(deleted.aliases[0].link, alias);
    });
    assert_eq!(made, ["flush library"]);
    assert!(alias.symlink_metadata().is_err() && store.find(&model("b")).is_some());
}

#[test]
fn a_removal_that_takes_no_blob_does_not_wait() {
    let scene = Scene::new();
    let never = |change: &Change<'_>| assert!(!matches!(change, Change::Wait(_)));
    let deleted = beside(never, || scene.store().delete(&model("b").into())).unwrap();
    assert_eq!((deleted.blobs.len(), deleted.shared.len()), (0, 1));
}

#[test]
fn while_a_manifest_is_unreadable_no_blob_moves_even_for_a_moment() {
    let scene = Scene::new();
    let torn = scene.store().layout().manifest(&model("torn"));
    scene.write(&torn, b"{");
    let never = |change: &Change<'_>| assert!(leaves(change).is_none());
    let deleted = beside(never, || scene.store().delete(&model("a").into())).unwrap();
    assert_eq!(deleted.kept.len(), 1);
    assert!(beside(never, || collect(&scene.store())).is_err());
}

/// Renames that fail for ever; how often one was tried, and with what error the copy ended.
fn renaming(code: i32) -> (usize, Option<i32>) {
    let scene = Scene::new();
    let tries = Rc::new(RefCell::new(0));
    let counted = tries.clone();
    let fail = move |change: &Change<'_>| match change {
        Change::Rename(..) => {
            *counted.borrow_mut() += 1;
            assert!(*counted.borrow() < 100, "no end");
            Err(io::Error::from_raw_os_error(code))
        }
        _ => Ok(()),
    };
    let copy = || scene.store().copy(&model("a"), &model("c"));
    let error = hook::with(fail, copy).unwrap_err();
    let tries = *tries.borrow();
    (tries, error.os_error())
}

#[test]
fn a_rename_that_never_succeeds_ends() {
    assert_eq!(renaming(libc::ENOENT), (11, Some(libc::ENOENT)));
    assert_eq!(renaming(libc::EXDEV), (2, Some(libc::EXDEV)));
    assert_eq!(renaming(libc::EACCES), (1, Some(libc::EACCES)));
}

/// Copies `a` to `b` where the file system has no links, and something happens in the wait.
fn copying_without_links(mut act: impl FnMut(usize) + 'static, store: &Store) -> Result<()> {
    let mut waits = 0;
    let hooked = move |change: &Change<'_>| match change {
        Change::Link(..) => Err(io::Error::from_raw_os_error(libc::EPERM)),
        Change::Wait(_) => {
            waits += 1;
            act(waits);
            Ok(())
        }
        _ => Ok(()),
    };
    let copy = || store.copy(&model("a"), &model("b"));
    hook::with(hooked, copy).map(drop)
}

#[test]
fn a_copy_that_is_undone_puts_back_what_was_there_without_links_as_well() {
    let acts: [fn(&Path, usize); 2] = [
        |source, _| fs::remove_file(source).unwrap(),
        |source, wait| fs::write(source, format!(r#"{{"layers":[],"x":{wait}}}"#)).unwrap(),
    ];
    let kinds = [ErrorKind::NotFound, ErrorKind::Busy];
    for (act, kind) in acts.into_iter().zip(kinds) {
        let scene = Scene::new();
        let store = scene.store();
        let source = store.layout().manifest(&model("a"));
        let target = store.layout().manifest(&model("b"));
        let before = fs::read(&target).unwrap();
        let error = copying_without_links(move |wait| act(&source, wait), &store).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(fs::read(&target).unwrap(), before);
        let tmp = fs::read_dir(scene.root().join(".modelkeep/tmp")).unwrap();
        assert_eq!(tmp.count(), 0);
    }
}

#[test]
fn a_copy_whose_source_and_target_both_go_is_not_found() {
    let scene = Scene::new();
    let store = scene.store();
    let paths = ["a", "c"].map(|name| store.layout().manifest(&model(name)));
    let vanish = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_)) {
            paths.iter().for_each(|path| fs::remove_file(path).unwrap());
        }
    };
    let copy = || store.copy(&model("a"), &model("c"));
    assert_eq!(
        beside(vanish, copy).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn a_target_that_goes_before_it_is_replaced_is_no_failure() {
    let scene = Scene::new();
    let vanish = |change: &Change<'_>| {
        if let Change::Link(from, _) = change {
            fs::remove_file(from).unwrap();
        }
    };
    let store = scene.store();
    beside(vanish, || store.copy(&model("a"), &model("b"))).unwrap();
    assert!(store.find(&model("b")).is_some());
}

/// Imports the weights, which are stored already, while a delete elsewhere takes the blob.
#[test]
fn a_stored_blob_that_a_delete_takes_during_an_import_is_whole_again() {
    let scene = Scene::new();
    let store = scene.store();
    let file = scene.root().join("weights.gguf");
    let weights = fs::read(&file).unwrap();
    let home = store.blob_path(&scene.blob(&weights));
    let taken = home.clone();
    let take = move |change: &Change<'_>| {
        if matches!(change, Change::Wait(_)) {
            let _ = fs::remove_file(&taken);
        }
    };
    let options = ImportOptions::default();
    for name in ["new", "newer"] {
        beside(take.clone(), || store.import(&file, &model(name), &options)).unwrap();
        assert_eq!(fs::read(&home).unwrap(), weights);
    }
    let waits = Rc::new(RefCell::new(Vec::new()));
    let noted = waits.clone();
    let note = move |change: &Change<'_>| {
        if let Change::Wait(time) = change {
            noted.borrow_mut().push(*time);
        }
    };
    let options = crate::StoreOptions::new(scene.root()).delete_delay(Duration::from_millis(3));
    let store = Store::open_with(options).unwrap();
    let import = || store.import(&file, &model("newest"), &ImportOptions::default());
    beside(note, import).unwrap();
    assert_eq!(waits.take(), [Duration::from_millis(3)]);
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

#[test]
fn a_directory_that_is_pruned_before_the_one_in_it_is_made_is_made_again() {
    let scene = Scene::new();
    let space = scene.root().join("manifests/registry.ollama.ai/ns");
    let mut is_first = true;
    let prune = move |change: &Change<'_>| {
        if let Change::MakeDirectory(path) = change
            && path.parent() == Some(&space)
            && std::mem::take(&mut is_first)
        {
            fs::remove_dir(&space).unwrap();
        }
    };
    let store = scene.store();
    beside(prune, || store.copy(&model("a"), &model("ns/c:t"))).unwrap();
    assert!(store.find(&model("ns/c:t")).is_some());
}

#[test]
fn a_copy_that_cannot_be_undone_says_so() {
    let scene = Scene::new();
    let store = scene.store();
    let source = store.layout().manifest(&model("a"));
    let hooked = move |change: &Change<'_>| match change {
        Change::Wait(_) => fs::remove_file(&source),
        Change::Unlink(path) if path.ends_with("c/latest") => {
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    let copy = || store.copy(&model("a"), &model("c"));
    let error = hook::with(hooked, copy).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
}
