//! Changes that refuse, wait, and are done in another way.

use super::*;

#[test]
fn what_is_there_is_neither_opened_nor_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, link) = (scratch.path().join("file"), scratch.path().join("link"));
    let (dangling, new) = (scratch.path().join("dangling"), scratch.path().join("new"));
    fs::write(&file, "theirs").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    std::os::unix::fs::symlink(scratch.path().join("made"), &dangling).unwrap();
    for path in [&file, &link, &dangling] {
        assert!(create(path).is_err(), "{path:?}");
        fs::write(&new, "ours").unwrap();
        let error = rename_new(&new, path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{path:?}");
        let error = link_and_unlink(&new, path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{path:?}");
    }
    let fifo = scratch.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for (path, code) in [
        (&link, Some(libc::ELOOP)),
        (&dangling, Some(libc::ELOOP)),
        (&fifo, None),
    ] {
        let error = open_lock(path).err().unwrap();
        assert_eq!(error.raw_os_error(), code, "{path:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    assert!(!scratch.path().join("made").exists());
    link_and_unlink(&new, &scratch.path().join("free")).unwrap();
    assert!(!new.exists());
}

#[test]
fn a_lock_that_another_process_makes_first_is_not_new() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("lock");
    let theirs = path.clone();
    let make = move |change: &Change<'_>| match change {
        Change::MakeLock(_) => fs::write(&theirs, ""),
        _ => Ok(()),
    };
    let opened = hook::with(make, || open_lock(&path)).unwrap();
    assert_eq!(opened.access, LockAccess::Writing);
    fs::remove_file(&path).unwrap();
    assert_eq!(open_lock(&path).unwrap().access, LockAccess::Made);
}

#[test]
fn of_two_names_of_a_file_a_rename_leaves_one() {
    let scratch = tempfile::tempdir().unwrap();
    let (one, two) = (scratch.path().join("one"), scratch.path().join("two"));
    fs::write(&one, "bytes").unwrap();
    fs::hard_link(&one, &two).unwrap();
    rename(&one, &two).unwrap();
    assert!(!one.exists() && two.exists());
}

/// Links and unlinks where links fail; returns the answer and the steps that were tried.
fn linking(from: &Path, to: &Path, code: Option<i32>) -> (io::Result<()>, Vec<&'static str>) {
    let steps = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let noted = steps.clone();
    let fail = move |change: &Change<'_>| {
        noted.borrow_mut().push(match change {
            Change::Link(..) => "link",
            Change::SyncDirectory(_) => "flush",
            Change::Unlink(_) => "unlink",
            Change::Rename(..) => "rename",
            _ => "other",
        });
        match (change, code) {
            (Change::Link(..), Some(code)) => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        }
    };
    let answer = hook::with(fail, || link_and_unlink(from, to));
    (answer, steps.take())
}

#[test]
fn without_a_rename_that_refuses_the_new_name_is_durable_before_the_old_one_goes() {
    let scratch = tempfile::tempdir().unwrap();
    let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
    for (code, expected) in [
        (None, &["link", "flush", "unlink"][..]),
        (Some(libc::EPERM), &["link", "rename"]),
    ] {
        fs::write(&from, "bytes").unwrap();
        let (answer, steps) = linking(&from, &to, code);
        answer.unwrap();
        assert_eq!(steps, expected);
        assert!(!from.exists());
        assert_eq!(fs::read(&to).unwrap(), b"bytes");
        fs::write(&from, "others").unwrap();
        let (answer, _) = linking(&from, &to, code);
        assert_eq!(answer.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"bytes");
        fs::remove_file(&to).unwrap();
    }
    let (answer, steps) = linking(&from, &to, Some(libc::EIO));
    assert_eq!(answer.unwrap_err().raw_os_error(), Some(libc::EIO));
    assert_eq!(steps, ["link"]);
    assert!(from.exists() && !to.exists());
}
