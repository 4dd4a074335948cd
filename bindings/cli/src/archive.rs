//! Models that travel: `export`, and `import` of what it wrote.

use std::io::{self, IsTerminal};
use std::path::Path;

use modelkeep::{
    ExportOptions, ImportArchiveOptions, ImportedArchive, ModelName, Reference, Store,
    StoreOptions, human_size,
};

use crate::args::ImportArgs;
use crate::output::{FORCE, Outcome, Output, counted, misuse, say};
use crate::pipe::{Sink, Source};
use crate::progress::watched;

/// Standard input, or standard output.
const STREAM: &str = "-";

/// Returns whether what is to be imported is an archive.
pub(crate) fn is_one(file: &Path) -> bool {
    file == Path::new(STREAM) || Store::is_archive(file)
}

pub(crate) fn export(
    store: &Store,
    names: &[Reference],
    to: &Path,
    force: bool,
    output: &mut Output,
) -> Outcome {
    let names = names.iter().map(|name| store.identify(name));
    let names = names.collect::<Result<Vec<ModelName>, _>>()?;
    let is_stream = to == Path::new(STREAM);
    if is_stream && output.json {
        return Err(misuse("--json and an archive both want standard output"));
    }
    if is_stream && io::stdout().is_terminal() {
        return Err(misuse(
            "standard output is a terminal: name a file, or a pipe",
        ));
    }
    let options = ExportOptions::new().replace(force);
    let exported = watched(store, !output.json, |store| match is_stream {
        true => store.export_to(&names, &mut Sink::stdout()),
        false => store.export(&names, to, &options),
    });
    let exported = exported.map_err(|failure| failure.where_taken(FORCE))?;
    if output.json {
        return output.line(exported.to_json());
    }
    let names: Vec<String> = exported.models.iter().map(ToString::to_string).collect();
    let (names, bytes) = (names.join(", "), human_size(exported.bytes));
    let blobs = counted(exported.blobs, "blob");
    let text = format!("exported {names} ({bytes} in {blobs})");
    match is_stream {
        true => say(text),
        false => output.line(text)?,
    }
    Ok(())
}

pub(crate) fn import(
    options: StoreOptions,
    file: &Path,
    name: Option<ModelName>,
    with: &ImportArgs,
    output: &mut Output,
) -> Outcome {
    if with.changes_the_model() {
        return Err(misuse(
            "the models of an archive are taken as they are: only --force and a NAME may be given",
        ));
    }
    if with.from.is_some() && name.is_none() {
        return Err(misuse("importing a manifest needs a NAME"));
    }
    let is_stream = file == Path::new(STREAM) && with.from.is_none();
    if is_stream && io::stdin().is_terminal() {
        return Err(misuse(
            "standard input is a terminal: name a file, or use a pipe",
        ));
    }
    let options = options.create(true).foreign_owner(with.allow_foreign_owner);
    let store = Store::open_with(options)?;
    let mut how = ImportArchiveOptions::new().replace(with.force);
    if let Some(name) = name {
        how = how.name(name);
    }
    let imported = watched(&store, !output.json, |store| match &with.from {
        Some(from) => store.import_manifest(file, from, &how),
        None if is_stream => store.import_stream(&mut Source::stdin(), &how),
        None => store.import_archive(file, &how),
    });
    let imported = imported.map_err(|failure| failure.where_taken(FORCE))?;
    if output.json {
        return output.line(imported.to_json());
    }
    print(&imported, output)
}

fn print(imported: &ImportedArchive, output: &mut Output) -> Outcome {
    for model in &imported.models {
        let replaced = if model.replaced { " (replaced)" } else { "" };
        output.line(format!("imported {}{replaced}", model.name))?;
    }
    let bytes = human_size(imported.new_bytes);
    let new = counted(imported.new_blobs, "blob");
    let shared = imported.shared_blobs;
    output.line(format!("wrote {bytes} in {new}; {shared} stored already"))
}
