//! What is remembered of a list, and when it is not believed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::fs::read::opened;
use crate::name::Digest;
use crate::store::handle::Store;
use crate::store::options::StoreOptions;

struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("blobs")).unwrap();
        Scene { root }
    }

    fn blob(&self, bytes: &[u8]) -> (String, PathBuf) {
        let digest = Digest::of(bytes);
        let path = self
            .root
            .path()
            .join(format!("blobs/sha256-{}", digest.hex()));
        fs::write(&path, bytes).unwrap();
        (digest.to_string(), path)
    }

    /// Makes a model with blobs of its own; returns the files of its manifest, config and template.
    fn model(&self, name: &str) -> [PathBuf; 3] {
        let (config, config_path) =
            self.blob(format!(r#"{{"model_format":"gguf","model_family":"{name}"}}"#).as_bytes());
        let (template, template_path) = self.blob(format!("{name} {{{{ .Prompt }}}}").as_bytes());
        let text = format!(
            r#"{{"config":{{"digest":"{config}","size":1}},"layers":[
            {{"mediaType":"application/vnd.ollama.image.template","digest":"{template}","size":2}}]}}"#
        );
        [self.manifest(name, &text), config_path, template_path]
    }

    fn manifest(&self, name: &str, text: &str) -> PathBuf {
        let directory = self
            .root
            .path()
            .join("manifests/registry.ollama.ai/library")
            .join(name);
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("latest");
        fs::write(&path, text).unwrap();
        path
    }

    fn open(&self, cache_size: u64) -> Store {
        let options = StoreOptions::new(self.root.path()).cache_size(cache_size);
        Store::open_with(options).unwrap()
    }
}

fn told(store: &Store) -> (String, Vec<String>) {
    let listing = store.list().unwrap();
    let problems = listing.problems.iter().map(ToString::to_string);
    (listing.to_json(), problems.collect())
}

/// Waits until what was written so far can be told from what is written from now on.
fn settle() {
    thread::sleep(Duration::from_millis(2_100));
}

#[test]
fn only_what_is_at_rest_and_unchanged_is_not_read_again() {
    let scene = Scene::new();
    let files = scene.model("one");
    let counts = || files.each_ref().map(|file| opened::count(file));
    let (remembers, forgets) = (scene.open(1 << 20), scene.open(0));
    let young = told(&remembers);
    assert_eq!(told(&remembers), young);
    assert_eq!(
        counts(),
        [2, 2, 2],
        "a young file may change and look the same"
    );
    settle();
    told(&remembers);
    assert_eq!(counts(), [3, 3, 3]);
    assert_eq!(told(&remembers), young);
    assert_eq!(told(&remembers.clone()), young);
    assert_eq!(counts(), [3, 3, 3], "nothing changed");
    told(&forgets);
    assert_eq!(told(&forgets), young);
    assert_eq!(counts(), [5, 5, 5], "where nothing may be remembered");
    let small = scene.open(100);
    told(&small);
    assert_eq!(told(&small), young);
    assert_eq!(counts(), [7, 7, 7], "a line takes more than that");
}

#[test]
fn a_young_manifest_is_read_again_however_old_its_directory_and_its_blobs_are() {
    let scene = Scene::new();
    let [manifest, ..] = scene.model("one");
    settle();
    let text = fs::read(&manifest).unwrap();
    fs::write(&manifest, text).unwrap();
    let store = scene.open(1 << 20);
    assert_eq!(told(&store), told(&store));
    assert_eq!(opened::count(&manifest), 2);
}

/// What hides models keeps every blob: it is never remembered as nothing.
#[test]
#[cfg(unix)]
fn what_is_in_the_way_is_told_each_time() {
    let scene = Scene::new();
    let strange: [fn(&Path); 3] = [
        |path| std::os::unix::fs::symlink("/nonexistent", path).unwrap(),
        |path| {
            fs::create_dir(path).unwrap();
            fs::copy(path.with_file_name("latest"), path.join("deep"))
                .map(drop)
                .unwrap();
        },
        |path| fs::write(path.with_file_name(".hidden"), "no manifest").unwrap(),
    ];
    for (number, make) in strange.into_iter().enumerate() {
        let [manifest, ..] = scene.model(&format!("m{number}"));
        make(&manifest.with_file_name("strange"));
    }
    settle();
    let looks = |store: &Store| {
        let survey = store.survey(|_| Ok(Some(()))).unwrap();
        let problems = survey.problems.iter().map(ToString::to_string);
        let found = survey.found.len();
        (problems.collect::<Vec<_>>(), survey.strays, found)
    };
    let (store, forgets) = (scene.open(1 << 20), scene.open(0));
    let first = looks(&forgets);
    assert_eq!(
        (first.0.len(), first.1.len(), first.2),
        (1, 1, 4),
        "{first:?}"
    );
    for _ in 0..3 {
        assert_eq!(looks(&store), first);
    }
}

