//! Links: readable names for the GGUF files of a model, for other programs.

use std::ffi::c_char;

use engine::{
    CheckedLink, Link, LinkLayout, LinkMode, LinkOptions, LinkReport, LinkState, Linked, Reference,
};

use crate::boundary::{Fault, borrow, free, get, invalid, path, text, with};
use crate::growing::{Options, get_sized, growing, options};
use crate::status::{call, mkeep_error, mkeep_status};
use crate::store::{mkeep_store, optional_out, result_out};
use crate::str::{Strings, mkeep_str};
use crate::string::{json_out, mkeep_string};

/// How a link shows a blob.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_link_mode {
    /// The first of the following that the file system can.
    Auto = 0,
    /// A file of its own that shares the blocks until one of the two is written to.
    Reflink = 1,
    /// The same file under a second name: who writes to it destroys the blob.
    HardLink = 2,
    /// The path of the blob.
    Symlink = 3,
}

/// What a link shows now.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_link_state {
    /// What the model holds.
    Current = 0,
    /// Other bytes than the model holds now, as after a pull.
    Outdated = 1,
    /// Something else: another program wrote to it, or put another file in its place.
    Changed = 2,
    /// Nothing: a symbolic link that leads nowhere.
    Dangling = 3,
    /// Nothing: there is no such file.
    Missing = 4,
    /// What it showed from the beginning, of a model that is not stored any more.
    Orphaned = 5,
    /// What it shows, or what the model holds, cannot be looked at.
    Unreadable = 6,
    /// A file that is no link of this store.
    Foreign = 7,
}

impl From<LinkMode> for mkeep_link_mode {
    fn from(mode: LinkMode) -> Self {
        match mode {
            LinkMode::Reflink => mkeep_link_mode::Reflink,
            LinkMode::HardLink => mkeep_link_mode::HardLink,
            LinkMode::Symlink => mkeep_link_mode::Symlink,
            _ => mkeep_link_mode::Auto,
        }
    }
}

impl From<LinkState> for mkeep_link_state {
    fn from(state: LinkState) -> Self {
        match state {
            LinkState::Current => mkeep_link_state::Current,
            LinkState::Outdated => mkeep_link_state::Outdated,
            LinkState::Changed => mkeep_link_state::Changed,
            LinkState::Dangling => mkeep_link_state::Dangling,
            LinkState::Missing => mkeep_link_state::Missing,
            LinkState::Orphaned => mkeep_link_state::Orphaned,
            LinkState::Unreadable => mkeep_link_state::Unreadable,
            _ => mkeep_link_state::Foreign,
        }
    }
}

/// How links are made.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_link_options {
    /// `sizeof(mkeep_link_options)`.
    pub size: usize,
    /// How the links show the blobs: an mkeep_link_mode.
    pub mode: u32,
    /// Whether they are laid out as LM Studio has them: `publisher/model/file.gguf`.
    pub lm_studio: u8,
    /// Whether files are replaced that are no links of this model.
    pub replace: u8,
    /// Whether the call only says which links it would make.
    pub dry_run: u8,
    /// Zero.
    pub reserved: u8,
}

/// The links of a model.
pub struct mkeep_linked {
    linked: Linked,
    links: Vec<mkeep_link>,
    left_out: Vec<mkeep_str>,
    not_remembered: mkeep_str,
    _strings: Strings,
}

/// A link.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_link {
    /// `sizeof(mkeep_link)`.
    pub size: usize,
    /// Where it is.
    pub path: mkeep_str,
    /// The digest of the blob that it shows.
    pub digest: mkeep_str,
    /// The size of that in bytes.
    pub file_size: u64,
    /// How it shows it; of a dry run that would make it, how it is to be made.
    pub mode: mkeep_link_mode,
    /// Whether something was replaced.
    pub is_replacement: bool,
    /// Whether it was there already, and stays as it is.
    pub is_unchanged: bool,
    /// Zero.
    pub reserved: u16,
}

