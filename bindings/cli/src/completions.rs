//! What a shell completes: commands, options, and the names of models.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};

use clap::{Command, ValueEnum};
use clap_complete::CompletionCandidate;
use clap_complete::env::{EnvCompleter, Shells};
use modelkeep::{Store, StoreOptions};

use crate::output::{Outcome, Output};

/// The variable in which a shell says which one it is when it asks for candidates.
const ASKS: &str = "MODELKEEP_COMPLETE";

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// Prints the lines by which a shell learns to ask this command.
pub(crate) fn register(shell: Shell, output: &mut Output) -> Outcome {
    let name = shell.to_possible_value();
    let name = name.as_ref().map_or("", |value| value.get_name());
    let shells = Shells::builtins();
    let Some(completer) = shells.completer(name) else {
        return Ok(());
    };
    let mut script = Vec::new();
    completer.write_registration(ASKS, "modelkeep", "modelkeep", "modelkeep", &mut script)?;
    output.bytes(&script)
}

/// Answers a shell that asks for candidates; `None` where none does. Words are those of the command
/// line, the command's own name first.
pub(crate) fn answer(words: &[OsString], command: fn() -> Command) -> Option<io::Result<()>> {
    let name = env::var_os(ASKS)?;
    let shells = Shells::builtins();
    let completer = shells.completer(name.to_str()?)?;
    let typed = words.iter().position(|word| word == "--")?;
    let typed = words.get(typed + 1..)?.to_vec();
    Some(print_candidates(completer, command(), typed))
}

fn print_candidates(
    completer: &dyn EnvCompleter,
    mut command: Command,
    typed: Vec<OsString>,
) -> io::Result<()> {
    let directory = env::current_dir().ok();
    let mut candidates = Vec::new();
    completer.write_complete(&mut command, typed, directory.as_deref(), &mut candidates)?;
    io::stdout().write_all(&candidates)
}

/// Returns the names of the models in the default store that begin with what was typed; none where
/// the store cannot be read, as nobody could be told.
pub(crate) fn models(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy().to_lowercase();
    let names = Store::open_with(StoreOptions::from_env()).and_then(|store| store.names());
    let names = names.into_iter().flatten();
    names
        .map(|name| name.to_string())
        .filter(|name| name.to_lowercase().starts_with(&typed))
        .map(CompletionCandidate::new)
        .collect()
}
