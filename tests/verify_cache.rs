//! Verifying with the memory of earlier runs.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use common::{Scratch, name, reference};
use modelkeep::{BlobStatus, Digest, Report, Store, VerifyOptions};
use serde_json::{Value, json};

const RECORD: &str = ".modelkeep/verified.json";

fn verify(store: &Store, use_cache: bool) -> Report {
    let options = VerifyOptions::default().use_cache(use_cache);
    store.verify(&options).unwrap()
}

fn cached(report: &Report) -> (usize, u64, u64) {
    (
        report.cached.blobs,
        report.cached.bytes,
        report.hashed_bytes,
    )
}

fn status(report: &Report, digest: &Digest) -> BlobStatus {
    let found = report.blobs.iter().find(|blob| blob.digest == *digest);
    found.unwrap().status
}

/// Notes blobs as a run would that came long after they were written.
fn note(scratch: &Scratch, digests: &[Digest]) {
    let stamp = |path: &Path| {
        let m = path.metadata().unwrap();
        json!({
            "device": m.dev(), "inode": m.ino(), "size": m.len(),
            "modified": [m.mtime(), m.mtime_nsec()], "changed": [m.ctime(), m.ctime_nsec()],
        })
    };
    let entry = |digest: &Digest| (digest.to_string(), stamp(&scratch.blob_path(digest)));
    let blobs: serde_json::Map<String, Value> = digests.iter().map(entry).collect();
    let record = json!({"version": 1, "blobs": blobs}).to_string();
    scratch.write(RECORD, record.as_bytes());
}

fn noted(scratch: &Scratch) -> Vec<String> {
    let text = fs::read(scratch.root().join(RECORD)).unwrap();
    let record: Value = serde_json::from_slice(&text).unwrap();
    record["blobs"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

/// A blob that nobody wrote for a while: a link to a file of the repository.
fn old_blob(scratch: &Scratch) -> Digest {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let digest = Digest::of(&fs::read(&file).unwrap());
    fs::create_dir_all(scratch.root().join("blobs")).unwrap();
    symlink(file, scratch.blob_path(&digest)).unwrap();
    digest
}

#[test]
fn a_second_run_hashes_nothing() {
    let scratch = Scratch::new();
    let digest = old_blob(&scratch);
    let store = scratch.store();
    let first = verify(&store, true);
    assert_eq!(
        (first.cached.blobs, noted(&scratch)),
        (0, vec![digest.to_string()])
    );
    let second = verify(&store, true);
    assert_eq!(cached(&second), (1, first.hashed_bytes, 0));
    assert!(
        second.is_ok()
            && second
                .to_json()
                .unwrap()
                .contains(r#""cached":{"blobs":1,"#)
    );
}

#[test]
fn nothing_is_noted_or_trusted_that_was_not_asked_for() {
    let scratch = Scratch::new();
    let digest = old_blob(&scratch);
    let store = scratch.store();
    assert!(verify(&store, false).is_ok() && !scratch.root().join(".modelkeep").exists());
    note(&scratch, &[digest]);
    assert_eq!(verify(&store, false).cached.blobs, 0);
}

#[test]
fn a_blob_that_was_just_written_is_not_noted() {
    let scratch = Scratch::new();
    scratch.blob(b"young");
    // A write within the same tick of the clock would not show.
    assert!(verify(&scratch.store(), true).is_ok());
    assert!(!scratch.root().join(RECORD).exists());
}

#[test]
fn a_changed_byte_is_found_although_its_time_was_set_back() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"some bytes");
    let store = scratch.store();
    note(&scratch, &[digest]);
    assert_eq!(cached(&verify(&store, true)), (1, 10, 0));
    let path = scratch.blob_path(&digest);
    let modified = path.metadata().unwrap().modified().unwrap();
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    file.write_all(b"X").unwrap();
    file.set_modified(modified).unwrap();
    let report = verify(&store, true);
    assert_eq!(status(&report, &digest), BlobStatus::WrongDigest);
    assert_eq!((cached(&report), noted(&scratch).len()), ((0, 0, 10), 0));
}

#[test]
fn a_replaced_blob_is_hashed_again() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"some bytes");
    note(&scratch, &[digest]);
    let path = scratch.blob_path(&digest);
    let modified = path.metadata().unwrap().modified().unwrap();
    let other = path.with_extension("new");
    fs::write(&other, b"same size!").unwrap();
    File::open(&other).unwrap().set_modified(modified).unwrap();
    fs::rename(other, path).unwrap();
    let report = verify(&scratch.store(), true);
    assert_eq!(status(&report, &digest), BlobStatus::WrongDigest);
}

