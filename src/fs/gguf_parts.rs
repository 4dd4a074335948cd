//! Models that were split into several GGUF files.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_file::{GgufFile, GgufOptions};
use crate::gguf::{Gguf, TensorInfo};

/// The parts of a split model, open and in order. A file that is whole is a model of one part.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{GgufOptions, GgufParts};
///
/// let parts = GgufParts::open(directory.path().join("tiny.gguf"), &GgufOptions::new())?;
/// assert_eq!((parts.parts().len(), parts.parameter_count()), (1, 40));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GgufParts {
    parts: Vec<GgufFile>,
    paths: Vec<PathBuf>,
}

/// A tensor of a model of several parts.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::{GgufOptions, GgufParts};
///
/// let parts = GgufParts::open(directory.path().join("tiny.gguf"), &GgufOptions::new())?;
/// let norm = parts.tensors().find(|one| one.tensor.name.as_str() == Some("output_norm.weight"));
/// assert_eq!(norm.and_then(|norm| parts.tensor_data(&norm)), Some(&[0; 32][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PartTensor<'a> {
    /// The number of the part that holds its data, from 0.
    pub part: usize,
    /// The tensor; its offset counts from the beginning of that part.
    pub tensor: TensorInfo<'a>,
}

impl GgufParts {
    /// Opens all parts of a model, given the path of any of them. The others lie beside it and are
    /// called as splitters call them: `NAME-00001-of-00003.gguf`. Parts that are mapped must [stay as
    /// they are](GgufFile::open).
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) where a part is missing, and
    /// [`InvalidGguf`](ErrorKind::InvalidGguf) where the parts do not belong together: another
    /// number or count in the metadata than in the name, other tensors altogether than announced,
    /// or one tensor twice. Otherwise as [`GgufFile::open`].
    pub fn open(path: impl AsRef<Path>, options: &GgufOptions) -> Result<Self> {
        let path = path.as_ref();
        let mut open = |path: &Path| GgufFile::open(path, options);
        let parts = all(path, open(path)?, |part| part, &mut open)?;
        let (paths, parts) = parts.into_iter().unzip();
        Ok(GgufParts { parts, paths })
    }

    /// Returns the parts in order.
    pub fn parts(&self) -> &[GgufFile] {
        &self.parts
    }

    /// Returns the paths of the parts, in order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Returns the first part, which holds the metadata of the model.
    pub fn metadata(&self) -> Option<Gguf<'_>> {
        self.parts.first().map(GgufFile::view)
    }

    /// Returns the tensors of all parts.
    pub fn tensors(&self) -> impl Iterator<Item = PartTensor<'_>> {
        let parts = self.parts.iter().enumerate();
        parts.flat_map(|(part, file)| {
            file.view()
                .tensors()
                .map(move |tensor| PartTensor { part, tensor })
        })
    }

    /// Returns the sum of the elements of all tensors.
    pub fn parameter_count(&self) -> u64 {
        let counts = self.parts.iter().map(|part| part.view().parameter_count());
        counts.fold(0, u64::saturating_add)
    }

    /// Returns the data of a tensor, where its part is mapped and the size is known.
    pub fn tensor_data(&self, tensor: &PartTensor<'_>) -> Option<&[u8]> {
        self.parts
            .get(tensor.part)?
            .view()
            .tensor_data(&tensor.tensor)
    }
}

/// Returns all parts of a model in order, with their paths: the one that is at hand, whose path is
/// `path`, and the others, each opened once. A file that is whole is the only one.
pub(crate) fn all<T>(
    path: &Path,
    part: T,
    gguf: impl Fn(&T) -> &GgufFile,
    open: &mut dyn FnMut(&Path) -> Result<T>,
) -> Result<Vec<(PathBuf, T)>> {
    let split = gguf(&part).view().split().filter(|split| split.count > 1);
    let Some(split) = split else {
        return Ok(vec![(path.to_owned(), part)]);
    };
    let name = PartName::of(path).filter(|name| name.count == split.count);
    let name = name.ok_or_else(|| {
        let text = "its name does not say which part of how many it is";
        mismatch(path, text.to_owned())
    })?;
    let (mut at_hand, mut parts) = (Some(part), Vec::new());
    for no in 0..name.count {
        let beside = name.path(no);
        let part = match at_hand.take_if(|_| beside == path) {
            Some(part) => part,
            None => open(&beside)?,
        };
        must_be_part(&beside, gguf(&part).view(), no, name.count)?;
        parts.push((beside, part));
    }
    let views = parts.iter().map(|(_, part)| gguf(part).view());
    must_be_whole(path, views, split.tensors)?;
    Ok(parts)
}

/// Fails where a file is another part than its name says.
fn must_be_part(path: &Path, gguf: Gguf<'_>, no: u64, count: u64) -> Result<()> {
    let found = gguf.split().map(|split| (split.index, split.count));
    if found == Some((no, count)) {
        return Ok(());
    }
    let found = found.map_or("no part".to_owned(), |(no, count)| part_of(no, count));
    let name = part_of(no, count);
    let text = format!("its name is that of {name}, and it is {found}");
    Err(mismatch(path, text))
}

/// Fails where the parts have not the tensors that are announced, each once.
fn must_be_whole<'a>(
    path: &Path,
    parts: impl Iterator<Item = Gguf<'a>>,
    announced: Option<u64>,
) -> Result<()> {
    let names = parts.flat_map(|part| part.tensors().map(|tensor| tensor.name.as_bytes()));
    let mut names: Vec<&[u8]> = names.collect();
    let count = names.len() as u64;
    if let Some(announced) = announced.filter(|announced| *announced != count) {
        let text = format!("{count} tensors, where {announced} are announced");
        return Err(mismatch(path, text));
    }
    names.sort_unstable();
    let twice = names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(String::from_utf8_lossy(a).into_owned()),
        _ => None,
    });
    match twice {
        Some(name) => Err(mismatch(path, format!("tensor {name:?} is in two parts"))),
        None => Ok(()),
    }
}

/// Names a part for people, who count from 1.
fn part_of(no: u64, count: u64) -> String {
    format!("part {} of {count}", u128::from(no) + 1)
}

fn mismatch(path: &Path, text: String) -> Error {
    let context = format!("opening the parts of {}: {text}", path.display());
    Error::new(ErrorKind::InvalidGguf, context)
}

/// The name of a part, as in `NAME-00001-of-00003.gguf`.
// llama.cpp, llama_split_path
pub(crate) struct PartName {
    pub stem: PathBuf,
    pub count: u64,
}

impl PartName {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
        let (rest, count) = name.rsplit_once("-of-")?;
        let (stem, no) = rest.rsplit_once('-')?;
        let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(no) || !digits(count) {
            return None;
        }
        Some(PartName {
            stem: path.with_file_name(stem),
            count: count.parse().ok()?,
        })
    }

    /// Returns the path of a part, of which the number counts from 0.
    pub(crate) fn path(&self, no: u64) -> PathBuf {
        let mut path = self.stem.clone().into_os_string();
        path.push(format!("-{:05}-of-{:05}.gguf", no + 1, self.count));
        path.into()
    }
}
