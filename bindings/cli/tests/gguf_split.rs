//! `modelkeep gguf split` and `modelkeep gguf merge`.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Shell, fixture};

fn place(shell: &Shell, name: &str) -> String {
    let path = shell.directory.path().join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_is_split_and_its_parts_are_merged() {
    let shell = Shell::new();
    let (prefix, to) = (place(&shell, "part"), place(&shell, "merged.gguf"));
    let split = ["gguf", "split", &fixture(), &prefix, "--max-tensors", "1"];
    let said = shell.run(&split);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let lines: Vec<&str> = said.out.lines().collect();
    let first = place(&shell, "part-00001-of-00002.gguf");
    let second = place(&shell, "part-00002-of-00002.gguf");
    assert_eq!(lines.len(), 2, "{}", said.out);
    assert!(
        lines[0].starts_with(&format!("wrote {first} (")),
        "{lines:?}"
    );
    let again = shell.run(&split);
    assert_eq!(again.status, 1);
    assert!(again.err.contains("--force replaces it"), "{}", again.err);
    let forced = shell.json(&[&split[..], &["--force"]].concat());
    assert_eq!(forced[1]["file"], second.as_str());
    assert_eq!(forced[1]["size"], fs::metadata(&second).unwrap().len());
    assert_eq!(forced[1]["replaced"], true);

    let merge = ["gguf", "merge", &second, &to];
    let said = shell.run(&merge);
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert!(
        said.out.starts_with(&format!("merged {to} (")),
        "{}",
        said.out
    );
    let same = shell.run(&["gguf", "diff", &fixture(), &to]).out;
    assert!(same.contains("2 of 2 tensors equal"), "{same}");
    assert_eq!(shell.run(&merge).status, 1);
    let forced = shell.json(&[&merge[..], &["--force"]].concat());
    assert_eq!(forced["file"], to.as_str());
    fs::remove_file(&first).unwrap();
    let said = shell.run(&["gguf", "merge", &second, &place(&shell, "other")]);
    assert_eq!(said.status, 1);
    assert!(
        said.err.contains("part-00001-of-00002.gguf"),
        "{}",
        said.err
    );
}

#[test]
fn sizes_are_powers_of_1000_and_slips_are_refused() {
    let shell = Shell::new();
    let (file, prefix) = (fixture(), place(&shell, "part"));
    for size in ["2G", "500M", "1t", "7k", "100000"] {
        let words = ["gguf", "split", &file, &prefix, "--max-size", size, "-f"];
        let said = shell.run(&words);
        assert!(
            said.out.contains("part-00001-of-00001.gguf"),
            "{}",
            said.err
        );
    }
    for (words, expected) in [
        (&[][..], "--max-size"),
        (&["--max-size", "2X"], "500M or 2G"),
        (&["--max-size", "G"], "500M or 2G"),
        (&["--max-size", "99999999999T"], "500M or 2G"),
        (&["--max-size", "0"], "a part of nothing"),
        (&["--max-tensors", "0"], "a part of nothing"),
    ] {
        let said = shell.run(&[&["gguf", "split", &file, &prefix][..], words].concat());
        assert_eq!(said.status, 2, "{words:?}: {}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
    }
    let whole = shell.run(&["gguf", "merge", &file, &prefix]);
    assert_eq!(whole.status, 2);
    assert!(whole.err.contains("it is whole"), "{}", whole.err);
}

/// More parts than a process may have open are written, opened, merged and imported one by one.
#[test]
#[cfg(unix)]
fn there_may_be_more_parts_than_files_can_be_open() {
    use modelkeep::gguf::{TensorType, Writer};
    let shell = Shell::new();
    let mut writer = Writer::new();
    writer.set("general.architecture", "llama");
    for at in 0..60 {
        writer.tensor(&format!("blk.{at}.w"), &[8], TensorType::F32, vec![at; 32]);
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    fs::write(shell.directory.path().join("whole.gguf"), bytes).unwrap();
    let few = |line: &str| {
        let directory = shell.directory.path().display();
        let said = shell.shell(&format!(
            "cd {directory} && ulimit -n 24 && modelkeep {line}"
        ));
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{line}");
        said.out
    };
    let split = few("gguf split whole.gguf part --max-tensors 1");
    assert_eq!(split.lines().count(), 60);
    few("gguf merge part-00007-of-00060.gguf merged.gguf");
    few("import part-00060-of-00060.gguf model");
    let path = few("path model");
    let stored = fs::read(path.trim()).unwrap();
    assert!(stored == fs::read(shell.directory.path().join("merged.gguf")).unwrap());
    let same = few("gguf diff merged.gguf model");
    assert!(same.contains("60 of 60 tensors equal"), "{same}");
}
