//! The command `modelkeep`.
//!
//! [`run`] takes the arguments and returns the exit status: 0 for done, 1 for a problem found or
//! a model that is missing, 2 for wrong use. What was asked for goes to standard output, what is
//! wrong to standard error. With `--json` what is wrong is JSON on standard output, too.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod args;
mod color;
mod commands;
mod completions;
mod gguf;
mod link;
mod list;
mod maintain;
mod output;
mod pipe;
mod progress;
mod registry;
mod remove;
mod rename;
mod server;
mod show;
mod table;
mod usage;

use std::ffi::OsString;

use clap::{ColorChoice, CommandFactory, FromArgMatches};
use modelkeep::printable;

use args::Args;
use color::Color;
use output::{Failure, Output, say};

#[doc(hidden)]
pub use gguf::describe_bytes;

/// Runs the command; the first argument is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    if let Some(answered) = completions::answer(&words, Args::command) {
        return u8::from(answered.is_err());
    }
    let color = Color::typed(&words).apply();
    let args = match parsed(&words, color) {
        Ok(args) => args,
        Err(error) => return misuse(&words, color, error),
    };
    let mut output = Output::new(args.json);
    match commands::run(args, &mut output).and_then(|()| output.flush()) {
        Ok(()) => output.status(),
        // Whoever reads has read enough.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            say(&failure);
            if output.json {
                // Who does not read the answer has its status.
                let _ = output.line(failure.to_json()).and_then(|()| output.flush());
            }
            failure.status()
        }
    }
}

/// Returns a value that nobody frees: the system takes all memory at once when the process ends, and
/// what a large store was read into is tens of thousands of pieces.
fn kept<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

fn parsed(words: &[OsString], color: ColorChoice) -> Result<Args, clap::Error> {
    let matches = Args::command().color(color).try_get_matches_from(words)?;
    Args::from_arg_matches(&matches)
}

/// Prints help, or what is wrong with the arguments; a shell may have made them of file names.
fn misuse(words: &[OsString], color: ColorChoice, error: clap::Error) -> u8 {
    let harmless = words.iter().map(|word| {
        let word = word.to_string_lossy();
        printable(&word).into_owned().into()
    });
    let harmless: Vec<OsString> = harmless.collect();
    let error = parsed(&harmless, color).err().unwrap_or(error);
    // Help goes to standard output, a mistake to standard error; either may be closed.
    let _ = error.print();
    if error.use_stderr() && is_json(words) {
        let mut output = Output::new(true);
        let failure = Failure::Other(reason(&error));
        let _ = output.line(failure.to_json()).and_then(|()| output.flush());
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Returns whether JSON is wanted, of words that are not understood.
fn is_json(words: &[OsString]) -> bool {
    let mut options = words.iter().take_while(|word| *word != "--");
    options.any(|word| word == "--json")
}

/// Returns what is wrong in one line: what the parser says before it comes to the usage.
fn reason(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.split("\nUsage:").next().unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("For more information"));
    let line = lines.collect::<Vec<_>>().join("; ");
    let line = line.replace("; tip: ", "; ").replace(":; ", ": ");
    line.trim_start_matches("error: ").to_owned()
}
