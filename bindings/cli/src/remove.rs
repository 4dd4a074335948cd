//! `modelkeep rm`: which models, whether it is meant, and what became free.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};

use clap::Args;
use clap_complete::ArgValueCompleter;
use console::Term;

use modelkeep::{
    DeleteOptions, Deleted, ErrorKind, ModelName, Problem, Reference, SharedBlob, Store, human_size,
};

use crate::completions::models;
use crate::list::Filter;
use crate::maintain;
use crate::output::{Failure, Outcome, Output, counted, note, say};
use crate::progress::watched;
use crate::table::few;

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The names of models, and patterns of names with *, ? and [...]
    #[arg(required = true, value_name = "NAME", add = ArgValueCompleter::new(models))]
    names: Vec<String>,
    /// Say what would go, and change nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Do not ask on a terminal whether it is meant
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(store: &Store, what: &RemoveArgs, output: &mut Output) -> Outcome {
    let names = named(store, &what.names, output)?;
    let options = DeleteOptions::new().dry_run(what.dry_run);
    if !what.dry_run && !what.yes && !is_meant(store, &names)? {
        return Err(Failure::Other("nothing was deleted".to_owned()));
    }
    let deleted = watched(store, false, |store| store.delete_with(&names, &options))?;
    note(&deleted.kept);
    for (_, error) in &deleted.failed {
        output.complain(error);
    }
    if output.json {
        return output.line(deleted.to_json()?);
    }
    print(&deleted, output)
}

/// Returns the models that are meant: a pattern means all those that it matches, everything else
/// the one of that name.
fn named(store: &Store, texts: &[String], output: &mut Output) -> Outcome<Vec<Reference>> {
    let is_pattern = |text: &String| text.contains(['*', '?', '[']);
    if !texts.iter().any(is_pattern) {
        let parsed = texts.iter().map(|text| text.parse::<Reference>());
        return Ok(parsed.collect::<Result<_, _>>()?);
    }
    let stored = store.names()?;
    note(&stored.problems);
    let mut names: Vec<Reference> = Vec::new();
    for text in texts {
        if !is_pattern(text) {
            names.push(text.parse()?);
            continue;
        }
        let filter: Filter = text
            .parse()
            .map_err(|error| Failure::Other(format!("the pattern '{text}': {error}")))?;
        let matching: Vec<_> = stored
            .names
            .iter()
            .filter(|it| filter.matches(it))
            .collect();
        if matching.is_empty() {
            output.complain(format_args!("no model is called '{text}'"));
        }
        let matching = matching.into_iter().filter(|name| is_readable(store, name));
        for name in matching.map(Reference::from) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Returns whether a pattern may mean a model. What cannot be read may be on a disk that is not
/// mounted, and goes only by its own name.
fn is_readable(store: &Store, name: &ModelName) -> bool {
    let found = store.model(name);
    if let Err(error) = &found {
        say(format_args!(
            "'{name}' was passed over: {error}; its own name deletes it"
        ));
    }
    found.is_ok()
}

/// Asks whoever sits at the terminal; where nobody does, it is meant.
fn is_meant(store: &Store, names: &[Reference]) -> Outcome<bool> {
    let is_attended = io::stdin().is_terminal() && io::stderr().is_terminal();
    if names.is_empty() || !is_attended {
        return Ok(true);
    }
    let planned = store.delete_with(names, &DeleteOptions::new().dry_run(true))?;
    if planned.models.is_empty() {
        return Ok(true);
    }
    let terminal = Term::stderr();
    let models: Vec<String> = planned.models.iter().map(ToString::to_string).collect();
    let what = match models.len() {
        1..=3 => models.join(", "),
        count => {
            // Each is seen before it goes.
            for name in &models {
                terminal.write_line(&modelkeep::printable(name))?;
            }
            format!("these {count} models")
        }
    };
    let bytes = human_size(planned.bytes);
    let question = format!("delete {what}, which frees {bytes}? [y/N] ");
    terminal.write_str(&modelkeep::printable(&question))?;
    let answer = terminal.read_line()?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn print(deleted: &Deleted, output: &mut Output) -> Outcome {
    let is_alias = |name: &&ModelName| deleted.aliases.iter().any(|alias| alias.name == **name);
    let (verb, frees) = match deleted.dry_run {
        true => ("would delete", "would free"),
        false => ("deleted", "freed"),
    };
    for name in deleted.models.iter().filter(|name| !is_alias(name)) {
        output.line(format!("{verb} {name}"))?;
    }
    for from in &deleted.stores {
        let (name, store) = (&from.name, from.store.display());
        output.line(match &from.shown_from {
            Some(other) => format!(
                "{name}: from {store}; that of {} is shown now",
                other.display()
            ),
            None => format!("{name}: from {store}"),
        })?;
    }
    for alias in &deleted.aliases {
        let (name, link, model) = (&alias.name, alias.link.display(), &alias.model);
        output.line(match deleted.dry_run {
            true => format!("{name} is an alias: would remove the link {link}; {model} stays"),
            false => format!("{name} was an alias: removed the link {link}; {model} stays"),
        })?;
    }
    maintain::restored(&deleted.restored, output)?;
    shared(&deleted.shared, output)?;
    let is_unread = |problem: &Problem| problem.error().kind() != ErrorKind::Busy;
    if deleted.kept.iter().any(is_unread) {
        say("every blob was kept: what cannot be read may use it");
    } else if !deleted.models.is_empty() {
        let (blobs, bytes) = (deleted.blobs.len(), human_size(deleted.bytes));
        let blobs = counted(blobs, "blob");
        output.line(format!("{frees} {bytes} in {blobs}"))?;
    }
    Ok(())
}

/// Says why less became free than the models took: "17 kB in 2 blobs stay: a2 uses them".
fn shared(blobs: &[SharedBlob], output: &mut Output) -> Outcome {
    let mut by_users: BTreeMap<&[ModelName], (usize, u64)> = BTreeMap::new();
    for blob in blobs {
        let group = by_users.entry(&blob.models).or_default();
        *group = (group.0 + 1, group.1 + blob.bytes);
    }
    output.lines(by_users.into_iter().map(|(models, (count, bytes))| {
        let (blobs, them) = if count == 1 {
            ("blob stays", "it")
        } else {
            ("blobs stay", "them")
        };
        let (names, verb) = match models {
            // Under a name that is none here.
            [] => ("another manifest".to_owned(), "uses"),
            [one] => (one.to_string(), "uses"),
            many => (few(many), "use"),
        };
        format!(
            "{} in {count} {blobs}: {names} {verb} {them}",
            human_size(bytes)
        )
    }))
}
