//! `modelkeep gguf diff`: what two files differ in.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::gguf::OwnedValue;
use modelkeep::{GgufDiff, KeyDiff, StoreOptions, TensorDiff, TensorShape, WeightSize, human_size};

use super::tensors::{shape, type_name};
use super::{ReadArgs, source};
use crate::completions::models;
use crate::output::{Outcome, Output, counted};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// A GGUF file; or the name of a model, where there is no such file
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(models))]
    before: PathBuf,
    /// Another one
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(models))]
    after: PathBuf,
    #[command(flatten)]
    how: ReadArgs,
}

pub(super) fn run(args: &DiffArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let limits = args.how.limits();
    let before = source::open(&args.before, limits, options.clone())?;
    let after = source::open(&args.after, limits, options)?;
    let mut bar = Bar::new(!output.json)?;
    let diff = before.diff_with(&after, &mut |progress| bar.observe(progress))?;
    drop(bar);
    if !diff.is_empty() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(diff.to_json());
    }
    output.lines(diff.keys.iter().flat_map(of_key))?;
    output.lines(diff.tensors.iter().map(of_tensor))?;
    output.lines(quantization(&diff))?;
    output.lines(sums(&diff))
}

/// Returns a line for each side that has the key.
fn of_key(key: &KeyDiff) -> impl Iterator<Item = String> + use<> {
    let line = |sign: &str, value: &Option<OwnedValue>| {
        let value = value.as_ref().map(short)?;
        Some(format!("{sign} {}  {value}", key.key))
    };
    let lines = [line("-", &key.before), line("+", &key.after)];
    lines.into_iter().flatten()
}

/// Returns a value as JSON, cut where it is long.
fn short(value: &OwnedValue) -> String {
    const LONGEST: usize = 100;
    let whole = serde_json::to_string(value).unwrap_or_default();
    match whole.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}... ({})", &whole[..end], value.value_type()),
        None => format!("{whole} ({})", value.value_type()),
    }
}

fn of_tensor(tensor: &TensorDiff) -> String {
    let name = &tensor.name;
    match (&tensor.before, &tensor.after) {
        (Some(before), None) => format!("- tensor {name}  {}", described(before)),
        (None, Some(after)) => format!("+ tensor {name}  {}", described(after)),
        (Some(before), Some(after)) if before == after => {
            format!("! tensor {name}  {}: the data differ", described(before))
        }
        (Some(before), Some(after)) => {
            let (before, after) = (described(before), described(after));
            format!("! tensor {name}  {before} -> {after}")
        }
        (None, None) => String::new(),
    }
}

fn described(tensor: &TensorShape) -> String {
    let size = tensor.size.map_or("?".to_owned(), human_size);
    let kind = type_name(tensor.tensor_type);
    format!("{kind} {} {size}", shape(&tensor.shape))
}

/// Returns a line for each change of a type, and one for all tensors; none where no type changes.
fn quantization(diff: &GgufDiff) -> Vec<String> {
    let changes = diff.types.iter().filter_map(|kind| {
        let (before, after) = (kind.before?, kind.after?);
        let types = format!("{} -> {}", type_name(before), type_name(after));
        let cost = cost(&kind.size_before, &kind.size_after);
        (before != after).then(|| format!("{types}: {}, {cost}", counted(kind.tensors, "tensor")))
    });
    let mut lines: Vec<String> = changes.collect();
    if !lines.is_empty() {
        let cost = cost(&diff.size_before, &diff.size_after);
        lines.push(format!(
            "all: {}, {cost}",
            counted(diff.all_tensors, "tensor")
        ));
    }
    lines
}

fn cost(before: &WeightSize, after: &WeightSize) -> String {
    let [from, to] = [before, after].map(|size| human_size(size.bytes));
    let [high, low] = [before, after].map(WeightSize::bits_per_weight);
    format!("{from} -> {to}, {high:.2} -> {low:.2} bits per weight")
}

fn sums(diff: &GgufDiff) -> [String; 2] {
    [
        format!("{} of {} keys equal", diff.equal_keys, diff.all_keys),
        format!(
            "{} of {} tensors equal",
            diff.equal_tensors, diff.all_tensors
        ),
    ]
}
