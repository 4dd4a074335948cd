//! What each command does: one call of the library, and its result in words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::DecimalBytes;
use modelkeep::{
    ErrorKind, ImportOptions, ListOptions, ManifestForm, MediaType, Model, ModelName, Reference,
    SharedBlob, ShowOptions, Store, StoreOptions, Summary, Use,
};

use crate::args::{Args, Command, ImportArgs};
use crate::output::{Failure, Outcome, Output, note, say, table};
use crate::progress::watched;
use crate::{maintain, metadata, server, show};

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
            print0,
        } => {
            let store = open()?;
            let model = store.model(store.identify(&name)?)?;
            let found = paths(&model, projector, all)?;
            print_paths(&found, print0, output)
        }
        Command::Which { what } => which(&open()?, &what, output),
        Command::Verify { names, how } => {
            let store = open()?;
            let names = names.iter().map(|name| Ok(store.identify(name)?.into()));
            let names = names.collect::<Outcome<Vec<Reference>>>()?;
            maintain::verify(&store, names, &how, output)
        }
        Command::Repair { names } => maintain::repair(&open()?, names, output),
        Command::Serve { addresses, origins } => server::run(open()?, addresses, origins),
        Command::Du => maintain::usage(&open()?, output),
        Command::Gc {
            grace,
            dry_run,
            partials,
            quarantine,
            all,
            rename_old,
        } => {
            let what = maintain::Gc {
                grace,
                dry_run,
                partials,
                quarantine,
                all,
                rename_old,
            };
            maintain::collect(&open()?, &what, output)
        }
        Command::Doctor => maintain::doctor(&options, output),
    }
}

