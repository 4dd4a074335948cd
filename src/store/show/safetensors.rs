//! Safetensors models: facts from `config.json` and from the headers of many small files.

use std::collections::BTreeMap;

use crate::fs::read;
use crate::go::decode::{self, Decode, DecodeError, Event, Reader, Slice};
use crate::go::human::human_number;
use crate::manifest;

use super::answer::ShownTensor;
use super::info::{InfoValue, ModelInfo};
use super::layers::{Layers, TensorLayer};
use super::weights::Weights;

/// `config.json` as far as show prints it, and the fields beside these whose type must be right.
#[derive(Debug, Default)]
struct Config {
    model_type: String,
    architectures: Vec<String>,
    own: Sizes,
    num_attention_heads: i64,
    num_key_value_heads: i64,
    intermediate_size: i64,
    vocab_size: i64,
    torch_dtype: String,
    /// The part for texts of a model that also sees.
    text: Option<Sizes>,
}

#[derive(Debug, Default)]
struct Sizes {
    max_position_embeddings: i64,
    hidden_size: i64,
    num_hidden_layers: i64,
}

impl Decode for Sizes {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(
            first,
            &mut [
                ("max_position_embeddings", &mut self.max_position_embeddings),
                ("hidden_size", &mut self.hidden_size),
                ("num_hidden_layers", &mut self.num_hidden_layers),
            ],
        )
    }
}

impl Decode for Config {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut architectures = Slice::default();
        let (mut norm_eps, mut rope_theta) = (0.0, 0.0);
        json.fields(
            first,
            &mut [
                ("model_type", &mut self.model_type),
                ("architectures", &mut architectures),
                (
                    "max_position_embeddings",
                    &mut self.own.max_position_embeddings,
                ),
                ("hidden_size", &mut self.own.hidden_size),
                ("num_hidden_layers", &mut self.own.num_hidden_layers),
                ("num_attention_heads", &mut self.num_attention_heads),
                ("num_key_value_heads", &mut self.num_key_value_heads),
                ("intermediate_size", &mut self.intermediate_size),
                ("vocab_size", &mut self.vocab_size),
                ("rms_norm_eps", &mut norm_eps),
                ("rope_theta", &mut rope_theta),
                ("torch_dtype", &mut self.torch_dtype),
                ("text_config", &mut self.text),
            ],
        )?;
        self.architectures = architectures.into_items().unwrap_or_default();
        Ok(())
    }
}

impl Config {
    fn architecture(&self) -> String {
        if !self.model_type.is_empty() {
            return self.model_type.clone();
        }
        let name = self.architectures.first().map(|name| decode::lower(name));
        let name = name.unwrap_or_default();
        let name = name.strip_suffix("forcausallm").unwrap_or(&name);
        name.strip_suffix("forconditionalgeneration")
            .unwrap_or(name)
            .to_owned()
    }

    fn facts(&self, architecture: &str) -> Vec<(String, InfoValue)> {
        let part = |of: fn(&Sizes) -> i64| {
            let text = self.text.as_ref().map(of);
            text.filter(|size| *size > 0).unwrap_or(of(&self.own))
        };
        let counts = [
            (
                "context_length",
                part(|sizes| sizes.max_position_embeddings),
            ),
            ("embedding_length", part(|sizes| sizes.hidden_size)),
            ("block_count", part(|sizes| sizes.num_hidden_layers)),
            ("attention.head_count", self.num_attention_heads),
            ("attention.head_count_kv", self.num_key_value_heads),
            ("feed_forward_length", self.intermediate_size),
            ("vocab_size", self.vocab_size),
        ];
        let counts = counts.into_iter().filter_map(|(key, count)| {
            let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
            Some((format!("{architecture}.{key}"), InfoValue::Number(count)))
        });
        let name = (
            "general.architecture".to_owned(),
            InfoValue::Text(architecture.to_owned()),
        );
        std::iter::once(name).chain(counts).collect()
    }
}

/// The type of the weights, which counts whatever else a `config.json` holds.
#[derive(Default)]
struct Dtype(String);

impl Decode for Dtype {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(first, &mut [("torch_dtype", &mut self.0)])
    }
}

