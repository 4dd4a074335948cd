//! Stores on file systems that take names for one which differ in case: two models never become
//! one unnoticed.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../src/skip.rs"]
#[allow(dead_code, reason = "other tests call the rest of it")]
mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use modelkeep::{Copied, ErrorKind, ImportOptions, Result, Store, StoreOptions};
use skip::not_here;

/// A file system in a file, mounted for as long as this lives.
struct Mounted {
    root: PathBuf,
    device: String,
    _scratch: tempfile::TempDir,
}

/// How to make a file system that folds names, and how to mount it.
struct Kind {
    name: &'static str,
    make: &'static [&'static str],
    mount: &'static [&'static str],
    /// What makes a directory of it fold names.
    fold: Option<&'static [&'static str]>,
    /// Whether root can have it by installing its commands, whatever the kernel knows.
    is_installable: bool,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "ext4 with casefold",
        make: &["mkfs.ext4", "-q", "-O", "casefold"],
        mount: &["mount", "-t", "ext4"],
        fold: Some(&["chattr", "+F"]),
        is_installable: false,
    },
    Kind {
        name: "FAT",
        make: &["mkfs.vfat"],
        mount: &["mount", "-t", "vfat"],
        fold: None,
        is_installable: false,
    },
    Kind {
        name: "exFAT in user space",
        make: &["mkfs.exfat"],
        mount: &["mount.exfat-fuse"],
        fold: None,
        is_installable: true,
    },
];

/// Returns whether the commands of a file system are installed.
fn has_commands(kind: &Kind) -> bool {
    let mut commands = [kind.make, kind.mount].into_iter();
    commands.all(|command| run(&["sh", "-c"], &[&format!("command -v {}", command[0])]).is_some())
}

fn run(command: &[&str], arguments: &[&str]) -> Option<String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

impl Mounted {
    fn new(kind: &Kind) -> Option<Self> {
        let scratch = tempfile::tempdir().unwrap();
        let (image, root) = (scratch.path().join("image"), scratch.path().join("root"));
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(64 << 20).unwrap();
        std::fs::create_dir(&root).unwrap();
        let (image, place) = (image.to_str().unwrap(), root.to_str().unwrap());
        run(kind.make, &[image])?;
        let device = run(&["losetup", "--find", "--show"], &[image])?;
        let mounted = run(kind.mount, &[&device, place]);
        // From here on it is unmounted again.
        let this = Mounted {
            root,
            device,
            _scratch: scratch,
        };
        mounted?;
        this.store_directory(kind).is_some().then_some(this)
    }

    fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    fn store_directory(&self, kind: &Kind) -> Option<()> {
        std::fs::create_dir(self.models()).ok()?;
        if let Some(fold) = kind.fold {
            run(fold, &[self.models().to_str().unwrap()])?;
        }
        std::fs::write(self.models().join("Probe"), "").ok()?;
        let folds = self.models().join("pROBE").exists();
        std::fs::remove_file(self.models().join("Probe")).ok()?;
        folds.then_some(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run(&["umount"], &[self.root.to_str().unwrap()]);
        let _ = run(&["losetup", "--detach"], &[&self.device]);
    }
}

/// Runs a test on a store with the model `a` on each file system that can be had.
fn on_each(test: impl Fn(&Store)) {
    for kind in &KINDS {
        let Some(mounted) = Mounted::new(kind) else {
            let what = format!("a store on {}", kind.name);
            match kind.is_installable && !has_commands(kind) {
                true => skip::skip(&what, "its commands are not installed"),
                false => not_here(&what, "it cannot be made or mounted"),
            }
            continue;
        };
        let options = StoreOptions::new(mounted.models()).create(true);
        let store = Store::open_with(options).unwrap();
        import(&store, "a").unwrap();
        test(&store);
    }
}

fn import(store: &Store, name: &str) -> Result<()> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf");
    store
        .import(fixture, name, &ImportOptions::default())
        .map(drop)
}

fn names(store: &Store) -> Vec<String> {
    let listing = store.list().unwrap();
    assert!(listing.problems.is_empty(), "{:?}", listing.problems);
    let names = listing.models.iter().map(|model| model.name.to_string());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn to(copied: &Copied) -> (String, bool) {
    (copied.to.to_string(), copied.replaced)
}

#[test]
fn a_name_in_another_case_is_the_stored_one_in_every_call() {
    on_each(|store| {
        assert_eq!(
            to(&store.copy("a", "b").unwrap()),
            ("b:latest".into(), false)
        );
        assert_eq!(
            to(&store.copy("a", "B").unwrap()),
            ("b:latest".into(), true)
        );
        assert_eq!(
            to(&store.copy("b", "B:LATEST").unwrap()),
            ("b:latest".into(), true)
        );
        let stored = store.find("B").unwrap().unwrap();
        assert_eq!(stored.to_string(), "b:latest");
        assert_eq!(
            import(store, "B").unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        assert_eq!(names(store), ["a:latest", "b:latest"]);
        let deleted = store.delete("B").unwrap();
        assert_eq!(deleted.models, [stored]);
        assert_eq!(names(store), ["a:latest"]);
    });
}

#[test]
fn every_part_of_a_name_is_folded() {
    on_each(|store| {
        store.copy("a", "Example.com/Some/Model:Tag").unwrap();
        for other in [
            "example.com/Some/Model:Tag",
            "Example.com/some/Model:Tag",
            "Example.com/Some/model:Tag",
            "Example.com/Some/Model:tag",
        ] {
            let copied = store.copy("a", other).unwrap();
            assert_eq!(copied.to.to_string(), "Example.com/Some/Model:Tag");
            assert!(copied.replaced, "{other}");
        }
        assert_eq!(names(store), ["Example.com/Some/Model:Tag", "a:latest"]);
        store.copy("a", "Example.com/Some/Model:other").unwrap();
        store.copy("a", "EXAMPLE.com/SOME/model:third").unwrap();
        assert_eq!(names(store).len(), 4);
        for name in names(store) {
            assert_eq!(
                store.find(name.as_str()).unwrap().unwrap().to_string(),
                name
            );
        }
    });
}

#[test]
fn a_name_that_the_file_system_cannot_keep_is_refused_and_changes_nothing() {
    on_each(|store| {
        store.copy("a", "x:1").unwrap();
        for name in ["x:1.", "x:2.", "y:1."] {
            let before = names(store);
            match store.copy("a", name) {
                Ok(copied) => assert!(names(store).contains(&copied.to.to_string()), "{name}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidName, "{error}");
                    assert_eq!(names(store), before);
                    assert!(store.find(name).unwrap().is_none());
                }
            }
        }
        let before = names(store);
        match store.copy("a", "host:5000/some/model") {
            Ok(copied) => assert!(names(store).contains(&copied.to.to_string())),
            Err(_) => assert_eq!(names(store), before),
        }
    });
}
