//! What is told of the places where models may be.

use std::os::unix::fs::symlink;

use super::*;

/// Makes a store with so many models.
fn store_at(path: PathBuf, models: usize) -> PathBuf {
    let library = path.join("manifests/registry.ollama.ai/library");
    for no in 0..models {
        let model = library.join(format!("m{no}"));
        fs::create_dir_all(&model).unwrap();
        fs::write(model.join("latest"), "{}").unwrap();
    }
    fs::create_dir_all(path.join("blobs")).unwrap();
    path
}

fn options(home: &Path, path: PathBuf) -> StoreOptions {
    let mut options = StoreOptions::new(path);
    options.home = Some(home.to_owned());
    options
}

#[test]
fn every_place_is_called_what_it_is() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    store_at(at("store"), 1);
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir_all(at("away")).unwrap();
    symlink("/mnt/gone", at("away/manifests")).unwrap();
    fs::write(at("file"), "").unwrap();
    symlink("/mnt/gone", at("dangling")).unwrap();
    let behind = format!(
        "{} is a link to /mnt/gone, which is not there",
        at("dangling").display()
    );
    for (name, state, what) in [
        ("store", LocationState::Store, ""),
        ("away", LocationState::Store, ""),
        ("empty", LocationState::NoStore, NO_STORE),
        ("file", LocationState::NoStore, "not a directory"),
        ("file/below", LocationState::NoStore, "not a directory"),
        ("nothing", LocationState::Missing, "does not exist"),
        (
            "dangling",
            LocationState::Dangling,
            "a link to /mnt/gone, which is not there",
        ),
        ("dangling/below", LocationState::Dangling, &*behind),
    ] {
        assert_eq!(look(&at(name)), (state, what.to_owned()), "{name}");
    }
}

#[test]
fn a_missing_store_is_told_beside_what_is_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let one = store_at(home.path().join(".ollama/models"), 1);
    let app = home.path().join(".var/app/some.app/data/.ollama/models");
    let two = store_at(app, 2);
    for (name, what) in [
        ("gone", "no such directory;"),
        ("link", "a link to /mnt/gone, which is not there;"),
    ] {
        let path = home.path().join(name);
        if name == "link" {
            symlink("/mnt/gone", &path).unwrap();
        }
        let text = options(home.path(), path.clone())
            .no_store(&path)
            .to_string();
        let begin = format!("opening store {}: {what} found instead: ", path.display());
        assert!(text.starts_with(&begin), "{text}");
        assert!(
            text.contains(&format!("{} (1 model)", one.display())),
            "{text}"
        );
        assert!(
            text.contains(&format!("{} (2 models)", two.display())),
            "{text}"
        );
        assert_eq!(
            text.matches(&path.display().to_string()).count(),
            1,
            "{text}"
        );
        assert!(!text.contains("does not exist"), "{text}");
    }
}

#[test]
fn an_empty_directory_is_told_beside_the_places_that_have_models() {
    let home = tempfile::tempdir().unwrap();
    let none = store_at(home.path().join(".ollama/models"), 0);
    let wrong = home.path().join("wrong");
    fs::create_dir(&wrong).unwrap();
    let store = Store::open_with(options(home.path(), wrong)).unwrap();
    let text = store.emptiness().unwrap();
    assert!(
        !text.contains(none.to_str().unwrap()),
        "it has no models: {text}"
    );
    store_at(none.clone(), 1);
    let text = store.emptiness().unwrap();
    let found = format!("{NO_STORE}; found elsewhere: {} (1 model)", none.display());
    assert!(text.starts_with(&found), "{text}");
    assert!(!text.contains("wrong"), "{text}");
    let store = Store::open_with(options(home.path(), none)).unwrap();
    assert_eq!(store.emptiness(), None);
}

#[test]
fn a_place_is_told_once_and_its_own_number_of_manifests_may_be_known() {
    let home = tempfile::tempdir().unwrap();
    let own = store_at(home.path().join("own"), 1);
    fs::create_dir(home.path().join(".ollama")).unwrap();
    symlink(&own, home.path().join(".ollama/models")).unwrap();
    let app = home.path().join(".var/app/some.app/.ollama/models");
    store_at(app.clone(), 2);
    let locations = options(home.path(), own.clone()).locations_counting(Some(7));
    let told = |path: &Path| -> Vec<(bool, usize)> {
        let real = |path: &Path| path.canonicalize().ok();
        let mut found = locations.clone();
        found.retain(|it| real(&it.path) == real(path));
        found.iter().map(|it| (it.opened, it.manifests)).collect()
    };
    assert_eq!(told(&own), [(true, 7)]);
    assert_eq!(told(&app), [(false, 2)]);
    let gone = options(home.path(), home.path().join("gone")).locations();
    assert_eq!((gone[0].opened, gone[0].exists), (false, false));
}

#[test]
fn what_is_closed_may_hold_models_and_the_home_of_root_says_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut location, _) = Location::at(scratch.path().to_owned());
    assert!(!location.has_models());
    location.state = LocationState::Closed;
    location.what = "closed".to_owned();
    assert!(location.has_models() && !location.is_home_of_root());
    assert_eq!(
        location.in_words(),
        format!("{} (closed)", scratch.path().display())
    );
    location.path = PathBuf::from("/root/.ollama/models");
    assert!(location.is_home_of_root());
}