/// What a check of links found.
pub struct mkeep_link_report {
    report: LinkReport,
    links: Vec<mkeep_checked_link>,
    _strings: Strings,
}

/// A link, and what it shows now.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_checked_link {
    /// `sizeof(mkeep_checked_link)`.
    pub size: usize,
    /// Where it is.
    pub path: mkeep_str,
    /// The model; empty where it is not known.
    pub name: mkeep_str,
    /// The digest of the blob that it shows, or showed; empty where it is not known.
    pub digest: mkeep_str,
    /// What it shows now, in words.
    pub what: mkeep_str,
    /// What to do; empty where nothing needs to be done.
    pub advice: mkeep_str,
    /// What it shows now.
    pub state: mkeep_link_state,
    /// How it shows it; MKEEP_LINK_MODE_AUTO where it is not known.
    pub mode: mkeep_link_mode,
}

growing!(mkeep_link_options: reserved, mkeep_link: reserved, mkeep_checked_link: mode);
// SAFETY: numbers.
unsafe impl Options for mkeep_link_options {}

impl mkeep_link_options {
    fn read(&self) -> Result<LinkOptions, Fault> {
        let mode = match self.mode {
            0 => LinkMode::Auto,
            1 => LinkMode::Reflink,
            2 => LinkMode::HardLink,
            3 => LinkMode::Symlink,
            _ => return Err(invalid("the mode is that of no link")),
        };
        let layout = match self.lm_studio {
            0 => LinkLayout::Flat,
            _ => LinkLayout::LmStudio,
        };
        crate::growing::reserved(&[self.reserved])?;
        let options = LinkOptions::new().mode(mode).layout(layout);
        Ok(options
            .replace(self.replace != 0)
            .dry_run(self.dry_run != 0))
    }
}

impl mkeep_link {
    fn new(strings: &mut Strings, link: &Link) -> Self {
        mkeep_link {
            size: size_of::<Self>(),
            path: strings.path(&link.path),
            digest: strings.display(&link.digest),
            file_size: link.size,
            mode: link.mode.into(),
            is_replacement: link.replaced,
            is_unchanged: link.unchanged,
            reserved: 0,
        }
    }
}

impl mkeep_checked_link {
    fn new(strings: &mut Strings, link: &CheckedLink) -> Self {
        let (name, digest) = (link.name.as_ref(), link.digest.as_ref());
        mkeep_checked_link {
            size: size_of::<Self>(),
            path: strings.path(&link.path),
            name: name.map_or(mkeep_str::EMPTY, |name| strings.display(name)),
            digest: digest.map_or(mkeep_str::EMPTY, |digest| strings.display(digest)),
            what: strings.add(&link.what),
            advice: strings.add(&link.advice),
            state: link.state.into(),
            mode: link.mode.map_or(mkeep_link_mode::Auto, Into::into),
        }
    }
}

impl From<Linked> for mkeep_linked {
    fn from(linked: Linked) -> Self {
        let mut strings = Strings::default();
        let links = linked.links.iter();
        mkeep_linked {
            links: links
                .map(|link| mkeep_link::new(&mut strings, link))
                .collect(),
            left_out: strings.displays(&linked.left_out),
            not_remembered: strings.add(&linked.not_remembered),
            linked,
            _strings: strings,
        }
    }
}

impl From<LinkReport> for mkeep_link_report {
    fn from(report: LinkReport) -> Self {
        let mut strings = Strings::default();
        let links = report.links.iter();
        mkeep_link_report {
            links: links
                .map(|link| mkeep_checked_link::new(&mut strings, link))
                .collect(),
            report,
            _strings: strings,
        }
    }
}

