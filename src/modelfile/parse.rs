//! Reading Modelfiles as Ollama reads them.

use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

use super::{Command, Modelfile, role};
use crate::error::{Error, ErrorKind};
use crate::go;

impl FromStr for Modelfile {
    type Err = Error;

    /// # Errors
    /// As [`Modelfile::parse`].
    fn from_str(text: &str) -> Result<Self, Error> {
        Modelfile::parse(text.as_bytes())
    }
}

impl Modelfile {
    /// Reads a Modelfile: UTF-8, or UTF-16 with a byte order mark. Whatever does not print is left
    /// out of names and values, as Ollama does: control characters, and spaces other than
    /// the ASCII ones. Time and memory grow with the size of the text.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument), with the line, for a text that is no
    /// Modelfile, and for one without a `FROM`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let lines = Modelfile::lines(bytes)?.into_iter();
        Ok(Modelfile {
            commands: lines.map(|(_, command)| command).collect(),
        })
    }

    /// Returns the commands, each with the line on which it begins.
    pub(crate) fn lines(bytes: &[u8]) -> Result<Vec<(usize, Command)>, Error> {
        let text = decode(bytes);
        let commands = Scanner::new(&text).commands().map_err(invalid)?;
        if commands.iter().any(|(_, c)| matches!(c, Command::From(_))) {
            return Ok(commands);
        }
        let text = "a Modelfile needs a FROM that says what it is made from";
        Err(Error::new(ErrorKind::InvalidArgument, text))
    }
}

