//! Safetensors models: facts from `config.json` and from the headers of many small files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::fs::read;
use crate::human::human_number;

use super::answer::{Show, ShownTensor};
use super::info::{Fact, ModelInfo};
use super::layers::{Layers, TensorLayer};

/// `config.json` as far as show tells of it. Unknown fields and those of other types are passed
/// over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    model_type: String,
    architectures: Vec<String>,
    max_position_embeddings: u64,
    hidden_size: u64,
    num_hidden_layers: u64,
    num_attention_heads: u64,
    num_key_value_heads: u64,
    intermediate_size: u64,
    vocab_size: u64,
    torch_dtype: String,
    text_config: TextConfig,
}

/// The part for texts of a model that also sees.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TextConfig {
    max_position_embeddings: u64,
    hidden_size: u64,
    num_hidden_layers: u64,
}

impl Config {
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&read::read_text(path).ok()?.bytes).ok()
    }

    fn architecture(&self) -> String {
        if !self.model_type.is_empty() {
            return self.model_type.clone();
        }
        let name = self.architectures.first().map(|name| name.to_lowercase());
        let name = name.unwrap_or_default();
        let name = name.strip_suffix("forcausallm").unwrap_or(&name);
        name.strip_suffix("forconditionalgeneration")
            .unwrap_or(name)
            .to_owned()
    }

    fn facts(&self, architecture: &str) -> Vec<(String, Fact)> {
        let text = &self.text_config;
        let or = |own: u64, texts: u64| if texts > 0 { texts } else { own };
        let counts = [
            (
                "context_length",
                or(self.max_position_embeddings, text.max_position_embeddings),
            ),
            ("embedding_length", or(self.hidden_size, text.hidden_size)),
            (
                "block_count",
                or(self.num_hidden_layers, text.num_hidden_layers),
            ),
            ("attention.head_count", self.num_attention_heads),
            ("attention.head_count_kv", self.num_key_value_heads),
            ("feed_forward_length", self.intermediate_size),
            ("vocab_size", self.vocab_size),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts =
            counts.map(|(key, count)| (format!("{architecture}.{key}"), Fact::Number(count)));
        let name = (
            "general.architecture".to_owned(),
            Fact::Text(architecture.to_owned()),
        );
        std::iter::once(name).chain(counts).collect()
    }
}

/// Fills in what a safetensors model that completes texts says of itself.
pub(super) fn describe(show: &mut Show, layers: &Layers, verbose: bool) {
    let files: Vec<TensorFile> = layers.tensors.iter().filter_map(TensorFile::read).collect();
    if verbose {
        show.tensors = shown(&files);
    }
    let Some(config) = layers.config_json.as_deref().and_then(Config::read) else {
        return;
    };
    let architecture = config.architecture();
    let mut info = ModelInfo::from(config.facts(&architecture));
    let count = parameter_count(&files, &layers.tensors, &config);
    if count > 0 {
        info.insert("general.parameter_count", Fact::Number(count));
        show.details.parameter_size = human_number(count);
    }
    show.model_info = info;
    if !architecture.is_empty() {
        show.details.family = architecture;
    }
    if show.details.quantization_level.is_empty() {
        show.details.quantization_level = quantization(&files).unwrap_or(config.torch_dtype);
    }
}

/// Lists the tensors, where they are asked for.
pub(super) fn list_tensors(show: &mut Show, layers: &Layers, verbose: bool) {
    if verbose {
        let files: Vec<TensorFile> = layers.tensors.iter().filter_map(TensorFile::read).collect();
        show.tensors = shown(&files);
    }
}

