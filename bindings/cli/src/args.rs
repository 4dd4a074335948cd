//! What may be typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;
use modelkeep::{CopyMode, ModelName, Reference, StoreOptions};

use crate::color::Color;
use crate::completions::{Shell, models};
use crate::gguf::GgufArgs;
use crate::link::LinkArgs;
use crate::list::ListArgs;
use crate::maintain::VerifyArgs;
use crate::registry::{LsRemoteArgs, PullArgs, PushArgs};
use crate::remove::RemoveArgs;
use crate::rename::{CopyArgs, RenameArgs};
use crate::server::ServeArgs;
use crate::show::ShowArgs;
use crate::usage::UsageArgs;

/// What every command takes.
const GLOBAL: &str = "Global options";

/// The model store that Ollama writes to disk, without a server.
#[derive(Debug, Parser)]
#[command(
    name = "modelkeep",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    /// The store's directory; or several of them as one view, the option repeated or a list as in
    /// PATH: the first that has a model wins, and what is new goes to the first that may be
    /// written to [default: $OLLAMA_MODELS, else ~/.ollama/models]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR")]
    pub store: Vec<OsString>,
    /// Print JSON: that of the API for list and show
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// Color what is printed: auto, always or never; auto is on a terminal, unless $NO_COLOR is set,
    /// and with $CLICOLOR_FORCE everywhere
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN", hide_possible_values = true, hide_default_value = true, help_heading = GLOBAL)]
    pub color: Color,
    /// Refuse every change
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub read_only: bool,
    /// Read files instead of mapping them: for network file systems
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub no_mmap: bool,
    /// How long a deleted blob waits for a server that begins to use it, as 50ms or 2s [default: 50ms]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "TIME", value_parser = duration)]
    pub delete_delay: Option<Duration>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the models, newest first
    #[command(visible_alias = "ls")]
    #[command(
        after_help = "Examples:\n  modelkeep list\n  modelkeep list \"llama*\" --sort size --limit 5\n  modelkeep list -q"
    )]
    List(ListArgs),
    /// Show everything about a model
    #[command(
        after_help = "Examples:\n  modelkeep show llama3.2\n  modelkeep show llama3.2 --template"
    )]
    Show {
        /// The name of a model, or its ID as list prints it
        #[arg(add = ArgValueCompleter::new(models))]
        name: Reference,
        #[command(flatten)]
        what: ShowArgs,
    },
    /// Copy a model: one more name for the same blobs
    #[command(
        after_help = "Examples:\n  modelkeep cp llama3.2 my-llama\n  modelkeep cp llama3.2 my-llama --force"
    )]
    Cp(CopyArgs),
    /// Give a model another name
    #[command(after_help = "Examples:\n  modelkeep mv my-llama team/llama:v2")]
    Mv(RenameArgs),
    /// Delete models, and the blobs that only they use
    #[command(
        after_help = "Examples:\n  modelkeep rm my-llama\n  modelkeep rm \"llama*\" --dry-run\n  modelkeep rm -y my-llama other"
    )]
    Rm(RemoveArgs),
    /// Print the path of a model's GGUF file: of a split model those of all its parts, in order
    #[command(
        after_help = "Examples:\n  modelkeep path llama3.2\n  llama-server -m \"$(modelkeep path llama3.2)\""
    )]
    Path {
        /// The name of a model, or its ID as list prints it
        name: Reference,
        /// Print the paths of its projectors instead
        #[arg(long, conflicts_with = "all")]
        projector: bool,
        /// Print the paths of all its blobs
        #[arg(long)]
        all: bool,
        /// End each path with a NUL in place of a line break
        #[arg(long)]
        print0: bool,
        /// Print the paths of files with another size than the manifest states, too
        #[arg(long)]
        force: bool,
    },
    /// Give the GGUF files of a model readable names for other programs, without copying; or check
    /// such names
    #[command(
        after_help = "Examples:\n  modelkeep link llama3.2 ~/models\n  modelkeep link llama3.2 ~/.lmstudio/models --layout lmstudio\n  modelkeep link llama3.2 llama.gguf --mode symlink\n  modelkeep link --check"
    )]
    Link(LinkArgs),
    /// Print which models a digest, an ID or a file belongs to
    #[command(
        after_help = "Examples:\n  modelkeep which 177b698bfa84\n  modelkeep which ~/.ollama/models/blobs/sha256-177b698bfa84..."
    )]
    Which {
        /// A digest or an ID, or its first digits, 12 or more; or the path of a file
        #[arg(value_name = "DIGEST|PATH")]
        what: PathBuf,
    },
    /// Compare every blob with its digest: of the store, or of some models
    #[command(
        after_help = "Examples:\n  modelkeep verify\n  modelkeep verify llama3.2 --gguf\n  modelkeep verify --use-cache"
    )]
    Verify {
        /// The names of models, or their IDs as list prints them
        #[arg(value_name = "NAME")]
        names: Vec<Reference>,
        #[command(flatten)]
        how: VerifyArgs,
    },
    /// Show the metadata and the tensors of a GGUF file, or one value
    #[command(
        after_help = "Examples:\n  modelkeep gguf model.gguf\n  modelkeep gguf llama3.2 tokenizer.chat_template\n  modelkeep gguf model.gguf --tensors\n  modelkeep gguf - --json --arrays"
    )]
    Gguf(GgufArgs),
    /// Write models to an archive, or to a directory, in the image layout of OCI
    #[command(
        after_help = "Examples:\n  modelkeep export llama3.2 llama.tar\n  modelkeep export llama3.2 - | ssh other modelkeep import -"
    )]
    Export {
        /// The names of models, or their IDs as list prints them
        #[arg(required = true, value_name = "NAME", add = ArgValueCompleter::new(models))]
        names: Vec<Reference>,
        /// An archive, whose name ends in .tar; or a directory; or - for standard output
        #[arg(value_name = "FILE.tar|DIR")]
        to: PathBuf,
        /// Replace an archive that is there, and in a directory the models of these names
        #[arg(long)]
        force: bool,
    },
    /// Make a model from a GGUF file or a Modelfile, or take in the models of an archive
    #[command(
        after_help = "Examples:\n  modelkeep import model.gguf my-model\n  modelkeep import Modelfile my-model --force\n  modelkeep import llama.tar\n  modelkeep import manifest.json my-model --from Downloads"
    )]
    Import {
        /// A GGUF file or a Modelfile; or an archive or a directory that export wrote, or - for an
        /// archive on standard input
        #[arg(value_name = "FILE|DIR")]
        file: PathBuf,
        /// The name of the model; of an archive with one model by default its own
        name: Option<ModelName>,
        #[command(flatten)]
        with: ImportArgs,
    },
    /// Fetch a model from a registry
    #[command(
        after_help = "Examples:\n  modelkeep pull registry.example.com/team/model:q4\n  modelkeep pull localhost:5000/team/model my-model\n  modelkeep pull registry.example.com/team/model:q4 --ca-file ca.pem"
    )]
    Pull(PullArgs),
    /// Send a model to a registry
    #[command(
        after_help = "Examples:\n  modelkeep push my-model registry.example.com/team/model:q4\n  modelkeep push registry.example.com/team/model:q4"
    )]
    Push(PushArgs),
    /// List the tags of a repository, or the repositories of a registry
    #[command(
        after_help = "Examples:\n  modelkeep ls-remote registry.example.com/team/model\n  modelkeep ls-remote localhost:5000"
    )]
    LsRemote(LsRemoteArgs),
    /// Serve Ollama's API over HTTP as far as it keeps models: list, show, copy, delete
    #[command(
        after_help = "Examples:\n  modelkeep serve\n  modelkeep serve --addr 127.0.0.1:8080 --addr unix:/run/models.sock\n  modelkeep --read-only serve --quiet"
    )]
    Serve(ServeArgs),
    /// Show what the disk holds, and what a delete would free
    #[command(
        after_help = "Examples:\n  modelkeep du\n  modelkeep du --sort alone --limit 5\n  modelkeep du --bytes"
    )]
    Du(UsageArgs),
    /// Remove blobs that no model uses
    #[command(
        after_help = "Examples:\n  modelkeep gc --dry-run\n  modelkeep gc --grace 2d --partials"
    )]
    Gc {
        /// How long a file must have been left alone: 90s, 15m, 1h, 2d
        #[arg(long, default_value = "1h", value_name = "TIME", value_parser = duration)]
        grace: Duration,
        /// Say what would go, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Remove the leftovers of interrupted downloads, too
        #[arg(long)]
        partials: bool,
        /// Remove the damaged blobs that a repair has set aside, too
        #[arg(long)]
        quarantine: bool,
        /// Remove every blob of a store without any model
        #[arg(long)]
        all: bool,
        /// First give blobs with old names their present ones
        #[arg(long, conflicts_with = "dry_run")]
        rename_old: bool,
    },
    /// Say what is wrong with the store, and what to do
    #[command(after_help = "Examples:\n  modelkeep doctor")]
    Doctor,
    /// Verify, and move damaged blobs aside so that a pull can replace them
    #[command(after_help = "Examples:\n  modelkeep repair\n  modelkeep repair llama3.2")]
    Repair {
        /// The names of models
        #[arg(value_name = "NAME")]
        names: Vec<Reference>,
    },
    /// Print a script by which a shell completes commands, options and the names of models
    #[command(
        after_help = "Examples:\n  modelkeep completions bash > ~/.local/share/bash-completion/completions/modelkeep\n  modelkeep completions zsh > ~/.zfunc/_modelkeep\n  modelkeep completions fish > ~/.config/fish/completions/modelkeep.fish"
    )]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write the manual pages into a directory
    #[command(after_help = "Examples:\n  modelkeep man ~/.local/share/man/man1")]
    Man {
        /// The directory, made where it is missing
        directory: PathBuf,
    },
}

