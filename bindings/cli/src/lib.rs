//! The command `modelkeep`.
//!
//! [`run`] takes the arguments and returns the exit status: 0 for done, 1 for a problem found or
//! a model that is missing, 2 for wrong use. What was asked for goes to standard output, what is
//! wrong to standard error. With `--json` what is wrong is JSON on standard output, too.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod archive;
mod args;
mod commands;
mod completions;
mod link;
mod list;
mod maintain;
mod metadata;
mod output;
mod pipe;
mod progress;
mod remove;
mod rename;
mod server;
mod show;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};
use modelkeep::printable;

use args::Args;
use output::{Failure, Output, say};

#[doc(hidden)]
pub use metadata::describe_bytes;

/// Runs the command; the first argument is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = args.into_iter().collect();
    if let Some(answered) = completions::answer(&words, Args::command) {
        return u8::from(answered.is_err());
    }
    let args = match Args::try_parse_from(&words) {
        Ok(args) => args,
        Err(error) => return misuse(&words, error),
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

/// Prints help, or what is wrong with the arguments; a shell may have made them of file names.
fn misuse(words: &[OsString], error: clap::Error) -> u8 {
    let harmless = words.iter().map(|word| {
        let word = word.to_string_lossy();
        printable(&word).into_owned()
    });
    let error = Args::try_parse_from(harmless).err().unwrap_or(error);
    // Help goes to standard output, a mistake to standard error; either may be closed.
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(2)
}
