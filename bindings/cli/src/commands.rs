//! What each command does: one call of the library, and its result in words.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use modelkeep::{
    ImportOptions, IncompleteBlob, MediaType, Model, ModelName, Reference, Store, StoreOptions,
    Use, human_size,
};

use crate::args::{Args, Command, ImportArgs};
use crate::output::{FORCE, Failure, Outcome, Output, misuse, note, say};
use crate::progress::watched;
use crate::table::Fitting;
use crate::{
    archive, completions, gguf, kept, link, list, maintain, registry, remove, rename, server, show,
    usage,
};

pub(crate) fn run(args: Args, output: &mut Output) -> Outcome {
    let options = args.options();
    let open = || Store::open_with(options.clone()).map(|store| kept(store).clone());
    match args.command {
        Command::Gguf(what) => gguf::run(what, options, output),
        Command::Export { names, to, force } => {
            archive::export(&open()?, &names, &to, force, output)
        }
        Command::Import { file, name, with } if with.from.is_some() || archive::is_one(&file) => {
            archive::import(options, &file, name, &with, output)
        }
        Command::Import { file, name, with } => {
            let name = name.ok_or_else(|| misuse("importing a file needs a NAME"))?;
            import(options, &file, &name, with, output)
        }
        Command::List(how) => list::run(&open()?, &how, output),
        Command::Show { name, what } => show::run(&open()?, &name, &what, output),
        Command::Cp(what) => rename::copy(&open()?, &what, output),
        Command::Mv(what) => rename::rename(&open()?, &what, output),
        Command::Rm(what) => remove::run(&open()?, &what, output),
        Command::Path {
            name,
            projector,
            all,
            print0,
            force,
        } => {
            let store = open()?;
            let model = store.model(store.identify(&name)?)?;
            let found = paths(&model, projector, all)?;
            if !force {
                refuse_cut(&model, &found)?;
            }
            let found: Vec<_> = found
                .iter()
                .map(|it| absolute(it))
                .collect::<Outcome<_>>()?;
            print_paths(&found, print0, output)
        }
        Command::Link(what) => link::run(&open()?, &what, output),
        Command::Which { what } => which(&open()?, &what, output),
        Command::Verify { names, how } => {
            let store = open()?;
            let names = names.iter().map(|name| Ok(store.identify(name)?.into()));
            let names = names.collect::<Outcome<Vec<Reference>>>()?;
            maintain::verify(&store, names, &how, output)
        }
        Command::Repair { names } => maintain::repair(&open()?, names, output),
        Command::Pull(what) => registry::pull(options, &what, output),
        Command::Push(what) => registry::push(&open()?, &what, output),
        Command::LsRemote(what) => registry::list(&what, output),
        Command::Serve(how) => server::run(open()?, how, args.read_only),
        Command::Du(how) => usage::run(&open()?, &how, output),
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
        Command::Completions { shell } => completions::register(shell, output),
        Command::Man { directory } => manual(&directory),
    }
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
        let lacks = match all {
            true => "names no layer: `modelkeep doctor` says what it is",
            false => "has no projector",
        };
        return Err(Failure::Other(format!("model '{}' {lacks}", model.name())));
    }
    Ok(found)
}

/// Refuses files that are not as long as the manifest states: whoever is given a path trusts it.
fn refuse_cut(model: &Model, paths: &[PathBuf]) -> Outcome {
    let incomplete = model.incomplete();
    let cut = |it: &&IncompleteBlob| it.found.is_some() && paths.contains(&it.path);
    let Some(blob) = incomplete.iter().find(cut) else {
        return Ok(());
    };
    let (name, path) = (model.name(), blob.path.display());
    let text = format!("model '{name}': {path} has {blob}; --force prints it all the same");
    Err(Failure::Other(text))
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
        let digest = output.brief(&r#use.digest);
        vec![r#use.name.to_string(), r#use.kind.clone(), digest]
    };
    let fitting = Fitting {
        header: &["NAME", "KIND", "DIGEST"],
        numbers: &[],
        shrinking: &[0],
    };
    let rows = found.uses.iter().map(row).collect();
    output.table(fitting.lines(rows, output.width()))
}

/// Writes a manual page for the command and for each of its commands.
fn manual(directory: &Path) -> Outcome {
    let failed = |error| Failure::Other(format!("writing into {}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Args::command(), directory).map_err(failed)
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
    let imported = imported.map_err(|failure| failure.where_taken(FORCE))?;
    for warning in &imported.warnings {
        say(format_args!("warning: {warning}"));
    }
    if output.json {
        return output.line(imported.to_json()?);
    }
    for parameter in &imported.ignored {
        say(format_args!(
            "the parameter {parameter} says nothing any more"
        ));
    }
    let bytes = human_size(imported.bytes);
    output.line(format!(
        "imported {} ({bytes}, {})",
        imported.name, imported.digest
    ))
}
