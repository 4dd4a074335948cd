//! Importing: a GGUF file becomes a model.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::config::NewConfig;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::gguf::{FileType, Gguf, Value};
use crate::human::human_number;
use crate::json;
use crate::manifest::{NewLayer, NewManifest};
use crate::media::MediaType;
use crate::name::ModelName;
use crate::store::blobs::NewBlob;
use crate::store::{Message, Store, Transfer};
use crate::template::Template;

/// What a model is made of besides its weights, and how they come into the store.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Whether a model of that name is replaced; otherwise it is an error.
    pub replace: bool,
    /// How the bytes of the files come into the store.
    pub transfer: Transfer,
    /// GGUF files of adapters.
    pub adapters: Vec<PathBuf>,
    /// GGUF files of projectors.
    pub projectors: Vec<PathBuf>,
    /// The Go template; none is guessed.
    pub template: Option<String>,
    /// The system prompt.
    pub system: Option<String>,
    /// The licence texts.
    pub licenses: Vec<String>,
    /// The parameters.
    pub parameters: Map<String, Json>,
    /// The messages that belong to the model.
    pub messages: Vec<Message>,
    /// The built-in renderer of prompts.
    pub renderer: Option<String>,
    /// The built-in parser of answers.
    pub parser: Option<String>,
    /// The oldest release of the reference that can run the model.
    pub requires: Option<String>,
}

/// What an import made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The model's name, in its stored spelling.
    pub name: ModelName,
    /// The digest of the weights.
    pub digest: Digest,
    /// The bytes of the weights.
    pub bytes: u64,
    /// Whether a model of that name was replaced.
    pub replaced: bool,
}

impl Imported {
    /// The answer as JSON.
    pub fn to_json(&self) -> String {
        json::to_string(self)
    }
}

/// A layer that is staged and not yet in its place.
struct Part {
    media: MediaType,
    blob: NewBlob,
    from: String,
}

