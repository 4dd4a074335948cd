//! Splitting and merging, stopped at every point.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;

use super::*;
use crate::fs::ops::{Change, hook};
use crate::gguf::{TensorType, Writer};
use crate::{EditOptions, GgufOptions};

fn write(path: &Path) {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    for at in 0..3 {
        let name = format!("blk.{at}.weight");
        writer.tensor(&name, &[10], TensorType::F32, vec![at; 40]);
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    fs::write(path, bytes).unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Makes a call whose `n`th change to the disk fails; returns whether there were so many.
fn failing<T>(n: usize, call: impl FnOnce() -> Result<T>) -> (bool, Result<T>) {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    let fail = move |_: &Change<'_>| {
        counted.set(counted.get() + 1);
        match counted.get() == n {
            true => Err(io::Error::from_raw_os_error(libc::EIO)),
            false => Ok(()),
        }
    };
    let answer = hook::with(fail, call);
    (count.get() >= n, answer)
}

#[test]
fn a_split_that_fails_anywhere_leaves_no_part() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m"), scratch.path().join("p"));
    write(&from);
    let options = SplitOptions::new().max_tensors(1);
    for n in 1.. {
        let call = || GgufParts::split_file(&from, &prefix, &options);
        let (was_reached, answer) = failing(n, call);
        match answer {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{n}: {error}");
                assert_eq!(names(scratch.path()), ["m"], "{n}");
            }
            // Such as a mode that cannot be set.
            Ok(parts) => {
                assert_eq!(parts.len(), 3);
                let opened = GgufParts::open(&parts[0].file, &GgufOptions::new()).unwrap();
                assert_eq!(opened.parameter_count(), 30);
                parts
                    .iter()
                    .for_each(|part| fs::remove_file(&part.file).unwrap());
            }
        }
        if !was_reached {
            assert!(n > 20, "{n} changes");
            break;
        }
    }
}

#[test]
fn a_part_that_somebody_else_writes_meanwhile_stays_theirs() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m"), scratch.path().join("p"));
    write(&from);
    let first = scratch.path().join("p-00001-of-00003.gguf");
    let theirs = first.clone();
    let race = move |change: &Change<'_>| match change {
        Change::RenameNew(_, to) if *to == theirs => fs::write(to, "theirs"),
        _ => Ok(()),
    };
    let options = SplitOptions::new().max_tensors(1);
    let error = hook::with(race, || GgufParts::split_file(&from, &prefix, &options));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(names(scratch.path()), ["m", "p-00001-of-00003.gguf"]);
    assert_eq!(fs::read(first).unwrap(), b"theirs");
}

#[test]
fn a_merge_that_fails_anywhere_leaves_the_parts_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m"), scratch.path().join("p"));
    write(&from);
    let options = SplitOptions::new().max_tensors(1);
    let parts = GgufParts::split_file(&from, &prefix, &options).unwrap();
    let (before, to) = (names(scratch.path()), scratch.path().join("to"));
    let merge = || GgufParts::merge_file(&parts[0].file, &to, &EditOptions::new());
    let mut failed = 0;
    for n in 1.. {
        let (was_reached, answer) = failing(n, merge);
        match answer {
            Ok(merged) => assert_eq!(merged.size, fs::metadata(&to).unwrap().len()),
            Err(_) => failed += 1,
        }
        // The name of a file that is whole may be there, where only the flush of it failed.
        if let Ok(whole) = GgufParts::open(&to, &GgufOptions::new()) {
            assert_eq!(whole.parameter_count(), 30);
            fs::remove_file(&to).unwrap();
        }
        assert_eq!(names(scratch.path()), before, "{n}");
        if !was_reached {
            break;
        }
    }
    assert!(failed > 5, "{failed} failures");
}

#[test]
fn a_part_that_changes_while_it_is_read_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, prefix) = (scratch.path().join("m"), scratch.path().join("p"));
    write(&from);
    let changed = from.clone();
    let change = move |change: &Change<'_>| match change {
        Change::SetLen(..) => fs::write(&changed, fs::read(&changed)?),
        _ => Ok(()),
    };
    let options = SplitOptions::new().max_tensors(2);
    let error = hook::with(change, || GgufParts::split_file(&from, &prefix, &options));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("was changed while it was read"), "{error}");
    assert_eq!(names(scratch.path()), ["m"]);
}
