//! The config of a model: what its manifest says of it as a whole.

use engine::Config;

use crate::boundary::{borrow, free, get, out, output};
use crate::growing::{get_sized, growing};
use crate::model::mkeep_model;
use crate::status::{call, mkeep_error, mkeep_status};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// The config of a model.
pub struct mkeep_config {
    config: Config,
    facts: mkeep_config_facts,
    families: Vec<mkeep_str>,
    capabilities: Vec<mkeep_str>,
    _strings: Strings,
}

/// What a config says. What it does not say is empty or 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_config_facts {
    /// `sizeof(mkeep_config_facts)`.
    pub size: usize,
    /// `gguf`, `safetensors`, or empty.
    pub format: mkeep_str,
    /// The architecture's family.
    pub family: mkeep_str,
    /// The size for people, as in `8.0B`.
    pub parameter_size: mkeep_str,
    /// The quantization's name, as in `Q4_K_M`.
    pub quantization_level: mkeep_str,
    /// The built-in renderer of prompts, in place of a template.
    pub renderer: mkeep_str,
    /// The built-in parser of answers.
    pub parser: mkeep_str,
    /// The oldest release of Ollama that can run the model.
    pub required_release: mkeep_str,
    /// The base model's name.
    pub base_name: mkeep_str,
    /// The name at the host that serves a remote model.
    pub remote_model: mkeep_str,
    /// The host that serves a remote model.
    pub remote_host: mkeep_str,
    /// Tokens of context.
    pub context_length: i64,
    /// Width of an embedding.
    pub embedding_length: i64,
}

growing!(mkeep_config_facts: embedding_length);

impl mkeep_config_facts {
    fn new(strings: &mut Strings, config: &Config) -> Self {
        mkeep_config_facts {
            size: size_of::<Self>(),
            format: strings.add(&config.format),
            family: strings.add(&config.family),
            parameter_size: strings.add(&config.parameter_size),
            quantization_level: strings.add(&config.quantization),
            renderer: strings.add(&config.renderer),
            parser: strings.add(&config.parser),
            required_release: strings.add(&config.requires),
            base_name: strings.add(&config.base_name),
            remote_model: strings.add(&config.remote_model),
            remote_host: strings.add(&config.remote_host),
            context_length: config.context_length,
            embedding_length: config.embedding_length,
        }
    }
}

impl From<Config> for mkeep_config {
    fn from(config: Config) -> Self {
        let mut strings = Strings::default();
        mkeep_config {
            facts: mkeep_config_facts::new(&mut strings, &config),
            families: strings.displays(config.families.iter().flatten()),
            capabilities: strings.displays(&config.capabilities),
            config,
            _strings: strings,
        }
    }
}

/// Reads the config of a model: one small file, once.
///
/// MKEEP_STATUS_FILE_NOT_FOUND where it is missing, MKEEP_STATUS_CORRUPT, MKEEP_STATUS_NOT_FOUND
/// where the manifest has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_model_config(
    model: *const mkeep_model,
    config: *mut *mut mkeep_config,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let (model, config) = (borrow(model, "model")?, output(config)?);
            out(config, model.model().config()?.clone().into());
            Ok(())
        })
    }
}

/// Gets what it says; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_config_get(
    config: *const mkeep_config,
    facts: *mut mkeep_config_facts,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(config, facts, |config| Some(config.facts)) }
}

/// Gets a family of the architecture; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_config_family(
    config: *const mkeep_config,
    index: usize,
    family: *mut mkeep_str,
) -> bool {
    let nth = |config: &mkeep_config| config.families.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(config, family, nth) }
}

/// Gets a capability that the publisher states; false beyond the last. What a model can do in all is
/// mkeep_show_capability.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_config_capability(
    config: *const mkeep_config,
    index: usize,
    capability: *mut mkeep_str,
) -> bool {
    let nth = |config: &mkeep_config| config.capabilities.get(index).copied();
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(config, capability, nth) }
}

/// Makes the JSON of the config.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_config_json(
    config: *const mkeep_config,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    let made = |config: &mkeep_config| Ok(engine::json::to_string(&config.config));
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(config, json, error, made) }
}

/// Frees a config.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_config_free(config: *mut mkeep_config) {
    // SAFETY: by the header's contract NULL or a live config that is given up.
    unsafe { free(config) }
}