/// Writes other bytes of the same length, and sets the time back.
fn rewrite(path: &Path, from: &str, to: &str) {
    let modified = path.metadata().unwrap().modified().unwrap();
    let text = fs::read_to_string(path).unwrap().replace(from, to);
    fs::write(path, text).unwrap();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
}

#[test]
fn whatever_changes_shows_in_the_next_list() {
    let scene = Scene::new();
    type Change = fn(&Scene, &[PathBuf; 3]);
    let changes: [(&str, Change); 9] = [
        ("nothing", |_, _| {}),
        ("manifest", |_, [manifest, ..]| {
            rewrite(manifest, r#""size":1"#, r#""size":9"#)
        }),
        ("config", |_, [_, config, _]| {
            rewrite(config, "gguf", "ggml")
        }),
        ("template", |_, [.., template]| {
            rewrite(template, ".Prompt", ".Suffix")
        }),
        ("no-config", |_, [_, config, _]| {
            fs::remove_file(config).unwrap()
        }),
        ("no-template", |_, [.., template]| {
            fs::remove_file(template).unwrap()
        }),
        ("no-manifest", |_, [manifest, ..]| {
            fs::remove_file(manifest).unwrap()
        }),
        ("more", |_, [manifest, ..]| {
            fs::copy(manifest, manifest.with_file_name("more"))
                .map(drop)
                .unwrap()
        }),
        ("replaced", |scene, [manifest, ..]| {
            let [other, ..] = scene.model("other");
            fs::rename(other, manifest).unwrap();
        }),
    ];
    let models = changes.map(|(name, change)| (name, change, scene.model(name)));
    let store = scene.open(1 << 20);
    settle();
    told(&store);
    let mut before = told(&store);
    for (name, change, files) in &models {
        change(&scene, files);
        let now = told(&store);
        assert_eq!(now, told(&scene.open(0)), "{name}");
        assert_eq!(now == before, *name == "nothing", "{name}");
        before = now;
    }
}

#[test]
fn a_name_that_becomes_an_alias_is_one_in_the_next_list() {
    let scene = Scene::new();
    let [manifest, ..] = scene.model("one");
    let [other, ..] = scene.model("two");
    let store = scene.open(1 << 20);
    settle();
    told(&store);
    fs::remove_file(&other).unwrap();
    fs::hard_link(&manifest, &other).unwrap();
    let listing = store.list().unwrap();
    let alias = |name| {
        let line = listing
            .models
            .iter()
            .find(|line| line.name.to_string() == name);
        line.unwrap().alias_of.as_ref().map(ToString::to_string)
    };
    assert_eq!(alias("one:latest"), None);
    assert_eq!(alias("two:latest").as_deref(), Some("one:latest"));
}

#[test]
fn the_text_of_a_list_is_that_of_its_models_also_of_several_stores() {
    let scenes = [Scene::new(), Scene::new()];
    scenes[0].model("one");
    scenes[1].model("two");
    for roots in [&scenes[..1], &scenes[..]] {
        let roots = roots.iter().map(|scene| scene.root.path());
        let store = Store::open_with(StoreOptions::new("").paths(roots)).unwrap();
        let (text, problems) = store.list_json().unwrap();
        assert_eq!((text, problems.len()), (told(&store).0, 0));
    }
}

#[test]
fn the_weights_of_what_runs_elsewhere_tell_nothing() {
    let scene = Scene::new();
    let mut weights = Vec::new();
    let mut writer = crate::gguf::Writer::new();
    writer.set("general.architecture", "llama");
    writer.set("llama.context_length", 77_u32);
    writer.write_to(&mut weights).unwrap();
    let (weights, _) = scene.blob(&weights);
    let elsewhere = [r#""remote_host":"h""#, r#""remote_model":"m""#, ""];
    for (name, remote) in ["host", "model", "here"].into_iter().zip(elsewhere) {
        let (config, _) = scene.blob(format!("{{{remote}}}").as_bytes());
        let text = format!(
            r#"{{"config":{{"digest":"{config}"}},"layers":[
            {{"mediaType":"application/vnd.ollama.image.model","digest":"{weights}"}}]}}"#
        );
        scene.manifest(name, &text);
    }
    let listing = scene.open(0).list().unwrap();
    let lengths = ["host", "model", "here"].map(|name| {
        let mut models = listing.models.iter();
        let model = models.find(|line| line.name.model() == name);
        model.unwrap().details.context_length
    });
    assert_eq!(lengths, [0, 0, 77]);
}
