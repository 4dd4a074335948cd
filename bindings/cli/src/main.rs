//! The command `modelkeep`.

use std::process::ExitCode;

fn main() -> ExitCode {
    modelkeep_cli::run(std::env::args_os()).into()
}
