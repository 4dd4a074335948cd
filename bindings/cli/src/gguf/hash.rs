//! `modelkeep gguf hash`: the hashes of the tensors of a file.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::{GgufHashOptions, StoreOptions};

use super::{ReadArgs, source};
use crate::completions::models;
use crate::output::{Outcome, Output};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(super) struct HashArgs {
    /// A GGUF file; or the name of a model, where there is no such file
    #[arg(value_name = "FILE|NAME", add = ArgValueCompleter::new(models))]
    file: PathBuf,
    /// Compute XXH64 only, as fast as the file can be read
    #[arg(long, conflicts_with = "sha256")]
    xxh64: bool,
    /// Compute SHA-256 only
    #[arg(long)]
    sha256: bool,
    /// Hash all tensors together only, and not each of them
    #[arg(long)]
    no_layer: bool,
    #[command(flatten)]
    how: ReadArgs,
}

pub(super) fn run(args: &HashArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let file = source::open(&args.file, args.how.limits(), options)?;
    let wanted = GgufHashOptions::new()
        .xxh64(!args.sha256)
        .sha256(!args.xxh64)
        .tensors(!args.no_layer);
    let mut bar = Bar::new(!output.json)?;
    let hash = file.hash_with(&wanted, &mut |progress| bar.observe(progress))?;
    drop(bar);
    if output.json {
        return output.line(hash.to_json());
    }
    output.lines(hash.lines(&args.file.to_string_lossy()))
}
