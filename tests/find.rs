//! Names, digests and files that lead to a model, and what is said where they do not.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Scratch, name, reference};
use modelkeep::http_api::{self, Basename};
use modelkeep::{Digest, Error, ErrorKind, ShowOptions, Store, StoreOptions};

/// What every call that looks for a model says of one.
fn failures(store: &Store, model: &str) -> Vec<Error> {
    let deleted = store.delete(reference(model));
    vec![
        store.model(reference(model)).unwrap_err(),
        store
            .show(reference(model), &ShowOptions::default())
            .unwrap_err(),
        store.copy(&name(model), &name("copy")).unwrap_err(),
        deleted.unwrap_err(),
    ]
}

#[test]
fn a_missing_model_has_the_nearest_names_and_at_most_three() {
    let scratch = Scratch::new();
    let stored = [
        "llama3:8b",
        "llama3:70b",
        "llama3.2",
        "llama3.3",
        "hf.co/team/b:Q4",
        "mistral:7b",
    ];
    for model in stored {
        scratch.model(model, &[]);
    }
    for (wanted, expected) in [
        (
            "llama3",
            &["llama3:70b", "llama3:8b", "llama3.2:latest"][..],
        ),
        ("mitsral:7b", &["mistral:7b"]),
        ("huggingface.co/team/b:Q4", &["hf.co/team/b:Q4"]),
        ("me/Mistral", &["mistral:7b"]),
        ("qwen3", &[]),
    ] {
        for error in failures(&scratch.store(), wanted) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert_eq!(error.suggestions(), expected, "{wanted}");
            assert!(error.context().ends_with(" not found"), "{error}");
            for name in expected {
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
    let before = scratch.snapshot();
    assert_eq!(failures(&scratch.store(), "llama3").len(), 4);
    assert_eq!(scratch.snapshot(), before, "a suggestion was acted on");
}

#[test]
fn the_wires_text_has_no_suggestions() {
    let scratch = Scratch::new();
    scratch.model("llama3:8b", &[]);
    let body = br#"{"model":"llama3"}"#;
    for answer in [
        http_api::show(&scratch.store(), body, Basename::OfFile),
        modelkeep::http_api::delete(&scratch.store(), body),
    ] {
        assert_eq!(answer.status, 404);
        let text = answer.body.replace("llama3:latest", "llama3");
        assert_eq!(text, r#"{"error":"model 'llama3' not found"}"#);
    }
}

#[test]
fn a_stored_model_without_its_blob_is_not_called_missing() {
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights"]);
    fs::remove_file(scratch.blob_path(&digests[1])).unwrap();
    let store = scratch.store();
    let model = store.model(reference("a")).unwrap();
    for error in [
        model.gguf_path().unwrap_err(),
        store
            .show(reference("a"), &ShowOptions::default())
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::FileNotFound);
        assert_eq!(error.path(), Some(&*scratch.blob_path(&digests[1])));
        assert!(!error.to_string().contains("not found"), "{error}");
    }
    let answer = http_api::show(&store, br#"{"model":"A"}"#, Basename::OfFile);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body, r#"{"error":"model 'a:latest' not found"}"#);
}

#[test]
fn what_is_behind_a_broken_link_is_not_absent() {
    for part in ["", "registry.ollama.ai", "registry.ollama.ai/library"] {
        let scratch = Scratch::new();
        scratch.model("a", &[]);
        let link = scratch.root().join("manifests").join(part);
        fs::rename(&link, scratch.root().join("elsewhere")).unwrap();
        let link = link.to_str().unwrap().trim_end_matches('/');
        symlink("/mnt/gone", link).unwrap();
        for error in failures(&scratch.store(), "a") {
            assert_eq!(error.kind(), ErrorKind::FileNotFound, "{error}");
            assert!(error.to_string().contains("a link to /mnt/gone"), "{error}");
        }
    }
}

#[test]
fn a_directory_that_is_no_store_is_said_to_be_none() {
    let home = Scratch::new();
    let models = home.root().join(".ollama/models");
    fs::create_dir_all(models.join("manifests/registry.ollama.ai/library/x")).unwrap();
    fs::write(
        models.join("manifests/registry.ollama.ai/library/x/latest"),
        "{}",
    )
    .unwrap();
    let wrong = home.root().join(".ollama");
    let store = Store::open(&wrong).unwrap();
    for error in failures(&store, "x") {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let text = error.to_string();
        assert!(text.contains("holds neither manifests nor blobs"), "{text}");
        assert!(text.contains(wrong.to_str().unwrap()), "{text}");
    }
    let listing = store.list().unwrap();
    assert!(listing.models.is_empty());
    assert_eq!(listing.problems.len(), 1);
    let diagnosis = store.doctor().unwrap();
    assert!(
        diagnosis
            .notes
            .iter()
            .any(|note| note.what.contains("neither"))
    );
    fs::create_dir(wrong.join("blobs")).unwrap();
    assert!(store.list().unwrap().problems.is_empty());
}

#[test]
fn a_store_that_cannot_be_opened_is_diagnosed() {
    let home = Scratch::new();
    let path = home.root().join(".ollama/models");
    symlink("/mnt/gone", home.root().join(".ollama")).unwrap();
    let diagnosis = StoreOptions::new(&path).diagnose().unwrap();
    assert!(!diagnosis.is_ok());
    assert!(diagnosis.issues[0].what.contains("a link to /mnt/gone"));
    let own = &diagnosis.locations[0];
    assert_eq!(own.path, path);
    assert_eq!((own.state.as_str(), own.opened), ("dangling", false));
    assert!(diagnosis.locations.len() >= 3, "{:?}", diagnosis.locations);
}

#[test]
fn an_id_leads_to_its_model_where_no_name_does() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"1"]);
    scratch.model("b:7b", &[b"2"]);
    let store = scratch.store();
    for line in store.list().unwrap().models {
        for digits in [12, 13, 64] {
            let id = line.digest.get(..digits).unwrap();
            assert_eq!(store.identify(reference(id)).unwrap(), line.name);
            assert_eq!(
                store.identify(reference(&id.to_uppercase())).unwrap(),
                line.name
            );
        }
        let short = line.digest.get(..11).unwrap();
        let error = store.identify(reference(short)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert_eq!(store.identify(reference("b:7b")).unwrap(), name("b:7b"));
}

#[test]
fn a_model_that_is_called_like_an_id_is_that_model() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"1"]);
    let store = scratch.store();
    let id = store.list().unwrap().models[0].digest[..12].to_owned();
    scratch.model(&id, &[b"2"]);
    assert_eq!(store.identify(reference(&id)).unwrap(), name(&id));
}

