//! Edits of files, stopped at every point and cut off by power.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use super::*;
use crate::fs::ops::{Change, hook};
use crate::gguf::{Endian, OwnedValue, TensorType, Writer};
use crate::{GgufFile, GgufOptions};

/// Writes a file of some tensors with data that tell where they belong.
fn write(path: &Path, alignment: u32, endian: Endian) {
    let mut writer = Writer::new();
    writer.endian(endian).set("general.architecture", "llama");
    writer.set("general.name", "a name");
    writer.set("llama.context_length", 128_u32);
    writer.set("list", vec![1_u16, 2, 3]);
    writer.alignment(alignment);
    for (at, len) in [40_u64, 3, 100].into_iter().enumerate() {
        let data = (0..len * 4).map(|byte| (byte + at as u64 * 7) as u8);
        writer.tensor(
            &format!("blk.{at}.weight"),
            &[len],
            TensorType::F32,
            data.collect(),
        );
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    fs::write(path, bytes).unwrap();
}

fn open(path: &Path) -> GgufFile {
    GgufFile::open(path, &GgufOptions::new()).unwrap()
}

/// Names, shapes and data of the tensors of a file.
fn tensors(path: &Path) -> Vec<(String, Vec<u64>, Vec<u8>)> {
    let file = open(path);
    let gguf = file.view();
    let tensors = gguf.tensors().map(|tensor| {
        let data = gguf.tensor_data(&tensor).unwrap().to_vec();
        (tensor.name.to_string(), tensor.dims.to_vec(), data)
    });
    tensors.collect()
}

fn value(path: &Path, key: &str) -> Option<OwnedValue> {
    open(path).view().get(key).map(OwnedValue::from)
}

#[test]
fn an_edit_changes_the_metadata_and_no_tensor_in_both_byte_orders_and_any_alignment() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    let options = EditOptions::new().replace(true);
    for endian in [Endian::Little, Endian::Big] {
        for old in [1, 8, 32, 4096] {
            for new in [1_u32, 8, 32, 64, 4096] {
                write(&from, old, endian);
                let mut editor = Editor::new();
                editor.set("general.alignment", new);
                editor.set("general.name", "another, longer name");
                editor.remove("list").rename("llama.context_length", "x");
                editor.set_text("y", "a text");
                editor.edit_file(&from, &to, &options).unwrap();
                assert_eq!(tensors(&to), tensors(&from), "{old} to {new}");
                let edited = open(&to);
                assert_eq!(edited.view().alignment(), u64::from(new));
                assert_eq!(edited.view().endian(), endian);
                let keys = edited.view().metadata().map(|(key, _)| key.to_string());
                assert_eq!(
                    keys.collect::<Vec<_>>(),
                    [
                        "general.architecture",
                        "general.name",
                        "x",
                        "general.alignment",
                        "y"
                    ]
                );
                assert_eq!(value(&to, "x"), Some(128_u32.into()));
                let codes = edited
                    .view()
                    .warnings()
                    .iter()
                    .map(|warning| warning.code());
                let unexpected = codes.filter(|code| {
                    !["big_endian", "alignment_not_multiple_of_8"].contains(&code.code())
                });
                assert_eq!(unexpected.count(), 0);
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn an_edit_has_the_mode_of_its_source() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    fs::set_permissions(&from, PermissionsExt::from_mode(0o640)).unwrap();
    let edited = Editor::new().edit_file(&from, &to, &EditOptions::new());
    let mode = edited
        .unwrap()
        .file
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn who_watches_an_edit_is_told_of_its_end() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    let mut last = Progress::default();
    let mut observe = |progress: &Progress| {
        last = *progress;
        ControlFlow::Continue(())
    };
    let edited = Editor::new().edit_file_with(&from, &to, &EditOptions::new(), &mut observe);
    assert_eq!((last.bytes, last.files), (edited.unwrap().size, 1));
}

#[test]
fn an_edit_without_changes_writes_the_same_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    for endian in [Endian::Little, Endian::Big] {
        write(&from, 32, endian);
        let options = EditOptions::new().replace(true);
        Editor::new().edit_file(&from, &to, &options).unwrap();
        assert_eq!(fs::read(&from).unwrap(), fs::read(&to).unwrap());
    }
}

#[test]
fn values_keep_their_type_or_are_refused() {
    use crate::gguf::ValueType::*;
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    let set = |editor: &mut Editor| {
        let options = EditOptions::new().replace(true);
        editor.edit_file(&from, &to, &options)
    };
    type Case = (Editor, Result<OwnedValue, &'static str>);
    let key = "llama.context_length";
    let new = |make: fn(&mut Editor, &str)| {
        let mut editor = Editor::new();
        make(&mut editor, key);
        editor
    };
    let cases: Vec<Case> = vec![
        (
            new(|e, key| drop(e.set(key, 5_i64).clone())),
            Ok(5_u32.into()),
        ),
        (
            new(|e, key| drop(e.set(key, -5_i64).clone())),
            Err("-5 does not fit u32"),
        ),
        (
            new(|e, key| drop(e.set(key, "5").clone())),
            Err("a str is no u32"),
        ),
        (
            new(|e, key| drop(e.set(key, true).clone())),
            Err("a bool is no u32"),
        ),
        (
            new(|e, key| drop(e.set(key, 1.5).clone())),
            Err("a f64 is no u32"),
        ),
        (
            new(|e, key| drop(e.set(key, vec![1_u32]).clone())),
            Err("it is a u32; to make it"),
        ),
        (
            new(|e, key| drop(e.set_text(key, " 7 ").clone())),
            Ok(7_u32.into()),
        ),
        (
            new(|e, key| drop(e.set_text(key, "x").clone())),
            Err("\"x\" is no u32"),
        ),
        (
            new(|e, key| drop(e.set_text(key, "4294967296").clone())),
            Err("does not fit u32"),
        ),
        (
            new(|e, key| drop(e.set_as(key, U64, 7_u8).clone())),
            Ok(7_u64.into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, F32, "0.5").clone())),
            Ok(0.5_f32.into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Bool, "true").clone())),
            Ok(true.into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Bool, "1").clone())),
            Err("neither true nor false"),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Str, "[1]").clone())),
            Ok("[1]".into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, U8, "[1, 2]").clone())),
            Ok(vec![1_u8, 2].into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, U8, "[256]").clone())),
            Err("element 0: 256 does"),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Array, "[true]").clone())),
            Ok(vec![true].into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Array, "[1]").clone())),
            Ok(vec![1_i32].into()),
        ),
        (
            new(|e, key| drop(e.set_text_as(key, Array, "1").clone())),
            Err("no JSON array"),
        ),
    ];
    for (mut editor, expected) in cases {
        match (set(&mut editor), expected) {
            (Ok(_), Ok(expected)) => assert_eq!(value(&to, key), Some(expected)),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{error}");
                assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            }
            (found, expected) => panic!("{found:?} and {expected:?} for {editor:?}"),
        }
    }
}

