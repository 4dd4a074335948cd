//! The layers of a model that is being made, before it has a manifest.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_assemble::{Merge, TensorSource};
use crate::fs::gguf_file::{self, GgufFile, GgufOptions};
use crate::fs::source::{Incoming, Source};
use crate::gguf::{FileType, Gguf, Value, Warning, WarningCode};
use crate::manifest::{Layer, MediaType, NewLayer};
use crate::store::blobs::{Blob, NewBlob};
use crate::store::copy_mode::CopyMode;
use crate::store::handle::Store;
use crate::store::import::FileWarning;
use crate::store::import::pinned::Pinned;
use crate::store::model::Model;
use crate::store::watch::FileWork;

/// A layer whose bytes are at hand.
pub(super) struct Part {
    pub media: MediaType,
    pub bytes: Bytes,
    /// The file's name inside a safetensors model.
    name: String,
    /// The file or the model that it came from; empty for texts.
    from: String,
    /// What a GGUF file says of itself.
    pub facts: Option<Facts>,
    /// What is unusual in the file.
    pub warnings: Vec<FileWarning>,
}

/// Where the bytes of a layer are.
pub(super) enum Bytes {
    /// Staged, and not yet in their place.
    Staged(NewBlob),
    /// In their place, for another model.
    Stored(Pinned),
}

impl Bytes {
    /// Returns them, open for reading, and where they are.
    pub(super) fn open(&self, store: &Store) -> Result<(PathBuf, File)> {
        match self {
            Bytes::Staged(new) => Ok((new.path().to_owned(), new.pin()?)),
            Bytes::Stored(pinned) => {
                let path = store.blob_path(&pinned.blob.digest);
                let file = pinned.file().try_clone();
                let file = file.map_err(|e| Error::io("opening blob", &path, e))?;
                Ok((path, file))
            }
        }
    }
}

/// What the config states of a GGUF file.
pub(super) struct Facts {
    pub architecture: String,
    pub parameters: u64,
    pub file_type: &'static str,
}

impl Part {
    fn of_gguf(file: &Path, media: Option<MediaType>, bytes: Bytes, gguf: Gguf<'_>) -> Self {
        let media = role(media, gguf);
        let from = match file.file_name() {
            Some(file) if media != MediaType::Model || has_companions(gguf) => {
                file.to_string_lossy().into_owned()
            }
            _ => String::new(),
        };
        Part {
            warnings: warnings_of(file, &media, gguf),
            media,
            bytes,
            name: String::new(),
            from,
            facts: Some(Facts::of(gguf)),
        }
    }

    pub(super) fn blob(&self) -> Blob {
        match &self.bytes {
            Bytes::Staged(new) => new.blob,
            Bytes::Stored(pinned) => pinned.blob,
        }
    }

    /// Forgets what it came from.
    pub(super) fn forget_source(&mut self) {
        self.from.clear();
    }

    pub(super) fn layer(&self) -> NewLayer {
        let Blob { digest, size } = self.blob();
        let mut layer = NewLayer::new(&self.media, digest, size);
        layer.from.clone_from(&self.from);
        layer.name.clone_from(&self.name);
        layer
    }
}

impl Store {
    pub(super) fn text_part(&self, media: MediaType, text: &str) -> Result<Part> {
        Ok(Part {
            media,
            bytes: Bytes::Staged(self.stage_bytes(text.as_bytes())?),
            name: String::new(),
            from: String::new(),
            facts: None,
            warnings: Vec::new(),
        })
    }

    /// Stages a file, unless its bytes are stored. What it is, it says itself where `media` does
    /// not. Its header is read strictly before anything is written, and is what the first bytes of
    /// the blob are: they are kept in memory until they are written or compared. Of a split model any
    /// part brings in all, merged; `merged` is told which files these are.
    pub(super) fn gguf_part(
        &self,
        mut source: Source,
        media: Option<MediaType>,
        copy_mode: CopyMode,
        merged: &mut Vec<TensorSource>,
    ) -> Result<Part> {
        let Some(mut index) = source.index()? else {
            return self.large_gguf_part(source, media, copy_mode, merged);
        };
        if is_part(index.view(source.first())) {
            let part = source.into_tensor_source(Some(index))?;
            return self.merged_part(part, media, copy_mode, merged);
        }
        let bytes = self.stored_or_staged(&source, copy_mode)?;
        if index.tail().is_some() {
            let (path, file) = bytes.open(self)?;
            gguf_file::note_tail(&file, &mut index).map_err(|e| Error::io("reading", &path, e))?;
        }
        let gguf = index.view(source.first());
        Ok(Part::of_gguf(source.path(), media, bytes, gguf))
    }