#[test]
fn a_delete_by_id_deletes_nothing_and_says_whose_it_is() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"1"]);
    let store = scratch.store();
    let id = store.list().unwrap().models[0].digest[..12].to_owned();
    let before = scratch.snapshot();
    let error = store.delete(reference(&id)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("the ID of a:latest"), "{error}");
    assert_eq!(scratch.snapshot(), before);
}

#[test]
fn a_digest_and_a_file_lead_to_the_models_that_use_them() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"shared", b"own"]);
    scratch.model("b", &[b"shared"]);
    let store = scratch.store();
    let digest = Digest::of(b"shared");
    let elsewhere = scratch.root().join("download");
    fs::write(&elsewhere, b"shared").unwrap();
    let hex = digest.hex();
    for what in [
        digest.to_string(),
        format!("sha256-{hex}"),
        hex.to_uppercase(),
        hex[..12].to_owned(),
        scratch.blob_path(&digest).display().to_string(),
        elsewhere.display().to_string(),
    ] {
        let uses = store.which(&what).unwrap().uses;
        let found: Vec<_> = uses
            .iter()
            .map(|part| (part.name.to_string(), part.kind.as_str()))
            .collect();
        let expected = [
            ("a:latest".to_owned(), "model"),
            ("b:latest".to_owned(), "model"),
        ];
        assert_eq!(found, expected, "{what}");
        assert!(uses.iter().all(|part| part.digest == digest.to_string()));
    }
    let manifest = store.which(scratch.manifest_path("a")).unwrap().uses;
    assert_eq!(manifest.len(), 1);
    assert_eq!(
        (&manifest[0].name, &*manifest[0].kind),
        (&name("a"), "manifest")
    );
    assert!(store.which("ab".repeat(32)).unwrap().uses.is_empty());
    let error = store.which(scratch.root().join("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
}

#[test]
fn names_are_found_without_opening_what_they_name() {
    let scratch = Scratch::new();
    scratch.model("b", &[]);
    scratch.model("a:x", &[]);
    let library = scratch.root().join("manifests/registry.ollama.ai/library");
    fs::write(library.join("b/torn"), "{").unwrap();
    symlink("/nonexistent", library.join("elsewhere")).unwrap();
    let found = scratch.store().names().unwrap();
    let names: Vec<String> = found.names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["a:x", "b:latest", "b:torn"]);
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    let store = scratch.store();
    fs::remove_dir_all(scratch.root()).unwrap();
    let error = store.names().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
}
