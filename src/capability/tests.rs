//! What capabilities are found.

use super::*;

fn config(text: &str) -> Config {
    Config::parse(text.as_bytes()).unwrap()
}

fn facts<'a>(config: &'a Config, template: Option<&'a Template>, chat: &'a str) -> Facts<'a> {
    let gguf = Some(GgufFacts {
        architecture: "llama".into(),
        chat_template: chat.into(),
        ..GgufFacts::default()
    });
    Facts {
        config,
        template,
        gguf,
        projectors: &[],
        go_template: None,
    }
}

fn words(capabilities: &[Capability]) -> String {
    capabilities
        .iter()
        .map(Capability::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn show_starts_with_what_the_config_states() {
    let config = config(r#"{"capabilities":["x","","tools"],"parser":"harmony"}"#);
    let go = Template::parse("{{ .Suffix }}{{ .Tools }}").unwrap();
    let shown = facts(&config, Some(&go), "").capabilities();
    assert_eq!(words(&shown), "x  tools completion insert thinking");
}

#[test]
fn list_starts_with_the_file_and_knows_no_empty_word() {
    let config = config(r#"{"capabilities":["x","","tools"],"parser":"harmony"}"#);
    let go = Template::parse("{{ .Suffix }}{{ .Tools }}").unwrap();
    let header = (&[Capability::Vision][..], true);
    let list = listed(&config, Some(&go), Some(header), true);
    assert_eq!(words(&list), "vision embedding x tools insert thinking");
}

#[test]
fn the_chat_template_speaks_only_where_it_renders() {
    let (plain, parsed) = (config("{}"), config(r#"{"parser":"passthrough"}"#));
    let go = Template::parse("{{ .Prompt }}").unwrap();
    let tools = "tools";
    let cases = [
        (facts(&plain, None, tools), "tools completion", tools),
        (facts(&plain, Some(&go), tools), "tools completion", tools),
        (
            Facts {
                go_template: Some(true),
                ..facts(&plain, Some(&go), tools)
            },
            "completion",
            go.text(),
        ),
        (
            Facts {
                go_template: Some(false),
                ..facts(&plain, Some(&go), "c")
            },
            "completion",
            "c",
        ),
        (facts(&plain, Some(&go), "c"), "completion", go.text()),
        (facts(&parsed, None, tools), "completion", Template::DEFAULT),
    ];
    for (facts, capabilities, template) in cases {
        assert_eq!(words(&facts.capabilities()), capabilities);
        assert_eq!(facts.shown_template(), template);
    }
}

#[test]
fn harmony_needs_both_tags_and_the_family() {
    let (oss, other) = (config(r#"{"model_family":"gptoss"}"#), config("{}"));
    let go = Template::parse("<|start|>{{ .Prompt }}<|end|>").unwrap();
    assert_eq!(facts(&oss, Some(&go), "tools").shown_template(), go.text());
    assert_eq!(facts(&other, Some(&go), "tools").shown_template(), "tools");
    assert_eq!(
        words(&facts(&oss, Some(&go), "").capabilities()),
        "completion thinking"
    );
}

#[test]
fn projectors_see_and_some_hear() {
    let config = config("{}");
    let deaf = [ProjectorFacts {
        audio_encoder: true,
        kind: "gemma3nv".into(),
    }];
    let hearing = [
        ProjectorFacts::default(),
        ProjectorFacts {
            audio_encoder: true,
            kind: "".into(),
        },
    ];
    let shown = |projectors| {
        Facts {
            projectors,
            ..facts(&config, None, "")
        }
        .capabilities()
    };
    assert_eq!(words(&shown(&deaf)), "completion vision");
    assert_eq!(words(&shown(&hearing)), "completion vision audio");
}

#[test]
fn what_the_runner_does_not_serve_is_left_out() {
    let all = r#""capabilities":["completion","vision","audio"]"#;
    let cases = [
        (
            r#""model_format":"safetensors","renderer":"gemma4-small""#,
            "completion",
        ),
        (
            r#""model_format":"safetensors","renderer":"glimmer""#,
            "completion vision",
        ),
        (
            r#""model_format":"safetensors","parser":"nemotron-3-nano""#,
            "completion tools thinking",
        ),
        (
            r#""model_format":"gguf","renderer":"gemma4""#,
            "completion vision audio",
        ),
    ];
    for (fields, expected) in cases {
        let config = config(&format!("{{{all},{fields}}}"));
        assert_eq!(words(&facts(&config, None, "").capabilities()), expected);
        assert_eq!(words(&listed(&config, None, None, false)), expected);
    }
    let omni = config(&format!(
        r#"{{{all},"model_families":["nemotron_h_omni"]}}"#
    ));
    assert_eq!(
        words(&facts(&omni, None, "").capabilities()),
        "completion vision"
    );
    assert_eq!(
        words(&listed(&omni, None, None, false)),
        "completion vision audio"
    );
}

#[test]
fn the_source_of_info_follows_the_config() {
    let cases = [
        (
            r#"{"remote_host":"h","remote_model":"m"}"#,
            InfoSource::Remote,
        ),
        (r#"{"remote_host":"h"}"#, InfoSource::Gguf),
        (
            r#"{"model_format":"safetensors","capabilities":["completion"]}"#,
            InfoSource::Safetensors,
        ),
        (
            r#"{"model_format":"safetensors","capabilities":["image"]}"#,
            InfoSource::Image,
        ),
        (r#"{"model_format":"safetensors"}"#, InfoSource::Gguf),
    ];
    for (text, expected) in cases {
        let config = config(text);
        assert_eq!(facts(&config, None, "").info_source(), expected, "{text}");
    }
}
