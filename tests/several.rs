//! Several stores as one view.
#![cfg(unix)]
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use common::{Scratch, fixture};
use modelkeep::gguf::Editor;
use modelkeep::{
    CopyOptions, DeleteOptions, Diagnosis, Digest, EditOptions, ErrorKind, ExportOptions,
    GcOptions, ImportArchiveOptions, ImportOptions, LinkOptions, LinkState, ShowOptions, Store,
    StoreOptions, Usage, VerifyOptions,
};

/// Two stores: one of a site, which nobody may write to, and one of a user's own.
struct Bench {
    site: Scratch,
    own: Scratch,
}

impl Bench {
    fn new() -> Self {
        let bench = Bench {
            site: Scratch::new(),
            own: Scratch::new(),
        };
        bench.site.model("both", &[b"GGUF of the site"]);
        bench.site.model("site", &[&fs::read(fixture()).unwrap()]);
        bench.own.model("both", &[b"GGUF of my own"]);
        bench.own.model("own", &[b"GGUF of my own"]);
        bench
    }

    fn options(&self, roots: [&Scratch; 2]) -> StoreOptions {
        let options = self.own.options();
        options.paths(roots.map(Scratch::root))
    }

    /// A view in which the site comes first. Nobody may write to a directory without any right to.
    fn view(&self) -> Store {
        self.close(true);
        Store::open_with(self.options([&self.site, &self.own])).unwrap()
    }

    /// A view in which one's own store comes first.
    fn own_first(&self) -> Store {
        self.close(true);
        Store::open_with(self.options([&self.own, &self.site])).unwrap()
    }

    fn close(&self, is_closed: bool) {
        let mut rights = self.site.root().metadata().unwrap().permissions();
        rights.set_readonly(is_closed);
        std::os::unix::fs::PermissionsExt::set_mode(
            &mut rights,
            if is_closed { 0o555 } else { 0o755 },
        );
        fs::set_permissions(self.site.root(), rights).unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.close(false);
    }
}

