//! Calls of the engine and of a foreign writer, as words of a plan.

use std::fmt;

use crate::plan::Make;

/// A call.
#[derive(Clone, Debug)]
pub enum Call {
    List,
    Show(String),
    Path(String),
    Usage,
    Doctor,
    Verify,
    VerifyRemembered,
    VerifyModel(String),
    /// Verifies, and moves away what is damaged.
    Repair,
    /// Verifies and keeps the report, for a later `repairkept`.
    VerifyKept,
    RepairKept,
    Remove(Vec<String>),
    Copy(String, String),
    Import(Import),
    AddBlob {
        content: u8,
        expected: u8,
    },
    Collect(Collect),
    Maintain,
    RenameOld,
    Open(Open),
    ForeignCopy(String, String),
    ForeignRemove(String),
    ForeignPull(String, Vec<u8>),
    Make(Make),
}

/// An import of a content, or of a Modelfile.
#[derive(Clone, Debug)]
pub struct Import {
    pub source: Source,
    pub name: String,
    pub replace: bool,
    pub link: bool,
}

/// What is imported.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file with some content.
    File(u8),
    /// A Modelfile whose `FROM` is a file with some content, with a system prompt.
    Modelfile(u8),
    /// A Modelfile whose `FROM` is a stored model.
    Model(String),
}

/// The options of a collection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Collect {
    pub grace: u64,
    pub dry_run: bool,
    pub partials: bool,
    pub quarantine: bool,
    pub all: bool,
}

/// The options of a handle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open {
    pub delay: u64,
    pub durable: bool,
    pub reads: bool,
    pub read_only: bool,
}

impl Call {
    /// Reads the words of a call.
    pub fn parse(words: &[&str]) -> Option<Self> {
        Call::parse_reading(words)
            .or_else(|| Call::parse_change(words))
            .or_else(|| Call::parse_foreign(words))
    }

    fn parse_reading(words: &[&str]) -> Option<Self> {
        let own = |text: &str| text.to_owned();
        Some(match words {
            ["list"] => Call::List,
            ["show", name] => Call::Show(own(name)),
            ["path", name] => Call::Path(own(name)),
            ["usage"] => Call::Usage,
            ["doctor"] => Call::Doctor,
            ["verify"] => Call::Verify,
            ["verifyremembered"] => Call::VerifyRemembered,
            ["verifymodel", name] => Call::VerifyModel(own(name)),
            ["verifykept"] => Call::VerifyKept,
            ["open", delay, rest @ ..] => Call::Open(Open {
                delay: delay.parse().ok()?,
                durable: rest.contains(&"durable"),
                reads: rest.contains(&"reads"),
                read_only: rest.contains(&"readonly"),
            }),
            _ => return None,
        })
    }

    fn parse_change(words: &[&str]) -> Option<Self> {
        let own = |text: &str| text.to_owned();
        Some(match words {
            ["repair"] => Call::Repair,
            ["repairkept"] => Call::RepairKept,
            ["remove", names @ ..] => Call::Remove(names.iter().map(|name| own(name)).collect()),
            ["copy", from, to] => Call::Copy(own(from), own(to)),
            ["import", source, name, rest @ ..] => Call::Import(Import {
                source: Source::parse(source)?,
                name: own(name),
                replace: rest.contains(&"replace"),
                link: rest.contains(&"link"),
            }),
            ["addblob", content, expected] => Call::AddBlob {
                content: content.parse().ok()?,
                expected: expected.parse().ok()?,
            },
            ["gc", grace, rest @ ..] => Call::Collect(Collect {
                grace: grace.parse().ok()?,
                dry_run: rest.contains(&"dry"),
                partials: rest.contains(&"partials"),
                quarantine: rest.contains(&"quarantine"),
                all: rest.contains(&"all"),
            }),
            ["maintain"] => Call::Maintain,
            ["renameold"] => Call::RenameOld,
            _ => return None,
        })
    }

    fn parse_foreign(words: &[&str]) -> Option<Self> {
        let own = |text: &str| text.to_owned();
        Some(match words {
            ["foreigncopy", from, to] => Call::ForeignCopy(own(from), own(to)),
            ["foreignremove", name] => Call::ForeignRemove(own(name)),
            ["foreignpull", name, layers] => {
                let layers = layers.split(',').filter_map(|number| number.parse().ok());
                Call::ForeignPull(own(name), layers.collect())
            }
            _ => return None,
        })
    }

