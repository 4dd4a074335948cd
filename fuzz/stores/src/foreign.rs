//! A writer that is not the engine: plain file operations, as the server of the store does them.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::call::Call;
use crate::content::{self, Form};
use crate::oracle::name::Name;
use crate::oracle::reading;
use crate::place::Case;

/// Makes a foreign call; says what came of it.
pub fn perform(case: &Case, call: &Call) -> String {
    let done = match call {
        Call::Make(make) => case.make(make),
        Call::ForeignCopy(from, to) => copy(case, from, to),
        Call::ForeignRemove(name) => remove(case, name),
        Call::ForeignPull(name, layers) => pull(case, name, layers),
        _ => Ok(()),
    };
    done.map_or_else(|error| format!("failed {error}"), |()| "done".to_owned())
}

/// Writes a file under another name and renames it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension(format!("{}-new", std::process::id()));
    fs::write(&staged, bytes)?;
    fs::rename(staged, path)
}

/// Refuses what a link leads out of the store, and what is no file: the writer is a server whose
/// user means well.
fn plain(case: &Case, name: &str) -> io::Result<PathBuf> {
    let manifests = case.store().join("manifests");
    let path = Name::of(name).under(&manifests);
    let inside = |path: &Path| path.canonicalize().is_ok_and(|real| real == path);
    let nearest = path
        .ancestors()
        .find(|above| above.symlink_metadata().is_ok());
    let is_file = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    match nearest {
        Some(above) if inside(above) && (above != path || is_file) => Ok(path),
        _ => Err(io::Error::other("not plain")),
    }
}

/// How long a server may take from looking for what a manifest names to writing it. Where the
/// machine was slower, it is not written: a server is not that slow.
const LONGEST_LOOK: u128 = 40;

fn must_be_quick(began: Instant) -> io::Result<()> {
    match began.elapsed().as_millis() > LONGEST_LOOK {
        true => Err(io::Error::other("too slow")),
        false => Ok(()),
    }
}

/// Truncates the target in place and writes into it.
fn copy(case: &Case, from: &str, to: &str) -> io::Result<()> {
    let target = plain(case, to)?;
    let began = Instant::now();
    let bytes = fs::read(plain(case, from)?)?;
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    must_be_quick(began)?;
    overwrite(&target, &bytes)
}

fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    file.write_all(bytes)
}

/// Downloads what is missing, by rename, then writes the manifest in place.
fn pull(case: &Case, name: &str, layers: &[u8]) -> io::Result<()> {
    let store = case.store();
    let target = plain(case, name)?;
    let began = Instant::now();
    for number in layers {
        let bytes = content::blob(*number);
        let blob = store
            .join("blobs")
            .join(format!("sha256-{}", content::hex_of(&bytes)));
        if !blob.exists() {
            fs::create_dir_all(store.join("blobs"))?;
            let partial = format!("{}-partial", blob.display());
            fs::write(&partial, bytes)?;
            fs::rename(&partial, &blob)?;
        }
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    must_be_quick(began)?;
    overwrite(&target, &content::manifest(Form::Plain, layers))
}

/// Unlinks the manifest, looks what the others name, and unlinks the blobs that none does. It
/// knows of no other store that has the same blobs.
fn remove(case: &Case, name: &str) -> io::Result<()> {
    if case.store().join("blobs").is_symlink() {
        return Err(io::Error::other("not its own blobs"));
    }
    let manifests = case.store().join("manifests");
    let path = plain(case, name)?;
    let named = reading::read(&fs::read(&path)?).named;
    fs::remove_file(&path)?;
    let mut used = BTreeSet::new();
    used_under(&manifests, 4, &mut used);
    for hex in named.difference(&used) {
        let _ = fs::remove_file(case.store().join("blobs").join(format!("sha256-{hex}")));
    }
    Ok(())
}

fn used_under(directory: &Path, depth: usize, used: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match depth {
            1 if path.is_file() => {
                let reading = reading::read(&fs::read(&path).unwrap_or_default());
                if reading.indexed.contains(&content::hex(9)) {
                    used.extend(reading::read(&content::blob(9)).named);
                }
                used.extend(reading.named);
            }
            1 => {}
            _ => used_under(&path, depth - 1, used),
        }
    }
}