    /// Does the same with a file whose header is too large to be kept: it is read once more where
    /// it was written.
    fn large_gguf_part(
        &self,
        source: Source,
        media: Option<MediaType>,
        copy_mode: CopyMode,
        merged: &mut Vec<TensorSource>,
    ) -> Result<Part> {
        let how = GgufOptions::default().mmap(self.options().mmap);
        let gguf = GgufFile::of(source.file(), source.path(), &how)?;
        if is_part(gguf.view()) {
            let part = source.into_tensor_source(None)?;
            return self.merged_part(part, media, copy_mode, merged);
        }
        let bytes = self.stored_or_staged(&source, copy_mode)?;
        let (stored, file) = bytes.open(self)?;
        let gguf = GgufFile::of(&file, &stored, &how)?;
        Ok(Part::of_gguf(source.path(), media, bytes, gguf.view()))
    }

    /// Stages the parts of a split model as the one file that they make, each byte read once.
    fn merged_part(
        &self,
        part: TensorSource,
        media: Option<MediaType>,
        copy_mode: CopyMode,
        merged: &mut Vec<TensorSource>,
    ) -> Result<Part> {
        let path = part.path().to_owned();
        let importing = |error: Error| {
            let text = format!("importing {}", path.display());
            Error::caused(error.kind(), text, error).at(&path)
        };
        let merge = Merge::of(part).map_err(importing)?;
        if matches!(copy_mode, CopyMode::Reflink | CopyMode::HardLink) {
            let text = format!(
                "importing {}: a split model is merged, which takes the copy mode auto or copy, \
                 not {copy_mode}",
                path.display()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, text).at(&path));
        }
        let bytes = self.stored_or(&merge, |work| self.stage_copy(&merge, work))?;
        let part = Part::of_gguf(merge.path(), media, bytes, merge.made().view());
        merged.extend(merge.into_parts());
        Ok(part)
    }

    pub(super) fn stored_or_staged(&self, source: &Source, copy_mode: CopyMode) -> Result<Bytes> {
        self.stored_or(source, |work| self.stage_file(source, copy_mode, work))
    }

    /// Returns the blob that has the bytes already, or stages them.
    fn stored_or(
        &self,
        source: &dyn Incoming,
        stage: impl FnOnce(FileWork<'_>) -> Result<NewBlob>,
    ) -> Result<Bytes> {
        let mut work = self.begin_file(source.size());
        match self.stored_copy(source, &mut work)? {
            Some(pinned) => {
                work.finish();
                Ok(Bytes::Stored(pinned))
            }
            None => Ok(Bytes::Staged(stage(work)?)),
        }
    }

    /// Returns a layer of another model, which is used once more.
    pub(super) fn stored_part(&self, model: &Model, layer: &Layer) -> Result<Part> {
        let media = layer.media();
        let pinned = Pinned::open(self, layer.digest()?)?;
        let facts = match media {
            MediaType::Model | MediaType::Projector | MediaType::Adapter | MediaType::Draft => {
                let gguf = model.read_gguf(pinned.file(), &model.path_of(layer)?)?;
                Some(Facts::of(gguf.view()))
            }
            _ => None,
        };
        Ok(Part {
            media,
            bytes: Bytes::Stored(pinned),
            name: layer.name.clone(),
            from: model.name().to_string(),
            facts,
            warnings: Vec::new(),
        })
    }
}

/// Returns what is unusual in a file; for a model, also that it says to be something else.
fn warnings_of(file: &Path, media: &MediaType, gguf: Gguf<'_>) -> Vec<FileWarning> {
    let kind = gguf.get("general.type").and_then(|value| value.as_str());
    let is_else = |kind: &&str| *media == MediaType::Model && *kind != "model";
    let not_a_model = kind.filter(is_else).map(|kind| {
        let text = format!("general.type is {kind:?}, and not \"model\"");
        Warning::saying(WarningCode::NotAModel, String::new(), text)
    });
    let warnings = gguf.warnings().iter().cloned().chain(not_a_model);
    warnings
        .map(|warning| FileWarning {
            file: file.to_owned(),
            warning,
        })
        .collect()
}

