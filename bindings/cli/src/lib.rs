//! The command `modelkeep`.
//!
//! [`run`] takes the arguments and answers the exit status: 0 for done, 1 for a problem found or
//! a model that is missing, 2 for wrong use. What was asked for goes to standard output, what is
//! wrong to standard error.

mod args;
mod commands;
mod maintenance;
mod metadata;
mod output;
mod progress;
mod server;
mod show;

use std::ffi::OsString;

use clap::Parser;

use args::Args;
use output::{Failure, Output};

/// Runs the command; the first argument is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help goes to standard output, a mistake to standard error; either may be closed.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut output = Output::new(args.json);
    match commands::run(args, &mut output).and_then(|()| output.flush()) {
        Ok(()) => output.status(),
        // Whoever reads has read enough.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            eprintln!("modelkeep: {failure}");
            failure.status()
        }
    }
}