fn list(store: &Store, output: &mut Output) -> Outcome {
    let listing = store.list_with(&ListOptions::default().check_blobs(true))?;
    note(&listing.problems);
    if output.json {
        return output.line(listing.to_json());
    }
    let row = |line: &Summary| {
        [
            line.name.to_string() + &mark(line),
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

/// Returns what a reader of the table should know about a model: whose alias it is, what it lacks.
fn mark(line: &Summary) -> String {
    let alias = line
        .alias_of
        .iter()
        .map(|model| format!("alias of {model}"));
    let form = Some(line.form).filter(|form| *form != ManifestForm::Model);
    let form = form.iter().map(|form| form.words().to_owned());
    let lacks = line.incomplete.iter().map(ToString::to_string);
    let marks: Vec<String> = alias.chain(form).chain(lacks).collect();
    match marks.is_empty() {
        true => String::new(),
        false => format!(" ({})", marks.join(", ")),
    }
}

fn size(line: &Summary) -> String {
    match u64::try_from(line.size) {
        Ok(_) if !line.remote_host.is_empty() => "-".to_owned(),
        Ok(size) => DecimalBytes(size).to_string(),
        // No bytes are fewer than none: the manifest states a wrong size.
        Err(_) => "?".to_owned(),
    }
}

/// Returns the date and the minute of a time that prints as RFC 3339.
fn day(line: &Summary) -> String {
    line.modified_at
        .to_string()
        .chars()
        .take(16)
        .collect::<String>()
        .replace('T', " ")
}

fn shown(store: &Store, name: &Reference, verbose: bool, output: &mut Output) -> Outcome {
    let name = store.identify(name)?;
    let show = store.show(name, &ShowOptions::new().verbose(verbose))?;
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
    let deleted = watched(store, false, |store| store.delete_all(names))?;
    note(&deleted.kept);
    for (_, error) in &deleted.failed {
        output.complain(error);
    }
    if output.json {
        return output.line(deleted.to_json()?);
    }
    let is_alias = |name: &&ModelName| deleted.aliases.iter().any(|alias| alias.name == **name);
    for name in deleted.models.iter().filter(|name| !is_alias(name)) {
        output.line(format!("deleted {name}"))?;
    }
    for alias in &deleted.aliases {
        let (name, link) = (&alias.name, alias.link.display());
        let model = &alias.model;
        output.line(format!(
            "{name} was an alias: removed the link {link}; {model} stays"
        ))?;
    }
    maintain::restored(&deleted.restored, output)?;
    if !deleted.kept.is_empty() {
        say("every blob was kept: what cannot be read may use it");
    } else if !deleted.models.is_empty() {
        let (blobs, bytes) = (deleted.blobs.len(), DecimalBytes(deleted.bytes));
        output.line(format!("freed {bytes} in {blobs} blobs"))?;
    }
    shared(&deleted.shared, output)
}

/// Says why less became free than the models took: "17 kB in 2 blobs stay: a2 uses them".
fn shared(blobs: &[SharedBlob], output: &mut Output) -> Outcome {
    let mut by_users: BTreeMap<&[ModelName], (usize, u64)> = BTreeMap::new();
    for blob in blobs {
        let group = by_users.entry(&blob.models).or_default();
        *group = (group.0 + 1, group.1 + blob.bytes);
    }
    output.lines(by_users.into_iter().map(|(models, (count, bytes))| {
        let names: Vec<String> = models.iter().map(ToString::to_string).collect();
        let (blobs, them) = if count == 1 {
            ("blob stays", "it")
        } else {
            ("blobs stay", "them")
        };
        let (names, verb) = match names.as_slice() {
            // Under a name that is none here.
            [] => ("another manifest".to_owned(), "uses"),
            [one] => (one.clone(), "uses"),
            many => (many.join(", "), "use"),
        };
        format!(
            "{} in {count} {blobs}: {names} {verb} {them}",
            DecimalBytes(bytes)
        )
    }))
}

fn paths(model: &Model, projector: bool, all: bool) -> Outcome<Vec<PathBuf>> {
    let found = if all {
        model.all_paths()?
    } else if projector {
        model.paths(&MediaType::Projector)?
    } else {
        model.gguf_paths()?
    };
    if found.is_empty() {
        let text = format!("model '{}' has no projector", model.name());
        return Err(Failure::Other(text));
    }
    found.iter().map(|path| absolute(path)).collect()
}

/// Prints paths as the system has them, which need not be UTF-8.
fn print_paths(paths: &[PathBuf], print0: bool, output: &mut Output) -> Outcome {
    if output.json {
        return output.line(modelkeep::json::of_paths(paths)?);
    }
    let end = if print0 { b'\0' } else { b'\n' };
    paths.iter().try_for_each(|path| output.path(path, end))
}

fn which(store: &Store, what: &Path, output: &mut Output) -> Outcome {
    let found = watched(store, !output.json, |store| store.which(what))?;
    note(&found.problems);
    if found.uses.is_empty() {
        output.complain(format!("no model has {}", what.display()));
    }
    if output.json {
        return output.line(found.to_json());
    }
    if found.uses.is_empty() {
        return Ok(());
    }
    let row = |r#use: &Use| {
        [
            r#use.name.to_string(),
            r#use.kind.clone(),
            r#use.digest.clone(),
        ]
    };
    let header = ["NAME", "KIND", "DIGEST"];
    output.lines(table(header, found.uses.iter().map(row), &[]))
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    let failed = |error| Failure::Other(format!("finding {}: {error}", path.display()));
    std::path::absolute(path).map_err(failed)
}

/// Returns what a model is made of besides the file, the texts in files read.
fn import_options(with: ImportArgs) -> Outcome<ImportOptions> {
    let read = |path: &PathBuf| {
        let failed = |error| Failure::Other(format!("reading {}: {error}", path.display()));
        fs::read_to_string(path).map_err(failed)
    };
    let licenses = with.licenses.iter().map(read);
    let mut how = ImportOptions::new()
        .replace(with.force)
        .copy_mode(with.copy_mode.into())
        .licenses(licenses.collect::<Outcome<Vec<_>>>()?)
        .adapters(with.adapters)
        .projectors(with.projectors);
    if let Some(file) = &with.template {
        how = how.template(read(file)?);
    }
    if let Some(system) = with.system {
        how = how.system(system);
    }
    Ok(how)
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
    let how = import_options(with)?;
    let imported = watched(&store, !output.json, |store| {
        store.import_file(file, name, &how)
    });
    let imported = imported.map_err(|failure| match failure {
        Failure::Store(error) if error.kind() == ErrorKind::AlreadyExists => {
            Failure::Other(format!("{error}; --force replaces it"))
        }
        failure => failure,
    })?;
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
