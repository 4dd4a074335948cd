//! `modelkeep list`: which models, in which order, in which columns.

use std::cmp::Reverse;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use modelkeep::{ListOptions, ManifestForm, ModelName, Store, Summary};

use crate::completions::models;
use crate::kept;
use crate::output::{Outcome, Output, note, place, size};
use crate::table::Fitting;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Names, with or without their tag, and patterns of names with *, ? and [...]
    #[arg(value_name = "FILTER", add = ArgValueCompleter::new(models))]
    filters: Vec<Filter>,
    /// What decides the order: the newest first, the largest first, or the alphabet
    #[arg(long, value_enum, default_value = "modified")]
    sort: Sort,
    /// Print so many models at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Which columns, in which order, with commas between them
    #[arg(long, value_enum, value_delimiter = ',', value_name = "COLUMN", default_values = DEFAULT)]
    columns: Vec<Column>,
    /// Print sizes as a number of bytes
    #[arg(long)]
    bytes: bool,
    /// Print names only, one a line
    #[arg(long, short)]
    quiet: bool,
}

const DEFAULT: [&str; 6] = [
    "name",
    "id",
    "size",
    "parameters",
    "quantization",
    "modified",
];

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    Name,
    Size,
    Modified,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Column {
    Name,
    Id,
    Digest,
    Size,
    Family,
    Parameters,
    Quantization,
    Context,
    Capabilities,
    Modified,
    Store,
}

/// A pattern of names; one without a tag means every tag.
#[derive(Clone, Debug)]
pub(crate) struct Filter(glob::Pattern);

impl FromStr for Filter {
    type Err = glob::PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        glob::Pattern::new(text).map(Filter)
    }
}

impl Filter {
    /// Returns whether this means a model; letters are compared as the names of models are, without
    /// regard to their case.
    pub(crate) fn matches(&self, name: &ModelName) -> bool {
        let options = glob::MatchOptions {
            case_sensitive: false,
            ..glob::MatchOptions::new()
        };
        let tagged = name.to_string();
        let untagged = tagged.strip_suffix(name.tag()).unwrap_or(&tagged);
        let untagged = untagged.strip_suffix(':').unwrap_or(untagged);
        let texts = [&tagged, untagged, &name.full()];
        texts.iter().any(|text| self.0.matches_with(text, options))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.as_str()
    }
}

pub(crate) fn run(store: &Store, args: &ListArgs, output: &mut Output) -> Outcome {
    // What models lack is said in the table alone.
    let is_table = !output.json && !args.quiet;
    let listing = store.list_with(&ListOptions::default().check_blobs(is_table))?;
    let listing = kept(listing);
    note(&listing.problems);
    for filter in &args.filters {
        if !listing.models.iter().any(|line| filter.matches(&line.name)) {
            output.complain(format_args!("no model is called '{}'", filter.text()));
        }
    }
    let is_wanted = |line: &Summary| {
        args.filters.is_empty() || args.filters.iter().any(|filter| filter.matches(&line.name))
    };
    listing.models.retain(is_wanted);
    sort(&mut listing.models, args.sort);
    listing.models.truncate(args.limit.unwrap_or(usize::MAX));
    if output.json {
        return output.line(listing.to_json());
    }
    if args.quiet {
        let names = listing.models.iter().map(|line| line.name.to_string());
        return output.lines(names);
    }
    let columns = args.columns_of(&listing.models);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in &listing.models {
        let cells = columns.iter();
        rows.push(cells.map(|it| it.cell(line, args.bytes, output)).collect());
    }
    let header: Vec<_> = columns.iter().map(|column| column.title()).collect();
    let places = |is_meant: fn(&Column) -> bool| -> Vec<usize> {
        let meant = columns.iter().enumerate();
        let meant = meant.filter(|(_, column)| is_meant(column));
        meant.map(|(index, _)| index).collect()
    };
    let fitting = Fitting {
        header: &header,
        numbers: &places(|column| column.is_number()),
        shrinking: &places(|column| *column == Column::Name),
    };
    output.table(fitting.lines(rows, output.width()))
}

