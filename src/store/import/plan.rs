//! What a model is made from: a file, or what a Modelfile says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::read;
use crate::fs::source::{Incoming, Source};
use crate::gguf;
use crate::modelfile::{self, Command};
use crate::name::Reference;
use crate::store::import::ImportOptions;
use crate::store::import::edited::Edit;
use crate::store::options::StoreOptions;
use crate::store::show::Message;

/// Everything that goes into a model.
pub(super) struct ImportPlan {
    pub weights: Origin,
    /// The file of the weights, where somebody has opened it to see what it is.
    pub opened: Option<Source>,
    /// GGUF files of draft models.
    pub drafts: Vec<PathBuf>,
    pub with: ImportOptions,
}

/// Where the layers come from that are no text.
pub(super) enum Origin {
    Files(Vec<PathBuf>),
    Model(Reference),
    /// Those of a model, with edited metadata.
    Edited(Box<Edit>),
}

impl ImportPlan {
    pub(super) fn of_file(file: &Path, with: ImportOptions) -> Self {
        ImportPlan {
            weights: Origin::Files(vec![file.to_owned()]),
            opened: None,
            drafts: Vec::new(),
            with,
        }
    }

    pub(super) fn of_source(source: Source, with: ImportOptions) -> Self {
        ImportPlan {
            weights: Origin::Files(vec![source.path().to_owned()]),
            opened: Some(source),
            drafts: Vec::new(),
            with,
        }
    }

    /// Returns what a Modelfile says; `options` win over it, and add to its licenses. Paths begin
    /// at `directory` or, after a `~/`, at the user's home.
    pub(super) fn of_modelfile(
        commands: Vec<(usize, Command)>,
        directory: &Path,
        options: ImportOptions,
    ) -> Result<Self> {
        let mut directives = Directives::default();
        for (line, command) in commands {
            let taken = directives.take(command, directory);
            taken.map_err(|error| match error.kind() {
                ErrorKind::InvalidArgument => {
                    Error::caused(error.kind(), format!("line {line}"), error)
                }
                _ => error,
            })?;
        }
        let weights = directives.weights()?;
        Ok(ImportPlan {
            weights,
            opened: None,
            drafts: directives.drafts,
            with: directives.with.overlaid(options),
        })
    }
}

/// What the commands have directed so far.
#[derive(Default)]
struct Directives {
    files: Vec<PathBuf>,
    model: Option<Reference>,
    drafts: Vec<PathBuf>,
    with: ImportOptions,
}

impl Directives {
    fn take(&mut self, command: Command, directory: &Path) -> Result<()> {
        let with = &mut self.with;
        let stated = |text: String| Some(text).filter(|text| !text.is_empty());
        match command {
            Command::From(text) => self.from(&text, directory)?,
            Command::Draft(text) => self.drafts.extend(weights_of(&text, directory)?),
            // Ollama uses the last one only.
            Command::Adapter(text) => with.adapters = weights_of(&text, directory)?,
            Command::Template(text) => with.template = stated(text),
            Command::System(text) => with.system = stated(text),
            Command::Renderer(text) => with.renderer = stated(text),
            Command::Parser(text) => with.parser = stated(text),
            Command::License(text) => with.licenses.push(text),
            Command::Message(role, content) => with.messages.push(Message { role, content }),
            Command::Requires(text) => with.requires = Some(modelfile::release(&text)?),
            Command::Parameter(key, text) => self.parameter(key, &text)?,
        }
        Ok(())
    }

    /// Takes what is there as a file or a directory for that, and anything else for a model's name.
    fn from(&mut self, text: &str, directory: &Path) -> Result<()> {
        let path = path(text, directory)?;
        match path.metadata() {
            Ok(_) => self.files.extend(weights_at(&path)?),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let name = text.parse::<Reference>();
                self.model = Some(name.map_err(|error| missing(error, text))?);
            }
            Err(e) => return Err(Error::io("looking for", &path, e)),
        }
        Ok(())
    }

    fn parameter(&mut self, key: String, text: &str) -> Result<()> {
        let Some(value) = modelfile::parameter(&key, text)? else {
            self.with.ignored.push(key);
            return Ok(());
        };
        let parameters = &mut self.with.parameters;
        match (parameters.get_mut(&key), value) {
            (Some(serde_json::Value::Array(values)), serde_json::Value::Array(more)) => {
                values.extend(more);
            }
            (_, value) => drop(parameters.insert(key, value)),
        }
        Ok(())
    }

    fn weights(&mut self) -> Result<Origin> {
        let mut files = std::mem::take(&mut self.files);
        files.sort();
        files.dedup();
        match self.model.take() {
            Some(model) if files.is_empty() => Ok(Origin::Model(model)),
            None => Ok(Origin::Files(files)),
            Some(model) if looks_like_path(model.text()) => Err(no_such_file(model.text())),
            Some(model) => {
                let text = format!(
                    "FROM names files and '{}', which is no file; it can be made from files or \
                     from a model",
                    model.text()
                );
                Err(Error::new(ErrorKind::InvalidArgument, text))
            }
        }
    }
}

