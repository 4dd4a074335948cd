//! Calls on stores of many models: ours beside the floor, the same system calls alone.

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::hash;
use modelkeep::{
    DeleteOptions, GcOptions, ImportOptions, ModelName, ShowOptions, Store, StoreOptions,
};

/// `store DIRECTORY...`: each a generated store, which is changed and left as it was. Milliseconds,
/// minima. `$MODELKEEP` is the command whose `list` is timed as a process; `strace` counts system
/// calls, where it is there.
pub fn run(stores: &[PathBuf]) {
    if let [what, store, calls] = stores
        && let Some(calls) = calls.to_str().and_then(|calls| calls.parse().ok())
    {
        return only(what, store, calls);
    }
    println!("{:30} {:>10} {:>10}", "", "wall ms", "CPU ms");
    for store in stores {
        println!("\n{}", store.display());
        floors(store);
        floors_of_one(store);
        reads(store);
        vocabulary(store);
        changes(store);
        processes(store);
    }
}

/// Makes one kind of call so many times, on one handle, and prints how much memory that took.
fn only(what: &Path, path: &Path, calls: u32) {
    let store = open(path);
    for _ in 0..calls {
        match what.to_str() {
            Some("list") => drop(black_box(store.list())),
            Some("usage") => drop(black_box(store.usage())),
            Some("doctor") => drop(black_box(store.doctor())),
            Some("copy") => copy_anew(&store),
            _ => panic!("list, usage, doctor or copy"),
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or_default());
}

/// Copies a model to a name that is new, and takes the copy away again without a look through the store.
fn copy_anew(store: &Store) {
    let manifests = store.path().join("manifests/registry.ollama.ai/library");
    let model = fs::read_dir(&manifests).expect("models").next().expect("a model").expect("a model");
    let tag = fs::read_dir(model.path()).expect("tags").next().expect("a tag").expect("a tag");
    let [model, tag] = [model, tag].map(|entry| entry.file_name().to_string_lossy().into_owned());
    store.copy(format!("{model}:{tag}").as_str(), "zzz-copy:tag").expect("a copy");
    fs::remove_dir_all(manifests.join("zzz-copy")).expect("the copy");
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
    let time = Duration::from_millis(u64::from(hash::rounds(2_000)));
    while rounds < 3 || rounds < 200 && began.elapsed() < time {
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
    settle();
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
    settle();
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

/// Waits until what was written so far is told from what is written from now on: what changed within
/// two seconds is read again each time.
fn settle() {
    std::thread::sleep(Duration::from_millis(2_100));
}

/// Processes of their own: how long one takes, how much memory, and how many system calls.
fn processes(path: &Path) {
    if let Some(command) = std::env::var_os("MODELKEEP") {
        let list = || {
            let mut list = Command::new(&command);
            list.arg("--store").arg(path).arg("list").stdout(Stdio::null());
            list
        };
        row("modelkeep list, a process", list, |list| {
            assert!(list.status().expect("a process").success())
        });
    }
    let own = std::env::current_exe().expect("this program");
    for (name, calls) in [("no list", "0"), ("first list", "1"), ("two lists", "2")] {
        let arguments = ["store", "list"];
        let mut once = Command::new(&own);
        once.args(arguments).arg(path).arg(calls);
        let peak = once.output().expect("a process").stdout;
        println!("{name:30} {}", String::from_utf8_lossy(&peak).trim());
        let mut traced = Command::new("strace");
        traced.args(["-f", "-c", "-U", "calls,name"]).arg(&own);
        let traced = traced.args(arguments).arg(path).arg(calls).output();
        let Ok(traced) = traced else { continue };
        let text = String::from_utf8_lossy(&traced.stderr);
        let total = text.lines().find(|line| line.ends_with("total"));
        println!("{name:30} {} system calls", total.unwrap_or("?").trim());
    }
}

fn changes(path: &Path) {
    let store = open(path);
    let name = store.names().expect("names").names.swap_remove(0);
    let copy: ModelName = "zzz-copy:tag".parse().expect("a name");
    let without = || {
        let _ = store.delete(&copy);
        store.clone()
    };
    let tag: ModelName = format!("{}/{}/{}:zzz", name.host(), name.namespace(), name.model())
        .parse()
        .expect("a name");
    let without_tag = || {
        let _ = store.delete(&tag);
        store.clone()
    };
    settle();
    row("copy, a new tag", without_tag, |store| {
        drop(store.copy(&name, &tag).expect("a copy"))
    });
    store.delete(&tag).expect("a delete");
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
    let weights = fs::read(store.model(&name).and_then(|it| it.gguf_path()).expect("weights"));
    let mut weights = weights.expect("weights");
    let file = path.join("zzz.gguf");
    let mut number = 0_u32;
    let import = || {
        // Other bytes each time, in the last tensor's data.
        number += 1;
        let end = weights.len() - 4;
        weights[end..].copy_from_slice(&number.to_le_bytes());
        fs::write(&file, &weights).expect("a file");
        store.import(&file, &copy, &ImportOptions::new()).expect("an import");
        store.clone()
    };
    row("delete, blobs of its own", import, |store| {
        drop(store.delete(&copy).expect("a delete"))
    });
    fs::remove_file(&file).expect("the file");
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
    row("100 deletes one by one", hundred, |store| {
        for one in &many {
            store.delete(one.as_str()).expect("a delete");
        }
    });
}