/// Reads what a safetensors model that completes texts says of itself. Its quantization counts
/// where the model's own config has none.
pub(super) fn read(layers: &Layers, stated: &manifest::Config, verbose: bool) -> Weights {
    let tensors = tensors(layers);
    let text = layers.config_json.as_deref().map(read::read_text);
    let text = text.and_then(|text| Some(text.ok()?.bytes));
    let text = text.unwrap_or_default();
    let quantization = stated.quantization.is_empty().then(|| {
        let stated = || decoded::<Dtype>(&text).map(|dtype| dtype.0);
        quantization(&tensors).or_else(stated).unwrap_or_default()
    });
    let weights = Weights {
        tensors: if verbose { shown(&tensors) } else { Vec::new() },
        quantization,
        ..Weights::default()
    };
    let Some(config) = decoded::<Config>(&text) else {
        return weights;
    };
    let architecture = config.architecture();
    let mut info = ModelInfo::from(config.facts(&architecture));
    let count = parameter_count(&tensors, &layers.tensors, &config);
    if count > 0 {
        info.insert("general.parameter_count", InfoValue::Number(count));
    }
    Weights {
        info,
        family: Some(architecture).filter(|name| !name.is_empty()),
        parameter_size: (count > 0).then(|| human_number(count)),
        ..weights
    }
}

/// Reads the tensors alone, where they are asked for.
pub(super) fn only_tensors(layers: &Layers, verbose: bool) -> Weights {
    let tensors = match verbose {
        true => shown(&tensors(layers)),
        false => Vec::new(),
    };
    Weights {
        tensors,
        ..Weights::default()
    }
}

/// Returns the tensors of the blobs that can be read.
fn tensors(layers: &Layers) -> Vec<Tensor> {
    let blobs = layers.tensors.iter().filter_map(tensors_of);
    blobs.flatten().collect()
}

fn shown(tensors: &[Tensor]) -> Vec<ShownTensor> {
    let mut tensors: Vec<ShownTensor> = tensors
        .iter()
        .map(|tensor| ShownTensor {
            name: tensor.name.clone(),
            r#type: tensor
                .quantization
                .as_ref()
                .unwrap_or(&tensor.dtype)
                .clone(),
            shape: tensor.shape.clone(),
        })
        .collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

/// What is left of a tensor's layer without the header of its file, on average, in bytes.
// x/server/show.go of Ollama: buildModelInfo
const HEADER: i64 = 150;

/// Returns how many elements the tensors have, where their headers say so. What they cannot have
/// stands for no count at all, and the sizes of the files are what is left to go by.
fn parameter_count(tensors: &[Tensor], layers: &[TensorLayer], config: &Config) -> u64 {
    let mut tensors = tensors.iter();
    let exact = tensors.try_fold(0_i64, |sum, tensor| sum.checked_add(tensor.elements()?));
    if let Some(exact) = exact.filter(|count| *count > 0) {
        return exact.unsigned_abs();
    }
    // The sizes are what a manifest states, and may be any: Go's sums wrap.
    let bytes = layers.iter().fold(0_i64, |sum, layer| {
        sum.wrapping_add(layer.size).wrapping_sub(HEADER)
    });
    let width = match decode::lower(&config.torch_dtype).as_str() {
        "float32" => 4,
        "int8" | "uint8" => 1,
        _ => 2,
    };
    u64::try_from(bytes / width).unwrap_or(0)
}

/// Returns the quantization with the fewest bits.
fn quantization(tensors: &[Tensor]) -> Option<String> {
    let kinds = tensors
        .iter()
        .filter_map(|tensor| tensor.quantization.as_deref());
    let kinds = kinds.filter(|kind| !kind.is_empty());
    kinds.min_by_key(|kind| bits(kind)).map(str::to_owned)
}

fn bits(quantization: &str) -> u32 {
    match packing(quantization) {
        Some(8) => 4,
        Some(4) => 8,
        _ => u32::MAX,
    }
}

/// Returns how many elements of a quantization, as a file states it, stand in one number there.
// x/quant/quant.go of Ollama: Canonical, PackFactor
fn packing(quantization: &str) -> Option<u64> {
    match decode::upper(quantization.trim()).as_str() {
        "NVFP4" | "MXFP4" | "INT4" | "FP4" | "Q4" => Some(8),
        "MXFP8" | "INT8" | "FP8" | "Q8" => Some(4),
        _ => None,
    }
}

/// A tensor of a blob, as it was before it was packed.
struct Tensor {
    name: String,
    dtype: String,
    /// Empty where what the file states is blank.
    quantization: Option<String>,
    shape: Vec<u64>,
}

impl Tensor {
    /// A scalar counts nothing. `None` where the count is none of a signed number.
    // x/server/show.go of Ollama: getParameterCountFromManifest
    fn elements(&self) -> Option<i64> {
        let mut count = i64::from(!self.shape.is_empty());
        for size in &self.shape {
            if *size == 0 {
                return Some(0);
            }
            count = count.checked_mul(i64::try_from(*size).ok()?)?;
        }
        Some(count)
    }
}

/// A tensor as the header of its file has it.
#[derive(Default)]
struct Entry {
    dtype: String,
    shape: Vec<i64>,
}

impl Decode for Entry {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut shape = Slice::default();
        json.fields(
            first,
            &mut [("dtype", &mut self.dtype), ("shape", &mut shape)],
        )?;
        self.shape = shape.into_items().unwrap_or_default();
        Ok(())
    }
}

