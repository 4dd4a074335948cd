//! One error type for everything, and the one table of its kinds.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Writes the enum and its table in one place, so that a kind cannot lack a column.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $http:literal, $python:literal;)+) => {
        /// What went wrong, in the words that every door shares.
        ///
        /// Codes are never reused. The C door adds its own from 100 on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind = $code,)+
        }

        impl ErrorKind {
            /// Every kind, by ascending code.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$kind,)+];

            /// The status that the C door answers with (`MKEEP_STATUS_*`).
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The HTTP status that the HTTP door answers with.
            pub const fn http_status(self) -> u16 {
                match self { $(ErrorKind::$kind => $http,)+ }
            }

            /// The exception class that the Python door raises.
            pub const fn python_class(self) -> &'static str {
                match self { $(ErrorKind::$kind => $python,)+ }
            }

            /// The kind's own name, as in `NotFound`.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorKind::$kind => stringify!($kind),)+ }
            }
        }
    };
}

kinds! {
    /// A store, model, blob or layer is absent.
    NotFound = 1, 404, "NotFoundError";
    /// A text does not follow the grammar of model names.
    InvalidName = 2, 400, "InvalidNameError";
    /// A digest that the caller passed in is malformed; one inside a manifest is `Corrupt`.
    InvalidDigest = 3, 400, "InvalidDigestError";
    /// Options contradict each other or the store.
    InvalidArgument = 4, 400, "ArgumentError";
    /// The target exists and was not to be replaced.
    AlreadyExists = 5, 409, "ExistsError";
    /// What the disk holds is not what its name or its neighbours promise.
    Corrupt = 6, 500, "CorruptError";
    /// A hostile or broken GGUF file.
    InvalidGguf = 7, 500, "GgufError";
    /// A format or a version that is known and not supported.
    Unsupported = 8, 500, "UnsupportedError";
    /// Another process holds the lock.
    Busy = 9, 503, "BusyError";
    /// The caller asked to stop.
    Cancelled = 10, 499, "CancelledError";
    /// The operating system refused.
    Io = 11, 500, "StoreIOError";
    /// A Go template that does not parse.
    InvalidTemplate = 12, 500, "TemplateError";
}

type Cause = Box<dyn StdError + Send + Sync>;

/// What was being done, to what, and why it failed.
///
/// Its text is `doing subject: cause`, in lower case and without a full stop:
/// `reading manifest /m/registry.ollama.ai/library/x/latest: permission denied`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    context: Cow<'static, str>,
    cause: Option<Cause>,
}

impl Error {
    /// An error whose whole text is `context`.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            context: context.into(),
            cause: None,
        }))
    }

    /// An error that a lower one caused; its text follows `context` after a colon.
    pub fn caused(
        kind: ErrorKind,
        context: impl Into<Cow<'static, str>>,
        cause: impl Into<Cause>,
    ) -> Self {
        Error(Box::new(Inner {
            kind,
            context: context.into(),
            cause: Some(cause.into()),
        }))
    }

    /// The operating system refused `doing` on `path`; `NotFound` where it says that it is absent.
    pub fn io(doing: &'static str, path: &Path, cause: io::Error) -> Self {
        let kind = match cause.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Error::caused(kind, format!("{doing} {}", path.display()), cause)
    }

    /// The row of the table that this error belongs to.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text without its cause: `model 'x:latest' not found`.
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// The operating system's error number, where it was the operating system that refused.
    pub fn os_error(&self) -> Option<i32> {
        self.cause_of::<io::Error>()
            .and_then(io::Error::raw_os_error)
    }

    /// The first cause of type `T` in the chain, such as the `gguf::Fault` of a
    /// GGUF file.
    pub fn cause_of<T: StdError + 'static>(&self) -> Option<&T> {
        let mut next = self.source();
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref::<T>() {
                return Some(found);
            }
            next = cause.source();
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)?;
        match &self.0.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .cause
            .as_ref()
            .map(|cause| &**cause as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_from_one_without_a_gap() {
        let codes: Vec<u32> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, (1..=12).collect::<Vec<_>>());
    }

    #[test]
    fn the_text_says_what_was_done_to_what() {
        let cause = io::Error::from_raw_os_error(13);
        let error = Error::io("reading manifest", Path::new("/m/x"), cause);
        assert!(
            error.to_string().starts_with("reading manifest /m/x: "),
            "{error}"
        );
        assert_eq!((error.kind(), error.os_error()), (ErrorKind::Io, Some(13)));
    }
}
