//! `list` and `show` as people use them: which models, in which order, in which form.
// A failure in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Shell, fixture};

/// Four models, of which `big` is the largest and `first` the oldest.
fn shell() -> Shell {
    let shell = Shell::new();
    for name in ["first", "big:q4", "big:q8", "hf.co/team/last"] {
        let system = "word ".repeat(name.len() * 100);
        let words = ["import", &fixture(), name, "--system", &system];
        assert_eq!(shell.run(&words).status, 0);
    }
    shell
}

fn names(shell: &Shell, words: &[&str]) -> Vec<String> {
    let words = [&["list", "-q"], words].concat();
    let said = shell.run(&words);
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{words:?}");
    said.out.lines().map(str::to_owned).collect()
}

#[test]
fn filters_orders_and_a_limit_decide_what_is_listed() {
    let shell = shell();
    let all = ["hf.co/team/last:latest", "big:q8", "big:q4", "first:latest"];
    assert_eq!(names(&shell, &[]), all);
    assert_eq!(names(&shell, &["--sort", "modified"]), all);
    let alphabetical = ["big:q4", "big:q8", "first:latest", "hf.co/team/last:latest"];
    assert_eq!(names(&shell, &["--sort", "name"]), alphabetical);
    let largest = ["hf.co/team/last:latest", "big:q8", "big:q4", "first:latest"];
    assert_eq!(names(&shell, &["--sort", "size"]), largest);
    assert_eq!(
        names(&shell, &["--sort", "name", "--limit", "2"]),
        alphabetical[..2]
    );
    assert_eq!(names(&shell, &["big"]), ["big:q8", "big:q4"]);
    assert_eq!(
        names(&shell, &["first", "*:q4"]),
        ["big:q4", "first:latest"]
    );
    let listed = shell.json(&["list", "BIG:*", "--sort", "name"]);
    let listed: Vec<_> = listed["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(listed, ["big:q4", "big:q8"]);
}

#[test]
fn a_filter_that_means_nothing_is_told() {
    let said = shell().run(&["list", "big", "bag"]);
    assert_eq!(said.status, 1);
    assert_eq!(said.err, "modelkeep: no model is called 'bag'\n");
    assert!(said.out.contains("big:q4"));
    assert_eq!(shell().run(&["list", "[a"]).status, 2);
}

#[test]
fn columns_are_those_that_were_asked_for_in_their_order() {
    let shell = shell();
    let words = [
        "list",
        "big:q4",
        "--bytes",
        "--columns",
        "size,name,context,capabilities",
    ];
    let said = shell.run(&words);
    let mut lines = said.out.lines();
    assert_eq!(lines.next(), Some("SIZE  NAME    CONTEXT  CAPABILITIES"));
    let size = shell.json(&["list", "big:q4"])["models"][0]["size"].to_string();
    let cells: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(cells, [&size, "big:q4", "128", "completion"]);
    assert_eq!(shell.run(&["list", "--columns", "weight"]).status, 2);
}

#[test]
fn one_text_of_a_model_is_printed_as_it_is_stored() {
    let shell = Shell::new();
    let template = shell.file("template", "{{ .Prompt }}\twith a tab\n");
    let license = shell.file("license", "do what you want");
    let words = [
        "import",
        &fixture(),
        "m",
        "--template",
        &template,
        "--license",
        &license,
    ];
    assert_eq!(
        shell
            .run(&[&words[..], &["--system", "be\nbrief"]].concat())
            .status,
        0
    );
    let out = |what: &str| shell.run(&["show", "m", what]).out;
    assert_eq!(out("--template"), "{{ .Prompt }}\twith a tab\n");
    assert_eq!(out("--system"), "be\nbrief\n");
    assert_eq!(out("--license"), "do what you want\n");
    assert_eq!(out("--parameters"), "");
    let modelfile = shell.file("Modelfile", &out("--modelfile"));
    assert_eq!(shell.run(&["import", &modelfile, "again"]).status, 0);
    assert_eq!(
        shell.run(&["show", "again", "--template"]).out,
        out("--template")
    );
    assert_eq!(
        shell.run(&["show", "m", "--system", "--template"]).status,
        2
    );
}

#[test]
fn what_is_shown_has_the_template_and_the_messages() {
    let shell = Shell::new();
    let modelfile = format!(
        "FROM {}\nTEMPLATE \"\"\"{{{{ .Prompt }}}}\"\"\"\nMESSAGE user hi\nMESSAGE assistant hello\nMESSAGE user a\nMESSAGE assistant b\nMESSAGE user c\n",
        fixture()
    );
    let file = shell.file("Modelfile", &modelfile);
    assert_eq!(shell.run(&["import", &file, "m"]).status, 0);
    let said = shell.run(&["show", "m"]).out;
    assert!(said.contains("Template\n  {{ .Prompt }}\n"), "{said}");
    assert!(
        said.contains("Messages\n  user: hi\n  assistant: hello\n"),
        "{said}"
    );
    assert!(
        said.contains("  ... and 1 more line (--verbose)\n"),
        "{said}"
    );
    let said = shell.run(&["show", "m", "-v"]).out;
    assert!(
        said.contains("  user: c\n") && !said.contains("more line"),
        "{said}"
    );
}