fn shown(files: &[TensorFile]) -> Vec<ShownTensor> {
    let mut tensors: Vec<ShownTensor> = files
        .iter()
        .flat_map(|file| &file.tensors)
        .map(|tensor| ShownTensor {
            name: tensor.name.clone(),
            r#type: tensor.kind.clone(),
            shape: tensor.shape.clone(),
        })
        .collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

/// What is left of a tensor's layer without the header of its file, on average, in bytes.
// server/images.go of the reference: getSafetensorsLLMInfo
const HEADER: i64 = 150;

fn parameter_count(files: &[TensorFile], layers: &[TensorLayer], config: &Config) -> u64 {
    let tensors = files.iter().flat_map(|file| &file.tensors);
    let exact = tensors.fold(0_u64, |sum, tensor| sum.saturating_add(tensor.elements()));
    if exact > 0 {
        return exact;
    }
    let bytes: i64 = layers
        .iter()
        .map(|layer| layer.size.saturating_sub(HEADER))
        .sum();
    let width = match config.torch_dtype.to_lowercase().as_str() {
        "float32" => 4,
        "int8" | "uint8" => 1,
        _ => 2,
    };
    u64::try_from(bytes / width).unwrap_or(0)
}

/// The quantization with the fewest bits.
fn quantization(files: &[TensorFile]) -> Option<String> {
    let kinds = files.iter().filter_map(|file| file.quantization.as_deref());
    kinds.min_by_key(|kind| bits(kind)).map(str::to_owned)
}

fn bits(quantization: &str) -> u32 {
    match packing(quantization) {
        Some(8) => 4,
        Some(4) => 8,
        _ => u32::MAX,
    }
}

/// How many elements of a quantization stand in one number of the file.
fn packing(quantization: &str) -> Option<u64> {
    match quantization {
        "nvfp4" | "mxfp4" | "int4" | "fp4" | "q4" => Some(8),
        "mxfp8" | "int8" | "fp8" | "q8" => Some(4),
        _ => None,
    }
}

/// A blob of one tensor, or of a few that belong together.
struct TensorFile {
    quantization: Option<String>,
    tensors: Vec<Tensor>,
}

struct Tensor {
    name: String,
    kind: String,
    shape: Vec<u64>,
}

impl Tensor {
    fn elements(&self) -> u64 {
        self.shape
            .iter()
            .fold(1, |product: u64, size| product.saturating_mul(*size))
    }
}

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
}

impl TensorFile {
    /// `None` where the blob cannot be read or holds no tensor.
    fn read(layer: &TensorLayer) -> Option<Self> {
        let header = read::read_safetensors_header(&layer.path).ok()?;
        let header: BTreeMap<String, Value> = serde_json::from_slice(&header).ok()?;
        let metadata = header
            .get("__metadata__")
            .and_then(|value| value.get("quant_type"));
        let stated = metadata
            .and_then(Value::as_str)
            .map(|kind| kind.trim().to_lowercase());
        let entry = |name: &str| Entry::deserialize(header.get(name)?).ok();
        let is_main = |name: &&String| {
            let side = [".scale", ".bias", ".global_scale"];
            *name != "__metadata__" && !side.iter().any(|side| name.ends_with(side))
        };
        let names: Vec<&String> = header.keys().filter(is_main).collect();
        let mut file = TensorFile {
            quantization: None,
            tensors: Vec::new(),
        };
        for name in &names {
            let main = entry(name)?;
            let scale = entry(&format!("{name}.scale"));
            let stated = stated.clone().filter(|kind| !kind.is_empty());
            let quantization = stated.or_else(|| scaled(&main, &scale?).map(str::to_owned));
            let shown = if names.len() == 1 { &layer.name } else { *name };
            file.tensors
                .push(tensor(shown, main, quantization.as_deref()));
            file.quantization = file.quantization.take().or(quantization);
        }
        (!names.is_empty()).then_some(file)
    }
}

fn tensor(name: &str, main: Entry, quantization: Option<&str>) -> Tensor {
    let mut shape = main.shape;
    let pack = quantization.and_then(packing).filter(|_| shape.len() >= 2);
    if let (Some(pack), Some(last)) = (pack, shape.last_mut()) {
        *last = last.saturating_mul(pack);
    }
    let kind = quantization.map_or(main.dtype, str::to_owned);
    Tensor {
        name: name.to_owned(),
        kind,
        shape,
    }
}

/// The quantization that a tensor and its scale tell by their shapes.
fn scaled(main: &Entry, scale: &Entry) -> Option<&'static str> {
    if main.shape.len() < 2 || scale.shape.len() < 2 {
        return None;
    }
    match main.shape.last()?.checked_div(*scale.shape.last()?)? {
        4 => Some("int4"),
        16 => Some("int8"),
        _ => None,
    }
}