/// What stands where it may not.
#[derive(Debug)]
struct ParseError {
    line: usize,
    what: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

fn invalid(fault: ParseError) -> Error {
    Error::new(ErrorKind::InvalidArgument, fault.to_string())
}

/// Decodes a file as its byte order mark says, or as UTF-8. What is malformed becomes U+FFFD.
fn decode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = rest.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let chars = char::decode_utf16(units);
        chars
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

struct Scanner<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Scanner {
            chars: text.chars().peekable(),
            line: 1,
        }
    }

    fn commands(mut self) -> Result<Vec<(usize, Command)>, ParseError> {
        let mut commands = Vec::new();
        while let Some(&c) = self.chars.peek() {
            match c {
                '#' => while !self.next().is_none_or(is_break) {},
                ' ' | '\t' | '\n' | '\r' => drop(self.next()),
                _ => commands.push((self.line, self.command()?)),
            }
        }
        Ok(commands)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let line = self.line;
        let unknown = ParseError {
            line,
            what: "no command that a Modelfile knows",
        };
        // Anything may begin a command, and is dropped where it does not print.
        let first = self.next().filter(|c| go::is_print(*c));
        let Some(rest) = self.word(|c| c.is_ascii_alphabetic()) else {
            return Err(unknown);
        };
        let keyword: String = first.into_iter().chain(rest.chars()).collect();
        let command: fn(String) -> Command = match keyword.to_ascii_lowercase().as_str() {
            "from" => Command::From,
            "adapter" => Command::Adapter,
            "draft" => Command::Draft,
            "template" => Command::Template,
            "system" => Command::System,
            "renderer" => Command::Renderer,
            "parser" => Command::Parser,
            "license" => Command::License,
            "requires" => Command::Requires,
            "parameter" => return self.parameter(),
            "message" => return self.message(),
            _ => return Err(unknown),
        };
        Ok(command(self.value()?))
    }

    fn parameter(&mut self) -> Result<Command, ParseError> {
        let line = self.line;
        let what = "a PARAMETER needs a name and a value";
        let key = self.word(|c| c.is_ascii_alphanumeric() || c == '_');
        let key = key.ok_or(ParseError { line, what })?;
        Ok(Command::parameter(&key, self.value()?))
    }

    fn message(&mut self) -> Result<Command, ParseError> {
        let line = self.line;
        let what = "a MESSAGE is of system, user or assistant";
        let role = self.word(|c| c.is_ascii_alphabetic());
        let role = role.filter(|role| role::check(role).is_ok());
        let role = role.ok_or(ParseError { line, what })?;
        Ok(Command::message(&role, &self.value()?))
    }

    /// Letters up to a space, which is taken. `None` where anything else ends them.
    fn word(&mut self, is_letter: fn(char) -> bool) -> Option<String> {
        let mut word = String::new();
        loop {
            match self.next()? {
                ' ' | '\t' => return Some(word),
                c if is_letter(c) => word.push(c),
                _ => return None,
            }
        }
    }

    /// Returns the rest of the line, trimmed; or, where a quote is open at its end, up to the first
    /// line that ends with its close. Only whether the text begins and ends with quotes counts.
    fn value(&mut self) -> Result<String, ParseError> {
        let line = self.line;
        let (mut text, mut end) = (String::new(), 0);
        loop {
            match self.next() {
                Some(c) if is_break(c) => match unquoted(&text, end) {
                    Some(value) => return Ok(value.to_owned()),
                    None => text.push(c),
                },
                Some(' ' | '\t') if text.is_empty() => {}
                Some(c @ (' ' | '\t')) => text.push(c),
                Some(c) if go::is_print(c) => {
                    text.push(c);
                    end = text.len();
                }
                Some(_) => {}
                None => {
                    let what = "a quote is opened and not closed";
                    let value = unquoted(&text, end).ok_or(ParseError { line, what })?;
                    return Ok(value.to_owned());
                }
            }
        }
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Returns what stands in quotes, or the text without any; `None` where they are not closed. `end`
/// is where the white space at its end begins: to look for it at every line would cost a square.
fn unquoted(text: &str, end: usize) -> Option<&str> {
    let text = text.get(..end).unwrap_or(text);
    let within = |quotes: &str| Some(text.strip_prefix(quotes)?.strip_suffix(quotes));
    within("\"\"\"")
        .or_else(|| within("\""))
        .unwrap_or(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<Command> {
        Modelfile::parse(text.as_bytes()).unwrap().commands
    }

    fn system(text: &str) -> String {
        match &commands(&format!("FROM x\nSYSTEM {text}"))[1] {
            Command::System(text) => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn fault(text: &str) -> String {
        let error = Modelfile::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    }

    #[test]
    fn every_command_is_known_in_any_case() {
        let text = "# about\r\nfrom ./a b.gguf \nAdapter\tl.gguf\nDRAFT d\nTEMPLATE t\nSYSTEM s\n\
            RENDERER r\nPARSER p\nPARAMETER stop x y\nPARAMETER model m\nLICENSE l\n\
            MESSAGE user hi: you\nREQUIRES 0.1";
        let own = |text: &str| text.to_owned();
        let expected = vec![
            Command::From(own("./a b.gguf")),
            Command::Adapter(own("l.gguf")),
            Command::Draft(own("d")),
            Command::Template(own("t")),
            Command::System(own("s")),
            Command::Renderer(own("r")),
            Command::Parser(own("p")),
            Command::Parameter(own("stop"), own("x y")),
            Command::From(own("m")),
            Command::License(own("l")),
            Command::Message(own("user"), own("hi: you")),
            Command::Requires(own("0.1")),
        ];
        assert_eq!(commands(text), expected);
    }

    #[test]
    fn quotes_hold_lines_together() {
        let cases = [
            ("plain", "plain"),
            ("  a \t b  ", "a \t b"),
            ("", ""),
            ("\"\"", ""),
            ("\"a\nb\"", "a\nb"),
            ("\"\"\"\n a \"q\"\n\"\"\"", "\n a \"q\"\n"),
            ("\"a\" b\nc\"", "a\" b\nc"),
            ("a \"b", "a \"b"),
            ("\"\"\"\"\"\"", ""),
            ("\"a\"  \n", "a"),
            ("\"\"\" a\"", ""),
        ];
        for (text, expected) in &cases[..cases.len() - 1] {
            assert_eq!(system(text), *expected, "{text:?}");
        }
        assert_eq!(
            fault("FROM x\nSYSTEM \"\"\" a\""),
            "line 2: a quote is opened and not closed"
        );
    }

    #[test]
    fn what_does_not_print_is_dropped() {
        assert_eq!(system("a\u{200d}\u{a0}\u{7}b\u{e9}"), "ab\u{e9}");
        let marked = "\u{feff}FROM x\n\u{200b}SYSTEM y";
        assert_eq!(commands(marked).len(), 2);
    }

    #[test]
    fn utf16_is_known_by_its_mark() {
        let text = "FROM x\u{1f600}";
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(Modelfile::parse(&bytes).unwrap().commands, commands(text));
    }

    #[test]
    fn faults_say_the_line() {
        let cases = [
            ("", "needs a FROM"),
            ("SYSTEM x", "needs a FROM"),
            ("FROM x\n\nFRM y", "line 3: no command"),
            ("FROM", "line 1: no command"),
            ("FROM\nx", "line 1: no command"),
            ("FROM x\nPARAMETER a-b c", "line 2: a PARAMETER needs"),
            ("FROM x\nMESSAGE tool y", "line 2: a MESSAGE is of"),
            ("FROM x\nMESSAGE user", "line 2: a MESSAGE is of"),
            ("FROM x\nSYSTEM \"y\n\n", "line 2: a quote"),
        ];
        for (text, expected) in cases {
            let found = fault(text);
            assert!(found.contains(expected), "{text:?}: {found}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let text = "FROM a\nTEMPLATE \"\"\"{{ .Prompt }}\n\"x\"\"\"\"\nMESSAGE user \" hi\"\n";
        let read = Modelfile::parse(text.as_bytes()).unwrap();
        let again = Modelfile::parse(read.to_string().as_bytes()).unwrap();
        assert_eq!(read, again);
    }
}