/// The shape alone, which counts whatever the type is.
#[derive(Default)]
struct Shape(Slice<i64>);

impl Decode for Shape {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.fields(first, &mut [("shape", &mut self.0)])
    }
}

fn decoded<T: Decode + Default>(bytes: &[u8]) -> Option<T> {
    let mut value = T::default();
    decode::whole(bytes, &mut value).ok()?;
    Some(value)
}

/// Reads a blob of one tensor, or of a few that belong together. `None` where it cannot be read or
/// holds none.
fn tensors_of(layer: &TensorLayer) -> Option<Vec<Tensor>> {
    let header = read::read_safetensors_header(&layer.path).ok()?;
    let header = decode::members(&header).ok()?;
    let metadata = header.get("__metadata__");
    let metadata = metadata.and_then(|raw| decoded::<BTreeMap<String, String>>(raw));
    let stated = metadata.and_then(|mut metadata| metadata.remove("quant_type"));
    let stated = stated.filter(|kind| !kind.is_empty());
    let entry = |name: &str| decoded::<Entry>(header.get(name)?);
    let scale = |name: &str| decoded::<Shape>(header.get(&format!("{name}.scale"))?);
    let is_main = |name: &&String| {
        let side = [".scale", ".bias", ".global_scale"];
        *name != "__metadata__" && !side.iter().any(|side| name.ends_with(side))
    };
    let names: Vec<&String> = header.keys().filter(is_main).collect();
    let mut tensors = Vec::new();
    for name in &names {
        let main = entry(name)?;
        let found = || scaled(&main.shape, &scale(name)?.0.into_items()?);
        let quantization = stated.as_deref().or_else(found);
        let shown = if names.len() == 1 { &layer.name } else { *name };
        tensors.push(unpacked(shown, main, quantization));
    }
    (!tensors.is_empty()).then_some(tensors)
}

fn unpacked(name: &str, main: Entry, quantization: Option<&str>) -> Tensor {
    let mut shape: Vec<u64> = main.shape.iter().map(|size| size.cast_unsigned()).collect();
    let pack = quantization.and_then(packing).filter(|_| shape.len() >= 2);
    if let (Some(pack), Some(last)) = (pack, shape.last_mut()) {
        *last = last.wrapping_mul(pack);
    }
    Tensor {
        name: name.to_owned(),
        dtype: main.dtype,
        quantization: quantization.map(|kind| decode::lower(kind.trim())),
        shape,
    }
}

/// Returns the quantization that a tensor and its scale tell by their shapes.
fn scaled(main: &[i64], scale: &[i64]) -> Option<&'static str> {
    if main.len() < 2 || scale.len() < 2 {
        return None;
    }
    match main.last()?.checked_div(*scale.last()?)? {
        4 => Some("int4"),
        16 => Some("int8"),
        _ => None,
    }
}
