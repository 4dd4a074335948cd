//! `modelkeep show` for people.

use clap::Args;
use modelkeep::{Message, Reference, Show, ShowOptions, Store, gguf::Value};

use crate::output::{Outcome, Output, counted};
use crate::table::section;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Print arrays and texts in full, and the tensors of safetensors models
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    part: Part,
}

/// One text of the model, as it is stored, in place of everything.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Part {
    /// Print the Modelfile that would make the model again
    #[arg(long)]
    modelfile: bool,
    /// Print the template
    #[arg(long)]
    template: bool,
    /// Print the parameters
    #[arg(long)]
    parameters: bool,
    /// Print the system prompt
    #[arg(long)]
    system: bool,
    /// Print the licenses
    #[arg(long)]
    license: bool,
}

impl Part {
    fn of<'a>(&self, show: &'a Show) -> Option<&'a str> {
        [
            (self.modelfile, &show.modelfile),
            (self.template, &show.template),
            (self.parameters, &show.parameters),
            (self.system, &show.system),
            (self.license, &show.license),
        ]
        .into_iter()
        .find_map(|(is_wanted, text)| is_wanted.then_some(text.as_str()))
    }
}

/// How many lines of a long text are printed where not everything is wanted.
const FEW: usize = 4;

/// How many characters of a line where no terminal says its width.
const LONG: usize = 200;

pub(crate) fn run(
    store: &Store,
    name: &Reference,
    what: &ShowArgs,
    output: &mut Output,
) -> Outcome {
    let name = store.identify(name)?;
    let show = store.show(name, &ShowOptions::new().verbose(what.verbose))?;
    if output.json {
        return output.line(show.to_json());
    }
    match what.part.of(&show) {
        Some(text) => output.text(text),
        None => print(&show, what.verbose, output),
    }
}

/// Prints the facts first, then the texts, in sections.
fn print(show: &Show, verbose: bool, output: &mut Output) -> Outcome {
    output.table(section("Model", facts(show, output)))?;
    let words = show.capabilities.iter().map(ToString::to_string);
    let capabilities: Vec<_> = words.map(|word| [word, String::new()]).collect();
    output.table(section("Capabilities", capabilities))?;
    let parameters = show.parameters.lines().map(|line| {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        [key.to_owned(), value.trim_start().to_owned()]
    });
    output.table(section("Parameters", parameters.collect()))?;
    if verbose {
        output.table(section("Metadata", metadata(show)))?;
        let tensors = show.tensors.iter().map(|tensor| {
            let kind = format!("{} {:?}", tensor.r#type, tensor.shape);
            [tensor.name.clone(), kind]
        });
        output.table(section("Tensors", tensors.collect()))?;
    }
    let (lines, width) = match verbose {
        true => (usize::MAX, usize::MAX),
        false => (
            FEW,
            output
                .width()
                .map_or(LONG, |width| usize::from(width).saturating_sub(2)),
        ),
    };
    text(output, "Template", &show.template, lines, width)?;
    text(output, "System", &show.system, usize::MAX, usize::MAX)?;
    let messages = show.messages.iter().map(said).collect::<Vec<String>>();
    text(output, "Messages", &messages.join("\n"), lines, width)?;
    text(output, "License", &show.license, lines, width)
}

fn said(message: &Message) -> String {
    format!("{}: {}", message.role, message.content)
}

fn facts(show: &Show, output: &Output) -> Vec<[String; 2]> {
    let details = &show.details;
    let metadata = |key: &str| {
        let gguf = show.model_info.gguf()?;
        let architecture = gguf.get("general.architecture")?.as_str()?;
        gguf.get(&format!("{architecture}.{key}"))?
            .as_u64()
            .map(|number| number.to_string())
    };
    let modified = match output.is_terminal() {
        true => output.time(show.modified_at),
        false => show.modified_at.to_string(),
    };
    let rows = [
        ("family", details.family.clone()),
        ("format", details.format.clone()),
        ("parameters", details.parameter_size.clone()),
        ("quantization", details.quantization_level.clone()),
        (
            "context length",
            metadata("context_length").unwrap_or_default(),
        ),
        (
            "embedding length",
            metadata("embedding_length").unwrap_or_default(),
        ),
        ("made from", details.parent_model.clone()),
        ("served by", show.remote_host.clone()),
        ("known there as", show.remote_model.clone()),
        ("requires", show.requires.clone()),
        ("modified", modified),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(key, value)| [key.to_owned(), value]).collect()
}

fn metadata(show: &Show) -> Vec<[String; 2]> {
    let Some(gguf) = show.model_info.gguf() else {
        return Vec::new();
    };
    gguf.metadata()
        .map(|(key, value)| [key.to_string(), brief(&value)])
        .collect()
}

/// Returns a value on one line: long texts and arrays are shortened.
pub(crate) fn brief(value: &Value<'_>) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(array) => {
            let shown: Vec<String> = array.iter().take(5).map(|item| brief(&item)).collect();
            let more = if array.len() > 5 { ", ..." } else { "" };
            let kind = array.element_type().name();
            format!("{} {kind}: [{}{more}]", array.len(), shown.join(", "))
        }
        Value::Str(text) => {
            let text = text.lossy();
            let line: String = text.chars().take(LONGEST).collect();
            let more = if line.len() < text.len() { "..." } else { "" };
            format!("{line:?}{more}")
        }
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
        // A type of a later release of the format.
        other => format!("{other:?}"),
    }
}

/// Prints the first lines of a text that are not empty, as far as they fit into a line, and says
/// where there is more.
fn text(output: &mut Output, title: &str, text: &str, lines: usize, width: usize) -> Outcome {
    let all = text.lines().filter(|line| !line.trim().is_empty());
    let all: Vec<String> = all.map(|line| line.replace('\t', "    ")).collect();
    if all.is_empty() {
        return Ok(());
    }
    output.heading(title)?;
    let shown = all.iter().take(lines);
    let cut: Vec<String> = shown.map(|line| cut(line, width)).collect();
    let is_cut = cut.iter().zip(&all).any(|(cut, line)| cut != line);
    output.lines(cut.iter().map(|line| format!("  {line}")))?;
    let more = all.len().saturating_sub(lines);
    if more > 0 {
        let more = counted(more, "more line");
        output.line(format!("  ... and {more} (--verbose)"))?;
    } else if is_cut {
        output.line("  ... cut (--verbose)")?;
    }
    output.line("")
}

/// Returns a text of no more than so many characters, with its end left out where it has more.
fn cut(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some(_) => {
            let kept = text.chars().take(width.saturating_sub(1));
            kept.chain(['\u{2026}']).collect()
        }
        None => text.to_owned(),
    }
}