#[test]
fn what_cannot_be_changed_so_is_an_error_that_names_the_key_and_writes_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    type Change<'a> = &'a dyn Fn(&mut Editor);
    let cases: [(Change<'_>, &str); 9] = [
        (
            &|e| drop(e.remove("genral.name").clone()),
            "removing genral.name: the file has no such",
        ),
        (
            &|e| drop(e.rename("nope", "x").clone()),
            "renaming nope: the file has no such",
        ),
        (
            &|e| drop(e.rename("list", "general.name").clone()),
            "there is a key of that name",
        ),
        (&|e| drop(e.set_text("new", "12").clone()), "state its type"),
        (
            &|e| drop(e.set_text("new", "true").clone()),
            "state its type",
        ),
        (&|e| drop(e.set("list", 1_u16).clone()), "it is an array"),
        (
            &|e| drop(e.set("list", vec!["x".to_owned()]).clone()),
            "element 0: a str is no u16",
        ),
        (&|e| drop(e.set("", 1_u16).clone()), "an empty key"),
        (
            &|e| drop(e.set("general.alignment", 12_u32).clone()),
            "not a power of two",
        ),
    ];
    for (change, expected) in cases {
        let mut editor = Editor::new();
        change(&mut editor);
        let error = editor
            .edit_file(&from, &to, &EditOptions::new())
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let names: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let near = Editor::new()
        .remove("genral.name")
        .edit_file(&from, &to, &EditOptions::new());
    assert_eq!(near.unwrap_err().suggestions(), ["general.name"]);
}

#[test]
fn a_file_is_replaced_only_when_asked_and_a_blob_never() {
    let scratch = tempfile::tempdir().unwrap();
    let from = scratch.path().join("from");
    write(&from, 32, Endian::Little);
    let editor = Editor::new();
    let taken = editor.edit_file(&from, &from, &EditOptions::new());
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let options = EditOptions::new().replace(true);
    assert!(editor.edit_file(&from, &from, &options).unwrap().replaced);
    let new = editor.edit_file(&from, scratch.path().join("new"), &options);
    assert!(!new.unwrap().replaced);
    let blob = scratch.path().join(format!("sha256-{}", "a".repeat(64)));
    fs::copy(&from, &blob).unwrap();
    for refused in [
        editor.edit_file(&from, &blob, &options),
        editor.edit_in_place(&blob, &options),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    fs::hard_link(&from, scratch.path().join("other")).unwrap();
    let error = editor.edit_in_place(&from, &options).unwrap_err();
    assert!(error.to_string().contains("other names"), "{error}");
}

#[test]
fn an_edit_in_place_writes_the_header_alone_and_pads_a_shorter_one() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    write(&file, 32, Endian::Little);
    let before = (tensors(&file), file.metadata().unwrap().len());
    let edit = |editor: &Editor| editor.edit_in_place(&file, &EditOptions::new());
    let edited = edit(Editor::new().set("general.name", "b name")).unwrap();
    assert!(edited.padding == 0 && edited.replaced);
    let long = "a name that no header of this kind has any room for, as long as it is";
    let error = edit(Editor::new().set("general.name", long)).unwrap_err();
    assert!(
        error.to_string().contains("write a new file instead"),
        "{error}"
    );
    let edited = edit(Editor::new().remove("general.name").remove("list")).unwrap();
    assert!(edited.padding > 0);
    assert_eq!((tensors(&file), file.metadata().unwrap().len()), before);
    // The padding is the room of the next edit.
    let edited = edit(Editor::new().set("general.name", "c name")).unwrap();
    assert_eq!((tensors(&file), file.metadata().unwrap().len()), before);
    assert_eq!(value(&file, "general.name"), Some("c name".into()));
    let keys = open(&file).view().len();
    assert_eq!(keys, 4 + usize::from(edited.padding > 0));
    let moved = edit(Editor::new().set("general.alignment", 64_u32)).unwrap_err();
    assert!(moved.to_string().contains("moves the data"), "{moved}");
}

/// Runs an edit in place whose every change from the `n`th on fails, its first one after half of
/// the bytes were written; returns whether there were so many.
fn stopped(n: usize, file: &Path, editor: &Editor) -> bool {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    let stop = move |change: &Change<'_>| {
        counted.set(counted.get() + 1);
        if counted.get() <= n {
            return Ok(());
        }
        if let Change::WriteAt(path, bytes, at) = *change
            && counted.get() == n + 1
        {
            use std::os::unix::fs::FileExt;
            let file = fs::OpenOptions::new().write(true).open(path)?;
            file.write_all_at(&bytes[..bytes.len() / 2], at)?;
        }
        Err(std::io::Error::from_raw_os_error(libc::EIO))
    };
    let _ = hook::with(stop, || editor.edit_in_place(file, &EditOptions::new()));
    count.get() > n
}

