//! What others do between two steps of ours, and what the disk refuses: it stops nothing else, and
//! the answer tells it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{SHARED, Scene};
use crate::error::{ErrorKind, Result};
use crate::fs::ops::{Change, hook};
use crate::fs::stamp::FileStamp;
use crate::name::{Digest, ModelName};
use crate::store::gc::{Collected, GcOptions};
use crate::store::handle::Store;
use crate::store::repair::Repaired;
use crate::store::verify::VerifyOptions;

pub(super) fn collect(store: &Store) -> Result<Collected> {
    store.gc(&GcOptions::default().grace(Duration::ZERO))
}

pub(super) fn repair(store: &Store) -> Result<Repaired> {
    let all = VerifyOptions::default();
    let report = store.verify(&all);
    store.repair(&report.unwrap())
}

pub(super) fn model(text: &str) -> ModelName {
    text.parse().unwrap()
}

/// Returns a rename out of `blobs/`, and the file that goes.
fn leaves<'c>(change: &Change<'c>) -> Option<&'c Path> {
    match *change {
        Change::RenameNew(from, _) if from.parent()?.ends_with("blobs") => Some(from),
        _ => None,
    }
}

/// Returns a rename into `blobs/`: from where, and to where.
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
pub(super) fn beside<T>(mut act: impl FnMut(&Change<'_>) + 'static, call: impl FnOnce() -> T) -> T {
    let act = move |change: &Change<'_>| {
        act(change);
        Ok(())
    };
    hook::with(act, call)
}

/// Runs a call while the first rename out of `blobs/` fails.
pub(super) fn without_the_first_move<T>(call: impl FnOnce() -> T) -> T {
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
    let deleted = beside(take, || scene.store().delete(model("a"))).unwrap();
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
    let delete = || scene.store().delete(model("c"));
    let deleted = beside(using_the_orphan(&scene), delete).unwrap();
    assert_eq!((deleted.restored, deleted.blobs), (vec![orphan], vec![]));
}

