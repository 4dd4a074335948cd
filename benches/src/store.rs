//! Calls on stores of many models: ours beside the floor, the same system calls alone.

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use modelkeep::{DeleteOptions, GcOptions, ModelName, ShowOptions, Store, StoreOptions};

/// `store DIRECTORY...`: each a generated store, which is changed and left as it was. Milliseconds,
/// minima.
pub fn run(stores: &[PathBuf]) {
    println!("{:30} {:>10} {:>10}", "", "wall ms", "CPU ms");
    for store in stores {
        println!("\n{}", store.display());
        floors(store);
        floors_of_one(store);
        reads(store);
        vocabulary(store);
        changes(store);
    }
}

fn open(path: &Path) -> Store {
    let options = StoreOptions::new(path).delete_delay(Duration::ZERO);
    Store::open_with(options.durability(modelkeep::Durability::None)).expect("a store")
}

pub fn cpu() -> f64 {
    // SAFETY: the kernel fills the struct, of which all zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is ours, and as large as the call writes.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}

/// Prints the minimum of a call that is made ready outside of the time.
fn row<T>(name: &str, mut ready: impl FnMut() -> T, mut call: impl FnMut(&mut T)) {
    let (mut wall, mut work) = (f64::MAX, f64::MAX);
    let began = Instant::now();
    let mut rounds = 0;
    while rounds < 3 || rounds < 200 && began.elapsed() < Duration::from_secs(2) {
        let mut on = ready();
        let (start, used) = (Instant::now(), cpu());
        call(&mut on);
        wall = wall.min(start.elapsed().as_secs_f64() * 1e3);
        work = work.min(cpu() - used);
        rounds += 1;
    }
    println!("{name:30} {wall:10.3} {work:10.3}");
}

fn manifests(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        match entry.file_type().expect("a kind").is_dir() {
            true => manifests(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

fn floors(store: &Path) {
    let top = store.join("manifests");
    row(
        "floor: walk and stat",
        || (),
        |()| {
            let mut found = Vec::new();
            manifests(&top, &mut found);
            for path in &found {
                black_box(fs::symlink_metadata(path).expect("a file").ino());
            }
        },
    );
    row(
        "floor: walk and read",
        || (),
        |()| {
            let mut found = Vec::new();
            manifests(&top, &mut found);
            for path in &found {
                let file = File::open(path).expect("a file");
                let mut bytes = vec![0; file.metadata().expect("a file").len() as usize];
                file.read_exact_at(&mut bytes, 0).expect("its bytes");
                black_box(bytes);
            }
        },
    );
}

/// The beginning of a file, as much of it as a text or a header is.
fn beginning(path: &Path) -> Vec<u8> {
    let file = File::open(path).expect("a file");
    let len = file.metadata().expect("a file").len().min(64 << 10);
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0).expect("its bytes");
    bytes
}

/// What of one model a call reads and writes, from the manifest to the blobs.
fn floors_of_one(path: &Path) {
    let store = open(path);
    let name = store.names().expect("names").names.swap_remove(0);
    let model = store.model(&name).expect("a model");
    let [host, namespace, model_name, tag] = name.parts();
    let directory = path.join("manifests").join(host).join(namespace);
    let manifest = directory.join(model_name).join(tag);
    let layers = model.manifest().entries();
    let blobs = layers.map(|layer| store.blob_path(&layer.digest().expect("a digest")));
    let files: Vec<PathBuf> = std::iter::once(manifest.clone()).chain(blobs).collect();
    row(
        "floor: show",
        || (),
        |()| files.iter().for_each(|file| drop(black_box(beginning(file)))),
    );
    let (staged, copy) = (path.join("staged"), directory.join("zzz-floor"));
    let ready = || drop(fs::remove_dir_all(&copy));
    row("floor: copy", ready, |()| {
        fs::write(&staged, beginning(&manifest)).expect("a file");
        fs::create_dir(&copy).expect("a directory");
        fs::rename(&staged, copy.join("tag")).expect("a name");
    });
    ready();
}

fn reads(path: &Path) {
    let store = open(path);
    let names: Vec<ModelName> = store.names().expect("names").names;
    let name = names[names.len() / 2].clone();
    let upper = name.to_string().to_uppercase();
    let again = || store.clone();
    row(
        "first list",
        || open(path),
        |store| drop(black_box(store.list())),
    );
    row("list again", again, |store| drop(black_box(store.list())));
    let copy: ModelName = "zzz-one:changed".parse().expect("a name");
    let changed = || {
        store.copy(&name, &copy).expect("a copy");
        store.clone()
    };
    row("list again, one changed", changed, |store| {
        drop(black_box(store.list()))
    });
    store.delete(&copy).expect("a delete");
    row("show and its JSON", again, |store| {
        black_box(
            store
                .show(&name, &ShowOptions::new())
                .expect("a show")
                .to_json(),
        );
    });
    row("path", again, |store| {
        drop(black_box(store.model(&name).map(|model| model.gguf_path())))
    });
    row("path, in capitals", again, |store| {
        drop(black_box(
            store.model(upper.as_str()).map(|model| model.gguf_path()),
        ))
    });
    row("du", again, |store| drop(black_box(store.usage())));
    row("doctor", again, |store| drop(black_box(store.doctor())));
    let dry = GcOptions::new().dry_run(true);
    row("gc --dry-run", again, |store| {
        drop(black_box(store.gc(&dry)))
    });
}

/// Shows the model with the largest GGUF file.
fn vocabulary(path: &Path) {
    let store = open(path);
    let names = store.names().expect("names").names;
    let size = |name: &ModelName| {
        let weights = store.model(name).and_then(|model| model.gguf_path());
        weights
            .ok()
            .and_then(|path| Some(fs::metadata(path).ok()?.len()))
    };
    let largest = names.iter().max_by_key(|name| size(name)).expect("a model");
    let show = |store: &mut Store, verbose| {
        let options = ShowOptions::new().verbose(verbose);
        let show = store.show(largest, &options).expect("a show");
        black_box(show.to_json());
    };
    let again = || store.clone();
    row(
        "vocabulary: show",
        || open(path),
        |store| show(store, false),
    );
    row("vocabulary: show again", again, |store| show(store, false));
    row("vocabulary: verbose", again, |store| show(store, true));
}

fn changes(path: &Path) {
    let store = open(path);
    let name = store.names().expect("names").names.swap_remove(0);
    let copy: ModelName = "zzz-copy:tag".parse().expect("a name");
    let without = || {
        let _ = store.delete(&copy);
        store.clone()
    };
    row("copy, a new model", without, |store| {
        drop(store.copy(&name, &copy).expect("a copy"))
    });
    let with = || {
        store.copy(&name, &copy).expect("a copy");
        store.clone()
    };
    row("delete, shared blobs", with, |store| {
        drop(store.delete(&copy).expect("a delete"))
    });
    let many: Vec<String> = (0..100).map(|n| format!("zzz-many:{n}")).collect();
    let hundred = || {
        for name_of_copy in &many {
            store.copy(&name, name_of_copy.as_str()).expect("a copy");
        }
        store.clone()
    };
    let options = DeleteOptions::new();
    row("100 deletes at once", hundred, |store| {
        drop(store.delete_with(&many, &options).expect("a delete"));
    });
}
