//! Where the words go: answers, complaints, and the exit status.

use std::fmt;
use std::io::{self, BufWriter, Stdout, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use modelkeep::{Error, ErrorKind, Problem};

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
            _ => 1,
        }
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

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Standard output, and whether a problem was found.
pub(crate) struct Output {
    /// Whether JSON is wanted.
    pub json: bool,
    out: BufWriter<Stdout>,
    found: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Output {
            json,
            out: BufWriter::new(io::stdout()),
            found: false,
        }
    }

    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Outcome {
        Ok(writeln!(self.out, "{line}")?)
    }

    /// Writes a path as the system has it, and what ends it.
    pub(crate) fn path(&mut self, path: &Path, end: u8) -> Outcome {
        self.out.write_all(path.as_os_str().as_bytes())?;
        Ok(self.out.write_all(&[end])?)
    }

    /// Makes the exit status 1: something is not as it should be.
    pub(crate) fn found_a_problem(&mut self) {
        self.found = true;
    }

    /// Says what is wrong, and makes the exit status 1.
    pub(crate) fn complain(&mut self, what: impl fmt::Display) {
        eprintln!("modelkeep: {what}");
        self.found = true;
    }

    pub(crate) fn status(&self) -> u8 {
        u8::from(self.found)
    }

    pub(crate) fn flush(&mut self) -> Outcome {
        Ok(self.out.flush()?)
    }
}

/// Says what was passed over. It concerns other models, so the exit status stays.
pub(crate) fn note(problems: &[Problem]) {
    for problem in problems {
        eprintln!("modelkeep: {problem}");
    }
}

/// A table without lines; the columns of `numbers` are aligned right.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: &[usize],
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        let left = if index == 0 { 0 } else { 2 };
        column.set_padding((left, 0));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}
