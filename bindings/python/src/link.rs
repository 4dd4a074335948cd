//! Names for other programs, and what they show: the results, and the methods of `Store`.

use modelkeep::{LinkMode, LinkOptions};
use pyo3::prelude::*;
use std::path::PathBuf;

use crate::error::OrRaise;
use crate::json_base::each;
use crate::path::FilePath;
use crate::record::{reads_like_its_list, record};
use crate::store::Store;

record! {
    /// The links of a model that were made, or were there. Reads like a list of `Link`.
    ///
    /// >>> linked = store.link("llama3.2", "links")
    /// >>> [link.path.name for link in linked], linked.not_remembered
    /// (['llama3.2.gguf'], '')
    Linked(py, it: modelkeep::Linked) extends JsonBase shows [name, links] {
        /// The model.
        name => it.name.to_string();
        /// Its links, those of the weights first and then those of projectors, as a list of `Link`.
        links => each(py, &it.links, |link| Link::from(link.clone()))?;
        /// The kinds of its other GGUF files, which have no link: `adapter`, `draft`.
        left_out => it.left_out.clone();
        /// Why the store does not remember the links; empty where it does.
        not_remembered => it.not_remembered.clone();
    }
}

record! {
    /// A link.
    ///
    /// >>> link = store.link("llama3.2", "links", mode="symlink")[0]
    /// >>> link.mode, link.replaced, link.unchanged
    /// ('symlink', False, False)
    Link(py, it: modelkeep::Link) shows [path, mode] {
        /// Where it is.
        path => it.path.clone();
        /// The digest of the blob that it shows.
        digest => it.digest.to_string();
        /// The size of that in bytes.
        size => it.size;
        /// How it shows it: `reflink`, `hardlink` or `symlink`; of a dry run also `auto`.
        mode => it.mode.as_str();
        /// Whether something was replaced.
        replaced => it.replaced;
        /// Whether it was there already, and stays as it is.
        unchanged => it.unchanged;
    }
}

record! {
    /// What a check of links found. Reads like a list of `CheckedLink`.
    ///
    /// >>> _ = store.link("llama3.2", "links")
    /// >>> store.check_links().ok
    /// True
    LinkReport(py, it: modelkeep::LinkReport) extends JsonBase shows [links, ok] {
        /// The links, by path, as a list of `CheckedLink`.
        links => each(py, &it.links, |link| CheckedLink::from(link.clone()))?;
        /// Whether every link shows what its model holds.
        ok => it.is_ok();
    }
}

record! {
    /// A link, and what it shows now.
    ///
    /// >>> _ = store.link("llama3.2", "links")
    /// >>> store.check_links("links")[0].state
    /// 'current'
    CheckedLink(py, it: modelkeep::CheckedLink) shows [path, state] {
        /// Where it is.
        path => it.path.clone();
        /// The model, where it is known.
        name => it.name.as_ref().map(ToString::to_string);
        /// The digest of the blob that it shows, or showed when it was made, where it is known.
        digest => it.digest.as_ref().map(ToString::to_string);
        /// How it shows it, where it is known.
        mode => it.mode.map(LinkMode::as_str);
        /// `current`, `outdated`, `changed`, `dangling`, `missing`, `orphaned`, `unreadable` or
        /// `foreign`.
        state => it.state.as_str();
        /// The same in words.
        what => it.what.clone();
        /// What to do; empty where nothing needs to be done.
        advice => it.advice.clone();
    }
}

reads_like_its_list!(Linked: links, LinkReport: links);

#[pymethods]
impl Store {
    /// Gives the GGUF files of a model readable names for other programs: the weights, each part of
    /// split weights, and the projectors. Never copies.
    ///
    /// `path` is a directory, which is made where it is missing, or the path of one file that ends in
    /// `.gguf`. `mode` is `auto`, `reflink`, `hardlink` or `symlink`, and `layout` is `flat` or
    /// `lmstudio`. Replaces nothing but older links of the same model, unless `replace` is true:
    /// `ExistsError` where something else is there.
    ///
    /// >>> store.link("llama3.2", "links", mode="symlink")[0].path.name
    /// 'llama3.2.gguf'
    #[pyo3(signature = (name, path, *, mode="auto", layout="flat", replace=false, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "keywords, in Python")]
    fn link(
        &self,
        py: Python<'_>,
        name: &str,
        path: FilePath,
        mode: &str,
        layout: &str,
        replace: bool,
        dry_run: bool,
    ) -> PyResult<Py<Linked>> {
        let linked = py.detach(|| {
            let options = LinkOptions::new()
                .mode(mode.parse()?)
                .layout(layout.parse()?);
            let options = options.replace(replace).dry_run(dry_run);
            self.inner.link(name, &path.0, &options)
        });
        Linked::of(py, linked.or_raise(py)?)
    }

    /// Says which links still show what their models hold now: those at these paths and below these
    /// directories, or else all that the store remembers. Raises `MissingFileError` for a path at which
    /// nothing is and of which nothing is remembered.
    ///
    /// >>> _ = store.link("llama3.2", "links")
    /// >>> [(link.name, link.state) for link in store.check_links()]
    /// [('llama3.2:latest', 'current')]
    #[pyo3(signature = (*paths))]
    fn check_links(&self, py: Python<'_>, paths: Vec<FilePath>) -> PyResult<Py<LinkReport>> {
        let report = py.detach(|| self.inner.check_links(paths.iter().map(|path| &path.0)));
        LinkReport::of(py, report.or_raise(py)?)
    }

    /// Forgets links at these paths and below these directories; the files stay. Returns the paths of
    /// those that the store remembered.
    ///
    /// >>> _ = store.link("llama3.2", "links")
    /// >>> [path.name for path in store.forget_links("links")]
    /// ['llama3.2.gguf']
    #[pyo3(signature = (*paths))]
    fn forget_links(&self, py: Python<'_>, paths: Vec<FilePath>) -> PyResult<Vec<PathBuf>> {
        py.detach(|| self.inner.forget_links(paths.iter().map(|path| &path.0)))
            .or_raise(py)
    }
}