#[test]
fn a_size_that_a_manifest_states_wrongly_is_the_manifests_fault() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"some bytes");
    note(&scratch, &[digest]);
    let layer = format!(
        r#"{{"mediaType":"application/vnd.ollama.image.model","digest":"{digest}","size":11}}"#
    );
    let manifest = format!(r#"{{"schemaVersion":2,"layers":[{layer}]}}"#);
    scratch.manifest("a", manifest.as_bytes());
    let report = verify(&scratch.store(), true);
    assert_eq!(status(&report, &digest), BlobStatus::Ok);
    assert_eq!(cached(&report), (1, 10, 0));
    assert!(!report.is_ok());
    let broken: Vec<_> = report.models.iter().map(|model| &model.name).collect();
    assert_eq!(broken, [&name("a")]);
}

#[test]
fn a_record_that_cannot_be_ours_says_nothing() {
    let scratch = Scratch::new();
    let digest = old_blob(&scratch);
    note(&scratch, &[digest]);
    let path = scratch.root().join(RECORD);
    let good = fs::read_to_string(&path).unwrap();
    let store = scratch.store();
    let texts = [
        String::new(),
        "\0\u{1}garbage".to_owned(),
        "[".repeat(100_000),
        good.replace(r#""version":1"#, r#""version":2"#),
        good.replace("sha256:", "md5:"),
        good.replace(r#""inode":"#, r#""inode":-"#),
        good.replace('}', r#","more":0}"#),
        good[..good.len() - 1].to_owned(),
        good.clone() + &" ".repeat(17 << 20),
    ];
    for text in texts {
        fs::write(&path, &text).unwrap();
        let report = verify(&store, true);
        let start: String = text.chars().take(40).collect();
        assert!(report.is_ok() && report.cached.blobs == 0, "{start}");
        assert_eq!(noted(&scratch), [digest.to_string()], "{start}");
    }
    fs::write(&path, &good).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(
        verify(&store, true).cached.blobs,
        0,
        "writable by everybody"
    );
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    assert_eq!(verify(&store, true).cached.blobs, 0, "a link to a device");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(verify(&store, true).is_ok(), "a directory in its place");
}

#[test]
fn a_read_only_store_is_read_and_not_written() {
    let scratch = Scratch::new();
    let digest = old_blob(&scratch);
    let store = Store::open_with(scratch.options().read_only(true)).unwrap();
    assert!(verify(&store, true).is_ok() && !scratch.root().join(".modelkeep").exists());
    note(&scratch, &[digest]);
    assert_eq!(verify(&store, true).cached.blobs, 1);
}

#[test]
fn a_place_that_cannot_be_written_is_passed_over() {
    let scratch = Scratch::new();
    old_blob(&scratch);
    // Not even root makes a directory where a file is.
    scratch.write(".modelkeep", b"");
    let report = verify(&scratch.store(), true);
    assert!(report.is_ok() && report.cache_error.is_some());
    assert_eq!(verify(&scratch.store(), false).cache_error, None);
}

#[test]
fn what_is_gone_is_forgotten_and_what_was_not_asked_for_is_kept() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"one"]);
    let (gone, other) = (scratch.blob(b"gone"), scratch.blob(b"other"));
    note(&scratch, &[digests[0], digests[1], gone, other]);
    fs::remove_file(scratch.blob_path(&gone)).unwrap();
    let options = VerifyOptions::default().use_cache(true);
    let options = options.models(vec![reference("a")]);
    let store = scratch.store();
    let report = store.verify(&options);
    assert_eq!(report.unwrap().cached.blobs, 2);
    let mut expected = [digests[0], digests[1], other].map(|digest| digest.to_string());
    expected.sort();
    assert_eq!(noted(&scratch), expected);
}

