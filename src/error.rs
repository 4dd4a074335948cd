//! One error type for everything, and the one table of its kinds.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::near;

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Writes the enum and its table in one place, so that a kind cannot lack a column.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+
        $kind:ident = $code:literal, $http:literal, $python:literal, $words:literal;)+) => {
        /// What went wrong, in the words that every binding shares.
        ///
        /// Codes are never reused. The C binding adds its own from 100 on.
        ///
        /// ```
        /// use modelkeep::ErrorKind;
        ///
        /// assert_eq!(ErrorKind::NotFound.http_status(), 404);
        /// assert_eq!(ErrorKind::NotFound.to_string(), "not found");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind = $code,)+
        }

        impl ErrorKind {
            /// Every kind, by ascending code.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind,)+];

            /// Returns the status that the C binding returns (`MKEEP_STATUS_*`).
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// Returns the HTTP status that the HTTP binding responds with.
            pub const fn http_status(self) -> u16 {
                match self { $(ErrorKind::$kind => $http,)+ }
            }

            /// Returns the exception class that the Python binding raises.
            pub const fn python_class(self) -> &'static str {
                match self { $(ErrorKind::$kind => $python,)+ }
            }

            /// Returns the kind's own name, as in `NotFound`.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$kind => stringify!($kind),)+ }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(ErrorKind::$kind => $words,)+ })
            }
        }
    };
}

kinds! {
    /// A model, blob or layer is absent.
    NotFound = 1, 404, "NotFoundError", "not found";
    /// A text does not follow the grammar of model names.
    InvalidName = 2, 400, "InvalidNameError", "invalid name";
    /// A digest that the caller passed in is malformed; one inside a manifest is `Corrupt`.
    InvalidDigest = 3, 400, "InvalidDigestError", "invalid digest";
    /// Options contradict each other or the store.
    InvalidArgument = 4, 400, "ArgumentError", "invalid argument";
    /// The target exists and was not to be replaced.
    AlreadyExists = 5, 409, "ExistsError", "already exists";
    /// What the disk holds is not what its name or its neighbours promise.
    Corrupt = 6, 500, "CorruptError", "corrupt";
    /// A hostile or broken GGUF file.
    InvalidGguf = 7, 500, "GgufError", "invalid GGUF";
    /// A format or a version that is known and not supported.
    Unsupported = 8, 500, "UnsupportedError", "unsupported";
    /// Another process holds the lock, or has a file open that was to be replaced or removed.
    Busy = 9, 503, "BusyError", "busy";
    /// The caller asked to stop.
    Cancelled = 10, 499, "CancelledError", "cancelled";
    /// The operating system refused.
    Io = 11, 500, "StoreIOError", "I/O error";
    /// A Go template that does not parse.
    InvalidTemplate = 12, 500, "TemplateError", "invalid template";
    /// The operating system denies access to a file or a directory.
    PermissionDenied = 13, 500, "PermissionDeniedError", "permission denied";
    /// A file or a directory is absent: the store itself, a blob, a file of the caller's.
    FileNotFound = 14, 404, "MissingFileError", "file not found";
    /// A change of a store that was opened read-only, or on a read-only file system.
    ReadOnly = 15, 403, "ReadOnlyError", "read-only";
    /// A registry cannot be reached, or does not answer as one.
    Network = 16, 502, "NetworkError", "network error";
}

type Cause = Arc<dyn StdError + Send + Sync>;

/// What was being done, to what, and why it failed.
///
/// Its text is `doing subject: cause`, in lower case and without a full stop: `reading manifest
/// /m/registry.ollama.ai/library/x/latest: permission denied`. The cause is in the text and
/// therefore not the [`source`](StdError::source), which reporters print after it;
/// [`cause_of`](Self::cause_of) returns it.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let error = store.model("no such").expect_err("a name has no space");
/// assert_eq!(error.kind(), modelkeep::ErrorKind::InvalidName);
/// assert_eq!(error.clone().to_string(), error.to_string());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    context: Cow<'static, str>,
    path: Option<PathBuf>,
    cause: Option<Cause>,
    suggestions: Vec<String>,
}

/// Returns the one of `all` that is spelled as `text`.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) where none is; the text names all of them, and
/// the near ones are suggested.
pub(crate) fn one_of<W: Copy + fmt::Display>(what: &str, all: &[W], text: &str) -> Result<W> {
    let found = all.iter().find(|word| word.to_string() == text);
    found.copied().ok_or_else(|| {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let quoted = quoted.join(", ");
        let near = near::near(text, words.iter().map(String::as_str));
        let text = format!("{what}: one of {quoted}, not '{text}'");
        Error::new(ErrorKind::InvalidArgument, text).suggest(near)
    })
}

