//! Where the words go: results, issues, and the exit status.
//!
//! Everything that people read passes [`Output::line`] or [`say`], which let nothing through that
//! steers a terminal: names, paths and metadata come from files that anybody may have made.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::Path;
use std::time::SystemTime;

use console::{Style, Term};
use indicatif::HumanDuration;
use modelkeep::gguf::ParseError;
use modelkeep::{Error, ErrorKind, Problem, Timestamp, human_size, printable};

use crate::table::with_short_digests;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store said no.
    Store(Error),
    /// Something around it did.
    Other(String),
    /// Standard output did.
    Output(io::Error),
}

/// What to do where something is there already, and the command can replace it.
pub(crate) const FORCE: &str = "--force replaces it";

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        let is_misuse = |error: &Error| {
            use ErrorKind::{InvalidArgument, InvalidDigest, InvalidName, ReadOnly};
            matches!(
                error.kind(),
                InvalidName | InvalidDigest | InvalidArgument | ReadOnly
            )
        };
        match self {
            Failure::Store(error) if is_misuse(error) => 2,
            // As a shell has it for a program that an interrupt ended.
            Failure::Store(error) if error.kind() == ErrorKind::Cancelled => 130,
            _ => 1,
        }
    }

    /// Adds what to do where something is there already.
    pub(crate) fn where_taken(self, advice: &str) -> Self {
        match self {
            Failure::Store(error) if error.kind() == ErrorKind::AlreadyExists => {
                Failure::Other(format!("{error}; {advice}"))
            }
            failure => failure,
        }
    }

    /// Returns the failure as JSON: `{"error": ...}`, an object for a fault of a GGUF file and a
    /// text for everything else.
    pub(crate) fn to_json(&self) -> String {
        let fault = match self {
            Failure::Store(error) => error.cause_of::<ParseError>(),
            _ => None,
        };
        fault.map_or_else(
            || modelkeep::json::to_string(&serde_json::json!({"error": self.to_string()})),
            ParseError::to_json,
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Store(error) => error.fmt(f),
            Failure::Other(text) => f.write_str(text),
            Failure::Output(error) => write!(f, "writing: {error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Store(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// Returns the failure of a command that was called in the wrong way.
pub(crate) fn misuse(text: &'static str) -> Failure {
    Failure::Store(Error::new(ErrorKind::InvalidArgument, text))
}

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Standard output, and whether a problem was found.
pub(crate) struct Output {
    /// Whether JSON is wanted.
    pub json: bool,
    out: BufWriter<Stdout>,
    is_terminal: bool,
    width: Option<u16>,
    found: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Output {
            json,
            out: BufWriter::new(io::stdout()),
            is_terminal: io::stdout().is_terminal(),
            width: Term::stdout().size_checked().map(|(_, columns)| columns),
            found: false,
        }
    }

    /// Returns whether this goes to a terminal, and not to a file or a program.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Returns the width of the terminal, where there is one that says it.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Returns whether a line is no wider than the terminal, where there is one.
    pub(crate) fn fits(&self, line: &str) -> bool {
        let width = self.width.map_or(usize::MAX, usize::from);
        line.chars().count() <= width
    }

    /// Returns a time for people: on a terminal its age, else its date and minute.
    pub(crate) fn time(&self, time: Timestamp) -> String {
        let now = self.is_terminal.then(SystemTime::now);
        let age = now.and_then(|now| now.duration_since(time.system_time()).ok());
        if let Some(age) = age {
            return format!("{} ago", HumanDuration(age));
        }
        let text = time.to_string();
        text.chars().take(16).collect::<String>().replace('T', " ")
    }

    /// Returns a text with its digests as short as IDs where it goes to a terminal: programs and
    /// files have them whole.
    pub(crate) fn brief(&self, text: &str) -> String {
        match self.is_terminal {
            true => with_short_digests(text),
            false => text.to_owned(),
        }
    }

    /// Writes a line: of JSON where that is wanted, otherwise of text for people.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Outcome {
        let line = line.to_string();
        let line = if self.json {
            line.into()
        } else {
            printable(&line)
        };
        Ok(writeln!(self.out, "{line}")?)
    }

    /// Writes lines of text for people.
    pub(crate) fn lines(&mut self, lines: impl IntoIterator<Item = String>) -> Outcome {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// Writes a table or a section, with its first line in bold where that is wanted.
    pub(crate) fn table(&mut self, lines: Vec<String>) -> Outcome {
        let mut lines = lines.into_iter();
        lines
            .next()
            .map_or(Ok(()), |header| self.heading(&header))?;
        self.lines(lines)
    }

    /// Writes a line of text for people in bold, where the terminal has colors and they are wanted.
    pub(crate) fn heading(&mut self, line: &str) -> Outcome {
        let line = printable(line);
        Ok(writeln!(
            self.out,
            "{}",
            Style::new().bold().apply_to(line)
        )?)
    }

    /// Writes a text as it is stored, which ends with a line break; on a terminal, for people.
    pub(crate) fn text(&mut self, text: &str) -> Outcome {
        match text.is_empty() {
            true => Ok(()),
            false => self.stored(text.as_bytes()),
        }
    }

    /// Writes bytes as they are stored, and a line break where they end with none; on a terminal,
    /// for people.
    pub(crate) fn stored(&mut self, bytes: &[u8]) -> Outcome {
        if self.is_terminal {
            let text = String::from_utf8_lossy(bytes);
            return self.lines(text.lines().map(str::to_owned));
        }
        self.out.write_all(bytes)?;
        match bytes.ends_with(b"\n") {
            true => Ok(()),
            false => Ok(self.out.write_all(b"\n")?),
        }
    }

    /// Writes bytes of our own making.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome {
        Ok(self.out.write_all(bytes)?)
    }

    /// Writes a path as the system has it, and what ends it; on a terminal, for people.
    pub(crate) fn path(&mut self, path: &Path, end: u8) -> Outcome {
        if end == b'\n' && self.is_terminal {
            return self.line(path.display());
        }
        self.out.write_all(path.as_os_str().as_encoded_bytes())?;
        Ok(self.out.write_all(&[end])?)
    }

    /// Makes the exit status 1: something is not as it should be.
    pub(crate) fn found_a_problem(&mut self) {
        self.found = true;
    }

    /// Says what is wrong, and makes the exit status 1.
    pub(crate) fn complain(&mut self, what: impl fmt::Display) {
        say(what);
        self.found = true;
    }

    pub(crate) fn status(&self) -> u8 {
        u8::from(self.found)
    }

    pub(crate) fn flush(&mut self) -> Outcome {
        Ok(self.out.flush()?)
    }
}

/// Says something to people on standard error, on one line.
pub(crate) fn say(what: impl fmt::Display) {
    let text = what.to_string();
    // Nobody hears that nobody hears.
    let _ = writeln!(io::stderr(), "modelkeep: {}", printable(&text));
}

/// Says what was passed over. It concerns other models, so the exit status stays.
pub(crate) fn note(problems: &[Problem]) {
    for problem in problems {
        say(problem);
    }
}

/// Returns the store that something is in, where there are several.
pub(crate) fn place(store: Option<&Path>) -> String {
    store.map_or_else(String::new, |store| store.display().to_string())
}

/// Returns a size for people, or as a number of bytes where that is wanted.
pub(crate) fn size(size: u64, bytes: bool) -> String {
    match bytes {
        true => size.to_string(),
        false => human_size(size),
    }
}

/// Returns a number with its noun: `1 blob`, `2 blobs`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
