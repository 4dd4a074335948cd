//! Modelfiles: the text that says how a model is made.

mod parameter;
mod parse;
mod release;
mod render;
mod role;

pub(crate) use parameter::{check_override, typed as typed_parameter, value as parameter};
pub(crate) use release::release;
pub(crate) use render::generated;
pub(crate) use role::check as check_role;

/// The commands of a Modelfile in order.
///
/// ```
/// use modelkeep::{Command, Modelfile};
///
/// let modelfile = Modelfile::parse(b"FROM tiny\nSYSTEM Be brief.")?;
/// assert_eq!(modelfile.commands[1], Command::System("Be brief.".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Modelfile {
    /// The commands.
    pub commands: Vec<Command>,
}

/// One command of a Modelfile.
///
/// ```
/// use modelkeep::{Command, Modelfile};
///
/// let command = Command::Parameter("temperature".to_owned(), "0.5".to_owned());
/// let modelfile = Modelfile { commands: vec![command] };
/// assert_eq!(modelfile.to_string().trim(), "PARAMETER temperature 0.5");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// `FROM`: a file of weights or of a projector, or a model's name.
    From(String),
    /// `ADAPTER`: a file.
    Adapter(String),
    /// `DRAFT`: a file or a model's name.
    Draft(String),
    /// `TEMPLATE`: a Go template.
    Template(String),
    /// `SYSTEM`: the system prompt.
    System(String),
    /// `RENDERER`: the built-in renderer of prompts.
    Renderer(String),
    /// `PARSER`: the built-in parser of answers.
    Parser(String),
    /// `PARAMETER`: a name and a value.
    Parameter(String, String),
    /// `LICENSE`: a license text.
    License(String),
    /// `MESSAGE`: a role and a text.
    Message(String, String),
    /// `REQUIRES`: the oldest release that can run the model.
    Requires(String),
}

impl Command {
    /// Returns the command that Ollama writes for a parameter: one that is named like a command
    /// becomes that command.
    pub(crate) fn parameter(key: &str, value: String) -> Self {
        match key {
            "model" => Command::From(value),
            "adapter" => Command::Adapter(value),
            "draft" => Command::Draft(value),
            "template" => Command::Template(value),
            "system" => Command::System(value),
            "renderer" => Command::Renderer(value),
            "parser" => Command::Parser(value),
            "license" => Command::License(value),
            "message" => {
                let (role, content) = value.split_once(": ").unwrap_or((&value, ""));
                Command::Message(role.to_owned(), content.to_owned())
            }
            _ => Command::Parameter(key.to_owned(), value),
        }
    }

    /// Returns the command of a message. Ollama joins both with `: ` and cuts at the first one, so
    /// a role that contains it shifts text into the content.
    pub(crate) fn message(role: &str, content: &str) -> Self {
        let joined = format!("{role}: {content}");
        let (role, content) = joined.split_once(": ").unwrap_or((&joined, ""));
        Command::Message(role.to_owned(), content.to_owned())
    }
}