impl Error {
    /// Returns an error whose whole text is `context`.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            context: context.into(),
            path: None,
            cause: None,
            suggestions: Vec::new(),
        }))
    }

    /// Returns an error that a lower one caused; its text follows `context` after a colon.
    pub fn caused(
        kind: ErrorKind,
        context: impl Into<Cow<'static, str>>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let mut error = Error::new(kind, context);
        error.0.cause = Some(Arc::from(cause.into()));
        error
    }

    /// Returns the error of an operating system that refused `doing` on `path`:
    /// [`FileNotFound`](ErrorKind::FileNotFound),
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`ReadOnly`](ErrorKind::ReadOnly),
    /// [`Busy`](ErrorKind::Busy) or else [`Io`](ErrorKind::Io), as it says.
    pub fn io(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        let kind = match cause.kind() {
            io::ErrorKind::NotFound => ErrorKind::FileNotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            io::ErrorKind::ResourceBusy => ErrorKind::Busy,
            _ => ErrorKind::Io,
        };
        Error::caused(kind, format!("{doing} {}", path.display()), cause).at(path)
    }

    /// Names the file or directory that the error is about.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_owned());
        self
    }

    /// Names what the caller may have meant.
    #[must_use]
    pub(crate) fn suggest(mut self, suggestions: Vec<String>) -> Self {
        self.0.suggestions = suggestions;
        self
    }

    /// Returns the row of the table that this error belongs to.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the text without its cause: `model 'x:latest' not found`.
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// Returns the stored names, or the words of an option, that the caller may have meant, the
    /// nearest first, at most three; none is ever used in place of what was asked for. They end the
    /// error's text.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let error = store.delete("tinny").expect_err("there is no such model");
    /// assert_eq!(error.suggestions(), ["tiny:latest"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn suggestions(&self) -> &[String] {
        match &self.0.suggestions[..] {
            [] => self.cause_of::<Error>().map_or(&[], Error::suggestions),
            own => own,
        }
    }

    /// Returns the file or directory that the error, or one that caused it, is about.
    pub fn path(&self) -> Option<&Path> {
        let own = self.0.path.as_deref();
        own.or_else(|| self.cause_of::<Error>()?.path())
    }

    /// Returns the first cause of type `T` in the chain, such as the `gguf::ParseError` of a GGUF
    /// file.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::gguf::{ParseError, ParseErrorKind};
    /// use modelkeep::{GgufFile, GgufOptions};
    ///
    /// let file = directory.path().join("cut.gguf");
    /// std::fs::write(&file, "GGUF")?;
    /// let error = GgufFile::open(&file, &GgufOptions::new()).expect_err("it is cut");
    /// let cause = error.cause_of::<ParseError>().map(ParseError::kind);
    /// assert_eq!(cause, Some(ParseErrorKind::Truncated));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cause_of<T: StdError + 'static>(&self) -> Option<&T> {
        let mut next = self.cause();
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref::<T>() {
                return Some(found);
            }
            next = match cause.downcast_ref::<Error>() {
                Some(error) => error.cause(),
                None => cause.source(),
            };
        }
        None
    }

    fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.cause.as_ref()?;
        Some(&**cause)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)?;
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        // Those of a cause end the cause's own text.
        match &self.0.suggestions[..] {
            [] => Ok(()),
            names => write!(f, "; did you mean {}?", names.join(", ")),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl StdError for Error {}

/// What cannot fail makes no error: a name that is parsed already is taken as it is.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_from_one_without_a_gap() {
        let codes: Vec<u32> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, (1..=16).collect::<Vec<_>>());
    }

    #[test]
    fn a_kind_is_printed_in_words_of_its_own() {
        let words: std::collections::BTreeSet<_> =
            ErrorKind::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), ErrorKind::ALL.len());
        assert_eq!(format!("{:>12}", ErrorKind::NotFound), "   not found");
    }

    #[test]
    fn a_clone_has_the_same_text_path_and_cause() {
        let cause = io::Error::from_raw_os_error(libc::EACCES);
        let error = Error::io("reading", Path::new("/m/x"), cause);
        let copy = error.clone();
        assert_eq!(copy.to_string(), error.to_string());
        assert_eq!(
            (copy.kind(), copy.os_error(), copy.path()),
            (error.kind(), Some(libc::EACCES), error.path())
        );
    }

    #[test]
    fn the_text_says_what_was_done_to_what() {
        let cause = io::Error::from_raw_os_error(libc::EISDIR);
        let error = Error::io("reading manifest", Path::new("/m/x"), cause);
        assert!(
            error.to_string().starts_with("reading manifest /m/x: "),
            "{error}"
        );
        assert_eq!(
            (error.kind(), error.os_error()),
            (ErrorKind::Io, Some(libc::EISDIR))
        );
        assert_eq!(error.path(), Some(Path::new("/m/x")));
    }

    #[test]
    fn the_systems_refusals_have_kinds_of_their_own() {
        for (number, kind) in [
            (libc::ENOENT, ErrorKind::FileNotFound),
            (libc::EACCES, ErrorKind::PermissionDenied),
            (libc::EPERM, ErrorKind::PermissionDenied),
            (libc::EROFS, ErrorKind::ReadOnly),
            (libc::EBUSY, ErrorKind::Busy),
            (libc::ENOSPC, ErrorKind::Io),
        ] {
            let cause = io::Error::from_raw_os_error(number);
            let error = Error::io("writing", Path::new("/x"), cause);
            assert_eq!((error.kind(), error.os_error()), (kind, Some(number)));
        }
    }

    #[test]
    fn a_cause_is_told_once_and_found_at_any_depth() {
        let cause = io::Error::from_raw_os_error(libc::ENOENT);
        let inner = Error::io("reading", Path::new("/m/x"), cause);
        let outer = Error::caused(inner.kind(), "showing 'x'", inner);
        let text = outer.to_string();
        assert!(outer.source().is_none());
        assert_eq!(text.matches("os error 2").count(), 1, "{text}");
        assert_eq!(outer.os_error(), Some(libc::ENOENT));
        assert_eq!(outer.path(), Some(Path::new("/m/x")));
    }

    #[test]
    fn a_kind_of_the_systems_stands_for_its_number() {
        let error = Error::new(ErrorKind::ReadOnly, "the store was opened read-only");
        assert_eq!(error.os_error(), Some(libc::EROFS));
        assert_eq!(Error::new(ErrorKind::NotFound, "no model").os_error(), None);
    }
}
