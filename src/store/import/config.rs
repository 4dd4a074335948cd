//! The config of a model that is being made.

use crate::go::human::human_number;
use crate::manifest::{Config, MediaType, NewConfig, NewDraft};
use crate::store::import::ImportOptions;
use crate::store::import::part::{Facts, Part};

/// What Ollama (August 2026) adds of its own for an architecture that it renders itself.
struct BuiltIn {
    renderer: &'static str,
    parser: &'static str,
    stop: Option<&'static str>,
}

fn built_in(architecture: &str) -> Option<BuiltIn> {
    let (renderer, stop) = match architecture {
        "gemma4" => ("gemma4", Some("<turn|>")),
        "laguna" => ("laguna", None),
        "nemotron_h" | "nemotron_h_moe" | "nemotron_h_omni" => ("nemotron-3-nano", None),
        _ => return None,
    };
    Some(BuiltIn {
        renderer,
        parser: renderer,
        stop,
    })
}

fn facts(parts: &[Part], media: MediaType) -> impl Iterator<Item = &Facts> {
    let parts = parts.iter().filter(move |part| part.media == media);
    parts.filter_map(|part| part.facts.as_ref())
}

/// Fills in what Ollama knows of the model's architecture: its renderer, its parser, and
/// where a response stops.
pub(super) fn add_built_in(with: &mut ImportOptions, parts: &[Part]) {
    for facts in facts(parts, MediaType::Model) {
        let is_given = with.renderer.is_some() && with.parser.is_some();
        let Some(built_in) = built_in(&facts.architecture).filter(|_| !is_given) else {
            continue;
        };
        let text = |text: &str| text.to_owned();
        with.renderer.get_or_insert_with(|| text(built_in.renderer));
        with.parser.get_or_insert_with(|| text(built_in.parser));
        if let Some(stop) = built_in.stop {
            let stops = with.parameters.entry("stop");
            stops.or_insert_with(|| vec![stop].into());
        }
    }
}

/// Returns the facts that Ollama states of the files. `base` is the config of the model that this
/// one is made from.
pub(super) fn new_config(parts: &[Part], base: Option<&Config>, with: &ImportOptions) -> NewConfig {
    let models: Vec<&Facts> = facts(parts, MediaType::Model).collect();
    let families: Vec<String> = models.iter().map(|of| of.architecture.clone()).collect();
    let first = models.first();
    let stated = |text: &Option<String>| text.clone().unwrap_or_default();
    let format = base.map(|base| base.format.clone()).unwrap_or_default();
    let draft = facts(parts, MediaType::Draft).last();
    NewConfig {
        model_format: match format.as_str() {
            "" if first.is_some() => "gguf".to_owned(),
            _ => format,
        },
        model_family: families.first().cloned().unwrap_or_default(),
        model_families: (!families.is_empty()).then_some(families),
        model_type: first.map_or_else(String::new, |of| human_number(of.parameters)),
        file_type: first.map_or("", |of| of.file_type).to_owned(),
        renderer: stated(&with.renderer),
        parser: stated(&with.parser),
        requires: stated(&with.requires),
        capabilities: base
            .map(|base| base.capabilities.clone())
            .unwrap_or_default(),
        draft: draft.map(|of| NewDraft {
            model_format: "gguf",
            architecture: of.architecture.clone(),
        }),
        architecture: "amd64",
        os: "linux",
    }
}
