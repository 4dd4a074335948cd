//! `modelkeep du`: what each model holds, and what is there besides.

use std::cmp::Reverse;

use clap::{Args, ValueEnum};
use modelkeep::{Files, ModelUsage, Store, Usage};

use crate::output::{Outcome, Output, counted, note, place, size};
use crate::table::Fitting;

#[derive(Debug, Args)]
pub(crate) struct UsageArgs {
    /// What decides the order: the largest first, the one that a delete frees most of first, or the
    /// alphabet
    #[arg(long, value_enum, default_value = "size")]
    sort: Sort,
    /// Print so many models at most; what is there besides counts all of them
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print sizes as a number of bytes
    #[arg(long)]
    bytes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    Name,
    Size,
    Alone,
}

pub(crate) fn run(store: &Store, how: &UsageArgs, output: &mut Output) -> Outcome {
    let mut usage = store.usage()?;
    note(&usage.problems);
    match how.sort {
        Sort::Name => usage
            .models
            .sort_by_cached_key(|it| it.name.to_string().to_lowercase()),
        Sort::Size => usage.models.sort_by_key(|it| Reverse(whole(it))),
        Sort::Alone => usage.models.sort_by_key(|it| Reverse(it.exclusive)),
    }
    let count = usage.models.len();
    usage.models.truncate(how.limit.unwrap_or(usize::MAX));
    if output.json {
        return output.line(usage.to_json()?);
    }
    let largest = usage.models.iter().map(whole).max().unwrap_or(0).max(1);
    let row = |model: &ModelUsage| {
        let missing = match model.missing {
            0 => String::new(),
            missing => format!("{} missing", counted(missing, "blob")),
        };
        vec![
            model.name.to_string(),
            size(model.exclusive, how.bytes),
            size(model.shared, how.bytes),
            bar(model, largest),
            missing,
            place(model.store.as_deref()),
        ]
    };
    let fitting = Fitting {
        header: &["NAME", "ALONE", "SHARED", "", "", ""],
        numbers: &[1, 2],
        shrinking: &[0],
    };
    let rows = usage.models.iter().map(row).collect();
    output.table(fitting.lines(rows, output.width()))?;
    let more = count - usage.models.len();
    if more > 0 {
        output.line(format!("... and {}", counted(more, "more model")))?;
    }
    output.line("")?;
    totals(&usage, how.bytes, output)
}

fn whole(model: &ModelUsage) -> u64 {
    model.exclusive.saturating_add(model.shared)
}

/// Prints what there is besides, and all of it last.
fn totals(usage: &Usage, bytes: bool, output: &mut Output) -> Outcome {
    let files = |files: &Files| {
        let (size, files) = (size(files.bytes, bytes), counted(files.files, "file"));
        format!("{size} in {files}")
    };
    output.line(format!("used by models  {}", size(usage.used, bytes)))?;
    output.line(format!("orphans         {}", files(&usage.orphans)))?;
    output.line(format!("downloads       {}", files(&usage.partials)))?;
    output.line(format!("unknown files   {}", files(&usage.unknown)))?;
    output.line(format!("staged          {}", files(&usage.staged)))?;
    output.line(format!("trash           {}", files(&usage.trash)))?;
    output.line(format!("quarantine      {}", files(&usage.quarantine)))?;
    output.line(format!("everything else {}", files(&usage.other)))?;
    if usage.held_outside > 0 {
        output.line(format!(
            "held elsewhere  {}, too, by files outside: removing here does not free it",
            size(usage.held_outside, bytes)
        ))?;
    }
    output.line(format!("total           {}", size(usage.total, bytes)))
}

/// Returns a bar, of twenty places for the largest model: what a delete would free is dark, what is
/// shared light.
fn bar(model: &ModelUsage, largest: u64) -> String {
    const PLACES: u128 = 20;
    let places = |bytes: u64| {
        let places = u128::from(bytes) * PLACES / u128::from(largest);
        usize::try_from(places).unwrap_or(0)
    };
    let alone = places(model.exclusive);
    let shared = places(model.exclusive.saturating_add(model.shared)).saturating_sub(alone);
    format!("{}{}", "#".repeat(alone), "-".repeat(shared))
}
