//! What happened: every call of every process, with its time and what it saw.

use std::fmt;
use std::str::FromStr;

/// A call and its interval, in nanoseconds of one clock.
#[derive(Clone, Debug)]
pub struct Call {
    pub start: u64,
    pub end: u64,
    pub deed: Deed,
}

/// What a call did to the names of a store, or saw of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A new content for a name; whether there was one before.
    Wrote(usize, String, bool),
    /// The content of one name for another; whether that had one before.
    Copied(usize, usize, bool),
    Deleted(usize),
    Saw(usize, Seen),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    /// A content, nobody looked which.
    Something,
    Content(String),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.start, self.end)?;
        match &self.deed {
            Deed::Wrote(name, content, replaced) => write!(f, "wrote {name} {content} {replaced}"),
            Deed::Copied(from, to, replaced) => write!(f, "copied {from} {to} {replaced}"),
            Deed::Deleted(name) => write!(f, "deleted {name}"),
            Deed::Saw(name, Seen::Nothing) => write!(f, "saw {name} nothing"),
            Deed::Saw(name, Seen::Something) => write!(f, "saw {name} something"),
            Deed::Saw(name, Seen::Content(content)) => write!(f, "saw {name} {content}"),
        }
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let [start, end, deed @ ..] = words.as_slice() else {
            return Err(line.to_owned());
        };
        let number = |text: &str| text.parse::<usize>().map_err(|_| line.to_owned());
        let deed = match deed {
            ["wrote", name, content, replaced] => {
                Deed::Wrote(number(name)?, content.to_string(), *replaced == "true")
            }
            ["copied", from, to, replaced] => {
                Deed::Copied(number(from)?, number(to)?, *replaced == "true")
            }
            ["deleted", name] => Deed::Deleted(number(name)?),
            ["saw", name, "nothing"] => Deed::Saw(number(name)?, Seen::Nothing),
            ["saw", name, "something"] => Deed::Saw(number(name)?, Seen::Something),
            ["saw", name, content] => Deed::Saw(number(name)?, Seen::Content(content.to_string())),
            _ => return Err(line.to_owned()),
        };
        let time = |text: &str| text.parse::<u64>().map_err(|_| line.to_owned());
        Ok(Call {
            start: time(start)?,
            end: time(end)?,
            deed,
        })
    }
}
