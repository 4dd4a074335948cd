//! Staged files, their writers and what is left of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

use super::*;
use crate::fs::ops::{Change, hook};

fn layout() -> (tempfile::TempDir, Layout) {
    let scratch = tempfile::tempdir().unwrap();
    let layout = Layout::new(scratch.path().to_owned());
    (scratch, layout)
}

#[test]
fn a_file_is_nobodys_leftover_while_its_writer_has_it() {
    let (_scratch, layout) = layout();
    for place in [Place::Blobs, Place::Manifests, Place::Private] {
        let staged = Staged::new(&layout, place, Durability::None).unwrap();
        assert!(abandoned(staged.path(), Duration::ZERO).is_none());
        let left = staged.path().with_file_name("left");
        fs::rename(staged.path(), &left).unwrap();
        drop(staged);
        assert!(abandoned(&left, Duration::ZERO).is_some());
        assert!(abandoned(&left, Duration::from_secs(3600)).is_none());
    }
}

#[test]
fn a_file_that_a_collection_holds_is_made_again() {
    let (_scratch, layout) = layout();
    let directory = staging(&layout, Place::Private).unwrap();
    let (mut made, mut held) = (Vec::new(), None);
    let staged = Staged::claimed(Durability::None, || {
        let path = directory.join(made.len().to_string());
        let file = File::create_new(&path).unwrap();
        if made.is_empty() {
            held = abandoned(&path, Duration::ZERO);
        }
        made.push(path.clone());
        Ok((path, file))
    });
    assert!(held.is_some());
    assert_eq!((made.len(), staged.unwrap().path()), (2, made[1].as_path()));
}

#[test]
fn a_file_that_a_collection_has_removed_is_made_again() {
    let (_scratch, layout) = layout();
    let directory = staging(&layout, Place::Private).unwrap();
    let mut made = 0;
    let staged = Staged::claimed(Durability::None, || {
        let path = directory.join(made.to_string());
        let file = File::create_new(&path).unwrap();
        if made == 0 {
            fs::remove_file(&path).unwrap();
        }
        made += 1;
        Ok((path, file))
    });
    assert!(staged.unwrap().path().exists());
    assert_eq!(made, 2);
}

/// Returns up to where a file is waited for while this is written to it, piece by piece.
fn awaited(durability: Durability, pieces: &[u64]) -> Vec<u64> {
    let (_scratch, layout) = layout();
    let ends = Rc::new(RefCell::new(Vec::new()));
    let noted = ends.clone();
    let note = move |change: &Change<'_>| {
        if let Change::AwaitWritten(end) = change {
            noted.borrow_mut().push(*end);
        }
        Ok(())
    };
    hook::with(note, || {
        let mut staged = Staged::new(&layout, Place::Private, durability).unwrap();
        for size in pieces {
            let piece = vec![0; usize::try_from(*size).unwrap()];
            staged.write(&piece).unwrap();
        }
    });
    ends.take()
}

#[test]
fn of_a_large_file_no_more_than_some_waits_to_be_written() {
    let half = MOST_UNFLUSHED / 2;
    for (pieces, expected) in [
        (&[half, half][..], &[][..]),
        (&[half, half, FLUSH_STEP - 1], &[]),
        (&[half, half, FLUSH_STEP], &[FLUSH_STEP]),
        (&[half, half, half, 1, half], &[half, 2 * half + 1]),
    ] {
        assert_eq!(awaited(Durability::Full, pieces), expected, "{pieces:?}");
        assert_eq!(awaited(Durability::None, pieces), [0; 0]);
    }
}

#[test]
fn without_locks_only_a_great_age_tells_who_is_gone() {
    let (_scratch, layout) = layout();
    let staged = Staged::new(&layout, Place::Private, Durability::None).unwrap();
    let lockless = |change: &Change<'_>| match change {
        Change::Lock => Err(io::Error::from_raw_os_error(libc::ENOLCK)),
        _ => Ok(()),
    };
    let is_abandoned = |age: Duration| {
        staged.file.set_modified(SystemTime::now() + age).unwrap();
        hook::with(lockless, || abandoned(staged.path(), Duration::ZERO)).is_some()
    };
    let hour = Duration::from_secs(3600);
    assert!(!is_abandoned(Duration::ZERO));
    assert!(!is_abandoned(LONGEST_IMPORT - hour));
    assert!(is_abandoned(LONGEST_IMPORT + hour));
}

#[test]
fn a_directory_that_was_pruned_has_no_names_to_keep() {
    let (scratch, _) = layout();
    assert!(sync_if_there(scratch.path()).is_ok());
    assert!(sync_if_there(&scratch.path().join("pruned")).is_ok());
    let file = scratch.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(sync_if_there(&file.join("below a file")).is_err());
}

#[test]
fn what_is_made_above_a_new_directory_is_durable() {
    let (scratch, _) = layout();
    let made = |directory: &str, durability| {
        let synced = Rc::new(RefCell::new(Vec::new()));
        let noted = synced.clone();
        let note = move |change: &Change<'_>| {
            if let Change::SyncDirectory(path) = change {
                noted.borrow_mut().push(path.to_path_buf());
            }
            Ok(())
        };
        let path = scratch.path().join(directory).join("b/c");
        hook::with(note, || make_all(&path, durability)).unwrap();
        assert!(path.is_dir());
        synced.take()
    };
    let a = scratch.path().join("a");
    let expected = [scratch.path().to_owned(), a.clone(), a.join("b")];
    assert_eq!(made("a", Durability::Full), expected);
    assert!(made("other", Durability::None).is_empty());
}
