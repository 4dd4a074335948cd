//! What links leave outside of the store, wherever the call that makes them is broken off.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Image;
use super::{Failure, Operation, Scene, run};
use crate::fs::ops::{Change, hook};
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::link::{LinkMode, LinkOptions, LinkState};

const WEIGHTS: &[u8] = b"GGUF weights";
const PROJECTOR: &[u8] = b"GGUF projector";
const NEWER: &[u8] = b"GGUF newer weights";

/// Files of somebody else beside the links.
const THEIRS: &[u8] = b"a file of somebody else";

/// Gives a model weights and a projector, as a server beside us would: no change of ours.
fn pull(store: &Store, weights: &[u8]) {
    let layer = |kind: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        let blob = store.layout().new_blob(&digest);
        fs::create_dir_all(blob.parent().unwrap()).unwrap();
        fs::write(blob, bytes).unwrap();
        format!(r#"{{"mediaType":"application/vnd.ollama.image.{kind}","digest":"{digest}"}}"#)
    };
    let layers = [layer("model", weights), layer("projector", PROJECTOR)].join(",");
    let manifest = store.layout().manifest(&"linked".parse().unwrap());
    fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    fs::write(manifest, format!(r#"{{"layers":[{layers}]}}"#)).unwrap();
}

fn links(store: &Store) -> PathBuf {
    store.path().join("above").join("links")
}

fn link(store: &Store, mode: LinkMode) -> crate::Result<()> {
    let options = LinkOptions::new().mode(mode);
    store.link("linked", links(store), &options).map(drop)
}

fn links_of(mode: LinkMode) -> [Operation; 2] {
    match mode {
        LinkMode::Symlink => [
            |store| {
                pull(store, WEIGHTS);
                link(store, LinkMode::Symlink)
            },
            |store| {
                pull(store, NEWER);
                link(store, LinkMode::Symlink)
            },
        ],
        _ => [
            |store| {
                pull(store, WEIGHTS);
                link(store, LinkMode::HardLink)
            },
            |store| {
                pull(store, NEWER);
                link(store, LinkMode::HardLink)
            },
        ],
    }
}

/// Every file beside the links is whole and somebody's own, or a name of ours on its way.
fn check(image: &Image, place: &str) {
    for (path, bytes) in image {
        if !path.components().any(|part| part.as_os_str() == "links") {
            continue;
        }
        let expected: &[&[u8]] = match path.file_name().unwrap().to_str().unwrap() {
            "theirs.gguf" => &[THEIRS],
            "linked.gguf" => &[WEIGHTS, NEWER],
            "mmproj-linked.gguf" => &[PROJECTOR],
            name => {
                assert!(name.starts_with(".modelkeep"), "{place}: {path:?}");
                &[WEIGHTS, NEWER, PROJECTOR]
            }
        };
        assert!(expected.contains(&bytes.as_slice()), "{place}: {path:?}");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// What a run that failed or was killed leaves, the next one needs no manual step for.
#[test]
fn every_point_of_a_link_leaves_the_old_links_or_the_new() {
    let mut points = 0;
    for mode in [LinkMode::Symlink, LinkMode::HardLink] {
        let [first, renewal] = links_of(mode);
        for (operation, is_first) in [(first, true), (renewal, false)] {
            let codes = [libc::ENOSPC, libc::EIO, libc::EROFS, libc::EACCES];
            let failures = codes.map(|code| [Failure::Once(code), Failure::ForEver(code)]);
            for failure in failures.into_iter().flatten() {
                for point in 1.. {
                    let scene = Scene::new();
                    let store = scene.store();
                    if !is_first {
                        first(&store).unwrap();
                        scene.write(&links(&store).join("theirs.gguf"), THEIRS);
                    }
                    let (_, run) = run(&scene, operation, point, failure);
                    let place = format!("{mode}, {is_first}, {failure:?} at {point}");
                    run.images.iter().for_each(|image| check(image, &place));
                    let left = names(&links(&store));
                    if !run.succeeded {
                        let is_staged = |name: &String| name.starts_with(".modelkeep");
                        let is_stuck = matches!(failure, Failure::ForEver(_));
                        assert!(is_stuck || !left.iter().any(is_staged), "{place}: {left:?}");
                        assert!(
                            left.len() != 1 || !is_first || is_stuck,
                            "{place}: {left:?}"
                        );
                    }
                    if !run.reached {
                        break;
                    }
                    points += 1;
                    operation(&store).unwrap_or_else(|e| panic!("{place}, run again: {e}"));
                    let report = store.check_links::<&str>([]).unwrap();
                    // Of a store that takes no record the links are made all the same.
                    if matches!(failure, Failure::Once(libc::EROFS | libc::EACCES)) {
                        continue;
                    }
                    assert!(
                        report.is_ok() && report.links.len() == 2,
                        "{place}: {report:?}"
                    );
                }
            }
        }
    }
    assert!(points > 200, "{points} points");
}

#[test]
fn a_killed_run_leaves_nothing_that_is_there_and_unknown() {
    let scene = Scene::new();
    let store = scene.store();
    pull(&store, WEIGHTS);
    let file = links(&store).join("linked.gguf");
    let path = file.clone();
    let record = store.layout().links();
    // What is on the disk before a link gets its name.
    let remembered = std::rc::Rc::new(std::cell::Cell::new(false));
    let noted = remembered.clone();
    let before = move |change: &Change<'_>| match change {
        Change::RenameNew(_, to) if *to == path => {
            noted.set(fs::read_to_string(&record).unwrap().contains("linked.gguf"));
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    hook::with(before, || link(&store, LinkMode::Symlink)).unwrap_err();
    assert!(remembered.get() && !file.exists());
    assert!(store.check_links::<&str>([]).unwrap().links.is_empty());
}

/// Somebody puts a file of their own where an older link of ours was, in the last moment.
#[test]
fn what_takes_the_place_of_an_old_link_meanwhile_stays() {
    let scene = Scene::new();
    let store = scene.store();
    pull(&store, WEIGHTS);
    link(&store, LinkMode::HardLink).unwrap();
    pull(&store, NEWER);
    let file = links(&store).join("linked.gguf");
    let path = file.clone();
    let take = move |change: &Change<'_>| {
        if let Change::Link(..) = change {
            fs::remove_file(&path).unwrap();
            fs::write(&path, THEIRS).unwrap();
        }
        Ok(())
    };
    let error = hook::with(take, || link(&store, LinkMode::HardLink)).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&file).unwrap(), THEIRS);
    let report = store.check_links::<&str>([]).unwrap();
    assert_eq!(report.links[0].state, LinkState::Changed);
}

/// A name that somebody takes before the link gets it is theirs.
#[test]
fn what_takes_a_free_name_meanwhile_stays() {
    let scene = Scene::new();
    let store = scene.store();
    pull(&store, WEIGHTS);
    let file = links(&store).join("mmproj-linked.gguf");
    let path = file.clone();
    let take = move |change: &Change<'_>| {
        if let Change::RenameNew(_, to) = change
            && to.ends_with("linked.gguf")
            && !path.exists()
        {
            fs::write(&path, THEIRS).unwrap();
        }
        Ok(())
    };
    let error = hook::with(take, || link(&store, LinkMode::Symlink)).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::AlreadyExists);
    assert_eq!(names(&links(&store)), ["mmproj-linked.gguf"]);
    assert_eq!(fs::read(&file).unwrap(), THEIRS);
    assert!(store.check_links::<&str>([]).unwrap().links.is_empty());
}

/// A clone has a fingerprint of its own, by which it is known.
#[test]
fn a_clone_is_current_until_its_model_is_pulled_anew() {
    let scene = Scene::new();
    let store = scene.store();
    pull(&store, WEIGHTS);
    link(&store, LinkMode::HardLink).unwrap();
    let record = store.layout().links();
    let text = fs::read_to_string(&record).unwrap();
    fs::write(
        &record,
        text.replace("\"mode\":\"hardlink\"", "\"mode\":\"reflink\""),
    )
    .unwrap();
    // As on a file system with shared blocks: the link is a file of its own.
    let blob = store.layout().new_blob(&Digest::of(WEIGHTS));
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, WEIGHTS).unwrap();
    let path = links(&store).join("linked.gguf");
    let state = || store.check_links([&path]).unwrap().links[0].state;
    assert_eq!(state(), LinkState::Current);
    pull(&store, NEWER);
    assert_eq!(state(), LinkState::Outdated);
    link(&store, LinkMode::HardLink).unwrap();
    assert_eq!(fs::read(&path).unwrap(), NEWER);
    assert_eq!(state(), LinkState::Current);
}
