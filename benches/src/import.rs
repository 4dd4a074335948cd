//! Taking in a large file by copy, beside the same work by the system's own commands.

use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use modelkeep::gguf::{TensorType, Writer};
use modelkeep::{CopyMode, ImportOptions, Store, StoreOptions};

use crate::hash::{random, rounds, timed};

const BYTES: u64 = 2_000_000_000;
const ROUNDS: u32 = 5;

/// A way to have the bytes of a file in a directory, on the disk and with their digest known.
type Way = (&'static str, fn(&Path, &Path));

const WAYS: [Way; 4] = [
    ("modelkeep import, copy", |file, to| import(file, to, CopyMode::Copy)),
    ("modelkeep import, hard link", |file, to| {
        import(file, to, CopyMode::HardLink)
    }),
    ("cp, openssl and sync in turn", |file, to| {
        shell("cp \"$0\" copy && openssl dgst -sha256 copy && sync copy", file, to)
    }),
    ("cp and sync, not hashed", |file, to| shell("cp \"$0\" copy && sync copy", file, to)),
];

fn import(file: &Path, to: &Path, mode: CopyMode) {
    let store = Store::open_with(StoreOptions::new(to).create(true)).expect("a store");
    let options = ImportOptions::new().copy_mode(mode);
    let mut tell = |_: &modelkeep::Progress| ControlFlow::Continue(());
    let imported = store.watch(&mut tell, |store| store.import(file, "a", &options));
    imported.expect("a model");
}

fn shell(script: &str, file: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory");
    let status = Command::new("sh").args(["-c", script]).arg(file).current_dir(to).output();
    assert!(status.is_ok_and(|output| output.status.success()), "{script}");
}

/// Writes a GGUF file of one tensor.
fn write(file: &Path) -> io::Result<()> {
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama").declare("a", &[BYTES], TensorType::I8);
    let mut state = 1;
    writer.write_with(&mut io::BufWriter::new(File::create(file)?), &mut |_, to| {
        (0..BYTES / MIB).try_for_each(|_| to.write_all(&random(MIB, &mut state)))?;
        to.write_all(&random(BYTES % MIB, &mut state))
    })
}

const MIB: u64 = 1 << 20;

/// `import DIRECTORY`, on a disk, in which 4 GB of files may be made. Seconds, minima.
pub fn run(arguments: &[PathBuf]) {
    let Some(directory) = arguments.first() else {
        println!("import DIRECTORY, in which 4 GB of files may be made");
        return;
    };
    let (file, to) = (directory.join("import.gguf"), directory.join("import"));
    write(&file).expect("a file");
    File::open(&file).and_then(|file| file.sync_all()).expect("a flush");
    let mut best = [Duration::MAX; WAYS.len()];
    for _ in 0..rounds(ROUNDS) {
        for ((_, way), best) in WAYS.iter().zip(&mut best) {
            *best = timed(|| way(&file, &to)).min(*best);
            fs::remove_dir_all(&to).expect("it goes");
        }
    }
    fs::remove_file(&file).expect("it goes");
    for ((name, _), time) in WAYS.iter().zip(best) {
        let ratio = time.as_secs_f64() / best[0].as_secs_f64();
        println!("{name:<32} {:>6.2} s  {ratio:>6.2}", time.as_secs_f64());
    }
}