fn names(store: &Store) -> Vec<String> {
    let listing = store.list().unwrap();
    let mut names: Vec<String> = listing
        .models
        .iter()
        .map(|line| line.name.to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn of_models_of_one_name_the_first_stores_is_meant_and_the_list_says_from_where() {
    let bench = Bench::new();
    for (view, first) in [(bench.view(), &bench.site), (bench.own_first(), &bench.own)] {
        assert_eq!(names(&view), ["both:latest", "own:latest", "site:latest"]);
        let listing = view.list().unwrap();
        let of = |name: &str| {
            let mut lines = listing.models.iter();
            let line = lines.find(|line| line.name.to_string() == name).unwrap();
            line.store.clone().unwrap()
        };
        assert_eq!(of("both:latest"), first.root());
        assert_eq!(of("site:latest"), bench.site.root());
        assert!(listing.to_json().contains(r#""store":"#));
        let path = view.model("BOTH").unwrap().gguf_path().unwrap();
        assert!(path.starts_with(first.root()));
        assert!(view.show("site", &ShowOptions::new()).is_ok());
        assert_eq!(view.resolve("own").unwrap(), common::name("own"));
        assert_eq!(view.find("OWN").unwrap(), Some(common::name("own")));
        assert_eq!(view.find("none").unwrap(), None);
        assert_eq!(view.model("none").unwrap_err().kind(), ErrorKind::NotFound);
        let id = listing
            .models
            .iter()
            .find(|line| line.name == common::name("site"));
        assert_eq!(
            view.identify(&id.unwrap().digest).unwrap(),
            common::name("site")
        );
        for bytes in [&b"GGUF of the site"[..], b"GGUF of my own"] {
            let digest = Digest::of(bytes);
            assert!(view.has_blob(&digest) && view.blob_path(&digest).exists());
            assert!(!view.which(digest.to_string()).unwrap().uses.is_empty());
        }
    }
    let alone = bench.own.store();
    assert!(
        alone
            .list()
            .unwrap()
            .models
            .iter()
            .all(|line| line.store.is_none())
    );
    assert!(!alone.list().unwrap().to_json().contains(r#""store":"#));
    assert!(
        !alone
            .usage()
            .unwrap()
            .to_json()
            .unwrap()
            .contains(r#""store":"#)
    );
}

#[test]
fn a_store_that_is_named_twice_counts_once_and_a_missing_one_is_an_error() {
    let bench = Bench::new();
    let (own, site) = (bench.own.root(), bench.site.root());
    let link = bench.own.root().join("link");
    symlink(site, &link).unwrap();
    let options = StoreOptions::new(own).further([site, own, &link]);
    assert_eq!(Store::open_with(options).unwrap().stores().len(), 2);
    let error = Store::open_with(StoreOptions::new(own).further(["/nonexistent/x"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    let list = std::env::join_paths([own, site]).unwrap();
    assert_eq!(StoreOptions::split_paths(&list), [own, site]);
    let odd = bench.own.root().join("a:b");
    fs::create_dir(&odd).unwrap();
    assert_eq!(StoreOptions::split_paths(&odd), [odd]);
}

#[test]
fn what_is_new_goes_to_the_first_store_that_may_be_written_to() {
    let bench = Bench::new();
    let view = bench.view();
    let before = bench.site.snapshot();
    view.import(fixture(), "new", &ImportOptions::new())
        .unwrap();
    view.add_blob(&mut &b"a blob"[..], None).unwrap();
    assert!(names(&bench.own.store()).contains(&"new:latest".to_owned()));
    assert!(bench.own.store().has_blob(&Digest::of(b"a blob")));
    let archive = bench.own.root().join("new.tar");
    view.export(["site"], &archive, &ExportOptions::new())
        .unwrap();
    let how = ImportArchiveOptions::new().name("taken");
    view.import_archive(&archive, &how).unwrap();
    assert!(names(&bench.own.store()).contains(&"taken:latest".to_owned()));
    // It would not be seen.
    let hidden = view.import(fixture(), "site", &ImportOptions::new().replace(true));
    assert_eq!(hidden.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let replacing = EditOptions::new().replace(true);
    let hidden = view.edit("own", "site", &Editor::new(), &replacing);
    assert_eq!(hidden.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let several = view.export(["site", "own"], &archive, &ExportOptions::new());
    assert_eq!(several.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(bench.site.snapshot(), before);
    let read_only = Store::open_with(bench.options([&bench.site, &bench.own]).read_only(true));
    let read_only = read_only.unwrap();
    let refused = read_only.import(fixture(), "x", &ImportOptions::new());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnly);
    let refused = read_only.add_blob(&mut &b"a blob"[..], None);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[test]
fn a_copy_stays_in_its_store_or_comes_with_its_blobs_to_one_that_may_be_written_to() {
    let bench = Bench::new();
    let view = bench.view();
    let before = bench.site.snapshot();
    let copied = view.copy("SITE", "mine").unwrap();
    assert_eq!(
        (copied.from.to_string(), copied.replaced),
        ("site:latest".to_owned(), false)
    );
    let own = bench.own.store();
    let digest = |store: &Store, name: &str| {
        let listing = store.list().unwrap();
        let mut lines = listing.models.into_iter();
        lines
            .find(|line| line.name == common::name(name))
            .unwrap()
            .digest
    };
    assert_eq!(digest(&own, "mine"), digest(&bench.site.store(), "site"));
    assert!(own.verify(&VerifyOptions::new()).unwrap().is_ok());
    assert_eq!(own.usage().unwrap().staged.files, 0);
    view.copy("own", "mine-too").unwrap();
    assert!(names(&own).contains(&"mine-too:latest".to_owned()));
    let taken = view.copy_with("site", "own", &CopyOptions::new().replace(false));
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let hidden = view.copy("own", "site").unwrap_err();
    assert_eq!(hidden.kind(), ErrorKind::AlreadyExists);
    assert_eq!(bench.site.snapshot(), before);
}

/// What is damaged, or no model, is not taken into another store.
#[test]
fn a_copy_from_another_store_is_verified_and_whole_or_nothing() {
    let bench = Bench::new();
    let mut bytes = fs::read(fixture()).unwrap();
    let blob = bench.site.blob_path(&Digest::of(&bytes));
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&blob, &bytes).unwrap();
    bench.site.manifest("index", br#"{"manifests":[]}"#);
    bench.site.manifest("torn", b"{");
    let view = bench.view();
    let before = bench.own.snapshot();
    assert_eq!(
        view.copy("site", "mine").unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    fs::remove_file(&blob).unwrap();
    assert_eq!(
        view.copy("site", "mine").unwrap_err().kind(),
        ErrorKind::FileNotFound
    );
    assert_eq!(
        view.copy("index", "mine").unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(
        view.copy("torn", "mine").unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(
        view.copy("none", "mine").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(bench.own.snapshot(), before);
    let usage = bench.own.store().usage().unwrap();
    assert_eq!((usage.staged.files, usage.orphans.files), (0, 0));
}

#[test]
fn a_delete_touches_the_store_in_which_it_finds_the_model_and_says_so() {
    let bench = Bench::new();
    let site = bench.site.snapshot();
    let view = bench.own_first();
    let look = DeleteOptions::new().dry_run(true);
    let planned = view.delete_with(["both", "own"], &look).unwrap();
    assert!(planned.dry_run && planned.models.len() == 2 && planned.bytes > 0);
    let deleted = view.delete("both").unwrap();
    let from = &deleted.stores[0];
    assert_eq!(
        (from.name.to_string(), &*from.store),
        ("both:latest".to_owned(), bench.own.root())
    );
    assert_eq!(from.shown_from.as_deref(), Some(bench.site.root()));
    assert!(deleted.to_json().unwrap().contains(r#""shown_from":"#));
    assert_eq!(names(&bench.own.store()), ["own:latest"]);
    // Now that of the site is found, from which nothing is deleted.
    bench.close(true);
    let several = view.delete_all(["own", "none"]).unwrap();
    assert_eq!((several.models.len(), several.failed.len()), (1, 1));
    assert_eq!(bench.site.snapshot(), site);
    assert!(bench.own.store().delete("own").unwrap_err().kind() == ErrorKind::NotFound);
    assert!(
        !bench
            .own
            .store()
            .delete_all(["own"])
            .unwrap()
            .failed
            .is_empty()
    );
    let alone = bench.site.store().delete_with(["both"], &look).unwrap();
    assert!(alone.stores.is_empty() && !alone.to_json().unwrap().contains("stores"));
}

#[test]
fn a_delete_from_several_stores_says_what_it_did_in_each() {
    let bench = Bench::new();
    for (scratch, model) in [(&bench.site, "site"), (&bench.own, "own")] {
        let alias = scratch.manifest_path(&format!("alias-of-{model}"));
        symlink(model, alias.parent().unwrap()).unwrap();
        scratch.store().copy("both", "copy").unwrap();
        let again = scratch.model("trashed", &[model.as_bytes()]);
        scratch.put_aside(&again[1]);
    }
    let view = || Store::open_with(bench.options([&bench.site, &bench.own])).unwrap();
    let gone = ["alias-of-site", "alias-of-own", "site", "own"];
    let deleted = view().delete_with(gone, &DeleteOptions::new()).unwrap();
    assert_eq!(deleted.models.len(), 4);
    assert_eq!((deleted.aliases.len(), deleted.restored.len()), (2, 2));
    // Two configs, and the weights of one: those of the other are shared.
    assert_eq!((deleted.blobs.len(), deleted.shared.len()), (3, 1));
    assert_eq!(deleted.stores.len(), 4);
    for scratch in [&bench.site, &bench.own] {
        scratch.manifest("torn", b"{");
    }
    bench.own.model("mine", &[b"GGUF mine"]);
    let kept = view()
        .delete_with(["copy", "mine"], &DeleteOptions::new())
        .unwrap();
    assert_eq!((kept.kept.len(), kept.blobs.len()), (2, 0), "{kept:?}");
}

#[test]
fn a_rename_stays_in_its_store_and_takes_no_name_that_any_store_has() {
    let bench = Bench::new();
    let view = bench.view();
    view.rename("own", "mine").unwrap();
    assert_eq!(names(&bench.own.store()), ["both:latest", "mine:latest"]);
    let taken = view.rename("mine", "Site").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn what_looks_at_all_looks_at_each() {
    let bench = Bench::new();
    let view = bench.view();
    let usage = view.usage().unwrap();
    assert_eq!(usage.models.len(), 4);
    let parts = [bench.site.store(), bench.own.store()].map(|store| store.usage().unwrap().total);
    assert_eq!(usage.total, parts.iter().sum::<u64>());
    assert_eq!(usage.models[0].store.as_deref(), Some(bench.site.root()));
    let mut seen = Vec::new();
    let report = view.verify_with(&VerifyOptions::new(), &mut |progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    assert!(report.is_ok() && report.blobs.len() == 7);
    let last = seen.last().unwrap();
    assert_eq!(
        (last.files, last.bytes),
        (last.total_files, last.total_bytes)
    );
    assert!(last.files == 7 && seen.windows(2).all(|pair| pair[0].bytes <= pair[1].bytes));
    fs::write(
        bench.own.blob_path(&Digest::of(b"GGUF of my own")),
        "other of my own",
    )
    .unwrap();
    let report = view
        .verify(&VerifyOptions::new().models(["own", "site"]))
        .unwrap();
    assert_eq!(report.models.len(), 1, "{report:?}");
    let unknown = view.verify(&VerifyOptions::new().models(["none"]));
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
    let diagnosis = view.doctor().unwrap();
    let opened = diagnosis
        .locations
        .iter()
        .filter(|location| location.opened);
    assert_eq!(opened.count(), 2);
    assert!(!diagnosis.is_ok() && diagnosis.blobs == 7);
}

#[test]
fn what_is_said_of_each_store_adds_up_and_the_list_is_one() {
    let bench = Bench::new();
    bench.site.manifest("torn", b"{");
    bench.own.manifest("cut", b"{");
    let made = [
        (&bench.site, "site", 3),
        (&bench.own, "own", 4),
        (&bench.site, "both", 2),
    ];
    for (scratch, model, hours) in made {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + hours * 3_600);
        let manifest = fs::File::open(scratch.manifest_path(model)).unwrap();
        manifest.set_modified(time).unwrap();
    }
    let stores = [bench.site.store(), bench.own.store()];
    let alone = stores.map(|store| store.verify(&VerifyOptions::new()).unwrap());
    let view = bench.view();
    let report = view.verify(&VerifyOptions::new()).unwrap();
    let hashed = alone.iter().map(|report| report.hashed_bytes).sum::<u64>();
    assert!(hashed > 0 && report.hashed_bytes == hashed);
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|it| it.name().unwrap().model())
        .collect();
    assert_eq!(problems, ["torn", "cut"]);
    let listing = view.list().unwrap();
    let order: Vec<_> = listing
        .models
        .iter()
        .map(|line| line.name.model())
        .collect();
    assert_eq!(order, ["own", "site", "both"]);
}

/// What a store may hold beside its models, each thing of another size. One of its blobs has a name
/// outside, too.
fn litter(scratch: &Scratch, outside: &Path, size: usize) {
    scratch.blob(&vec![b'o'; size]);
    let digest = "0".repeat(64);
    for (number, path) in [
        format!("blobs/sha256-{digest}-partial"),
        "blobs/stranger".to_owned(),
        ".modelkeep/tmp/staged".to_owned(),
        format!(".modelkeep/trash/sha256-{digest}"),
        format!(".modelkeep/quarantine/sha256-{digest}"),
        ".modelkeep/stranger".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        scratch.write(path, &vec![b'x'; size + number]);
    }
    let own = scratch.blob(b"GGUF of my own");
    fs::hard_link(scratch.blob_path(&own), outside.join(size.to_string())).unwrap();
    scratch.manifest("torn", b"{");
}

fn littered() -> (Bench, tempfile::TempDir) {
    let (bench, outside) = (Bench::new(), tempfile::tempdir().unwrap());
    litter(&bench.site, outside.path(), 5_000);
    litter(&bench.own, outside.path(), 9_000);
    (bench, outside)
}

#[test]
fn what_is_measured_in_each_store_adds_up() {
    let (bench, _outside) = littered();
    let [site, own] = [bench.site.store(), bench.own.store()].map(|store| store.usage().unwrap());
    let all = bench.view().usage().unwrap();
    let counts = |usage: &Usage| {
        let files = [
            usage.orphans,
            usage.partials,
            usage.unknown,
            usage.staged,
            usage.trash,
            usage.quarantine,
            usage.other,
        ];
        let files = files.map(|it| [it.files as u64, it.bytes]);
        let sums = [usage.used, usage.total, usage.held_outside];
        [files.as_flattened(), &sums, &[usage.problems.len() as u64]].concat()
    };
    let parts = [counts(&site), counts(&own)];
    assert!(parts.iter().flatten().all(|count| *count > 0), "{parts:?}");
    let sums = parts[0].iter().zip(&parts[1]).map(|(a, b)| a + b);
    assert_eq!(counts(&all), sums.collect::<Vec<_>>());
    let models = all.models.iter().map(|model| model.name.model());
    assert_eq!(models.collect::<Vec<_>>(), ["both", "both", "own", "site"]);
}

#[test]
fn what_is_found_in_each_store_is_told() {
    let (bench, _outside) = littered();
    let stores = [bench.site.store(), bench.own.store()];
    let view = bench.view();
    let alone = stores.map(|store| store.doctor().unwrap());
    let all = view.doctor().unwrap();
    let sum = |count: fn(&Diagnosis) -> usize| {
        assert!(alone.iter().all(|it| count(it) > 0), "{alone:?}");
        alone.iter().map(count).sum::<usize>()
    };
    assert_eq!(all.issues.len(), sum(|it| it.issues.len()));
    assert_eq!(all.notes.len(), sum(|it| it.notes.len()));
    assert_eq!(all.blobs, sum(|it| it.blobs));
    let digest = Digest::of(b"GGUF of my own").to_string();
    assert_eq!(view.which(digest).unwrap().problems.len(), 2);
    assert_eq!(view.list().unwrap().problems.len(), 2);
}

#[test]
fn what_keeps_one_store_in_order_refuses_a_view_of_several() {
    let bench = Bench::new();
    let view = bench.own_first();
    let options = GcOptions::new();
    let refused = |kind: Option<ErrorKind>| assert_eq!(kind, Some(ErrorKind::InvalidArgument));
    refused(view.gc(&options).err().map(|e| e.kind()));
    refused(
        view.gc(&options.clone().dry_run(true))
            .err()
            .map(|e| e.kind()),
    );
    refused(view.maintain().err().map(|e| e.kind()));
    refused(
        view.maintain_with(&options.dry_run(true))
            .err()
            .map(|e| e.kind()),
    );
    refused(view.rename_old_blobs().err().map(|e| e.kind()));
    let report = view.verify(&VerifyOptions::new()).unwrap();
    refused(view.repair(&report).err().map(|e| e.kind()));
    assert!(view.stores()[0].gc(&GcOptions::new()).is_ok());
}

#[test]
fn links_are_of_the_store_that_has_the_model() {
    let bench = Bench::new();
    let links = tempfile::tempdir().unwrap();
    let view = bench.own_first();
    let site = view
        .link("site", links.path(), &LinkOptions::new())
        .unwrap();
    assert!(site.links.len() == 1 && fs::read(&site.links[0].path).is_ok());
    view.link("own", links.path(), &LinkOptions::new()).unwrap();
    let report = view.check_links([links.path()]).unwrap();
    assert!(report.is_ok() && report.links.len() >= 2, "{report:?}");
    let paths: Vec<_> = report.links.iter().map(|link| &link.path).collect();
    assert!(paths.is_sorted_by(|a, b| a < b), "{paths:?}");
    // Of a path that one store knows nobody says that it is foreign.
    let report = view.check_links([&site.links[0].path]).unwrap();
    assert_eq!(report.links.len(), 1);
    assert_eq!(report.links[0].state, LinkState::Current);
    // One store's word is enough, whatever the others do not know.
    let own = links.path().join("own.gguf");
    fs::remove_file(&own).unwrap();
    let report = view.check_links([&own]).unwrap();
    assert_eq!(report.links[0].state, LinkState::Missing);
    let file = links.path().join("other");
    fs::write(&file, "").unwrap();
    assert_eq!(
        view.check_links([&file]).unwrap().links[0].state,
        LinkState::Foreign
    );
    assert_eq!(view.forget_links([links.path()]).unwrap(), [own]);
    let none = view.check_links([Path::new("/nonexistent/x")]);
    assert_eq!(none.unwrap_err().kind(), ErrorKind::FileNotFound);
}

#[test]
fn links_that_several_stores_forget_are_told_in_the_order_of_their_paths() {
    let bench = Bench::new();
    let links = tempfile::tempdir().unwrap();
    let view = Store::open_with(bench.options([&bench.site, &bench.own])).unwrap();
    for name in ["site", "own"] {
        view.link(name, links.path(), &LinkOptions::new()).unwrap();
    }
    let expected = ["own.gguf", "site.gguf"].map(|name| links.path().join(name));
    assert_eq!(view.forget_links([links.path()]).unwrap(), expected);
}

#[test]
fn the_names_of_a_view_are_those_that_it_lists() {
    let bench = Bench::new();
    bench.site.model("OWN", &[b"GGUF hidden by one's own"]);
    for view in [bench.view(), bench.own_first()] {
        let listed = view.list().unwrap().models.into_iter();
        let mut listed: Vec<_> = listed.map(|line| line.name).collect();
        listed.sort();
        assert_eq!(view.names().unwrap().names, listed);
    }
}
