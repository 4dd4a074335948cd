//! Where the links of a model are, in a directory outside of any store, and what they are called.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::fs::layout::{BlobName, Layout};
use crate::fs::system::stat::Stat;
use crate::name::{DEFAULT_HOST, DEFAULT_NAMESPACE, Digest, ModelName};

/// What a link shows of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Weights,
    /// A part of split weights: its number from 1 on, and how many there are.
    Part(usize, usize),
    /// Weights in several files that are no parts of one, or a projector: its number from 1 on.
    Other(usize),
    Projector(usize),
}

/// The extension of every link. Other programs find models by it.
const EXTENSION: &str = "gguf";

/// What the file of a projector begins with. LM Studio and llama.cpp tell it from the weights beside
/// it by that.
const PROJECTOR: &str = "mmproj-";

/// The longest file name, in bytes, that every common file system takes, less a number for parts and
/// what projectors begin with.
const LONGEST: usize = 200;

/// Returns whether a path means one file, and not a directory in which the links get names of their
/// own: a directory is one, and what is not there yet is one unless it is named as a GGUF file is.
pub(crate) fn is_file(to: &Path) -> bool {
    let is_named = to
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION));
    !to.is_dir() && (is_named || to.symlink_metadata().is_ok())
}

/// Returns the path of the link that shows one file of a model, where the weights are to be at `to`.
pub(crate) fn beside(to: &Path, role: Role) -> PathBuf {
    let stem = to.file_stem().unwrap_or_default();
    match role {
        Role::Weights | Role::Other(1) => to.to_owned(),
        Role::Part(..) => to.with_file_name(file_name(whole_stem(stem), role)),
        _ => to.with_file_name(file_name(stem, role)),
    }
}

/// Returns what the parts of a split file are called together, where a path is that of one of them.
fn whole_stem(stem: &OsStr) -> &OsStr {
    const NUMBERS: usize = "-00001-of-00003".len();
    let whole = stem.to_str().and_then(|text| {
        let (whole, numbers) = text.split_at_checked(text.len().checked_sub(NUMBERS)?)?;
        let (index, count) = numbers.strip_prefix('-')?.split_once("-of-")?;
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(index) && is_number(count)).then_some(OsStr::new(whole))
    });
    whole.unwrap_or(stem)
}

/// Returns the path of the link that shows one file of a model, in a directory of links.
pub(crate) fn inside(directory: &Path, name: &ModelName, role: Role) -> PathBuf {
    directory.join(file_name(OsStr::new(&stem(name)), role))
}

/// As [`inside`], in a directory as LM Studio has it: `publisher/model/file.gguf`. Each model has a
/// directory of its own, so that no projector is taken for that of another model.
pub(crate) fn in_lm_studio(directory: &Path, name: &ModelName, role: Role) -> PathBuf {
    let own = directory.join(publisher(name)).join(tagged(name));
    let stem = match is_like_projector(name) {
        true => stem(name),
        false => tagged(name),
    };
    own.join(file_name(OsStr::new(&stem), role))
}

/// Returns whether a link at a path could do harm: it would be among what a store keeps for itself,
/// or have the name of a blob.
pub(crate) fn is_among(layout: &Layout, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    if matches!(BlobName::of(name), BlobName::Digest(_)) {
        return true;
    }
    let mut kept = vec![layout.blobs_directory(), layout.manifests_directory()];
    kept.extend(layout.private_directories());
    let id = |path: &Path| Stat::at(path).ok().and_then(|stat| stat.id());
    let kept: Vec<_> = kept.iter().filter_map(|path| id(path)).collect();
    let mut above = path.ancestors().skip(1);
    let Some(nearest) = above.find_map(|path| path.canonicalize().ok()) else {
        return false;
    };
    let mut above = nearest.ancestors();
    above.any(|path| id(path).is_some_and(|id| kept.contains(&id)))
}

/// Returns the digest of the blob of a store that a symbolic link names, whether it is there or not.
pub(crate) fn blob_of_link(layout: &Layout, link: &Path) -> Option<Digest> {
    let target = link.read_link().ok()?;
    let digest = match BlobName::of(target.file_name()?) {
        BlobName::Digest(digest) => digest,
        _ => return None,
    };
    let directory = link.parent()?.join(target.parent()?);
    let is_same = |own: &Path| match (directory.canonicalize(), own.canonicalize()) {
        (Ok(found), Ok(own)) => found == own,
        _ => std::path::absolute(own).is_ok_and(|own| own == directory),
    };
    is_same(&layout.blobs_directory()).then_some(digest)
}

fn file_name(stem: &OsStr, role: Role) -> OsString {
    let (before, after) = match role {
        Role::Weights | Role::Other(1) => ("", String::new()),
        // llama.cpp, llama_split_path: parts count from 1, in five digits.
        Role::Part(index, count) => ("", format!("-{index:05}-of-{count:05}")),
        Role::Other(number) => ("", format!("~{number}")),
        Role::Projector(1) => (PROJECTOR, String::new()),
        Role::Projector(number) => (PROJECTOR, format!("~{number}")),
    };
    let mut name = OsString::from(before);
    name.push(stem);
    name.push(after);
    name.push(".");
    name.push(EXTENSION);
    name
}

