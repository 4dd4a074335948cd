//! The layers of a model that is being made, in Ollama's order, and its config.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_assemble::TensorSource;
use crate::fs::source::{Incoming, Source};
use crate::go::json;
use crate::manifest::{Config, MediaType, NewConfig};
use crate::store::copy_mode::CopyMode;
use crate::store::handle::Store;
use crate::store::import::part::Part;
use crate::store::import::plan::{self, ImportPlan, Origin};
use crate::store::import::{ImportOptions, config, part};
use crate::store::model::Model;
use crate::template::Template;

/// A model whose blobs are all at hand.
pub(super) struct StagedModel {
    pub parts: Vec<Part>,
    pub config: Part,
}

impl Store {
    /// Returns everything but the manifest: the layers in Ollama's order, and the config.
    pub(super) fn stage(&self, plan: ImportPlan) -> Result<StagedModel> {
        let mut with = plan.with;
        if let Some(template) = &with.template {
            Template::parse(template.as_str())?;
        }
        let (mut parts, base) = match plan.weights {
            Origin::Files(files) => {
                let parts = self.stage_files(&files, plan.opened, None, with.copy_mode)?;
                part::refuse_without_weights(&parts, &files)?;
                (parts, None)
            }
            Origin::Model(model) => {
                let stored = self.model(&model);
                let model = stored.map_err(|error| plan::missing(error, model.text()))?;
                (self.reuse(&model, &mut with)?, Some(model))
            }
            Origin::Edited(edit) => {
                let model = self.model(&edit.model)?;
                let mut parts = self.reuse(&model, &mut with)?;
                self.edit_weights(&model, &mut parts, &edit)?;
                (parts, Some(model))
            }
        };
        for (files, media) in [
            (&with.projectors, MediaType::Projector),
            (&with.adapters, MediaType::Adapter),
            (&plan.drafts, MediaType::Draft),
        ] {
            parts.extend(self.stage_files(files, None, Some(&media), with.copy_mode)?);
        }
        config::add_built_in(&mut with, &parts);
        let base = base.as_ref().map(Model::config).transpose()?;
        let config = config::new_config(&parts, base, &with);
        self.stage_texts(&with, &mut parts)?;
        let config = self.stage_config(&config)?;
        Ok(StagedModel { parts, config })
    }

    fn stage_files(
        &self,
        files: &[PathBuf],
        mut opened: Option<Source>,
        media: Option<&MediaType>,
        copy_mode: CopyMode,
    ) -> Result<Vec<Part>> {
        let (mut parts, mut merged) = (Vec::new(), Vec::new());
        for file in files {
            let source = opened.take_if(|source| source.path() == file);
            let source = source.map_or_else(|| Source::open(file), Ok)?;
            // A part of a split model that was brought in with the first of them.
            let is_merged = |part: &TensorSource| part.is(source.stamp());
            if !merged.iter().any(is_merged) {
                parts.push(self.gguf_part(source, media.cloned(), copy_mode, &mut merged)?);
            }
        }
        Ok(parts)
    }

    /// Returns the layers of a model that are not replaced, and what its config and its parameters
    /// say where nothing else is given.
    fn reuse(&self, model: &Model, with: &mut ImportOptions) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        for layer in model.manifest().layers() {
            let replaced = match layer.media() {
                MediaType::Template => with.template.is_some(),
                MediaType::System => with.system.is_some(),
                MediaType::Messages => !with.messages.is_empty(),
                MediaType::Params => {
                    let mut base = params(&model.read(layer)?)?;
                    base.extend(std::mem::take(&mut with.parameters));
                    with.parameters = base;
                    true
                }
                _ => false,
            };
            if !replaced {
                parts.push(self.stored_part(model, layer)?);
            }
        }
        let Config {
            renderer,
            parser,
            requires,
            ..
        } = model.config()?.clone();
        for (own, base) in [
            (&mut with.renderer, renderer),
            (&mut with.parser, parser),
            (&mut with.requires, requires),
        ] {
            if own.is_none() && !base.is_empty() {
                *own = Some(base);
            }
        }
        Ok(parts)
    }

    fn stage_texts(&self, with: &ImportOptions, parts: &mut Vec<Part>) -> Result<()> {
        let licenses = with.licenses.iter().map(String::as_str);
        let mut texts: Vec<(MediaType, String)> = Vec::new();
        let own = |text: &str| text.to_owned();
        texts.extend(
            with.template
                .as_deref()
                .map(|text| (MediaType::Template, own(text))),
        );
        texts.extend(
            with.system
                .as_deref()
                .map(|text| (MediaType::System, own(text))),
        );
        texts.extend(licenses.map(|text| (MediaType::License, own(text))));
        if !with.parameters.is_empty() {
            texts.push((MediaType::Params, line(&with.parameters)));
        }
        if !with.messages.is_empty() {
            texts.push((MediaType::Messages, line(&with.messages)));
        }
        for (media, text) in texts {
            parts.push(self.text_part(media, &text)?);
        }
        Ok(())
    }

    fn stage_config(&self, config: &NewConfig) -> Result<Part> {
        self.text_part(MediaType::Config, &line(config))
    }
}

fn params(bytes: &[u8]) -> Result<Map<String, Json>> {
    serde_json::from_slice(bytes)
        .map_err(|e| Error::caused(ErrorKind::Corrupt, "decoding parameters", e))
}

/// JSON with a line break, as Ollama's encoder writes it.
fn line<T: Serialize>(value: &T) -> String {
    let mut text = json::to_string(value);
    text.push('\n');
    text
}