#[test]
fn an_edit_in_place_that_is_stopped_anywhere_leaves_the_old_header_or_the_new_one() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, pristine) = (scratch.path().join("file"), scratch.path().join("pristine"));
    write(&pristine, 32, Endian::Little);
    let old = fs::read(&pristine).unwrap();
    let mut editor = Editor::new();
    editor.set("general.name", "b name").remove("list");
    fs::copy(&pristine, &file).unwrap();
    editor.edit_in_place(&file, &EditOptions::new()).unwrap();
    let new = fs::read(&file).unwrap();
    let (mut n, mut seen) = (0, [0; 3]);
    loop {
        fs::copy(&pristine, &file).unwrap();
        let was_stopped = stopped(n, &file, &editor);
        // Whole to every reader, or none to any.
        let found = fs::read(&file).unwrap();
        let state = match GgufFile::open(&file, &GgufOptions::new()) {
            Ok(_) if found == old => 0,
            Ok(_) if found == new => 1,
            Ok(_) => panic!("stopped at {n}: a header that is neither"),
            Err(_) => 2,
        };
        seen[state] += 1;
        Editor::new()
            .edit_in_place(&file, &EditOptions::new())
            .unwrap();
        let found = fs::read(&file).unwrap();
        assert!(found == old || found == new, "stopped at {n}");
        assert!(state == 2 || found == [&old, &new][state][..], "{n}");
        let names = fs::read_dir(scratch.path()).unwrap();
        let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
        for left in names.filter(|name| name.starts_with(".modelkeep-")) {
            fs::remove_file(scratch.path().join(left)).unwrap();
        }
        assert!(!scratch.path().join(".file.modelkeep-header").exists());
        if !was_stopped {
            break;
        }
        n += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?} of {n}");
}

