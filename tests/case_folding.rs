//! Stores on file systems that take names for one which differ in case: two models never become
//! one unnoticed.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

#[path = "../src/skip.rs"]
#[allow(dead_code, reason = "other tests call the rest of it")]
mod skip;

use std::path::{Path, PathBuf};
use std::process::Command;

use modelkeep::{
    Copied, CopyOptions, ErrorKind, ExportOptions, ImportArchiveOptions, ImportOptions, Imported,
    ImportedArchive, Result, ShowOptions, Store, StoreOptions,
};
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
        folds(&self.models()).then_some(())
    }
}

/// Returns whether a directory takes names for one which differ in case.
fn folds(directory: &Path) -> bool {
    std::fs::write(directory.join("Probe"), "").unwrap();
    let folds = directory.join("pROBE").exists();
    std::fs::remove_file(directory.join("Probe")).unwrap();
    folds
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run(&["umount"], &[self.root.to_str().unwrap()]);
        let _ = run(&["losetup", "--detach"], &[&self.device]);
    }
}

/// Runs a test on a store with the model `a` on each file system that can be had: the system's own,
/// as on macOS and Windows, and on Linux those that are made for it.
fn on_each(test: impl Fn(&Store)) {
    let scratch = tempfile::tempdir().unwrap();
    if folds(scratch.path()) {
        test(&store_at(scratch.path().join("models")));
    }
    for kind in KINDS.iter().filter(|_| cfg!(target_os = "linux")) {
        let Some(mounted) = Mounted::new(kind) else {
            let what = format!("a store on {}", kind.name);
            match kind.is_installable && !has_commands(kind) {
                true => skip::skip(&what, "its commands are not installed"),
                false => not_here(&what, "it cannot be made or mounted"),
            }
            continue;
        };
        test(&store_at(mounted.models()));
    }
}

/// A store with the model `a`.
fn store_at(path: PathBuf) -> Store {
    let store = Store::open_with(StoreOptions::new(path).create(true)).unwrap();
    import(&store, "a").unwrap();
    store
}

fn fixture() -> PathBuf {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny.gguf");
    std::path::absolute(fixture).unwrap()
}

fn import(store: &Store, name: &str) -> Result<()> {
    store
        .import(fixture(), name, &ImportOptions::default())
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

/// What a caller has outside of a store: another model than the stored ones as a Modelfile, as an
/// archive, and as a manifest with its blobs beside it.
struct Outside {
    scratch: tempfile::TempDir,
}

impl Outside {
    fn new() -> Self {
        let outside = Outside {
            scratch: tempfile::tempdir().unwrap(),
        };
        let modelfile = format!("FROM {}\nSYSTEM another\n", fixture().display());
        std::fs::write(outside.path("Modelfile"), modelfile).unwrap();
        let other = Store::open_with(StoreOptions::new(outside.path("other")).create(true));
        let other = other.unwrap();
        let plain = ImportOptions::default();
        other
            .import_modelfile(outside.path("Modelfile"), "B", &plain)
            .unwrap();
        other
            .export(["B"], outside.path("b.tar"), &ExportOptions::default())
            .unwrap();
        outside
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn manifest(&self) -> PathBuf {
        let library = "manifests/registry.ollama.ai/library";
        self.path("other").join(library).join("B/latest")
    }
}

/// Makes the name `B` by every call that makes one; returns the name that it got.
fn made(
    store: &Store,
    outside: &Outside,
    replace: bool,
) -> Vec<(&'static str, Result<(String, bool)>)> {
    let copying = CopyOptions::new().replace(replace);
    let import = ImportOptions::default().replace(replace);
    let archive = ImportArchiveOptions::new().replace(replace);
    let imported =
        |done: Result<Imported>| done.map(|imported| (imported.name.to_string(), replace));
    let arrived = |done: Result<ImportedArchive>| {
        done.map(|done| (done.models[0].name.to_string(), done.models[0].replaced))
    };
    let stream = || {
        let mut file = std::fs::File::open(outside.path("b.tar")).unwrap();
        store.import_stream(&mut file, &archive)
    };
    vec![
        (
            "copy_with",
            store.copy_with("a", "B", &copying).map(|done| to(&done)),
        ),
        ("import", imported(store.import(fixture(), "B", &import))),
        (
            "import_file",
            imported(store.import_file(fixture(), "B", &import)),
        ),
        (
            "import_modelfile",
            imported(store.import_modelfile(outside.path("Modelfile"), "B", &import)),
        ),
        ("copy again", store.copy("a", "B").map(|done| to(&done))),
        (
            "import_manifest",
            arrived(store.import_manifest(
                outside.manifest(),
                outside.path("other").join("blobs"),
                &archive.clone().name("B"),
            )),
        ),
        ("copy again", store.copy("a", "B").map(|done| to(&done))),
        (
            "import_archive",
            arrived(store.import_archive(outside.path("b.tar"), &archive)),
        ),
        ("copy again", store.copy("a", "B").map(|done| to(&done))),
        ("import_stream", arrived(stream())),
    ]
}

#[test]
fn every_call_that_makes_a_name_refuses_or_replaces_the_stored_one() {
    let outside = Outside::new();
    on_each(|store| {
        store.copy("a", "b").unwrap();
        for (call, done) in made(store, &outside, false) {
            if call != "copy again" {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::AlreadyExists, "{call}");
            }
            assert_eq!(names(store), ["a:latest", "b:latest"], "{call}");
        }
        for (call, done) in made(store, &outside, true) {
            assert_eq!(done.unwrap(), ("b:latest".into(), true), "{call}");
            assert_eq!(names(store), ["a:latest", "b:latest"], "{call}");
        }
        for from in ["a", "b"] {
            let error = store.rename(from, "B").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{from}");
            assert_eq!(names(store), ["a:latest", "b:latest"], "{from}");
        }
        let renamed = store.rename("b", "C").unwrap();
        assert_eq!(to(&renamed), ("C:latest".into(), false));
        assert_eq!(names(store), ["C:latest", "a:latest"]);
    });
}

/// As Linux has them: an archive of them would make them one.
#[test]
fn two_models_of_an_archive_never_become_one() {
    on_each(|store| {
        let scratch = tempfile::tempdir().unwrap();
        let (archive, two) = (scratch.path().join("two"), ["b", "c"]);
        store.copy("a", "b").unwrap();
        store.copy("a", "c").unwrap();
        store.export(two, &archive, &ExportOptions::new()).unwrap();
        store.delete_all(two).unwrap();
        let index = archive.join("index.json");
        let text = std::fs::read_to_string(&index).unwrap();
        let folded = text.replace("c:latest", "B:latest");
        assert_ne!(text, folded);
        std::fs::write(index, folded).unwrap();
        let error = store
            .import_archive(&archive, &ImportArchiveOptions::new())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!(names(store), ["a:latest"]);
    });
}

#[test]
fn a_directory_in_the_place_of_a_manifest_is_no_absence() {
    on_each(|store| {
        let library = "manifests/registry.ollama.ai/library/is-dir/latest/inner";
        std::fs::create_dir_all(store.path().join(library)).unwrap();
        for name in ["is-dir", "IS-dir"] {
            for error in [
                store.show(name, &ShowOptions::default()).unwrap_err(),
                store.copy(name, "x").unwrap_err(),
                store.copy("a", name).unwrap_err(),
                store.delete(name).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Io, "{name}: {error}");
            }
        }
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
                    assert!(!matches!(store.find(name), Ok(Some(_))));
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
