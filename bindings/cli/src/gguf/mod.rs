//! `modelkeep gguf`: one file by itself, and what is done with such files.

mod describe;
mod diff;
mod edit;
mod hash;
mod merge;
mod shared;
mod source;
mod split;
mod tensors;
mod value;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use modelkeep::StoreOptions;
use modelkeep::gguf::{Data, Limits};

use crate::completions::models;
use crate::output::{Outcome, Output, misuse};

#[doc(hidden)]
pub use describe::describe_bytes;

#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub(crate) struct GgufArgs {
    #[command(subcommand)]
    command: Option<GgufCommand>,
    #[command(flatten)]
    shown: ShownArgs,
}

/// What is done with files. One that has the name of such a command is given as `./edit`.
#[derive(Debug, Subcommand)]
enum GgufCommand {
    /// Set, remove or rename metadata, into a new file, in place, or as a new model
    #[command(
        after_help = "Examples:\n  modelkeep gguf edit model.gguf edited.gguf --set \"general.name=My model\"\n  modelkeep gguf edit model.gguf edited.gguf --set-file tokenizer.chat_template=chat.jinja\n  modelkeep gguf edit model.gguf --in-place --set llama.context_length=8192\n  modelkeep gguf edit llama3.2 --as my-llama --remove general.url --rename a.b=a.c"
    )]
    Edit(edit::EditArgs),
    /// Hash the data of each tensor, and of all together: SHA-256 and XXH64, in the lines of
    /// llama-gguf-hash
    #[command(
        after_help = "Examples:\n  modelkeep gguf hash model.gguf\n  modelkeep gguf hash llama3.2 --xxh64 --no-layer\n  modelkeep gguf hash model.gguf --json"
    )]
    Hash(hash::HashArgs),
    /// Compare two files: keys, values, tensors, types and data, and what another quantization costs;
    /// status 1 where they differ
    #[command(
        after_help = "Examples:\n  modelkeep gguf diff model.gguf edited.gguf\n  modelkeep gguf diff llama3.2 my-llama --json"
    )]
    Diff(diff::DiffArgs),
    /// Show which models share tensors: the same data, in files that are not the same
    #[command(
        after_help = "Examples:\n  modelkeep gguf shared\n  modelkeep gguf shared llama3.2 my-llama --tensors\n  modelkeep gguf shared --json"
    )]
    Shared(shared::SharedArgs),
    /// Write the parts of a split model as one file, as llama-gguf-split does
    #[command(
        after_help = "Examples:\n  modelkeep gguf merge model-00001-of-00003.gguf model.gguf\n  modelkeep gguf merge model-00001-of-00003.gguf model.gguf --force --json"
    )]
    Merge(merge::MergeArgs),
    /// Split a file into PREFIX-00001-of-0000N.gguf and so on, as llama-gguf-split does
    #[command(
        after_help = "Examples:\n  modelkeep gguf split model.gguf model --max-size 2G\n  modelkeep gguf split llama3.2 parts/llama --max-tensors 128"
    )]
    Split(split::SplitArgs),
}

/// A file, and what is printed of it.
#[derive(Debug, Default, PartialEq, Args)]
struct ShownArgs {
    /// A GGUF file; or the name of a model, where there is no such file; or - for standard input, of
    /// which the header is read and no more
    #[arg(required = true, value_name = "FILE|NAME", add = ArgValueCompleter::new(models))]
    file: Option<PathBuf>,
    /// Print the value of this key alone, as it is stored; of an array a line for each element
    #[arg(conflicts_with_all = ["tensors", "arrays"])]
    key: Option<String>,
    /// Print a line for each tensor
    #[arg(long, conflicts_with = "arrays")]
    tensors: bool,
    /// Print arrays whole; with --json the metadata become one plain object of keys and values
    #[arg(long)]
    arrays: bool,
    #[command(flatten)]
    how: ReadArgs,
}

/// How strictly a file is read.
#[derive(Debug, Default, PartialEq, Args)]
pub(crate) struct ReadArgs {
    /// Read on where the format is broken without harm
    #[arg(long)]
    lenient: bool,
    /// Read a file whose data are not all there yet, as in the midst of a download
    #[arg(long)]
    header_only: bool,
}

impl ReadArgs {
    fn limits(&self) -> Limits {
        limits(self.lenient, self.header_only)
    }
}

fn limits(lenient: bool, header_only: bool) -> Limits {
    let limits = if lenient {
        Limits::lenient()
    } else {
        Limits::strict()
    };
    limits.data(if header_only {
        Data::Optional
    } else {
        Data::Required
    })
}

pub(crate) fn run(args: GgufArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    match args.command {
        None => show(&args.shown, options, output),
        Some(_) if args.shown != ShownArgs::default() => Err(misuse(
            "what is said before the command of gguf belongs behind it; a file with the name of one \
             is given as ./edit",
        )),
        Some(GgufCommand::Edit(how)) => edit::run(&how, options, output),
        Some(GgufCommand::Hash(how)) => hash::run(&how, options, output),
        Some(GgufCommand::Diff(how)) => diff::run(&how, options, output),
        Some(GgufCommand::Shared(how)) => shared::run(&how, options, output),
        Some(GgufCommand::Merge(how)) => merge::run(&how, output),
        Some(GgufCommand::Split(how)) => split::run(&how, options, output),
    }
}

fn show(shown: &ShownArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let Some(file) = &shown.file else {
        return Err(misuse("FILE is missing"));
    };
    let file = source::open(file, shown.how.limits(), options)?;
    if let Some(key) = &shown.key {
        return value::print(file.view(), key, output);
    }
    match (shown.tensors, shown.arrays) {
        (true, _) => tensors::print(file.view(), output),
        (_, true) if output.json => output.line(file.view().metadata_json()),
        (_, arrays) => describe::print(&file, arrays, output),
    }
}
