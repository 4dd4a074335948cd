//! `modelkeep gguf split`: a file as the parts of a model.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::{Edited, GgufParts, SplitOptions, StoreOptions};

use super::{merge, source};
use crate::completions::models;
use crate::output::{FORCE, Failure, Outcome, Output};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(super) struct SplitArgs {
    /// A GGUF file; or the name of a model, where there is no such file
    #[arg(value_name = "IN", add = ArgValueCompleter::new(models))]
    from: PathBuf,
    /// What the names of the parts begin with, as in models/llama for models/llama-00001-of-00003.gguf
    #[arg(value_name = "PREFIX")]
    prefix: PathBuf,
    /// The most bytes of tensors in a part: a number, or one with K, M, G or T for the powers of 1000
    #[arg(long, value_name = "SIZE", value_parser = size, required_unless_present = "max_tensors")]
    max_size: Option<u64>,
    /// The most tensors in a part
    #[arg(long, value_name = "N")]
    max_tensors: Option<u64>,
    /// Replace files of the names of the parts
    #[arg(long, short)]
    force: bool,
}

/// Reads a size as `llama-gguf-split` does: a unit is a power of 1000.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1000),
        Some((at, 'M' | 'm')) => (&text[..at], 1_000_000),
        Some((at, 'G' | 'g')) => (&text[..at], 1_000_000_000),
        Some((at, 'T' | 't')) => (&text[..at], 1_000_000_000_000),
        _ => (text, 1_u64),
    };
    let number = digits.parse::<u64>().ok();
    let size = number.and_then(|number| number.checked_mul(unit));
    size.ok_or_else(|| "a size is a number of bytes, or one such as 500M or 2G".to_owned())
}

pub(super) fn run(args: &SplitArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let mut with = SplitOptions::new().replace(args.force);
    if let Some(bytes) = args.max_size {
        with = with.max_size(bytes);
    }
    if let Some(count) = args.max_tensors {
        with = with.max_tensors(count);
    }
    let from = source::path(&args.from, options)?;
    let mut bar = Bar::new(!output.json)?;
    let mut observe = |progress: &modelkeep::Progress| bar.observe(progress);
    let parts = GgufParts::split_file_with(from, &args.prefix, &with, &mut observe);
    drop(bar);
    let parts = parts.map_err(|error| Failure::Store(error).where_taken(FORCE))?;
    parts.iter().for_each(merge::warn);
    if output.json {
        let parts = parts.iter().map(Edited::to_json);
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        return output.line(format!("[{}]", parts.join(",")));
    }
    output.lines(parts.iter().map(|part| merge::line("wrote", part)))
}