impl ListArgs {
    /// Returns the columns: those that were asked for, and in a view of several stores where each
    /// model is.
    fn columns_of(&self, models: &[Summary]) -> Vec<Column> {
        let is_of_several = models.iter().any(|line| line.store.is_some());
        let is_told = self.columns.contains(&Column::Store);
        let store = (is_of_several && !is_told).then_some(Column::Store);
        self.columns.iter().copied().chain(store).collect()
    }
}

/// The store lists the newest first; models of one size keep that order.
fn sort(models: &mut [Summary], by: Sort) {
    match by {
        Sort::Modified => {}
        Sort::Size => models.sort_by_key(|line| Reverse(line.size)),
        Sort::Name => models.sort_by_cached_key(|line| line.name.to_string().to_lowercase()),
    }
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Column::Name => "NAME",
            Column::Id => "ID",
            Column::Digest => "DIGEST",
            Column::Size => "SIZE",
            Column::Family => "FAMILY",
            Column::Parameters => "PARAMETERS",
            Column::Quantization => "QUANTIZATION",
            Column::Context => "CONTEXT",
            Column::Capabilities => "CAPABILITIES",
            Column::Modified => "MODIFIED",
            Column::Store => "STORE",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Column::Size | Column::Parameters | Column::Context)
    }

    /// Returns what the table has of a model.
    fn cell(self, line: &Summary, bytes: bool, output: &Output) -> String {
        match self {
            Column::Name => line.name.to_string() + &mark(line),
            Column::Id => line.digest.chars().take(12).collect(),
            Column::Digest => line.digest.clone(),
            Column::Size => stated(line, bytes),
            Column::Family => line.details.family.clone(),
            Column::Parameters => line.details.parameter_size.clone(),
            Column::Quantization => line.details.quantization_level.clone(),
            Column::Context => match line.details.context_length {
                0 => String::new(),
                length => length.to_string(),
            },
            Column::Capabilities => {
                let words = line.capabilities.iter().map(ToString::to_string);
                words.collect::<Vec<String>>().join(",")
            }
            Column::Modified => output.time(line.modified_at),
            Column::Store => place(line.store.as_deref()),
        }
    }
}

/// What a reader of the table should know about a model: whose alias it is, what it lacks.
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

fn stated(line: &Summary, bytes: bool) -> String {
    match u64::try_from(line.size) {
        Ok(_) if !line.remote_host.is_empty() => "-".to_owned(),
        Ok(bytes_stated) => size(bytes_stated, bytes),
        // No bytes are fewer than none: the manifest states a wrong size.
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    fn matches(filter: &str, name: &str) -> bool {
        let filter: Filter = filter.parse().unwrap();
        filter.matches(&name.parse().unwrap())
    }

    #[test]
    fn a_filter_is_a_name_or_a_pattern_of_one() {
        for filter in [
            "llama3.2",
            "LLAMA3.2",
            "llama3.2:3b",
            "llama*",
            "*:3b",
            "*3b",
            "l?ama3.2",
            "[k-m]lama*",
            "registry.ollama.ai/library/llama3.2:3b",
        ] {
            assert!(matches(filter, "llama3.2:3b"), "{filter}");
        }
        for filter in ["llama", "llama3.2:3", "3b", "library/llama3.2", "", ":3b"] {
            assert!(!matches(filter, "llama3.2:3b"), "{filter}");
        }
        assert!(matches("hf.co/*", "hf.co/team/model:Q4_K_M"));
        assert!(matches(
            "localhost:5000/team/m",
            "localhost:5000/team/m:latest"
        ));
        assert!("[".parse::<Filter>().is_err());
    }

    #[test]
    fn the_columns_that_are_printed_are_some_of_all() {
        let known: Vec<_> = Column::value_variants()
            .iter()
            .filter_map(|column| Some(column.to_possible_value()?.get_name().to_owned()))
            .collect();
        assert!(DEFAULT.iter().all(|name| known.iter().any(|it| it == name)));
    }
}