#[test]
fn a_blob_that_cannot_be_moved_is_told_and_stops_no_other() {
    let scene = Scene::new();
    let store = scene.store();
    let own = [Digest::of(SHARED), Digest::of(b"own of a")];
    let models = [model("a"), model("b")];
    let error = without_the_first_move(|| store.delete_all(&models)).unwrap_err();
    assert_eq!(error.os_error(), Some(libc::EIO));
    assert!(store.find(model("a")).unwrap().is_none() && store.find(model("b")).unwrap().is_none());
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

/// A repair of a blob that was put right since, where the clock was too coarse to show it.
#[test]
fn what_a_coarse_clock_may_hide_is_hashed_once_more_and_what_it_cannot_is_not() {
    for (later, is_hashed) in [(Duration::ZERO, true), (Duration::from_secs(86_400), false)] {
        let scene = Scene::new();
        let store = scene.store();
        let path = store.blob_path(&Digest::of(SHARED));
        fs::write(&path, b"wrong").unwrap();
        let all = VerifyOptions::default();
        let report = store.verify(&all);
        let mut report = report.unwrap();
        fs::write(&path, SHARED).unwrap();
        for finding in report.blobs.iter_mut().filter(|found| found.path == path) {
            finding.stamp = FileStamp::at(&path);
            finding.verified_at = Some(SystemTime::now() + later);
        }
        let repaired = store.repair(&report).unwrap();
        assert_eq!(repaired.changed.contains(&Digest::of(SHARED)), is_hashed);
        assert_eq!(path.exists(), is_hashed);
    }
}

#[test]
fn a_removal_that_takes_no_blob_does_not_wait() {
    let scene = Scene::new();
    let never = |change: &Change<'_>| assert!(!matches!(change, Change::Wait(_)));
    let deleted = beside(never, || scene.store().delete(model("b"))).unwrap();
    assert_eq!((deleted.blobs.len(), deleted.shared.len()), (0, 1));
}

#[test]
fn while_a_manifest_is_unreadable_no_blob_moves_even_for_a_moment() {
    let scene = Scene::new();
    let torn = scene.store().layout().manifest(&model("torn"));
    scene.write(&torn, b"{");
    let never = |change: &Change<'_>| assert!(leaves(change).is_none());
    let deleted = beside(never, || scene.store().delete(model("a"))).unwrap();
    assert_eq!(deleted.kept.len(), 1);
    assert!(beside(never, || collect(&scene.store())).is_err());
}

#[test]
fn an_old_name_that_vanishes_beside_the_new_one_is_no_failure() {
    let scene = Scene::new();
    let layout = scene.store().layout().clone();
    let digest = Digest::of(b"orphan");
    let (old, new) = (layout.old_blob(&digest), layout.new_blob(&digest));
    fs::copy(&new, &old).unwrap();
    let both = [old.clone(), new];
    let take = move |change: &Change<'_>| match change {
        Change::RenameNew(from, _) if *from == old => {
            both.iter().for_each(|path| fs::remove_file(path).unwrap());
            Err(io::ErrorKind::AlreadyExists.into())
        }
        _ => Ok(()),
    };
    let renamed = hook::with(take, || scene.store().rename_old_blobs());
    assert_eq!(renamed.unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn a_blob_that_another_program_has_open_is_kept_and_told_and_stops_no_other() {
    fn is_of_trash(path: &Path) -> bool {
        path.parent().unwrap().ends_with("trash")
    }
    let moving =
        |change: &Change<'_>| matches!(change, Change::RenameNew(_, to) if is_of_trash(to));
    let removing =
        |change: &Change<'_>| matches!(change, Change::Unlink(path) if is_of_trash(path));
    for is_refused in [
        Box::new(moving) as Box<dyn Fn(&Change<'_>) -> bool>,
        Box::new(removing),
    ] {
        let scene = Scene::new();
        let store = scene.store();
        let own = [Digest::of(SHARED), Digest::of(b"own of a")];
        let mut has_failed = false;
        let fail = move |change: &Change<'_>| match !has_failed && is_refused(change) {
            true => {
                has_failed = true;
                Err(io::ErrorKind::ResourceBusy.into())
            }
            false => Ok(()),
        };
        let models = [model("a"), model("b")];
        let deleted = hook::with(fail, || store.delete_all(&models)).unwrap();
        let kept: Vec<_> = deleted
            .kept
            .iter()
            .map(|kept| kept.error().kind())
            .collect();
        assert_eq!((deleted.models.len(), kept), (2, vec![ErrorKind::Busy]));
        assert_eq!(own.iter().filter(|it| store.has_blob(it)).count(), 1);
        let everything = GcOptions::default().grace(Duration::ZERO).all(true);
        let collected = store.gc(&everything).unwrap();
        assert!(collected.kept.is_empty() && !own.iter().any(|it| store.has_blob(it)));
    }
}

#[test]
fn a_stored_blob_that_another_program_has_open_is_as_good_as_a_new_one() {
    for (is_damaged, expected) in [(false, Ok(())), (true, Err(ErrorKind::Busy))] {
        let scene = Scene::new();
        let store = scene.store();
        let path = store.blob_path(&Digest::of(SHARED));
        if is_damaged {
            fs::write(&path, "other").unwrap();
        }
        let is_open = path.clone();
        let fail = move |change: &Change<'_>| match change {
            Change::Rename(_, to) if *to == is_open => Err(io::ErrorKind::ResourceBusy.into()),
            _ => Ok(()),
        };
        let old = fs::File::open(&path).unwrap();
        old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let added = hook::with(fail, || store.add_blob(&mut &*SHARED, None));
        assert_eq!(added.map(drop).map_err(|error| error.kind()), expected);
        let is_new = old
            .metadata()
            .unwrap()
            .modified()
            .unwrap()
            .elapsed()
            .unwrap();
        assert_eq!(is_new < Duration::from_secs(60), expected.is_ok());
    }
}