#[derive(Debug, Group)]
pub(crate) struct ImportArgs {
    /// Replace a model of that name
    #[arg(long)]
    pub force: bool,
    /// How the bytes come into the store
    #[arg(long, value_enum, default_value = "auto")]
    pub copy_mode: How,
    /// A GGUF file with an adapter
    #[arg(long = "adapter", value_name = "FILE")]
    pub adapters: Vec<PathBuf>,
    /// A GGUF file with a projector
    #[arg(long = "projector", value_name = "FILE")]
    pub projectors: Vec<PathBuf>,
    /// A file with the Go template
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The system prompt
    #[arg(long)]
    pub system: Option<String>,
    /// A file with a license
    #[arg(long = "license", value_name = "FILE")]
    pub licenses: Vec<PathBuf>,
    /// The file is a manifest that was downloaded by itself: take its blobs from the files of this
    /// directory, whatever their names
    #[arg(long, value_name = "DIR", conflicts_with_all = ["adapters", "projectors", "template", "system", "licenses"])]
    pub from: Option<PathBuf>,
    /// Import although the store's blobs belong to another user
    #[arg(long)]
    pub allow_foreign_owner: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum How {
    /// Reflink where the file system can, else copy
    Auto,
    /// Share the blocks until one is written to
    Reflink,
    /// One file of two names: who writes to it destroys the model
    Hardlink,
    /// Copy
    Copy,
}

impl From<How> for CopyMode {
    fn from(how: How) -> Self {
        match how {
            How::Auto => CopyMode::Auto,
            How::Reflink => CopyMode::Reflink,
            How::Hardlink => CopyMode::HardLink,
            How::Copy => CopyMode::Copy,
        }
    }
}

impl ImportArgs {
    /// Returns whether something is said about what the model is made of.
    pub(crate) fn changes_the_model(&self) -> bool {
        let files = [&self.adapters, &self.projectors, &self.licenses];
        files.iter().any(|files| !files.is_empty())
            || self.template.is_some()
            || self.system.is_some()
    }
}

impl Args {
    pub(crate) fn options(&self) -> StoreOptions {
        let options = StoreOptions::from_env()
            .read_only(self.read_only)
            .mmap(!self.no_mmap);
        let options = match self.delete_delay {
            Some(delay) => options.delete_delay(delay),
            None => options,
        };
        options.paths(self.store.iter().flat_map(StoreOptions::split_paths))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("a number and one of ms, s, m, h, d".to_owned()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number = number.parse::<u64>().map_err(|error| error.to_string())?;
    number
        .checked_mul(milliseconds)
        .map(Duration::from_millis)
        .ok_or("too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    /// Returns the words of a line of an example, as a shell splits it.
    fn words(line: &str) -> Vec<String> {
        let mut quoted = false;
        let split = line.split(|c| {
            quoted ^= c == '"';
            c == ' ' && !quoted
        });
        split
            .map(|word| word.trim_matches('"').to_owned())
            .collect()
    }

    #[test]
    fn every_command_has_examples_that_are_understood_and_every_argument_a_help() {
        let commands = Args::command();
        let top = commands
            .get_subcommands()
            .map(|one| (one.get_name().to_owned(), one));
        let below = commands.get_subcommands().flat_map(|one| {
            let name = |sub: &clap::Command| format!("{} {}", one.get_name(), sub.get_name());
            one.get_subcommands().map(move |sub| (name(sub), sub))
        });
        for (name, command) in top.chain(below) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("no example of {name}"));
            let own = format!("modelkeep {name}");
            let (title, examples) = help.split_once('\n').unwrap();
            assert!(title == "Examples:" && examples.contains(&own), "{name}");
            let examples = examples.lines().map(str::trim);
            for line in examples.filter(|line| line.starts_with("modelkeep")) {
                let ends = [" > ", " | "].map(|end| line.find(end).unwrap_or(line.len()));
                let typed = &line[..ends[0].min(ends[1])];
                let parsed = Args::try_parse_from(words(typed));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {argument}");
            }
        }
    }

    #[test]
    fn a_grace_has_a_unit() {
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5400)));
        for text in ["", "5", "h", "-1h", "1w", "99999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