impl Store {
    /// Makes a model of a GGUF file. Reads the file once, to hash it while it is copied, and its
    /// head once, strictly. Blobs are staged, hashed, flushed and moved into place, then the
    /// manifest is; what goes wrong before that leaves the store as it was, but for blobs that
    /// nothing uses.
    ///
    /// # Errors
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) where the name is taken and was not to be
    /// replaced; [`InvalidGguf`](ErrorKind::InvalidGguf) for a file that the strict reader refuses;
    /// [`Unsupported`](ErrorKind::Unsupported) for a part of a split model;
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a store whose blobs belong to another
    /// user.
    pub fn import(
        &self,
        file: impl AsRef<Path>,
        name: &ModelName,
        options: &ImportOptions,
    ) -> Result<Imported> {
        let name = self.spelling(name);
        self.may_import(&name, options)?;
        self.refuse_foreign()?;
        let (parts, config) = self.stage(file.as_ref(), options)?;
        let _lock = self.lock()?;
        let replaced = self.may_import(&name, options)?;
        let weights = parts.first().map(|part| part.blob.blob);
        let layers = parts.iter().map(Part::layer).collect();
        let manifest = NewManifest::new(entry(&MediaType::Config, &config), layers);
        let all = parts.into_iter().map(|part| part.blob).chain([config]);
        let placed = all
            .map(|blob| self.place_leased(blob))
            .collect::<Result<Vec<_>>>()?;
        self.write_manifest(&name, &manifest.to_bytes())?;
        self.keep(&placed)?;
        let weights = weights.unwrap_or_else(|| unreachable!("weights are staged first"));
        Ok(Imported {
            name,
            digest: weights.digest,
            bytes: weights.size,
            replaced,
        })
    }

    /// Whether the name is taken.
    fn may_import(&self, name: &ModelName, options: &ImportOptions) -> Result<bool> {
        self.may_write()?;
        let taken = self.layout().manifest(name).symlink_metadata().is_ok();
        if taken && !options.replace {
            let text = format!("model '{name}' already exists");
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        Ok(taken)
    }

    /// A blob that belongs to another user than the server's makes every later use of it there
    /// fail. Who we are is what an empty staged file says: root writes for the store's owner.
    fn refuse_foreign(&self) -> Result<()> {
        let Ok(blobs) = self.layout().blobs_directory().metadata() else {
            return Ok(());
        };
        let probe = self.stage_bytes(b"")?;
        let ours = probe
            .path()
            .metadata()
            .map_err(|e| Error::io("looking at", probe.path(), e))?;
        if self.options().foreign_owner || ours.uid() == blobs.uid() {
            return Ok(());
        }
        let text = format!(
            "importing: the blobs belong to user {}, whose server could not use ours again; \
             import as that user, or allow a foreign owner",
            blobs.uid()
        );
        Err(Error::new(ErrorKind::InvalidArgument, text))
    }

    fn stage(&self, file: &Path, options: &ImportOptions) -> Result<(Vec<Part>, NewBlob)> {
        if let Some(template) = &options.template {
            Template::parse(template.as_str())?;
        }
        let (weights, config) = self.stage_weights(file, options)?;
        let mut parts = vec![weights];
        for path in &options.projectors {
            parts.push(self.stage_gguf(path, MediaType::Projector, options)?.0);
        }
        for path in &options.adapters {
            parts.push(self.stage_gguf(path, MediaType::Adapter, options)?.0);
        }
        let mut text = |media: MediaType, text: &str| -> Result<()> {
            let blob = self.stage_bytes(text.as_bytes())?;
            parts.push(Part {
                media,
                blob,
                from: String::new(),
            });
            Ok(())
        };
        if let Some(template) = &options.template {
            text(MediaType::Template, template)?;
        }
        if let Some(system) = &options.system {
            text(MediaType::System, system)?;
        }
        for license in &options.licenses {
            text(MediaType::License, license)?;
        }
        if !options.parameters.is_empty() {
            text(MediaType::Params, &line(&options.parameters))?;
        }
        if !options.messages.is_empty() {
            text(MediaType::Messages, &line(&options.messages))?;
        }
        Ok((parts, self.stage_bytes(line(&config).as_bytes())?))
    }

    fn stage_weights(&self, file: &Path, options: &ImportOptions) -> Result<(Part, NewConfig)> {
        let (part, gguf) = self.stage_gguf(file, MediaType::Model, options)?;
        let gguf = gguf.view();
        if let Some(split) = gguf.split().filter(|split| split.count > 1) {
            let (no, count) = (split.no.saturating_add(1), split.count);
            let text = format!(
                "importing {}: it is part {no} of {count} of a split model; merge the parts first",
                file.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok((part, new_config(gguf, options)))
    }

    /// Stages a file and reads strictly what was staged, not what the path may name by then.
    fn stage_gguf(
        &self,
        file: &Path,
        media: MediaType,
        options: &ImportOptions,
    ) -> Result<(Part, GgufFile)> {
        let how = GgufOptions::default().mmap(self.options().mmap);
        GgufFile::open(file, &how)?;
        let blob = self.stage_file(file, options.transfer)?;
        let gguf = GgufFile::open(blob.path(), &how)?;
        let from = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok((Part { media, blob, from }, gguf))
    }

    /// Looks again, after the manifest is there, whether a delete elsewhere has taken a blob that
    /// was there before us, and puts it back from the file that we still hold.
    fn keep(&self, placed: &[Lease]) -> Result<()> {
        if placed.iter().any(|lease| lease.was_there) {
            thread::sleep(self.options().settle);
        }
        for lease in placed {
            if !self.has_blob(&lease.blob.digest) {
                let mut file = &lease.file;
                std::io::Seek::rewind(&mut file)
                    .map_err(|e| Error::io("reading", &self.blob_path(&lease.blob.digest), e))?;
                self.place(self.stage_stream(&mut file, Path::new("the lease"))?)?;
            }
        }
        Ok(())
    }

    fn place_leased(&self, new: NewBlob) -> Result<Lease> {
        let was_there = self.has_blob(&new.blob.digest);
        let file = new.lease()?;
        let blob = self.place(new)?;
        Ok(Lease {
            blob,
            file,
            was_there,
        })
    }
}

/// A blob that is in its place, and an open file that keeps its bytes whatever happens to the name.
struct Lease {
    blob: crate::store::Blob,
    file: std::fs::File,
    was_there: bool,
}

impl Part {
    fn layer(&self) -> NewLayer {
        let mut layer = entry(&self.media, &self.blob);
        layer.from.clone_from(&self.from);
        layer
    }
}

fn entry(media: &MediaType, blob: &NewBlob) -> NewLayer {
    NewLayer::new(media, blob.blob.digest, blob.blob.size)
}

/// JSON with a line break, as the reference's encoder writes it.
fn line<T: Serialize>(value: &T) -> String {
    let mut bytes = json::to_string(value).into_bytes();
    // A vector takes every byte.
    let _ = bytes.write_all(b"\n");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The facts that the reference states of a file.
fn new_config(gguf: Gguf<'_>, options: &ImportOptions) -> NewConfig {
    let architecture = gguf
        .get("general.architecture")
        .and_then(|value| value.as_str());
    let family = architecture.unwrap_or("unknown").to_owned();
    let file_type = match gguf.get("general.file_type") {
        Some(Value::U32(code @ 1..)) => FileType::from_code(code).name(),
        _ => None,
    };
    let stated = |text: &Option<String>| text.clone().unwrap_or_default();
    NewConfig {
        model_format: "gguf",
        model_families: vec![family.clone()],
        model_family: family,
        model_type: human_number(gguf.parameter_count()),
        file_type: file_type.unwrap_or("unknown").to_owned(),
        renderer: stated(&options.renderer),
        parser: stated(&options.parser),
        requires: stated(&options.requires),
        architecture: "amd64",
        os: "linux",
    }
}
