//! A plan: the text that says what lies in a store and what is then called, a line for each step.
//!
//! ```text
//! nobody                                    calls are made as an unprivileged user
//! dir|fifo|rm PATH                          $0 in a path is the digest of content 0, %20 a byte
//! file PATH blob:0|cut:0|flip:0|text:x|zeros:9|FORM:0,2
//! link PATH TARGET, hard PATH FROM, mv FROM PATH, mode 000 PATH, age SECONDS PATH
//! do PROCESS CALL                           a call, or one of the lines above
//! kill MICROSECONDS int|kill|term PROCESS CALL
//! ```

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::call::Call;
use crate::content::{self, Form};
use crate::place::Case;

/// What a store holds and what is done to it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub lines: Vec<Line>,
}

/// A line of a plan.
#[derive(Clone, Debug)]
pub enum Line {
    Nobody,
    Make(Make),
    Do(Step),
}

/// A call of a process, and when the process is killed in it.
#[derive(Clone, Debug)]
pub struct Step {
    pub process: usize,
    pub call: Call,
    pub kill: Option<Kill>,
}

/// A signal some time after a call has begun.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub micros: u64,
    pub signal: Signal,
}

/// A signal that ends a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Int,
    Term,
    Kill,
}

/// A path in a case: percent-encoded, with `$N` for the digest of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot(pub String);

/// A change to the disk that is nobody's call.
#[derive(Clone, Debug)]
pub enum Make {
    Dir(Spot),
    Fifo(Spot),
    Remove(Spot),
    File(Spot, Content),
    Link(Spot, Spot),
    Hard(Spot, Spot),
    Move(Spot, Spot),
    Mode(u32, Spot),
    Age(i64, Spot),
}

/// The bytes of a file.
#[derive(Clone, Debug)]
pub enum Content {
    Blob(u8),
    Cut(u8),
    Flip(u8),
    Text(Spot),
    Zeros(u64),
    Manifest(Form, Vec<u8>),
}

impl Spot {
    /// Returns where it is in a case.
    pub fn path(&self, case: &Case) -> PathBuf {
        case.path(&PathBuf::from(self.raw()))
    }

    /// Returns the bytes that it stands for.
    pub fn raw(&self) -> OsString {
        OsString::from_vec(decode(&self.0))
    }
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (
            first,
            number(after, 2, 16),
            number(after, after.len().min(2), 10),
        ) {
            (b'%', Some(byte), _) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'$', _, Some(content)) if after.len() > 1 && content > 9 => {
                bytes.extend(content::hex(content).into_bytes());
                rest = &after[2..];
            }
            (b'$', _, _) => {
                bytes.extend(content::hex(number(after, 1, 10).unwrap_or(0)).into_bytes());
                rest = after.get(1..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

fn number(bytes: &[u8], width: usize, radix: u32) -> Option<u8> {
    let text = std::str::from_utf8(bytes.get(..width)?).ok()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(text, radix).ok())?
}

impl Content {
    fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.split_once(':')?;
        Some(match word {
            "blob" => Content::Blob(rest.parse().ok()?),
            "cut" => Content::Cut(rest.parse().ok()?),
            "flip" => Content::Flip(rest.parse().ok()?),
            "text" => Content::Text(Spot(rest.to_owned())),
            "zeros" => Content::Zeros(rest.parse().ok()?),
            form => {
                let layers = rest.split(',').filter_map(|number| number.parse().ok());
                Content::Manifest(Form::of(form)?, layers.collect())
            }
        })
    }

    /// Returns the bytes; `zeros` are made sparse and have none here.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Blob(number) => content::blob(*number),
            Content::Cut(number) => {
                let bytes = content::blob(*number);
                bytes[..bytes.len() / 2].to_vec()
            }
            Content::Flip(number) => {
                let mut bytes = content::blob(*number);
                match bytes.last_mut() {
                    Some(last) => *last ^= 1,
                    None => bytes.push(0),
                }
                bytes
            }
            Content::Text(text) => text.raw().into_vec(),
            Content::Zeros(_) => Vec::new(),
            Content::Manifest(form, layers) => content::manifest(*form, layers),
        }
    }
}