#[test]
fn damage_that_a_whole_run_finds_is_not_trusted_later() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"some bytes");
    fs::write(scratch.blob_path(&digest), b"bit rotten").unwrap();
    // The stamp of the damaged file: what a failing disk does shows in none.
    note(&scratch, &[digest]);
    let store = scratch.store();
    assert_eq!(verify(&store, true).cached.blobs, 1);
    assert!(!verify(&store, false).is_ok());
    assert!(!verify(&store, true).is_ok());
}

#[test]
fn a_file_whose_bytes_are_known_is_read_as_gguf_all_the_same() {
    let scratch = Scratch::new();
    let whole = fs::read(common::fixture()).unwrap();
    let cut = whole.get(..whole.len() / 2).unwrap().to_vec();
    for (name, bytes, is_ok) in [("whole", whole, true), ("cut", cut, false)] {
        let digests = scratch.model(name, &[&bytes]);
        note(&scratch, &digests);
        let options = VerifyOptions::default().use_cache(true).models([name]);
        let store = scratch.store();
        let report = store.verify(&options).unwrap();
        assert!(
            report.blobs.iter().all(|blob| blob.gguf.is_none()),
            "{name}"
        );
        let report = store.verify(&options.gguf(true)).unwrap();
        assert_eq!(report.hashed_bytes, 0, "{name}");
        let found: Vec<_> = report
            .blobs
            .iter()
            .filter_map(|it| it.gguf.as_ref())
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!((found[0].is_ok(), report.is_ok()), (is_ok, is_ok), "{name}");
    }
}

#[test]
fn a_diagnosis_and_a_view_of_several_count_what_is_known_to_be_good() {
    let stores = [Scratch::new(), Scratch::new()];
    for (no, scratch) in stores.iter().enumerate() {
        let digests = scratch.model("a", &[format!("weights {no}").as_bytes()]);
        note(scratch, &digests);
        assert_eq!(scratch.store().doctor().unwrap().verified, digests.len());
    }
    let alone: Vec<Report> = stores.iter().map(|it| verify(&it.store(), true)).collect();
    let paths: Vec<&Path> = stores.iter().map(Scratch::root).collect();
    let view = Store::open_with(stores[0].options().paths(paths)).unwrap();
    let report = verify(&view, true);
    let blobs = alone.iter().map(|it| it.cached.blobs).sum::<usize>();
    let bytes = alone.iter().map(|it| it.cached.bytes).sum::<u64>();
    assert!(blobs > 0 && bytes > 0);
    assert_eq!(cached(&report), (blobs, bytes, 0));
    let record = stores[1].root().join(RECORD);
    fs::remove_file(&record).unwrap();
    fs::create_dir(&record).unwrap();
    old_blob(&stores[1]);
    assert!(verify(&view, true).cache_error.is_some());
}

#[test]
fn a_run_without_the_record_notes_what_is_bad_and_not_what_is_good() {
    let scratch = Scratch::new();
    let good = old_blob(&scratch);
    let bad = scratch.blob(b"bytes");
    fs::write(scratch.blob_path(&bad), "other").unwrap();
    note(&scratch, &[bad]);
    assert_eq!(
        status(&verify(&scratch.store(), true), &bad),
        BlobStatus::Ok
    );
    note(&scratch, &[bad]);
    let report = verify(&scratch.store(), false);
    let found = [good, bad].map(|digest| status(&report, &digest));
    assert_eq!(found, [BlobStatus::Ok, BlobStatus::WrongDigest]);
    assert!(noted(&scratch).is_empty(), "{:?}", noted(&scratch));
}
