//! Which links a model is to have, and where.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::link_place::{self, Role};
use crate::fs::read;
use crate::manifest::{MediaType, contradicts};
use crate::name::{Digest, ModelName};
use crate::store::model::Model;

use super::LinkLayout;

/// The links of a model.
pub(super) struct Plan {
    /// Where they were asked for, made absolute.
    pub to: PathBuf,
    pub layout: LinkLayout,
    pub files: Vec<Planned>,
    /// The kinds of GGUF files that get none.
    pub left_out: Vec<String>,
}

/// A link that is to be there.
pub(super) struct Planned {
    pub path: PathBuf,
    pub blob: PathBuf,
    pub digest: Digest,
    pub size: u64,
}

impl Plan {
    pub(super) fn of(model: &Model, to: &Path, layout: LinkLayout) -> Result<Self> {
        let failed = |e| Error::io("linking to", to, e);
        let absolute = std::path::absolute(to).map_err(failed)?;
        let place = Place::of(&absolute, layout)?;
        let mut files = Vec::new();
        let weights = model.gguf_paths()?;
        let is_split = is_split(model, &weights)?;
        let count = weights.len();
        for (blob, number) in weights.into_iter().zip(1..) {
            let role = match (count, is_split) {
                (1, _) => Role::Weights,
                (_, true) => Role::Part(number, count),
                (_, false) => Role::Other(number),
            };
            files.push(Planned::of(model, &place, role, blob)?);
        }
        let projectors = model.paths(&MediaType::Projector)?;
        for (blob, number) in projectors.into_iter().zip(1..) {
            files.push(Planned::of(model, &place, Role::Projector(number), blob)?);
        }
        let others = model.manifest().layers().iter().map(|layer| layer.media());
        let others = others.filter(|media| matches!(media, MediaType::Adapter | MediaType::Draft));
        let mut left_out: Vec<String> = others.map(|media| media.label().to_owned()).collect();
        left_out.dedup();
        Ok(Plan {
            to: absolute,
            layout,
            files,
            left_out,
        })
    }
}

/// Returns whether several files are the parts of one, which are in their order then.
fn is_split(model: &Model, paths: &[PathBuf]) -> Result<bool> {
    match paths {
        [first, _, ..] => {
            let file = model.open_gguf(first)?;
            Ok(file.view().split().is_some_and(|split| split.count > 1))
        }
        _ => Ok(false),
    }
}

/// Where links go.
enum Place<'p> {
    File(&'p Path),
    Directory(&'p Path, LinkLayout),
}

impl<'p> Place<'p> {
    fn of(to: &'p Path, layout: LinkLayout) -> Result<Self> {
        if !link_place::is_file(to) {
            return Ok(Place::Directory(to, layout));
        }
        if layout == LinkLayout::Flat {
            return Ok(Place::File(to));
        }
        let text = format!(
            "linking to {}: the layout {layout} is one of a directory",
            to.display()
        );
        Err(Error::new(ErrorKind::InvalidArgument, text).at(to))
    }

    fn path(&self, name: &ModelName, role: Role) -> PathBuf {
        match *self {
            Place::File(path) => link_place::beside(path, role),
            Place::Directory(path, LinkLayout::Flat) => link_place::inside(path, name, role),
            Place::Directory(path, LinkLayout::LmStudio) => {
                link_place::in_lm_studio(path, name, role)
            }
        }
    }
}

impl Planned {
    fn of(model: &Model, place: &Place<'_>, role: Role, blob: PathBuf) -> Result<Self> {
        let layout = model.store().layout();
        let failed = |e| model.blob_error("looking for blob", &blob, read::dangling(&blob, e));
        let size = blob.metadata().map_err(failed)?.len();
        let (_, digest) = layout.home(&blob).expect("a blob is named by its digest");
        let mut layers = model.manifest().layers().iter();
        let stated = layers.find(|layer| layer.digest().ok() == Some(digest));
        if let Some(layer) = stated.filter(|layer| contradicts(layer.size, size)) {
            let text = format!(
                "linking '{}': blob {} has {size} bytes, not {}",
                model.name(),
                blob.display(),
                layer.size
            );
            return Err(Error::new(ErrorKind::Corrupt, text).at(&blob));
        }
        Ok(Planned {
            path: place.path(model.name(), role),
            blob,
            digest,
            size,
        })
    }
}
