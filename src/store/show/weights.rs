//! What the weights of a model say of themselves, whatever their format.

use crate::fs::gguf_file::GgufFile;
use crate::gguf::{FileType, Value};
use crate::manifest::Config;

use super::answer::ShownTensor;
use super::info::{InfoValue, ModelInfo, PRINTED_ELSEWHERE};

/// The metadata and the tensors of some weights, and those facts of the config that they know
/// better.
#[derive(Default)]
pub(super) struct Weights {
    pub info: ModelInfo,
    /// In the order in which show prints them.
    pub tensors: Vec<ShownTensor>,
    pub family: Option<String>,
    pub parameter_size: Option<String>,
    pub quantization: Option<String>,
}

impl Weights {
    /// Reads a GGUF file. Its quantization counts where the config has none.
    pub(super) fn of_gguf(file: GgufFile, config: &Config, verbose: bool) -> Self {
        let view = file.view();
        let is_stated = !matches!(config.quantization.as_str(), "" | "unknown");
        let code = match view.get("general.file_type") {
            Some(Value::U32(code @ 1..)) if !is_stated => Some(code),
            _ => None,
        };
        let quantization = code.and_then(|code| FileType::from_code(code).name());
        let tensors = view.tensors().map(|tensor| ShownTensor {
            name: tensor.name.lossy().into_owned(),
            r#type: tensor.tensor_type.name().to_owned(),
            shape: tensor.dims.to_vec(),
        });
        Weights {
            tensors: tensors.collect(),
            quantization: quantization.map(str::to_owned),
            info: ModelInfo::of(file, verbose, PRINTED_ELSEWHERE),
            ..Weights::default()
        }
    }

    /// Returns what a placeholder says of the weights that another host has.
    pub(super) fn remote(config: &Config) -> Self {
        let family = &config.family;
        if family.is_empty() {
            return Weights::default();
        }
        let architecture = InfoValue::Text(family.clone());
        let mut values = vec![("general.architecture".to_owned(), architecture)];
        if !config.base_name.is_empty() {
            let name = InfoValue::Text(config.base_name.clone());
            values.push(("general.basename".to_owned(), name));
        }
        let lengths = [
            ("context_length", config.context_length),
            ("embedding_length", config.embedding_length),
        ];
        for (key, length) in lengths {
            if let Some(length) = u64::try_from(length).ok().filter(|length| *length > 0) {
                values.push((format!("{family}.{key}"), InfoValue::Number(length)));
            }
        }
        Weights {
            info: ModelInfo::from(values),
            ..Weights::default()
        }
    }
}
