//! `modelkeep link`: names for other programs, and whether they are still right.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use modelkeep::{CheckedLink, Link, LinkLayout, LinkMode, LinkOptions, Linked, Store};

use crate::completions::models;
use crate::output::{FORCE, Failure, Outcome, Output, misuse, say};
use crate::table::table;

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// The name of a model, and the directory for its links or the path of one, as x.gguf; with
    /// --check and --forget the paths of links, and directories of them [default: all that the
    /// store remembers]
    #[arg(value_name = "NAME DIR|FILE", add = ArgValueCompleter::new(models))]
    words: Vec<PathBuf>,
    /// How the links show the files of the store
    #[arg(long, value_enum, default_value = "auto", conflicts_with_all = ["check", "forget"])]
    mode: How,
    /// How links are laid out in a directory
    #[arg(long, value_enum, default_value = "flat", conflicts_with_all = ["check", "forget"])]
    layout: Arrangement,
    /// Replace files that are no links of this model
    #[arg(long, short, conflicts_with_all = ["check", "forget"])]
    force: bool,
    /// Say which links would be made, and make none
    #[arg(long, conflicts_with_all = ["check", "forget"])]
    dry_run: bool,
    /// Say which links show something else than their models hold now, as after a pull
    #[arg(long, conflicts_with = "forget")]
    check: bool,
    /// Forget links, and leave the files where they are
    #[arg(long)]
    forget: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    /// Reflink where the file system can, else hard link, else symbolic link
    Auto,
    /// Share the blocks until one is written to
    Reflink,
    /// One file of two names: who writes to it destroys the model
    Hardlink,
    /// The path of the file in the store
    Symlink,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Arrangement {
    /// All in the directory itself
    Flat,
    /// PUBLISHER/MODEL/FILE.gguf, as LM Studio has it
    Lmstudio,
}

impl From<How> for LinkMode {
    fn from(how: How) -> Self {
        match how {
            How::Auto => LinkMode::Auto,
            How::Reflink => LinkMode::Reflink,
            How::Hardlink => LinkMode::HardLink,
            How::Symlink => LinkMode::Symlink,
        }
    }
}

impl From<Arrangement> for LinkLayout {
    fn from(arrangement: Arrangement) -> Self {
        match arrangement {
            Arrangement::Flat => LinkLayout::Flat,
            Arrangement::Lmstudio => LinkLayout::LmStudio,
        }
    }
}

pub(crate) fn run(store: &Store, what: &LinkArgs, output: &mut Output) -> Outcome {
    match what.words.as_slice() {
        words if what.check => check(store, words, output),
        [] if what.forget => Err(misuse("name the links to forget, or a directory of them")),
        words if what.forget => forget(store, words, output),
        [name, to] => {
            let name = name.to_str().unwrap_or_default();
            let options = LinkOptions::new()
                .mode(what.mode.into())
                .layout(what.layout.into())
                .replace(what.force)
                .dry_run(what.dry_run);
            let linked = store.link(store.identify(name)?, to, &options);
            let linked = linked.map_err(|error| Failure::from(error).where_taken(FORCE))?;
            print(&linked, what.dry_run, output)
        }
        _ => Err(misuse(
            "a link needs the NAME of one model, and one DIR or FILE",
        )),
    }
}

fn print(linked: &Linked, is_dry: bool, output: &mut Output) -> Outcome {
    for kind in &linked.left_out {
        say(format_args!(
            "note: {} has a file of the kind {kind}, which has no link; `modelkeep path --all {}` \
             has its path",
            linked.name, linked.name
        ));
    }
    if !linked.not_remembered.is_empty() {
        say(format_args!(
            "note: the links are not remembered, so name them for `modelkeep link --check`: {}",
            linked.not_remembered
        ));
    }
    if output.json {
        return output.line(linked.to_json()?);
    }
    let done = |link: &Link| {
        let replaced = if link.replaced { ", replaced" } else { "" };
        match (link.unchanged, is_dry) {
            (true, _) => format!("{} is there ({})", link.path.display(), link.mode),
            (false, true) => format!(
                "would link {} ({}{replaced})",
                link.path.display(),
                link.mode
            ),
            (false, false) => format!("linked {} ({}{replaced})", link.path.display(), link.mode),
        }
    };
    output.lines(linked.links.iter().map(done))
}

fn check(store: &Store, paths: &[PathBuf], output: &mut Output) -> Outcome {
    let report = store.check_links(paths)?;
    if !report.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(report.to_json()?);
    }
    if report.links.is_empty() {
        return output.line("no links are known; modelkeep link NAME DIR makes some");
    }
    let row = |link: &CheckedLink| {
        let name = link.name.as_ref().map(ToString::to_string);
        [
            link.state.to_string(),
            name.unwrap_or_default(),
            link.path.display().to_string(),
        ]
    };
    let header = ["STATE", "NAME", "PATH"];
    output.table(table(header, report.links.iter().map(row), &[]))?;
    let advised = report.links.iter().filter(|link| !link.is_ok());
    for link in advised {
        let (path, what) = (link.path.display(), &link.what);
        match link.advice.as_str() {
            "" => say(format_args!("{path} {what}")),
            advice => say(format_args!("{path} {what}: {advice}")),
        }
    }
    Ok(())
}

fn forget(store: &Store, paths: &[PathBuf], output: &mut Output) -> Outcome {
    let forgotten = store.forget_links(paths)?;
    if output.json {
        return output.line(modelkeep::json::of_paths(&forgotten)?);
    }
    if forgotten.is_empty() {
        return output.line("no such link was remembered");
    }
    let lines = forgotten
        .iter()
        .map(|path| format!("forgot {}", path.display()));
    output.lines(lines)
}
