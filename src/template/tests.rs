//! What is a template, what is not, and what the valid ones ask for.

use proptest::prelude::*;

use super::*;

fn fault(text: &str) -> String {
    Template::parse(text)
        .map(|_| "valid".to_owned())
        .unwrap_or_else(|error| error.to_string())
}

fn variables(text: &str) -> Vec<String> {
    Template::parse(text)
        .unwrap()
        .variables()
        .iter()
        .cloned()
        .collect()
}

fn tags(text: &str) -> Option<(String, String)> {
    let template = Template::parse(text).unwrap();
    template
        .thinking_tags()
        .map(|(opening, closing)| (opening.to_owned(), closing.to_owned()))
}

#[test]
fn valid_templates_parse() {
    let valid = [
        "",
        "plain } text { }}",
        "{{ .Prompt }}",
        "{{- .A -}} {{- /* note */ -}}",
        "{{/**/}}",
        "{{ .A | }}",
        "{{ .A\n| printf \"%s\" .B }}",
        "{{ $ }}{{ $.A }}{{ $x := .A }}{{ $x = 1 }}{{ $x.B }}",
        "{{ $never = 1 }}",
        "{{ -3 }}{{- 3 }}{{ 0x_fF }}{{ 1+2i }}{{ 'x' }}{{ `raw\n` }}{{ true }}",
        "{{ (eq .A `b`) | not }}{{ (index .M 0).Tools }}",
        "{{ if .A }}a{{ else if .B }}b{{ else }}c{{ end }}",
        "{{ with .A }}{{ else with .B }}{{ end }}",
        "{{ range $i, $m := .Messages }}{{ break }}{{ else }}{{ end }}",
        "{{ range .A }}{{ if .B }}{{ continue }}{{ end }}{{ end }}",
        "{{ define \"x\" }}{{ . }}{{ end }}{{ template \"x\" . }}{{ block `y` .A }}b{{ end }}",
        "{{ define \"x\" }} {{ end }}{{ define \"x\" }}a{{ end }}",
        "{{ define \"\" }}a{{ end }}  ",
        "{{ json .A }}{{ currentDate }}{{ yesterdayDate }}{{ toTypeScriptType .B }}",
        "{{ .Gr\u{f6}\u{df}e }}",
    ];
    for text in valid {
        assert_eq!(fault(text), "valid", "{text}");
    }
}