/// Gives the GGUF files of a model readable names for other programs: the weights, each part of
/// split weights, and the projectors. Never copies. `to` is a directory, which is made where it is
/// missing, or the path of one file that ends in `.gguf`. Replaces nothing but older links of the
/// same model, unless the options say otherwise. `options` and `linked` may be NULL.
///
/// MKEEP_STATUS_NOT_FOUND, MKEEP_STATUS_INVALID_NAME, MKEEP_STATUS_FILE_NOT_FOUND and
/// MKEEP_STATUS_CORRUPT for what is to be linked, MKEEP_STATUS_ALREADY_EXISTS where something else is
/// in the place of a link, MKEEP_STATUS_INVALID_ARGUMENT for a place inside of a store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_link(
    store: *const mkeep_store,
    name: *const c_char,
    to: *const c_char,
    options: *const mkeep_link_options,
    linked: *mut *mut mkeep_linked,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        optional_out(store, linked, error, |store| {
            let reference: Reference = text(name, "name")?.parse()?;
            let (to, options) = (path(to, "to")?, self::options(options)?.read()?);
            Ok(store.link(&reference, to, &options)?.into())
        })
    }
}

/// Says which links still show what their models hold now: those at these paths and below these
/// directories, or without paths all that the store remembers. `paths` may be NULL where `count` is 0.
///
/// MKEEP_STATUS_FILE_NOT_FOUND for a path at which nothing is and of which nothing is remembered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_check_links(
    store: *const mkeep_store,
    paths: *const *const c_char,
    count: usize,
    report: *mut *mut mkeep_link_report,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        result_out(store, report, error, |store| {
            Ok(store
                .check_links(crate::boundary::paths(paths, count)?)?
                .into())
        })
    }
}

/// Forgets the links at these paths and below these directories; the files stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_store_forget_links(
    store: *const mkeep_store,
    paths: *const *const c_char,
    count: usize,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe {
        call(error, || {
            let store = &borrow(store, "store")?.0;
            store.forget_links(crate::boundary::paths(paths, count)?)?;
            Ok(())
        })
    }
}

/// Gets a link, those of the weights first and then those of projectors; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_linked_get(
    linked: *const mkeep_linked,
    index: usize,
    link: *mut mkeep_link,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(linked, link, |linked| linked.links.get(index).copied()) }
}

/// Gets the kind of another GGUF file of the model, which has no link; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_linked_left_out(
    linked: *const mkeep_linked,
    index: usize,
    kind: *mut mkeep_str,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get(linked, kind, |linked| linked.left_out.get(index).copied()) }
}

/// Returns why the store does not remember the links; empty where it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_linked_not_remembered(linked: *const mkeep_linked) -> mkeep_str {
    // SAFETY: by the header's contract NULL or a live result.
    unsafe { with(linked, mkeep_str::EMPTY, |linked| linked.not_remembered) }
}

/// Makes the JSON of the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_linked_json(
    linked: *const mkeep_linked,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(linked, json, error, |linked| linked.linked.to_json()) }
}

/// Frees the links of a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_linked_free(linked: *mut mkeep_linked) {
    // SAFETY: by the header's contract NULL or a live result that is given up.
    unsafe { free(linked) }
}

/// Returns whether every link shows what its model holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_link_report_is_ok(report: *const mkeep_link_report) -> bool {
    // SAFETY: by the header's contract NULL or a live report.
    unsafe { with(report, false, |report| report.report.is_ok()) }
}

/// Gets a link that was checked, by path; false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_link_report_get(
    report: *const mkeep_link_report,
    index: usize,
    link: *mut mkeep_checked_link,
) -> bool {
    // SAFETY: by the header's contract each is NULL or good for its use.
    unsafe { get_sized(report, link, |report| report.links.get(index).copied()) }
}

/// Makes the JSON of the report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_link_report_json(
    report: *const mkeep_link_report,
    json: *mut *mut mkeep_string,
    error: *mut *mut mkeep_error,
) -> mkeep_status {
    // SAFETY: by the header's contract every pointer is NULL or good for its use.
    unsafe { json_out(report, json, error, |report| report.report.to_json()) }
}

/// Frees a report of links.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkeep_link_report_free(report: *mut mkeep_link_report) {
    // SAFETY: by the header's contract NULL or a live report that is given up.
    unsafe { free(report) }
}