    /// Whether it is the foreign writer's.
    pub fn is_foreign(&self) -> bool {
        use Call::{ForeignCopy, ForeignPull, ForeignRemove, Make};
        matches!(
            self,
            ForeignCopy(..) | ForeignRemove(_) | ForeignPull(..) | Make(_)
        )
    }

    /// Whether it may change the store.
    pub fn is_change(&self) -> bool {
        use Call::{
            AddBlob, Collect, Copy, Import, Maintain, Remove, RenameOld, Repair, RepairKept,
        };
        match self {
            Collect(options) => !options.dry_run,
            Remove(_) | Copy(..) | Import(_) | AddBlob { .. } => true,
            Maintain | RenameOld | Repair | RepairKept => true,
            _ => self.is_foreign(),
        }
    }

    /// Returns the names whose manifests it may change.
    pub fn targets(&self) -> Vec<&str> {
        match self {
            Call::Remove(names) => names.iter().map(String::as_str).collect(),
            Call::Copy(_, to) | Call::ForeignCopy(_, to) => vec![to],
            Call::Import(import) => vec![&import.name],
            Call::ForeignRemove(name) | Call::ForeignPull(name, _) => vec![name],
            _ => Vec::new(),
        }
    }

    /// Returns its first word.
    pub fn word(&self) -> String {
        let text = self.to_string();
        text.split(' ').next().unwrap_or_default().to_owned()
    }
}

impl Source {
    fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(':')?;
        Some(match word {
            "file" => Source::File(rest.parse().ok()?),
            "modelfile" => Source::Modelfile(rest.parse().ok()?),
            "model" => Source::Model(rest.to_owned()),
            _ => return None,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(content) => write!(f, "file:{content}"),
            Source::Modelfile(content) => write!(f, "modelfile:{content}"),
            Source::Model(name) => write!(f, "model:{name}"),
        }
    }
}

/// Writes a word where a flag is set.
fn flag(f: &mut fmt::Formatter<'_>, set: bool, word: &str) -> fmt::Result {
    if set { write!(f, " {word}") } else { Ok(()) }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "import {} {}", self.source, self.name)?;
        flag(f, self.replace, "replace")?;
        flag(f, self.link, "link")
    }
}

impl fmt::Display for Collect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gc {}", self.grace)?;
        flag(f, self.dry_run, "dry")?;
        flag(f, self.partials, "partials")?;
        flag(f, self.quarantine, "quarantine")?;
        flag(f, self.all, "all")
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "open {}", self.delay)?;
        flag(f, self.durable, "durable")?;
        flag(f, self.reads, "reads")?;
        flag(f, self.read_only, "readonly")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::List => f.write_str("list"),
            Call::Show(name) => write!(f, "show {name}"),
            Call::Path(name) => write!(f, "path {name}"),
            Call::Usage => f.write_str("usage"),
            Call::Doctor => f.write_str("doctor"),
            Call::Verify => f.write_str("verify"),
            Call::VerifyRemembered => f.write_str("verifyremembered"),
            Call::VerifyModel(name) => write!(f, "verifymodel {name}"),
            Call::Repair => f.write_str("repair"),
            Call::VerifyKept => f.write_str("verifykept"),
            Call::RepairKept => f.write_str("repairkept"),
            Call::Remove(names) => write!(f, "remove {}", names.join(" ")),
            Call::Copy(from, to) => write!(f, "copy {from} {to}"),
            Call::Import(import) => import.fmt(f),
            Call::AddBlob { content, expected } => write!(f, "addblob {content} {expected}"),
            Call::Collect(options) => options.fmt(f),
            Call::Maintain => f.write_str("maintain"),
            Call::RenameOld => f.write_str("renameold"),
            Call::Open(open) => open.fmt(f),
            Call::ForeignCopy(from, to) => write!(f, "foreigncopy {from} {to}"),
            Call::ForeignRemove(name) => write!(f, "foreignremove {name}"),
            Call::ForeignPull(name, layers) => {
                let layers: Vec<String> = layers.iter().map(u8::to_string).collect();
                write!(f, "foreignpull {name} {}", layers.join(","))
            }
            Call::Make(make) => make.fmt(f),
        }
    }
}