impl Make {
    fn parse(words: &[&str]) -> Option<Self> {
        let spot = |text: &str| Spot(text.to_owned());
        Some(match words {
            ["dir", path] => Make::Dir(spot(path)),
            ["fifo", path] => Make::Fifo(spot(path)),
            ["rm", path] => Make::Remove(spot(path)),
            ["file", path, content] => Make::File(spot(path), Content::parse(content)?),
            ["link", path, target] => Make::Link(spot(path), spot(target)),
            ["hard", path, from] => Make::Hard(spot(path), spot(from)),
            ["mv", from, path] => Make::Move(spot(from), spot(path)),
            ["mode", mode, path] => Make::Mode(u32::from_str_radix(mode, 8).ok()?, spot(path)),
            ["age", seconds, path] => Make::Age(seconds.parse().ok()?, spot(path)),
            _ => return None,
        })
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let step = |process: &str, rest: &[&str], kill| {
            let call = match Make::parse(rest) {
                Some(make) => Call::Make(make),
                None => Call::parse(rest)?,
            };
            let process = process.parse().ok()?;
            Some(Line::Do(Step {
                process,
                call,
                kill,
            }))
        };
        match words.as_slice() {
            ["nobody"] => Some(Line::Nobody),
            ["do", process, rest @ ..] => step(process, rest, None),
            ["kill", micros, signal, process, rest @ ..] => {
                let signal = Signal::parse(signal)?;
                let kill = Kill {
                    micros: micros.parse().ok()?,
                    signal,
                };
                step(process, rest, Some(kill))
            }
            words => Make::parse(words).map(Line::Make),
        }
    }
}

impl Signal {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "int" => Signal::Int,
            "term" => Signal::Term,
            "kill" => Signal::Kill,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Signal::Int => "int",
            Signal::Term => "term",
            Signal::Kill => "kill",
        }
    }
}

impl Plan {
    /// Reads a plan; the error is the line that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parse = |line| Line::parse(line).ok_or_else(|| format!("no line of a plan: {line}"));
        Ok(Plan {
            lines: lines.map(parse).collect::<Result<_, _>>()?,
        })
    }

    /// Returns the calls of a process.
    pub fn steps(&self, process: usize) -> Vec<&Step> {
        self.all_steps()
            .filter(|step| step.process == process)
            .collect()
    }

    /// Returns all calls.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        self.lines.iter().filter_map(|line| match line {
            Line::Do(step) => Some(step),
            _ => None,
        })
    }

    /// Returns how many processes make the calls.
    pub fn processes(&self) -> usize {
        self.all_steps()
            .map(|step| step.process + 1)
            .max()
            .unwrap_or(0)
    }

    /// Whether the calls are made as an unprivileged user.
    pub fn is_nobody(&self) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Nobody))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Nobody => f.write_str("nobody"),
            Line::Make(make) => make.fmt(f),
            Line::Do(step) => step.fmt(f),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kill {
            None => write!(f, "do {} {}", self.process, self.call),
            Some(Kill { micros, signal }) => {
                let signal = signal.word();
                write!(f, "kill {micros} {signal} {} {}", self.process, self.call)
            }
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Make::Dir(path) => write!(f, "dir {path}"),
            Make::Fifo(path) => write!(f, "fifo {path}"),
            Make::Remove(path) => write!(f, "rm {path}"),
            Make::File(path, content) => write!(f, "file {path} {content}"),
            Make::Link(path, target) => write!(f, "link {path} {target}"),
            Make::Hard(path, from) => write!(f, "hard {path} {from}"),
            Make::Move(from, path) => write!(f, "mv {from} {path}"),
            Make::Mode(mode, path) => write!(f, "mode {mode:03o} {path}"),
            Make::Age(seconds, path) => write!(f, "age {seconds} {path}"),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Blob(number) => write!(f, "blob:{number}"),
            Content::Cut(number) => write!(f, "cut:{number}"),
            Content::Flip(number) => write!(f, "flip:{number}"),
            Content::Text(text) => write!(f, "text:{text}"),
            Content::Zeros(size) => write!(f, "zeros:{size}"),
            Content::Manifest(form, layers) => {
                let word = content::FORMS.iter().find(|(_, known)| known == form);
                let layers: Vec<String> = layers.iter().map(u8::to_string).collect();
                write!(f, "{}:{}", word.map_or("", |word| word.0), layers.join(","))
            }
        }
    }
}
