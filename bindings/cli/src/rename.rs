//! `modelkeep cp` and `modelkeep mv`.

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::{CopyOptions, ModelName, Store};

use crate::completions::models;
use crate::output::{FORCE, Failure, Outcome, Output};

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The name of a model
    #[arg(add = ArgValueCompleter::new(models))]
    source: ModelName,
    /// The name that it is to have as well
    destination: ModelName,
    /// Replace a model of that name
    #[arg(long, short)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    /// The name of a model
    #[arg(add = ArgValueCompleter::new(models))]
    source: ModelName,
    /// The name that it is to have
    destination: ModelName,
}

pub(crate) fn copy(store: &Store, what: &CopyArgs, output: &mut Output) -> Outcome {
    let options = CopyOptions::new().replace(what.force);
    let copied = store.copy_with(&what.source, &what.destination, &options);
    let copied = copied.map_err(|error| Failure::Store(error).where_taken(FORCE))?;
    if output.json {
        return output.line(copied.to_json());
    }
    let replaced = if copied.replaced { " (replaced)" } else { "" };
    output.line(format!("copied {} to {}{replaced}", copied.from, copied.to))
}

pub(crate) fn rename(store: &Store, what: &RenameArgs, output: &mut Output) -> Outcome {
    let renamed = store.rename(&what.source, &what.destination);
    let renamed =
        renamed.map_err(|error| Failure::Store(error).where_taken("modelkeep rm removes it"))?;
    if output.json {
        return output.line(renamed.to_json());
    }
    output.line(format!("renamed {} to {}", renamed.from, renamed.to))
}
