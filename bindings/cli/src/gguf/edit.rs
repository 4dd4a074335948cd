//! `modelkeep gguf edit`: the metadata of a file or of a model, changed.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCompleter;
use modelkeep::gguf::{Editor, ValueType};
use modelkeep::{
    EditOptions, Edited, Imported, ModelName, Reference, Store, StoreOptions, human_size,
};

use super::source;
use crate::completions::models;
use crate::output::{FORCE, Failure, Outcome, Output, misuse, say};
use crate::progress::{Bar, watched};

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// A GGUF file; or the name of a model, where there is no such file
    #[arg(value_name = "IN", add = ArgValueCompleter::new(models))]
    from: PathBuf,
    /// The edited file
    #[arg(value_name = "OUT", required_unless_present_any = ["in_place", "model"])]
    to: Option<PathBuf>,
    /// Make a model of this name in place of a file: the one named IN with the edited file for its
    /// weights; its template, parameters, licenses and all else stay
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["to", "in_place"])]
    model: Option<ModelName>,
    /// Write nothing but the header, into IN itself; it needs the room of the old one
    #[arg(long, conflicts_with_all = ["to", "force", "no_padding"])]
    in_place: bool,
    /// Set a key, which keeps its type; of an array a JSON array. Keys are renamed first, then
    /// removed, then set
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Set a key to the text of a file
    #[arg(long = "set-file", value_name = "KEY=FILE", value_parser = pair)]
    set_file: Vec<(String, String)>,
    /// Remove a key
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
    /// Give a key another name
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    rename: Vec<(String, String)>,
    /// The type of the keys that are set, whatever they had before, as u32, f32, bool or str; of a
    /// JSON array that of its elements
    #[arg(long = "type", value_name = "TYPE")]
    value_type: Option<ValueType>,
    /// Replace a file, or a model, of that name
    #[arg(long, short)]
    force: bool,
    /// Do without the key modelkeep.padding, which lets a large file share its blocks
    #[arg(long)]
    no_padding: bool,
}

/// Reads two words with a `=` between them.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "a '=' is missing".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) fn run(how: &EditArgs, options: StoreOptions, output: &mut Output) -> Outcome {
    let editor = editor(how)?;
    if editor.is_empty() && !how.in_place {
        return Err(misuse(
            "nothing to edit: say --set, --set-file, --remove or --rename",
        ));
    }
    let with = EditOptions::new()
        .replace(how.force)
        .padding(!how.no_padding);
    if let Some(name) = &how.model {
        return as_model(&how.from, name, &editor, &with, options, output);
    }
    let is_file = how.from.symlink_metadata().is_ok();
    let Some(to) = &how.to else {
        return print(&editor.edit_in_place(&how.from, &with)?, output);
    };
    if !is_file && source::is_bare(&how.from) && source::is_bare(to) && to.components().count() == 1
    {
        let to = to.display();
        return Err(Failure::Other(format!(
            "whether {to} is to be a file or a model is not clear: ./{to} is a file, --as {to} makes \
             a model"
        )));
    }
    let from = source::path(&how.from, options)?;
    let mut bar = Bar::new(!output.json)?;
    let edited = editor.edit_file_with(from, to, &with, &mut |progress| bar.observe(progress));
    drop(bar);
    let edited = edited.map_err(|error| Failure::Store(error).where_taken(FORCE))?;
    print(&edited, output)
}

fn editor(how: &EditArgs) -> Outcome<Editor> {
    let mut editor = Editor::new();
    for (from, to) in &how.rename {
        editor.rename(from, to);
    }
    for key in &how.remove {
        editor.remove(key);
    }
    let mut set = |key: &str, text: String| {
        match how.value_type {
            Some(value_type) => editor.set_text_as(key, value_type, text),
            None => editor.set_text(key, text),
        };
    };
    for (key, text) in &how.set {
        set(key, text.clone());
    }
    for (key, file) in &how.set_file {
        let failed = |error| Failure::Other(format!("reading {file}: {error}"));
        set(key, fs::read_to_string(file).map_err(failed)?);
    }
    Ok(editor)
}

fn as_model(
    from: &Path,
    name: &ModelName,
    editor: &Editor,
    with: &EditOptions,
    options: StoreOptions,
    output: &mut Output,
) -> Outcome {
    let model: Option<Reference> = from.to_str().and_then(|text| text.parse().ok());
    let Some(model) = model else {
        return Err(Failure::Other(format!(
            "{} is no name of a model; --as makes one of a model",
            from.display()
        )));
    };
    let store = Store::open_with(options)?;
    let imported = watched(&store, !output.json, |store| {
        store.edit(store.identify(&model)?, name, editor, with)
    });
    let imported = imported.map_err(|failure| failure.where_taken(FORCE))?;
    print_model(&imported, output)
}

fn print(edited: &Edited, output: &mut Output) -> Outcome {
    for warning in &edited.warnings {
        say(format_args!(
            "warning: {}: {warning}",
            edited.file.display()
        ));
    }
    if output.json {
        return output.line(edited.to_json()?);
    }
    let mut facts = vec![human_size(edited.size)];
    if edited.shared_bytes > 0 {
        facts.push(format!("{} shared", human_size(edited.shared_bytes)));
    }
    if edited.padding > 0 {
        facts.push(format!("{} padding", human_size(edited.padding)));
    }
    let facts = facts.join(", ");
    output.line(format!("edited {} ({facts})", edited.file.display()))
}

fn print_model(imported: &Imported, output: &mut Output) -> Outcome {
    for warning in &imported.warnings {
        say(format_args!("warning: {warning}"));
    }
    if output.json {
        return output.line(imported.to_json()?);
    }
    let bytes = human_size(imported.bytes);
    output.line(format!(
        "edited {} ({bytes}, {})",
        imported.name, imported.digest
    ))
}
