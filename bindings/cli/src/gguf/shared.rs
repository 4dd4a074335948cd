//! `modelkeep gguf shared`: which models share tensors.

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::{
    Reference, SharedSet, SharedTensors, Store, StoreOptions, WeightsFile, human_size,
};

use super::tensors::{shape, type_name};
use crate::completions::models;
use crate::output::{Outcome, Output, counted, say};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(super) struct SharedArgs {
    /// The models that are compared; all of the store where none is named
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(models))]
    names: Vec<Reference>,
    /// Print a line for each tensor
    #[arg(long)]
    tensors: bool,
}

pub(super) fn run(args: &SharedArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let store = Store::open_with(options)?;
    let mut bar = Bar::new(!output.json)?;
    let names = args.names.iter().cloned();
    let names = names.map(|name| store.identify(name).map(Reference::from));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let shared = store.shared_tensors_with(&names, &mut |progress| bar.observe(progress))?;
    drop(bar);
    if !shared.problems.is_empty() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(shared.to_json());
    }
    for problem in &shared.problems {
        say(format_args!("{problem}"));
    }
    output.lines(
        shared
            .sets
            .iter()
            .flat_map(|set| lines(set, &shared, args.tensors)),
    )?;
    let (files, bytes) = (
        counted(shared.files.len(), "file"),
        human_size(shared.repeated),
    );
    output.line(format!(
        "{bytes} of the tensors in {files} are stored again"
    ))
}

/// Returns a line for the tensors that some models share, and where wanted one for each of them.
fn lines(set: &SharedSet, shared: &SharedTensors, each: bool) -> Vec<String> {
    let files = set.files.iter().filter_map(|at| shared.files.get(*at));
    let files: Vec<String> = files.map(of_file).collect();
    let (count, bytes) = (set.tensors.len(), human_size(set.bytes));
    let mut lines = vec![format!(
        "{}, {bytes}: {}",
        counted(count, "tensor"),
        files.join(", ")
    )];
    if each {
        lines.extend(set.tensors.iter().map(|tensor| {
            let (kind, size) = (type_name(tensor.tensor_type), human_size(tensor.size));
            format!("  {}  {kind} {} {size}", tensor.name, shape(&tensor.shape))
        }));
    }
    lines
}

/// Names a file by its models, and says how many tensors it has.
fn of_file(file: &WeightsFile) -> String {
    let names: Vec<String> = file.models.iter().map(ToString::to_string).collect();
    format!("{} ({})", names.join(" = "), file.tensors)
}