#[test]
fn faults_read_like_the_reference() {
    let faults = [
        ("{{ .A", "template: :1: unclosed action"),
        (
            "a\n{{ if .A\n}}{{ foo",
            "template: :3: function \"foo\" not defined",
        ),
        ("{{ .A\n\n", "template: :3: unclosed action started at :1"),
        ("{{ if\n.A", "template: :2: unclosed action started at :1"),
        (
            "{{ if .A }}\n{{/* x",
            "template: :2: unclosed comment in action started at :1",
        ),
        (
            "{{/* x */ }}",
            "template: :1: comment ends before closing delimiter",
        ),
        ("{{ \"a }}", "template: :1: unterminated quoted string"),
        ("{{ `a }}", "template: :1: unterminated raw quoted string"),
        ("{{ 'a }}", "template: :1: unterminated character constant"),
        ("{{ (.A }}", "template: :1: unclosed left paren"),
        ("{{ .A) }}", "template: :1: unexpected right paren"),
        ("{{ if .A }}", "template: :1: unexpected EOF"),
        ("\n{{ end }}", "template: :2: unexpected {{end}}"),
        ("{{ else }}", "template: :1: unexpected {{else}}"),
        (
            "{{ if .A }}{{ else }}{{ else }}",
            "template: :1: expected end; found {{else}}",
        ),
        (
            "{{ range .A }}{{ else if .B }}",
            "template: :1: unexpected <if> in input",
        ),
        ("{{ $x }}", "template: :1: undefined variable \"$x\""),
        (
            "{{ if .A }}{{ $x := 1 }}{{ end }}{{ $x }}",
            "template: :1: undefined variable \"$x\"",
        ),
        ("{{ }}", "template: :1: missing value for command"),
        ("{{ if }}", "template: :1: missing value for if"),
        (
            "{{ () }}",
            "template: :1: missing value for parenthesized pipeline",
        ),
        ("{{ 12x }}", "template: :1: bad number syntax: \"12x\""),
        ("{{ 1_ }}", "template: :1: illegal number syntax: \"1_\""),
        ("{{ .A} }}", "template: :1: bad character U+007D '}'"),
        (
            "{{ \0 }}",
            "template: :1: unrecognized character in action: U+0000",
        ),
        (
            "{{ .A := 1 }}",
            "template: :1: unexpected \":=\" in operand",
        ),
        ("{{ , }}", "template: :1: unexpected \",\" in command"),
        ("{{ .A : }}", "template: :1: expected :="),
        (
            "{{ .A || .B }}",
            "template: :1: unexpected \"|\" in command",
        ),
        ("{{ end .A }}", "template: :1: unexpected \".A\" in end"),
        (
            "{{ template .A }}",
            "template: :1: unexpected \".A\" in template clause",
        ),
        ("{{ template \"x\" }}", "undefined template specified"),
        (
            "{{ define x }}",
            "template: :1: unexpected \"x\" in define clause",
        ),
        (
            "{{ if .A }}{{ define \"x\" }}",
            "template: :1: unexpected <define> in command",
        ),
        (
            "{{ define \"x\" }}{{ else }}",
            "template: :1: unexpected {{else}} in define clause",
        ),
        (
            "{{ define \"x\" }}a{{ end }}{{ define \"x\" }}b{{ end }}",
            "template: :1: template: multiple definition of template \"x\"",
        ),
        (
            "{{ .A | 3 }}",
            "template: :1: non executable command in pipeline stage 2",
        ),
        (
            "{{ nil.A }}",
            "template: :1: unexpected . after term \"nil\"",
        ),
        (
            "{{ range $a, $b, $c := .A }}",
            "template: :1: too many declarations in range",
        ),
        (
            "{{ $a, $b := .A }}",
            "template: :1: too many declarations in command",
        ),
        (
            "{{ range $a, .B }}",
            "template: :1: range can only initialize variables",
        ),
        ("{{ break }}", "template: :1: {{break}} outside {{range}}"),
        (
            "{{ range .A }}{{ else }}{{ break }}",
            "template: :1: {{break}} outside {{range}}",
        ),
        (
            "{{ range .A }}{{ block \"b\" . }}{{ continue }}",
            "template: :1: {{continue}} outside {{range}}",
        ),
        (
            "{{ .A \"a string\" := }}",
            "template: :1: unexpected \":=\" in operand",
        ),
        (
            "{{ end \"a long text\" }}",
            "template: :1: unexpected \"\\\"a long te\"... in end",
        ),
    ];
    for (text, expected) in faults {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn variables_are_the_parts_of_every_name() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "{{ .A.B }}{{ $.Messages }}{{ $x := .C }}",
            &["$", "a", "b", "c", "messages"],
        ),
        (
            "{{ if eq .Role `tool` }}{{ else }}{{ .Suffix }}{{ end }}",
            &["role", "suffix"],
        ),
        ("{{ (index .M 0).Tools }}{{ (.N) }}{{ json.X }}", &["n"]),
        ("{{ ((index .M .P).Tools).Y | printf .Z }}", &["z"]),
        (
            "{{ define `x` }}{{ .D }}{{ end }}{{ template `x` .E }}",
            &["d", "e"],
        ),
        (
            "{{ range $i, $m := .L }}{{ $m.ToolCalls }}{{ end }}",
            &["$m", "l", "toolcalls"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(variables(text), expected, "{text}");
    }
}

#[test]
fn thinking_tags_enclose_the_thinking_of_a_message() {
    let pair = |opening: &str, closing: &str| Some((opening.to_owned(), closing.to_owned()));
    let cases = [
        (
            "{{ range .Messages }}<t>{{ .Thinking }}</t>{{ end }}",
            pair("<t>", "</t>"),
        ),
        (
            "{{ range .Messages }}{{ if .Thinking }} <t> {{ .Thinking }} </t>\n{{ end }}{{ end }}",
            pair("<t>", "</t>"),
        ),
        (
            "{{ range .Messages }}a{{ if .Thinking }}{{ end }}b{{ end }}",
            pair("a", "b"),
        ),
        (
            "{{ range $i, $m := .Messages }}a{{ $m.Thinking }}b{{ end }}",
            None,
        ),
        ("{{ range $.Messages }}a{{ .Thinking }}b{{ end }}", None),
        ("{{ range .Other }}a{{ .Thinking }}b{{ end }}", None),
        (
            "{{ range .Messages }}{{ range .X }}a{{ .Thinking }}b{{ end }}{{ end }}",
            None,
        ),
        ("{{ range .Messages }}a{{ (.Thinking).X }}b{{ end }}", None),
        (
            "{{ range .Messages }}a{{ (.Thinking) }}b{{ end }}",
            pair("a", "b"),
        ),
        (
            "{{ range .Messages }}a{{/* c */}} {{- .Thinking -}} {{/* c */}}b{{ end }}",
            pair("a", "b"),
        ),
        (
            "{{ range .Messages }}a{{ .Thinking }}b{{ else }}c{{ .Thinking.X }}d{{ end }}",
            pair("c", "d"),
        ),
        (
            "{{ range .Messages }}a{{ .Thinking }}b{{ end }}{{ range .Messages }}c{{ .Thinking }}{{ end }}",
            pair("c", "b"),
        ),
        (
            "a{{ range and .Messages .Thinking }}{{ end }}b",
            pair("a", "b"),
        ),
        (
            "{{ define `x` }}{{ range .Messages }}a{{ .Thinking }}b{{ end }}{{ end }}",
            None,
        ),
        ("{{ .Thinking }}", None),
    ];
    for (text, expected) in cases {
        assert_eq!(tags(text), expected, "{text}");
    }
}

#[test]
fn the_default_is_what_its_text_parses_to() {
    assert_eq!(Template::parse(Template::DEFAULT), Ok(Template::default()));
}

#[test]
fn depth_costs_no_stack() {
    let blocks = "{{ if .A }}".repeat(100_000);
    assert_eq!(fault(&blocks), "template: :1: unexpected EOF");
    let chain = format!(
        "{{{{ if .A }}}}{}{{{{ end }}}}",
        "{{ else if .A }}".repeat(100_000)
    );
    assert_eq!(fault(&chain), "valid");
    let parens = format!("{{{{ {}.A", "(".repeat(100_000));
    assert_eq!(
        fault(&parens),
        "template: :1: max expression depth exceeded"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\\{\\{|\\}\\}|-|/\\*|\\*/|[$.|()'\"`0-9xeiAa\\\\ \n]){0,60}") {
        let _ = Template::parse(text);
    }

    #[test]
    fn no_mixture_of_words_makes_it_panic(words in proptest::collection::vec(
        prop::sample::select(vec![
            "{{", "}}", "{{- ", " -}}", "if ", "else ", "end ", "range ", "with ", "define ",
            "block ", "template ", "break", "continue", "$x", " := ", " = ", ", ", ".A", "|", "(",
            ")", "\"x\"", "`", "'c'", "1+2i", "0x", "nil", "true", "eq", "text", "\n", "/*", "*/",
        ]), 0..40)) {
        let _ = Template::parse(words.concat());
    }
}
