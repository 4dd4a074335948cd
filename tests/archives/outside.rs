//! Other programs read what is written here, and what they write is read.

use std::fs;
use std::path::Path;
use std::process::Command;

use modelkeep::ImportArchiveOptions;

use crate::common::Scratch;
use crate::common::skip::skip;
use crate::{NAMES, export, import, manifests, store};

/// What a program prints; nothing where it is not there.
fn run(program: &str, arguments: &[&str], directory: &Path) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(directory).output();
    let Ok(output) = output else {
        skip("archives of other programs", &format!("no {program}"));
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn skopeo_reads_a_directory_and_what_it_copies_comes_back() {
    let from = Scratch::new();
    let store = store(&from);
    for (name, directory) in [("tiny", "one"), ("hf.co/team/Tiny:Q4", "two")] {
        export(&store, &[name], &from.root().join(directory)).unwrap();
        let image = format!("oci:{directory}");
        let Some(text) = run("skopeo", &["inspect", &image], from.root()) else {
            return;
        };
        let weights = store.model(name).unwrap().manifest().layers()[0].digest();
        assert!(text.contains(&weights.unwrap().to_string()), "{text}");
    }
    export(&store, &NAMES, &from.root().join("all")).unwrap();
    let to = Scratch::new();
    for name in ["tiny:latest", "kind:latest", "hf.co/team/Tiny:Q4"] {
        let image = format!("oci:all:{name}");
        run("skopeo", &["inspect", &image], from.root()).unwrap();
        let copy = format!("oci-archive:copy.tar:{name}");
        let insecure = "--insecure-policy";
        run("skopeo", &[insecure, "copy", &image, &copy], from.root()).unwrap();
        let file = from.root().join("copy.tar");
        let options = ImportArchiveOptions::new();
        to.store().import_archive(&file, &options).unwrap();
        fs::remove_file(file).unwrap();
    }
    assert_eq!(manifests(&from), manifests(&to));
    assert!(to.is_whole());
}

#[test]
fn tar_unpacks_an_archive_and_packs_one() {
    let (from, to) = (Scratch::new(), Scratch::new());
    export(&store(&from), &NAMES, &from.root().join("all.tar")).unwrap();
    fs::create_dir(from.root().join("all")).unwrap();
    let unpack = ["-xf", "all.tar", "-C", "all"];
    run("tar", &unpack, from.root()).unwrap();
    for format in ["gnu", "pax", "ustar"] {
        let format = format!("--format={format}");
        let packed = ["-cf", "again.tar", &format, "-C", "all", "."];
        run("tar", &packed, from.root()).unwrap();
        let bytes = fs::read(from.root().join("again.tar")).unwrap();
        import(&to.store(), &bytes).unwrap();
        assert_eq!(manifests(&from), manifests(&to));
    }
}