#[test]
fn an_old_header_is_not_written_over_a_file_of_another_kind() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    write(&file, 32, Endian::Little);
    let mut editor = Editor::new();
    editor.set("general.name", "b name");
    let writes = Rc::new(Cell::new(0));
    let stop = move |change: &Change<'_>| match change {
        Change::WriteAt(..) if writes.replace(writes.get() + 1) > 0 => {
            Err(std::io::Error::from_raw_os_error(libc::EIO))
        }
        _ => Ok(()),
    };
    let error = hook::with(stop, || editor.edit_in_place(&file, &EditOptions::new()));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("the next edit in place puts it back")
    );
    fs::write(&file, b"PK\x03\x04 another file").unwrap();
    let refused = Editor::new().edit_in_place(&file, &EditOptions::new());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidGguf);
    assert_eq!(fs::read(&file).unwrap(), b"PK\x03\x04 another file");
}

#[test]
fn of_a_failed_edit_in_place_nothing_is_left() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    write(&file, 32, Endian::Little);
    let old = fs::read(&file).unwrap();
    for at in 0..3 {
        let writes = Rc::new(Cell::new(0));
        let fail = move |change: &Change<'_>| {
            if matches!(change, Change::WriteAt(..)) {
                writes.set(writes.get() + 1);
                if writes.get() == at + 1 {
                    return Err(std::io::Error::from_raw_os_error(libc::EIO));
                }
            }
            Ok(())
        };
        let mut editor = Editor::new();
        editor.set("general.name", "b name");
        let edited = hook::with(fail, || editor.edit_in_place(&file, &EditOptions::new()));
        assert_eq!(edited.unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(fs::read(&file).unwrap(), old);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}

#[test]
fn each_step_of_an_edit_in_place_is_durable_before_the_next_one_begins() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    write(&file, 32, Endian::Little);
    let steps = Rc::new(RefCell::new(Vec::new()));
    let noted = steps.clone();
    let note = move |change: &Change<'_>| {
        noted.borrow_mut().push(match change {
            Change::Create(_) => "create",
            Change::Write(..) => "keep",
            Change::WriteAt(_, [0, 0, 0, 0], 0) => "no magic",
            Change::WriteAt(_, b"GGUF", 0) => "magic",
            Change::WriteAt(..) => "header",
            Change::Sync(_) => "sync",
            Change::Rename(..) => "rename",
            Change::SyncDirectory(_) => "sync directory",
            Change::Unlink(_) => "forget",
            _ => return Ok(()),
        });
        Ok(())
    };
    let mut editor = Editor::new();
    editor.set("general.name", "b name");
    hook::with(note, || editor.edit_in_place(&file, &EditOptions::new())).unwrap();
    let expected = [
        "create",
        "keep",
        "keep",
        "keep",
        "sync",
        "rename",
        "sync directory",
        "no magic",
        "sync",
        "header",
        "sync",
        "magic",
        "sync",
        "forget",
        "sync directory",
    ];
    assert_eq!(*steps.borrow(), expected);
}

/// Where no system call copies, bytes are read and written; the result is the same.
#[test]
fn data_are_streamed_where_the_system_does_not_copy() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    let refuse = |change: &Change<'_>| match change {
        Change::CopyRange(..) | Change::ShareRange(..) => {
            Err(std::io::ErrorKind::Unsupported.into())
        }
        _ => Ok(()),
    };
    let mut editor = Editor::new();
    editor.set("general.name", "a much longer name than it was");
    let edited = hook::with(refuse, || editor.edit_file(&from, &to, &EditOptions::new()));
    assert_eq!(edited.unwrap().shared_bytes, 0);
    assert_eq!(tensors(&from), tensors(&to));
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    write(&from, 32, Endian::Little);
    let changed = from.clone();
    let change = move |change: &Change<'_>| {
        if matches!(change, Change::SetLen(..)) {
            let file = fs::OpenOptions::new().append(true).open(&changed)?;
            std::io::Write::write_all(&mut &file, b"more")?;
        }
        Ok(())
    };
    let edited = hook::with(change, || {
        Editor::new().edit_file(&from, &to, &EditOptions::new())
    });
    assert!(
        edited
            .unwrap_err()
            .to_string()
            .contains("was changed while")
    );
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
}
