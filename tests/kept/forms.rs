//! Whatever decodes as a manifest keeps what it names, under whatever name and in whatever form.

use std::fs;
use std::path::Path;
use std::time::Duration;

use modelkeep::{Digest, ErrorKind, GcOptions, Store, StoreOptions};

use crate::common::{Scratch, reference};
use crate::{age_all, at_once};

/// A manifest at a path, which names a blob that nothing else names; whether a collection and a
/// delete keep the blob.
fn is_kept(path: &str, manifest: impl Fn(&Digest) -> String) -> bool {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights of a"]);
    let digest = scratch.blob(b"weights of another");
    scratch.write(path, manifest(&digest).as_bytes());
    let store = scratch.store();
    let _ = store.gc(&at_once());
    let _ = store.maintain_with(&at_once());
    store.delete(reference("a")).unwrap();
    scratch.blob_path(&digest).exists()
}

fn plain(digest: &Digest) -> String {
    format!(r#"{{"layers":[{{"digest":"{digest}","size":18}}]}}"#)
}

#[test]
fn a_manifest_keeps_its_blobs_whatever_it_is_called() {
    let long = "x".repeat(96);
    for path in [
        format!("manifests/registry.ollama.ai/library/{long}/latest"),
        format!("manifests/registry.ollama.ai/{long}/b/latest"),
        format!("manifests/{}/library/b/latest", "h".repeat(200)),
        "manifests/registry.ollama.ai/library/b/latest~".to_owned(),
        "manifests/registry.ollama.ai/library/b/.latest".to_owned(),
        "manifests/registry.ollama.ai/library/b c/latest".to_owned(),
        "manifests/registry.ollama.ai/library/.b/latest".to_owned(),
        "manifests/registry.ollama.ai/library/b/desktop.ini".to_owned(),
        "manifests/.hidden/library/b/latest".to_owned(),
        "manifests/registry.ollama.ai/library/b/c/latest".to_owned(),
        "manifests/registry.ollama.ai/library/b/c/d/e/latest".to_owned(),
        "manifests/registry.ollama.ai/library/b~".to_owned(),
        "manifests/registry.ollama.ai/b c".to_owned(),
        "manifests/desktop.ini".to_owned(),
    ] {
        assert!(is_kept(&path, plain), "{path}");
    }
}

#[test]
fn a_name_that_is_too_long_is_explained_and_never_advised_away() {
    let scratch = Scratch::new();
    let digest = scratch.blob(b"weights");
    let path = format!(
        "manifests/registry.ollama.ai/library/{}/latest",
        "x".repeat(81)
    );
    scratch.write(&path, plain(&digest).as_bytes());
    let diagnosis = scratch.store().doctor().unwrap();
    let found = &diagnosis.issues[0];
    assert!(
        found.path.ends_with(&path),
        "{}",
        diagnosis.to_json().unwrap()
    );
    assert!(!found.advice.contains("remove"), "{}", found.advice);
}

#[test]
fn a_digest_in_another_spelling_keeps_its_blob() {
    for spell in [
        |hex: &str| format!("SHA256:{hex}"),
        |hex: &str| format!("sha256_{hex}"),
        |hex: &str| hex.to_owned(),
        |hex: &str| format!("sha256:{hex} "),
        |hex: &str| format!("sha256{hex}"),
        |hex: &str| format!("sha512:{hex}{hex}"),
    ] {
        let manifest =
            |digest: &Digest| format!(r#"{{"layers":[{{"digest":"{}"}}]}}"#, spell(&digest.hex()));
        let path = "manifests/registry.ollama.ai/library/b/latest";
        assert!(is_kept(path, manifest), "{}", spell("HEX"));
    }
}

#[test]
fn a_digest_that_nobody_understands_keeps_everything() {
    for text in ["sha256:short", "md5:0123", "../../x", "?"] {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights of a"]);
        let orphan = scratch.blob(b"orphan");
        let manifest = format!(r#"{{"config":{{"digest":"{text}"}}}}"#);
        scratch.manifest("b", manifest.as_bytes());
        let error = scratch.store().gc(&at_once()).unwrap_err();
        assert!(error.to_string().contains("b:latest"), "{text}: {error}");
        let deleted = scratch.store().delete(reference("a")).unwrap();
        assert_eq!((deleted.blobs.len(), deleted.kept.len()), (0, 1), "{text}");
        assert!(scratch.blob_path(&orphan).exists(), "{text}");
    }
    let scratch = Scratch::new();
    let orphan = scratch.blob(b"orphan");
    scratch.manifest("b", br#"{"config":{"digest":""},"layers":[{}]}"#);
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn manifests_of_other_forms_keep_what_they_name() {
    let forms: [fn(&Digest) -> String; 5] = [
        |digest| format!(r#"{{"manifests":[{{"digest":"{digest}"}}]}}"#),
        |digest| format!(r#"{{"schemaVersion":1,"fsLayers":[{{"blobSum":"{digest}"}}]}}"#),
        |digest| format!(r#"{{"layers":[],"subject":{{"digest":"{digest}"}}}}"#),
        |digest| format!(r#"{{"artifactType":"x","blobs":[{{"digest":"{digest}"}}]}}"#),
        |digest| {
            let escaped: String = digest
                .hex()
                .bytes()
                .map(|c| format!("\\u{c:04x}"))
                .collect();
            format!(r#"{{"fsLayers":[{{"blobSum":"sha256:{escaped}"}}]}}"#)
        },
    ];
    for form in forms {
        let path = "manifests/registry.ollama.ai/library/b/latest";
        assert!(is_kept(path, form), "{}", form(&Digest::of(b"")));
    }
}

#[test]
fn a_manifest_of_another_form_is_named_as_what_it_is() {
    use modelkeep::ManifestForm::{Artifact, Index, Model, Schema1};
    let scratch = Scratch::new();
    scratch.model("model", &[b"weights"]);
    scratch.manifest("index", br#"{"manifests":[],"mediaType":"x"}"#);
    scratch.manifest("schema1", br#"{"fsLayers":[]}"#);
    scratch.manifest("artifact", br#"{"artifactType":"application/x"}"#);
    let listing = scratch.store().list().unwrap();
    let mut forms: Vec<_> = listing
        .models
        .iter()
        .map(|l| (l.name.model(), l.form))
        .collect();
    forms.sort_by_key(|(name, _)| *name);
    let expected = [
        ("artifact", Artifact),
        ("index", Index),
        ("model", Model),
        ("schema1", Schema1),
    ];
    assert_eq!(forms, expected);
    let diagnosis = scratch.store().doctor().unwrap();
    assert_eq!(diagnosis.notes.len(), 3, "{:?}", diagnosis.notes);
}

/// Cut after the first of its digests, it still has letters of a manifest, and lacks the rest.
#[test]
fn a_damaged_manifest_among_the_blobs_keeps_every_blob() {
    let scratch = Scratch::new();
    let (first, second) = (scratch.blob(b"first"), scratch.blob(b"second"));
    let inner = format!(
        r#"{{"layers":[{{"digest":"{first}","size":5}},{{"digest":"{second}","size":6}}]}}"#
    );
    let nested = scratch.blob(inner.as_bytes());
    let outer = format!(r#"{{"manifests":[{{"digest":"{nested}"}}]}}"#);
    scratch.manifest("index", outer.as_bytes());
    let cut = inner.find(&second.to_string()).unwrap();
    fs::write(scratch.blob_path(&nested), &inner[..cut]).unwrap();
    let error = scratch.store().gc(&at_once()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(scratch.blob_path(&first).exists() && scratch.blob_path(&second).exists());
    fs::write(scratch.blob_path(&nested), &inner).unwrap();
    let orphan = scratch.blob(b"orphan");
    assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn an_index_keeps_what_the_manifests_name_that_it_names() {
    let scratch = Scratch::new();
    let weights = scratch.blob(b"weights");
    let nested = scratch.blob(plain(&weights).as_bytes());
    let index = format!(r#"{{"manifests":[{{"digest":"{nested}"}}]}}"#);
    let inner = scratch.blob(index.as_bytes());
    for key in ["manifests", "Manifests", r"m\u0061nifests"] {
        let outer = format!(r#"{{"{key}":[{{"digest":"{inner}"}}]}}"#);
        scratch.manifest("index", outer.as_bytes());
        assert_eq!(scratch.store().gc(&at_once()).unwrap().blobs, [], "{key}");
        for digest in [weights, nested, inner] {
            assert!(scratch.blob_path(&digest).exists(), "{key}");
        }
    }
}

/// Where a tree of other files lies among the manifests, each is looked at and none is one.
#[test]
fn a_directory_in_the_place_of_a_manifest_is_noted_once_and_stops_nothing() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let tree = "manifests/registry.ollama.ai/library/a/tree";
    for file in ["package.json", "below/notes", "below/deeper/x"] {
        scratch.write(&format!("{tree}/{file}"), br#"{"name":"x"}"#);
    }
    let large = fs::File::create(scratch.root().join(tree).join("large")).unwrap();
    large.set_len(17 << 20).unwrap();
    let store = scratch.store();
    let diagnosis = store.doctor().unwrap();
    assert!(diagnosis.is_ok(), "{diagnosis:?}");
    let is_tree = |path: &Path| path == scratch.root().join(tree);
    let noted = diagnosis.notes.iter().filter(|note| is_tree(&note.path));
    assert_eq!(noted.count(), 1);
    assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan]);
}

#[test]
fn what_file_managers_and_file_systems_leave_stops_nothing() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let orphan = scratch.blob(b"orphan");
    let library = "manifests/registry.ollama.ai/library";
    for path in [
        "manifests/.DS_Store",
        "manifests/._registry.ollama.ai",
        "manifests/lost+found/x/y/z",
        "manifests/.snapshot/daily.0/library/b",
        "manifests/.Trash-1000/files/a/b",
        "blobs/.DS_Store",
        "blobs/Thumbs.db",
    ] {
        scratch.write(path, b"\0\0no JSON");
    }
    for file in [
        "desktop.ini",
        "Thumbs.db",
        ".DS_Store",
        "._latest",
        "notes~",
    ] {
        scratch.write(&format!("{library}/a/{file}"), b"[.ShellClassInfo]");
    }
    let store = scratch.store();
    assert!(store.list().unwrap().problems.is_empty());
    let uses = store.which(Digest::of(b"weights").to_string()).unwrap();
    assert!(uses.uses.len() == 1 && uses.problems.is_empty());
    let diagnosis = store.doctor().unwrap();
    assert!(diagnosis.is_ok(), "{}", diagnosis.to_json().unwrap());
    assert!(!diagnosis.notes.is_empty());
    assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan]);
    assert!(scratch.root().join("blobs/.DS_Store").exists());
}

/// rsync writes to a name with a dot before it, and rclone to one that a model can have as well.
#[test]
fn what_copying_programs_leave_is_named_and_never_removed() {
    let scratch = Scratch::new();
    let weights = scratch.model("a", &[b"weights"]).remove(0);
    let orphan = scratch.blob(b"orphan");
    let library = "manifests/registry.ollama.ai/library";
    let hex = weights.hex();
    let left = [
        format!("blobs/.sha256-{hex}.Xy12Zw"),
        format!("blobs/sha256-{hex}.1a2b3c4d.partial"),
        format!("{library}/a/.latest.aB3dEf"),
    ];
    for path in &left {
        scratch.write(path, b"{\"cut");
    }
    let store = scratch.store();
    let told = store.doctor().unwrap().to_json().unwrap();
    for path in &left {
        assert!(
            told.contains(path.rsplit('/').next().unwrap()),
            "{path}: {told}"
        );
    }
    assert_eq!(store.gc(&at_once()).unwrap().blobs, [orphan]);

    let cut = format!("{library}/a/latest.1a2b3c4d.partial");
    scratch.write(&cut, b"{\"cut");
    scratch.blob(b"another");
    assert_eq!(store.gc(&at_once()).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(
        left.iter()
            .chain([&cut])
            .all(|path| scratch.root().join(path).exists())
    );
}

#[test]
fn a_blob_that_was_just_brought_here_with_its_old_time_is_young() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights"]);
    let brought = scratch.blob(b"its manifest comes in a moment");
    age_all(&scratch.root().join("blobs"));
    let store = scratch.store();
    let collected = store.gc(&GcOptions::default()).unwrap();
    assert_eq!((collected.blobs.len(), collected.young), (0, 1));
    assert!(store.maintain().unwrap().collected.blobs.is_empty());
    assert!(scratch.blob_path(&brought).exists());
}

/// A second root whose `blobs/` is a link to the first one's.
fn sharing(first: &Scratch) -> (tempfile::TempDir, Store) {
    let second = tempfile::tempdir().unwrap();
    let blobs = second.path().join("blobs");
    std::os::unix::fs::symlink(first.root().join("blobs"), blobs).unwrap();
    let store = StoreOptions::new(second.path()).delete_delay(Duration::ZERO);
    let store = Store::open_with(store).unwrap();
    (second, store)
}

#[test]
fn the_models_beside_shared_blobs_are_users_of_them() {
    let first = Scratch::new();
    let of_a = first.model("a", &[b"weights of a"]);
    let (second, store) = sharing(&first);
    let manifest = second
        .path()
        .join("manifests/registry.ollama.ai/library/b/latest");
    fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    fs::copy(first.manifest_path("a"), &manifest).unwrap();
    assert_eq!(store.gc(&at_once()).unwrap().blobs, []);
    let deleted = store.delete(reference("b")).unwrap();
    assert_eq!(deleted.blobs, []);
    assert_eq!(deleted.shared.len(), of_a.len());
    assert!(of_a.iter().all(|digest| first.blob_path(digest).exists()));
    let diagnosis = store.doctor().unwrap();
    assert!(
        diagnosis
            .notes
            .iter()
            .any(|note| note.path == second.path().join("blobs"))
    );
    // An unreadable manifest there keeps everything here, and is named.
    first.manifest("torn", b"{");
    assert!(store.gc(&at_once()).is_err());
    let torn = first.manifest_path("torn");
    let diagnosis = store.doctor().unwrap();
    assert!(diagnosis.issues.iter().any(|issue| issue.path == torn));
    assert_eq!(store.usage().unwrap().problems[0].path(), torn);
}

#[test]
fn every_store_that_links_to_the_blobs_lead_through_uses_them() {
    let first = Scratch::new();
    let of_a = first.model("a", &[b"weights of a"]);
    let (second, _) = sharing(&first);
    let third = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(second.path().join("blobs"), third.path().join("blobs")).unwrap();
    let of_b = first.blob(b"weights of b");
    let library = second.path().join("manifests/registry.ollama.ai/library");
    fs::create_dir_all(library.join("b")).unwrap();
    fs::write(library.join("b/latest"), plain(&of_b)).unwrap();
    let store = StoreOptions::new(third.path()).delete_delay(Duration::ZERO);
    let store = Store::open_with(store).unwrap();
    assert_eq!(store.gc(&at_once()).unwrap().blobs, []);
    assert_eq!(store.usage().unwrap().orphans.files, 0);
    assert!(
        of_a.iter()
            .chain([&of_b])
            .all(|it| first.blob_path(it).exists())
    );
    assert!(first.root().join(".modelkeep/lock").is_file());
}

#[test]
fn stores_that_share_blobs_share_a_lock() {
    let first = Scratch::new();
    first.model("a", &[b"weights of a"]);
    let (second, store) = sharing(&first);
    store.add_blob(&mut &b"new"[..], None).unwrap();
    assert!(first.root().join(".modelkeep/lock").is_file());
    assert!(!Path::new(&second.path().join(".modelkeep/lock")).exists());
}
