//! `modelkeep gguf merge`: the parts of a split model as one file.

use std::path::PathBuf;

use clap::Args;
use modelkeep::{EditOptions, Edited, GgufParts, human_size};

use crate::output::{FORCE, Failure, Outcome, Output, say};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The first part, or any other; the others lie beside it
    #[arg(value_name = "FIRST")]
    first: PathBuf,
    /// The file that they become
    #[arg(value_name = "OUT")]
    to: PathBuf,
    /// Replace a file of that name
    #[arg(long, short)]
    force: bool,
}

pub(super) fn run(args: &MergeArgs, output: &mut Output) -> Outcome {
    let with = EditOptions::new().replace(args.force);
    let mut bar = Bar::new(!output.json)?;
    let mut observe = |progress: &modelkeep::Progress| bar.observe(progress);
    let merged = GgufParts::merge_file_with(&args.first, &args.to, &with, &mut observe);
    drop(bar);
    let merged = merged.map_err(|error| Failure::Store(error).where_taken(FORCE))?;
    warn(&merged);
    match output.json {
        true => output.line(merged.to_json()?),
        false => output.line(line("merged", &merged)),
    }
}

/// Says what is unusual in a file that was written.
pub(super) fn warn(made: &Edited) {
    for warning in &made.warnings {
        say(format_args!("warning: {}: {warning}", made.file.display()));
    }
}

pub(super) fn line(verb: &str, made: &Edited) -> String {
    format!("{verb} {} ({})", made.file.display(), human_size(made.size))
}