/// Returns what the files of a model are called. No two models have the same: what is left out is
/// the default, what is put between parts is in none of them, and a hyphen stands before the tag
/// only where the last one of the name can be no other.
fn stem(name: &ModelName) -> String {
    let tagged = tagged(name);
    let stem = match publisher(name) == DEFAULT_NAMESPACE && !is_like_projector(name) {
        true => tagged,
        false => format!("{}+{tagged}", publisher(name)),
    };
    bounded(stem, name)
}

/// Returns whether the weights of a model would be taken for the projector of another one.
fn is_like_projector(name: &ModelName) -> bool {
    name.model().starts_with(PROJECTOR)
}

fn publisher(name: &ModelName) -> String {
    let namespace = name.namespace();
    match name.host() {
        DEFAULT_HOST => namespace.to_owned(),
        // A port follows a colon, which no file name has on Windows.
        host => bounded(format!("{}+{namespace}", host.replace(':', "=")), name),
    }
}

fn tagged(name: &ModelName) -> String {
    let (model, tag) = (name.model(), name.tag());
    let tagged = match (model.contains('-'), tag.contains('-')) {
        (false, _) if tag == "latest" => model.to_owned(),
        (_, false) => format!("{model}-{tag}"),
        (_, true) => format!("{model}~{tag}"),
    };
    bounded(tagged, name)
}

/// Shortens what is too long for a file name, and ends it with what tells its model from others.
fn bounded(text: String, name: &ModelName) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let digest = Digest::of(name.full().as_bytes()).hex();
    let kept = text.get(..LONGEST - 14).unwrap_or_default();
    format!("{kept}~~{}", digest.get(..12).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str, role: Role) -> String {
        let name = name.parse().unwrap();
        inside(Path::new(""), &name, role)
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_link_is_called_as_its_model_is() {
        for (name, expected) in [
            ("llama3.2", "llama3.2.gguf"),
            ("llama3.2:3b", "llama3.2-3b.gguf"),
            ("deepseek-r1", "deepseek-r1-latest.gguf"),
            (
                "llama3.2:3b-instruct-q4_K_M",
                "llama3.2~3b-instruct-q4_K_M.gguf",
            ),
            ("team/llama:v2", "team+llama-v2.gguf"),
            (
                "hf.co/team/model-GGUF:Q4_K_M",
                "hf.co+team+model-GGUF-Q4_K_M.gguf",
            ),
            ("localhost:5000/team/m", "localhost=5000+team+m.gguf"),
            ("mmproj-x:y", "library+mmproj-x-y.gguf"),
        ] {
            assert_eq!(path(name, Role::Weights), expected);
        }
        assert_eq!(path("a", Role::Projector(1)), "mmproj-a.gguf");
        assert_eq!(path("a", Role::Projector(2)), "mmproj-a~2.gguf");
        assert_eq!(path("a", Role::Part(2, 3)), "a-00002-of-00003.gguf");
        for to in ["d/x.gguf", "d/x-00001-of-00003.gguf"] {
            let part = beside(Path::new(to), Role::Part(2, 3));
            assert_eq!(part, Path::new("d/x-00002-of-00003.gguf"));
        }
        for to in ["d/x-001-of-0000003.gguf", "d/x-0000x-of-00003.gguf"] {
            let part = beside(Path::new(to), Role::Part(2, 3));
            let expected = to.replace(".gguf", "-00002-of-00003.gguf");
            assert_eq!(part, Path::new(&expected));
        }
        for to in ["d/x.GGUF", "d/x"] {
            assert_eq!(beside(Path::new(to), Role::Weights), Path::new(to));
        }
        let projector = beside(Path::new("d/x.gguf"), Role::Projector(1));
        assert_eq!(projector, Path::new("d/mmproj-x.gguf"));
    }

    #[test]
    fn no_two_models_have_one_name_and_none_leads_out_of_the_directory() {
        let long = "x".repeat(80);
        let host = "h".repeat(350);
        let names = [
            "library/foo-bar:baz".to_owned(),
            "foo/bar:baz".to_owned(),
            "foo:bar-baz".to_owned(),
            "foo-bar-baz".to_owned(),
            "foo-bar-baz:latest-x".to_owned(),
            "foo-bar:baz-latest".to_owned(),
            "foo".to_owned(),
            "foo:foo".to_owned(),
            "foo-foo".to_owned(),
            "mmproj-foo".to_owned(),
            "h/library/foo".to_owned(),
            "h/library/mmproj-foo".to_owned(),
            format!("{host}/{long}/{long}:{long}"),
            format!("{host}/{long}/{long}:{long}").replace("x:", "y:"),
        ];
        let roles = [Role::Weights, Role::Projector(1), Role::Projector(2)];
        for layout in [inside, in_lm_studio] {
            let mut known = std::collections::HashSet::new();
            for name in &names {
                for role in roles {
                    let path = layout(Path::new("d"), &name.parse().unwrap(), role);
                    for part in &path {
                        assert!(part.len() <= 255 && part != "..", "{path:?}");
                    }
                    assert!(path.starts_with("d"));
                    assert!(known.insert(path.clone()), "{path:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_is_a_file_where_it_is_named_as_one() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        std::fs::create_dir(at("directory.gguf")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        for (name, expected) in [
            ("new", false),
            ("new.gguf", true),
            ("new.GGUF", true),
            ("directory.gguf", false),
            ("file", true),
        ] {
            assert_eq!(is_file(&at(name)), expected, "{name}");
        }
    }
}
