//! A name behind a link to a directory is an alias: the model stays, whatever is done to the name.

use std::fs;
use std::os::unix::fs::symlink;

use modelkeep::{Digest, ImportOptions};

use crate::common::{Scratch, fixture, name, reference};
use crate::{at_once, verify};

const LIBRARY: &str = "manifests/registry.ollama.ai/library";

/// Two models, and a link among the manifests.
fn linked(link: &str, to: &str) -> (Scratch, Vec<Digest>) {
    let scratch = Scratch::new();
    let mut digests = scratch.model("a", &[b"weights of a"]);
    digests.extend(scratch.model("hf.co/team/b:Q4", &[b"weights of b"]));
    scratch.model("x", &[b"weights of x"]);
    symlink(to, scratch.root().join(link)).unwrap();
    (scratch, digests)
}

/// The link, what it leads to, the alias, and its model.
fn cases() -> [(String, &'static str, &'static str, &'static str); 4] {
    [
        (format!("{LIBRARY}/alias"), "a", "alias", "a"),
        (
            "manifests/huggingface.co".to_owned(),
            "hf.co",
            "huggingface.co/team/b:Q4",
            "hf.co/team/b:Q4",
        ),
        (
            "manifests/hf.co/friends".to_owned(),
            "team",
            "hf.co/friends/b:Q4",
            "hf.co/team/b:Q4",
        ),
        (
            "manifests/registry.ollama.ai/team".to_owned(),
            "../hf.co/team",
            "team/b:Q4",
            "hf.co/team/b:Q4",
        ),
    ]
}

fn is_whole(scratch: &Scratch, model: &str, digests: &[Digest]) -> bool {
    scratch.manifest_path(model).is_file()
        && digests
            .iter()
            .all(|digest| scratch.blob_path(digest).exists())
}

#[test]
fn deleting_an_alias_removes_the_link_and_the_model_stays() {
    for (link, to, alias, model) in cases() {
        let (scratch, digests) = linked(&link, to);
        let deleted = scratch.store().delete(reference(alias)).unwrap();
        assert!(is_whole(&scratch, model, &digests), "{alias}");
        assert!(
            scratch.root().join(&link).symlink_metadata().is_err(),
            "{alias}"
        );
        assert_eq!(deleted.blobs, [], "{alias}");
        assert_eq!(deleted.aliases[0].model, name(model), "{alias}");
        assert_eq!(
            deleted.aliases[0].link,
            scratch.root().join(&link),
            "{alias}"
        );
        // What is no alias any more goes as ever.
        let deleted = scratch.store().delete(reference(model)).unwrap();
        assert_eq!(deleted.blobs.len(), 2, "{alias}");
    }
}

#[test]
fn copying_and_importing_onto_an_alias_replace_the_link() {
    for (link, to, alias, model) in cases() {
        let (scratch, digests) = linked(&link, to);
        let before = fs::read(scratch.manifest_path(model)).unwrap();
        scratch.store().copy(&name("x"), &name(alias)).unwrap();
        assert!(!scratch.root().join(&link).is_symlink(), "{alias}");
        assert_eq!(
            fs::read(scratch.manifest_path(model)).unwrap(),
            before,
            "{alias}"
        );
        let copied = fs::read(scratch.manifest_path(alias)).unwrap();
        assert_eq!(
            copied,
            fs::read(scratch.manifest_path("x")).unwrap(),
            "{alias}"
        );

        let (scratch, _) = linked(&link, to);
        let options = ImportOptions::new().replace(true);
        scratch
            .store()
            .import(fixture(), name(alias), &options)
            .unwrap();
        scratch.store().gc(&at_once()).unwrap();
        assert_eq!(
            fs::read(scratch.manifest_path(model)).unwrap(),
            before,
            "{alias}"
        );
        assert!(is_whole(&scratch, model, &digests), "{alias}");
    }
}

#[test]
fn list_and_doctor_mark_aliases() {
    for (link, to, alias, model) in cases() {
        let (scratch, _) = linked(&link, to);
        let listing = scratch.store().list().unwrap();
        let of = |text: &str| {
            let line = listing.models.iter().find(|line| line.name == name(text));
            line.unwrap().alias_of.clone()
        };
        assert_eq!(of(alias), Some(name(model)));
        assert_eq!((of(model), of("x")), (None, None));
        let diagnosis = scratch.store().doctor().unwrap();
        assert!(
            diagnosis
                .notes
                .iter()
                .any(|note| note.name == Some(name(alias))),
            "{alias}"
        );
    }
}

#[test]
fn two_names_of_one_file_are_marked_and_parted_by_a_copy() {
    let scratch = Scratch::new();
    scratch.model("a", &[b"weights of a"]);
    scratch.model("x", &[b"weights of x"]);
    let twin = scratch.manifest_path("twin");
    fs::create_dir_all(twin.parent().unwrap()).unwrap();
    fs::hard_link(scratch.manifest_path("a"), &twin).unwrap();
    let listing = scratch.store().list().unwrap();
    let line = listing.models.iter().find(|line| line.name == name("twin"));
    assert_eq!(line.unwrap().alias_of, Some(name("a")));
    scratch.store().copy(&name("x"), &name("twin")).unwrap();
    assert!(verify(&scratch.store()).is_ok());
    let digests = |text: &str| scratch.store().model(reference(text)).unwrap();
    assert_ne!(
        digests("a").manifest().digests(),
        digests("x").manifest().digests()
    );
}

#[test]
fn models_that_were_moved_behind_a_link_are_no_aliases() {
    for place in ["manifests", "manifests/registry.ollama.ai", LIBRARY] {
        let scratch = Scratch::new();
        scratch.model("a", &[b"weights of a"]);
        let disk = tempfile::tempdir().unwrap();
        let moved = disk.path().join("moved");
        fs::rename(scratch.root().join(place), &moved).unwrap();
        symlink(&moved, scratch.root().join(place)).unwrap();
        let store = scratch.store();
        assert_eq!(store.list().unwrap().models[0].alias_of, None, "{place}");
        store.copy(&name("a"), &name("c")).unwrap();
        let deleted = store.delete(reference("a")).unwrap();
        assert!(deleted.aliases.is_empty(), "{place}");
        assert!(scratch.root().join(place).is_symlink(), "{place}");
        assert_eq!(
            store.delete(reference("c")).unwrap().blobs.len(),
            2,
            "{place}"
        );
    }
}

#[test]
fn two_links_to_one_moved_directory_lose_nothing_to_each_other() {
    let scratch = Scratch::new();
    let digests = scratch.model("one/a", &[b"weights of a"]);
    let disk = tempfile::tempdir().unwrap();
    let host = scratch.root().join("manifests/registry.ollama.ai");
    fs::rename(host.join("one"), disk.path().join("moved")).unwrap();
    for link in ["one", "two"] {
        symlink(disk.path().join("moved"), host.join(link)).unwrap();
    }
    scratch.store().delete(reference("two/a")).unwrap();
    assert!(is_whole(&scratch, "one/a", &digests));
    let deleted = scratch.store().delete(reference("one/a")).unwrap();
    assert_eq!(deleted.blobs.len(), digests.len());
}

/// The names of a directory of models: itself and its links.
fn aliased(links: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::new();
    scratch.model("m", &[b"weights"]);
    for (link, to) in links {
        symlink(to, scratch.root().join("manifests").join(link)).unwrap();
    }
    scratch
}

#[test]
fn of_an_alias_behind_a_link_that_leads_to_the_model_too_only_its_own_link_goes() {
    let scratch = aliased(&[("registry.ollama.ai/library/alias", "m")]);
    let moved = tempfile::tempdir().unwrap();
    let host = scratch.root().join("manifests/registry.ollama.ai");
    fs::rename(&host, moved.path().join("host")).unwrap();
    symlink(moved.path().join("host"), &host).unwrap();
    let deleted = scratch.store().delete(reference("alias")).unwrap();
    assert_eq!(deleted.aliases[0].link, host.join("library/alias"));
    assert_eq!(deleted.aliases[0].model, name("m"));
    assert!(host.is_symlink() && scratch.store().find(name("m")).unwrap().is_some());
}

#[test]
fn an_alias_is_one_of_the_model_and_not_of_another_alias() {
    let links = ["a", "z"].map(|link| format!("registry.ollama.ai/library/{link}"));
    let scratch = aliased(&[(&links[0], "m"), (&links[1], "m")]);
    for alias in ["a", "z"] {
        let deleted = scratch.store().delete(reference(alias)).unwrap();
        assert_eq!(deleted.aliases[0].model, name("m"), "{alias}");
    }
}

#[test]
fn of_two_links_to_one_directory_either_may_go_first() {
    for (first, other) in [("one/a", "two/a"), ("two/a", "one/a")] {
        let scratch = Scratch::new();
        scratch.model("one/a", &[b"weights"]);
        let disk = tempfile::tempdir().unwrap();
        let host = scratch.root().join("manifests/registry.ollama.ai");
        fs::rename(host.join("one"), disk.path().join("moved")).unwrap();
        for link in ["one", "two"] {
            symlink(disk.path().join("moved"), host.join(link)).unwrap();
        }
        let deleted = scratch.store().delete(reference(first)).unwrap();
        assert_eq!((deleted.aliases.len(), deleted.blobs.len()), (1, 0));
        assert!(scratch.store().find(name(other)).unwrap().is_some());
    }
}

#[test]
fn an_alias_on_another_disk_takes_no_other_model_of_that_disk_with_it() {
    type Act = fn(&Scratch);
    let acts: [(&str, Act); 3] = [
        ("rm", |scratch| {
            let deleted = scratch.store().delete(reference("alias:Q4")).unwrap();
            assert_eq!(deleted.aliases[0].model, name("hf.co/team/b:Q4"));
        }),
        ("cp", |scratch| {
            let (from, to) = (name("hf.co/team/x:Q4"), name("alias:Q4"));
            scratch.store().copy(&from, &to).unwrap();
        }),
        ("import", |scratch| {
            let options = ImportOptions::new().replace(true);
            let imported = scratch
                .store()
                .import(fixture(), name("alias:Q4"), &options);
            imported.unwrap();
        }),
    ];
    for (act, perform) in acts {
        for depth in [1, 2] {
            let scratch = Scratch::new();
            let stays = scratch.model("a", &[b"weights of a"]);
            let other = scratch.model("hf.co/team/b:Q4", &[b"weights of b"]);
            scratch.model("hf.co/team/x:Q4", &[b"weights of x"]);
            let disk = tempfile::tempdir().unwrap();
            let library = scratch.root().join(LIBRARY);
            let moved = library.ancestors().nth(2 - depth).unwrap();
            fs::rename(moved, disk.path().join("moved")).unwrap();
            symlink(disk.path().join("moved"), moved).unwrap();
            let models = scratch.root().join("manifests/hf.co/team/b");
            symlink(models, library.join("alias")).unwrap();
            perform(&scratch);
            scratch.store().gc(&at_once()).unwrap();
            assert!(moved.is_symlink(), "{act}, {depth}");
            assert!(!library.join("alias").is_symlink(), "{act}, {depth}");
            assert!(is_whole(&scratch, "a", &stays), "{act}, {depth}");
            assert!(
                is_whole(&scratch, "hf.co/team/b:Q4", &other),
                "{act}, {depth}"
            );
        }
    }
}

#[test]
fn an_alias_is_known_where_the_manifests_can_be_reached_and_not_listed() {
    // To root every directory is open: there is nothing to see then, and nothing fails.
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let digests = scratch.model("a", &[b"weights of a"]);
    let library = scratch.root().join(LIBRARY);
    symlink("a", library.join("alias")).unwrap();
    let set = |mode| fs::set_permissions(&library, PermissionsExt::from_mode(mode)).unwrap();
    set(0o300);
    let deleted = scratch.store().delete(reference("alias"));
    set(0o700);
    assert_eq!(deleted.unwrap().aliases[0].model, name("a"));
    assert!(is_whole(&scratch, "a", &digests));
    assert!(library.join("alias").symlink_metadata().is_err());
}