/// Returns what a file is among the layers: a projector is one under ADAPTER as well, as Ollama
/// (August 2026) has it; otherwise the caller's word wins over what the file says.
fn role(stated: Option<MediaType>, gguf: Gguf<'_>) -> MediaType {
    let own = media_of(gguf);
    match stated {
        Some(MediaType::Adapter) if own == MediaType::Projector => own,
        Some(stated) => stated,
        None => own,
    }
}

/// Refuses files that make no model, because no text model is among them.
pub(super) fn refuse_without_weights(parts: &[Part], files: &[PathBuf]) -> Result<()> {
    let is_model = |part: &Part| part.media == MediaType::Model;
    let (Some(part), Some(file)) = (parts.first(), files.first()) else {
        return Ok(());
    };
    if parts.iter().any(is_model) {
        return Ok(());
    }
    let label = part.media.label();
    let text = format!(
        "importing {}: it is {} {label}, which has no weights of its own; import the model that \
         it belongs to, with this file as its {label} (--{label} FILE)",
        file.display(),
        if part.media == MediaType::Adapter {
            "an"
        } else {
            "a"
        },
    );
    Err(Error::new(ErrorKind::Unsupported, text).at(file))
}

fn is_part(gguf: Gguf<'_>) -> bool {
    gguf.split().is_some_and(|split| split.count > 1)
}

impl Facts {
    pub(super) fn of(gguf: Gguf<'_>) -> Self {
        let file_type = match gguf.get("general.file_type") {
            Some(Value::U32(code @ 1..)) => FileType::from_code(code).name(),
            _ => None,
        };
        Facts {
            architecture: architecture(gguf).to_owned(),
            parameters: gguf.parameter_count(),
            file_type: file_type.unwrap_or("unknown"),
        }
    }
}

fn architecture(gguf: Gguf<'_>) -> &str {
    let value = gguf.get("general.architecture");
    value.and_then(|value| value.as_str()).unwrap_or("unknown")
}

/// Returns whether a file holds tensors beside those of the text model. Ollama (August 2026) takes
/// such a file as it is, and says where it came from; any other one it writes anew, and forgets.
fn has_companions(gguf: Gguf<'_>) -> bool {
    let prefixes: [&[u8]; 5] = [b"a.", b"mm.", b"mtp.", b"s.", b"v."];
    gguf.tensors().any(|tensor| {
        let name = tensor.name.as_bytes();
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    })
}

/// Returns whether a file holds a text model: what turns tokens into vectors, or its blocks.
fn has_text(gguf: Gguf<'_>) -> bool {
    gguf.tensors().any(|tensor| {
        let name = tensor.name.as_bytes();
        name.starts_with(b"token_embd.") || name.starts_with(b"blk.")
    })
}

/// Returns what Ollama (August 2026) takes a GGUF file for; but a file that holds a text model is
/// one, whatever a single key says.
fn media_of(gguf: Gguf<'_>) -> MediaType {
    let architecture = architecture(gguf);
    let kind = gguf.get("general.type").and_then(|value| value.as_str());
    let count = |key: &str| match gguf.get(&format!("{architecture}.{key}")) {
        Some(Value::U32(count)) => count,
        _ => 0,
    };
    let has = |key: &str| {
        let own = gguf.get(&format!("{architecture}.{key}"));
        own.and_then(|value| value.as_bool()).unwrap_or_default()
    };
    let blocks = count("block_count");
    match kind {
        Some("adapter") => MediaType::Adapter,
        Some("projector" | "mmproj") => MediaType::Projector,
        _ if blocks == 0 && count("vision.block_count") > 0 && !has_text(gguf) => {
            MediaType::Projector
        }
        _ if blocks == 0
            && architecture == "clip"
            && (has("has_vision_encoder") || has("has_audio_encoder")) =>
        {
            MediaType::Projector
        }
        _ => MediaType::Model,
    }
}