impl ImportOptions {
    /// These, and over them what `options` state.
    fn overlaid(mut self, over: ImportOptions) -> Self {
        self.replace = over.replace;
        self.copy_mode = over.copy_mode;
        self.template = over.template.or(self.template);
        self.system = over.system.or(self.system);
        self.renderer = over.renderer.or(self.renderer);
        self.parser = over.parser.or(self.parser);
        self.requires = over.requires.or(self.requires);
        self.parameters.extend(over.parameters);
        self.ignored.extend(over.ignored);
        self.licenses.extend(over.licenses);
        self.projectors.extend(over.projectors);
        if !over.adapters.is_empty() {
            self.adapters = over.adapters;
        }
        if !over.messages.is_empty() {
            self.messages = over.messages;
        }
        self
    }
}

fn path(text: &str, directory: &Path) -> Result<PathBuf> {
    match text.strip_prefix('~') {
        None => Ok(directory.join(text)),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = StoreOptions::user_home().ok_or_else(|| {
                let text = format!("finding {text}: the user has no home directory");
                Error::new(ErrorKind::NotFound, text)
            })?;
            Ok(home.join(rest.trim_start_matches('/')))
        }
        Some(_) => {
            let text = format!("finding {text}: other users' homes are not looked up");
            Err(Error::new(ErrorKind::Unsupported, text))
        }
    }
}

/// Returns whether what `FROM` names is meant as a file. Names of models may hold a `/`, too.
fn looks_like_path(text: &str) -> bool {
    let ends = text.get(text.len().saturating_sub(5)..);
    text.contains('/') || ends.is_some_and(|end| end.eq_ignore_ascii_case(".gguf"))
}

fn no_such_file(text: &str) -> Error {
    Error::new(ErrorKind::FileNotFound, format!("no such file: {text}")).at(Path::new(text))
}

/// Returns the error for something that is neither a file nor a model: what looks like a path was
/// meant as one. What can be nothing but a name keeps the fault of the name.
pub(super) fn missing(error: Error, text: &str) -> Error {
    let is_path = text.starts_with(['.', '/', '~']) || !text.contains('/');
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidName if !looks_like_path(text) => error,
        ErrorKind::InvalidName if !is_path => {
            Error::caused(error.kind(), format!("no such file: {text}"), error)
        }
        ErrorKind::NotFound | ErrorKind::InvalidName => no_such_file(text),
        _ => error,
    }
}

fn weights_of(text: &str, directory: &Path) -> Result<Vec<PathBuf>> {
    let path = path(text, directory)?;
    match path.metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(no_such_file(text)),
        _ => weights_at(&path),
    }
}

/// Returns a file, or the GGUF files of a directory.
fn weights_at(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io("looking for weights in", path, e);
    if !path.metadata().map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    let ends_with = |file: &Path, wanted: &str| file.extension().is_some_and(|e| e == wanted);
    if files
        .iter()
        .any(|file| ends_with(file, "safetensors") || ends_with(file, "pth"))
    {
        let text = "its weights are no GGUF file; convert them first";
        let text = format!("importing {}: {text}", path.display());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    let is_gguf = |file: &Path| read::read_head(file).is_ok_and(|head| gguf::is_gguf(&head));
    if files.iter().any(|file| ends_with(file, "gguf")) {
        files.retain(|file| ends_with(file, "gguf"));
    } else {
        files.retain(|file| ends_with(file, "bin") && is_gguf(file));
    }
    if files.is_empty() {
        let text = format!("importing {}: no GGUF file in it", path.display());
        return Err(Error::new(ErrorKind::FileNotFound, text).at(path));
    }
    Ok(files)
}
