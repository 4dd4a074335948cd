//! What each command does: one call of the library, and its answer in words.

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;
use modelkeep::{
    ImportOptions, MediaType, Model, ModelName, Reference, Show, ShowOptions, Store, StoreOptions,
    Summary,
};

use crate::args::{Args, Command, ImportArgs};
use crate::output::{Failure, Outcome, Output, note, say, table};
use crate::{maintenance, metadata, server, show};

pub(crate) fn run(args: Args, output: &mut Output) -> Outcome {
    let options = args.options();
    let open = || Store::open_with(options.clone());
    match args.command {
        Command::Gguf { file, how } => metadata::run(&file, &how, options, output),
        Command::Import { file, name, with } => import(options, &file, &name, with, output),
        Command::List => list(&open()?, output),
        Command::Show { name, verbose } => shown(&open()?, &name, verbose, output),
        Command::Cp {
            source,
            destination,
        } => copy(&open()?, &source, &destination, output),
        Command::Rm { names } => remove(&open()?, &names, output),
        Command::Path {
            name,
            projector,
            all,
        } => paths(&open()?.model(&name)?, projector, all, output),
        Command::Verify { names, how } => maintenance::verify(&open()?, names, &how, output),
        Command::Repair { names } => maintenance::repair(&open()?, names, output),
        Command::Serve { addresses, origins } => server::run(open()?, addresses, origins),
        Command::Du => maintenance::usage(&open()?, output),
        Command::Gc {
            grace,
            dry_run,
            partials,
            rename_old,
        } => {
            let what = maintenance::Gc {
                grace,
                dry_run,
                partials,
                rename_old,
            };
            maintenance::collect(&open()?, &what, output)
        }
        Command::Doctor => maintenance::doctor(&open()?, output),
    }
}

fn list(store: &Store, output: &mut Output) -> Outcome {
    let listing = store.list()?;
    note(&listing.problems);
    if output.json {
        return output.line(listing.to_json());
    }
    let row = |line: &Summary| {
        [
            line.name.to_string(),
            line.digest.chars().take(12).collect(),
            size(line),
            line.details.parameter_size.clone(),
            line.details.quantization_level.clone(),
            day(line),
        ]
    };
    let header = [
        "NAME",
        "ID",
        "SIZE",
        "PARAMETERS",
        "QUANTIZATION",
        "MODIFIED",
    ];
    output.lines(table(header, listing.models.iter().map(row), &[2, 3]))
}

fn size(line: &Summary) -> String {
    match u64::try_from(line.size) {
        Ok(_) if !line.remote_host.is_empty() => "-".to_owned(),
        Ok(size) => DecimalBytes(size).to_string(),
        Err(_) => line.size.to_string(),
    }
}

/// The date and the minute of a time that prints as RFC 3339.
fn day(line: &Summary) -> String {
    line.modified_at
        .to_string()
        .chars()
        .take(16)
        .collect::<String>()
        .replace('T', " ")
}

fn shown(store: &Store, name: &Reference, verbose: bool, output: &mut Output) -> Outcome {
    let show: Show = store.show(name, &ShowOptions::default().verbose(verbose))?;
    if output.json {
        return output.line(show.to_json());
    }
    show::print(&show, verbose, output)
}

fn copy(store: &Store, from: &ModelName, to: &ModelName, output: &mut Output) -> Outcome {
    let copied = store.copy(from, to)?;
    if output.json {
        return output.line(copied.to_json());
    }
    let replaced = if copied.replaced { " (replaced)" } else { "" };
    output.line(format!("copied {} to {}{replaced}", copied.from, copied.to))
}

fn remove(store: &Store, names: &[Reference], output: &mut Output) -> Outcome {
    let deleted = store.delete_all(names)?;
    note(&deleted.kept);
    for (_, error) in &deleted.failed {
        output.complain(error);
    }
    if output.json {
        return output.line(deleted.to_json());
    }
    for name in &deleted.models {
        output.line(format!("deleted {name}"))?;
    }
    if !deleted.kept.is_empty() {
        say("every blob was kept: what cannot be read may use it");
    } else if !deleted.models.is_empty() {
        let (blobs, bytes) = (deleted.blobs.len(), DecimalBytes(deleted.bytes));
        output.line(format!("freed {bytes} in {blobs} blobs"))?;
    }
    Ok(())
}

fn paths(model: &Model, projector: bool, all: bool, output: &mut Output) -> Outcome {
    let found = if all {
        model.all_paths()?
    } else if projector {
        model.paths(&MediaType::Projector)?
    } else {
        vec![model.gguf_path()?]
    };
    if found.is_empty() {
        return Err(Failure::Other(format!(
            "model '{}' has no projector",
            model.name()
        )));
    }
    let found = found
        .iter()
        .map(|path| absolute(path))
        .collect::<Outcome<Vec<_>>>()?;
    if output.json {
        let texts: Vec<_> = found.iter().map(|path| path.to_string_lossy()).collect();
        return output.line(modelkeep::json::to_string(&texts));
    }
    found.iter().try_for_each(|path| output.path(path))
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    let failed = |error| Failure::Other(format!("finding {}: {error}", path.display()));
    std::path::absolute(path).map_err(failed)
}

fn import(
    options: StoreOptions,
    file: &Path,
    name: &ModelName,
    with: ImportArgs,
    output: &mut Output,
) -> Outcome {
    let options = options.create(true).foreign_owner(with.allow_foreign_owner);
    let store = Store::open_with(options)?;
    let read = |path: &PathBuf| {
        let failed = |error| Failure::Other(format!("reading {}: {error}", path.display()));
        fs::read_to_string(path).map_err(failed)
    };
    let mut how = ImportOptions::default();
    how.replace = with.force;
    how.transfer = with.by.into();
    how.template = with.template.as_ref().map(read).transpose()?;
    how.licenses = with.licenses.iter().map(read).collect::<Outcome<_>>()?;
    how.adapters = with.adapters;
    how.projectors = with.projectors;
    how.system = with.system;
    let imported = store.import_file(file, name, &how)?;
    for warning in &imported.warnings {
        say(format_args!("warning: {warning}"));
    }
    if output.json {
        return output.line(imported.to_json());
    }
    for parameter in &imported.ignored {
        say(format_args!(
            "the parameter {parameter} says nothing any more"
        ));
    }
    let bytes = DecimalBytes(imported.bytes);
    output.line(format!(
        "imported {} ({bytes}, {})",
        imported.name, imported.digest
    ))
}
