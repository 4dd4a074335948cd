//! Tokens of a template text, each made when the parser asks for it.

use super::token::{Keyword, Kind, Token};
use crate::go;

/// Reads a text once, from left to right.
pub(super) struct Lexer<'t> {
    text: &'t str,
    start: usize,
    at: usize,
    /// The line of `start`.
    line: usize,
    inside_action: bool,
    open_parens: usize,
    /// Why the last token is an [`Kind::Error`].
    pub fault: String,
}

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
/// After the white space that a trim marker before `}}` needs.
const TRIMMED_RIGHT: &str = "-}}";

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Self {
        Lexer {
            text,
            start: 0,
            at: 0,
            line: 1,
            inside_action: false,
            open_parens: 0,
            fault: String::new(),
        }
    }

    pub fn next(&mut self) -> Token<'t> {
        if self.inside_action {
            self.in_action()
        } else {
            self.in_text()
        }
    }

    fn in_text(&mut self) -> Token<'t> {
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(LEFT) else {
                self.at = self.text.len();
                let kind = if rest.is_empty() {
                    Kind::EndOfText
                } else {
                    Kind::Text
                };
                return self.token(kind);
            };
            let (text, action) = rest.split_at(length);
            let marker = left_marker(&action[LEFT.len()..]);
            let kept = if marker > 0 {
                text.trim_end_matches(is_space)
            } else {
                text
            };
            if !kept.is_empty() {
                self.at += kept.len();
                return self.token(Kind::Text);
            }
            self.skip(length);
            if !action[LEFT.len() + marker..].starts_with("/*") {
                return self.left_delimiter(marker);
            }
            self.skip(LEFT.len() + marker);
            if let Err(fault) = self.comment() {
                return self.error(fault);
            }
        }
    }

    fn left_delimiter(&mut self, marker: usize) -> Token<'t> {
        self.at += LEFT.len();
        let token = self.token(Kind::LeftDelimiter);
        self.skip(marker);
        self.inside_action = true;
        self.open_parens = 0;
        token
    }

    /// Skips a comment, its closing delimiter and what that trims.
    fn comment(&mut self) -> Result<(), &'static str> {
        let length = self.rest()[2..].find("*/").ok_or("unclosed comment")? + 4;
        let marker =
            right_marker(&self.rest()[length..]).ok_or("comment ends before closing delimiter")?;
        self.skip(length + marker + RIGHT.len());
        self.trim(marker > 0);
        Ok(())
    }

    fn right_delimiter(&mut self, marker: usize) -> Token<'t> {
        self.skip(marker);
        self.at += RIGHT.len();
        let token = self.token(Kind::RightDelimiter);
        self.trim(marker > 0);
        self.inside_action = false;
        token
    }

    fn in_action(&mut self) -> Token<'t> {
        match right_marker(self.rest()) {
            Some(_) if self.open_parens > 0 => return self.error("unclosed left paren"),
            Some(marker) => return self.right_delimiter(marker),
            None => {}
        }
        let Some(c) = self.bump() else {
            return self.error("unclosed action");
        };
        match c {
            c if is_space(c) => self.space(),
            '=' => self.token(Kind::Assign),
            ':' if self.bump() == Some('=') => self.token(Kind::Declare),
            ':' => self.error("expected :="),
            '|' => self.token(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.name(Kind::Variable, Kind::Variable),
            '.' if self.rest().starts_with(|c: char| !c.is_ascii_digit()) => {
                self.name(Kind::Field, Kind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_alphanumeric(c) => self.word(),
            '(' => {
                self.open_parens += 1;
                self.token(Kind::LeftParen)
            }
            ')' if self.open_parens == 0 => self.error("unexpected right paren"),
            ')' => {
                self.open_parens -= 1;
                self.token(Kind::RightParen)
            }
            ' '..='~' => self.token(Kind::Character),
            c => self.error(format!(
                "unrecognized character in action: {}",
                go::code_point(c)
            )),
        }
    }

    /// Returns a run of white space, without the last one where a trimming `-}}` needs it.
    fn space(&mut self) -> Token<'t> {
        self.bump_while(is_space);
        if self.rest().starts_with(TRIMMED_RIGHT) {
            self.at -= 1;
        }
        self.token(Kind::Space)
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &'static str) -> Token<'t> {
        loop {
            let c = match self.bump() {
                Some('\\') => self.bump().filter(|c| *c != '\n').map(|_| '\\'),
                c => c,
            };
            match c {
                None | Some('\n') => return self.error(unterminated),
                Some(c) if c == quote => return self.token(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Token<'t> {
        self.bump_while(|c| c != '`');
        match self.bump() {
            Some(_) => self.token(Kind::RawString),
            None => self.error("unterminated raw quoted string"),
        }
    }

    /// Returns a field or a variable; `alone` where no name follows its sign.
    fn name(&mut self, kind: Kind, alone: Kind) -> Token<'t> {
        if self.at_terminator() {
            return self.token(alone);
        }
        self.bump_while(is_alphanumeric);
        self.terminated(kind)
    }

    fn word(&mut self) -> Token<'t> {
        self.bump_while(is_alphanumeric);
        let kind = match &self.text[self.start..self.at] {
            "true" | "false" => Kind::Bool,
            "nil" => Kind::Nil,
            word => Keyword::named(word).map_or(Kind::Identifier, Kind::Keyword),
        };
        self.terminated(kind)
    }

    fn terminated(&mut self, kind: Kind) -> Token<'t> {
        match self.peek() {
            Some(c) if !self.at_terminator() => {
                self.error(format!("bad character {}", go::code_point(c)))
            }
            _ => self.token(kind),
        }
    }

    fn at_terminator(&self) -> bool {
        self.rest().starts_with(RIGHT)
            || self
                .peek()
                .is_none_or(|c| is_space(c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '('))
    }

    fn number(&mut self) -> Token<'t> {
        self.at = self.start;
        if !self.scan_number() {
            return self.bad_number();
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return self.token(Kind::Number);
        }
        if self.scan_number() && self.text[..self.at].ends_with('i') {
            return self.token(Kind::Complex);
        }
        self.bad_number()
    }

    fn bad_number(&mut self) -> Token<'t> {
        let text = go::quote(&self.text[self.start..self.at]);
        self.error(format!("bad number syntax: {text}"))
    }

    /// Accepts more than Go's numbers; the parser judges what was taken.
    fn scan_number(&mut self) -> bool {
        self.accept(&['+', '-']);
        let (mut radix, mut exponent) = (10, ['e', 'E']);
        if self.accept(&['0']) {
            if self.accept(&['x', 'X']) {
                (radix, exponent) = (16, ['p', 'P']);
            } else if self.accept(&['o', 'O']) {
                radix = 8;
            } else if self.accept(&['b', 'B']) {
                radix = 2;
            }
        }
        let is_digit = |c: char| c == '_' || c.is_digit(radix);
        self.bump_while(is_digit);
        if self.accept(&['.']) {
            self.bump_while(is_digit);
        }
        if radix >= 10 && self.accept(&exponent) {
            self.accept(&['+', '-']);
            self.bump_while(|c| c == '_' || c.is_ascii_digit());
        }
        self.accept(&['i']);
        match self.peek() {
            Some(c) if is_alphanumeric(c) => {
                self.bump();
                false
            }
            _ => true,
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn bump_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    fn accept(&mut self, wanted: &[char]) -> bool {
        let found = self.peek().is_some_and(|c| wanted.contains(&c));
        if found {
            self.at += 1;
        }
        found
    }

    fn trim(&mut self, wanted: bool) {
        if wanted {
            let rest = self.rest();
            self.skip(rest.len() - rest.trim_start_matches(is_space).len());
        }
    }

    /// Leaves out `length` bytes that belong to no token.
    fn skip(&mut self, length: usize) {
        self.at += length;
        self.advance();
    }

    fn token(&mut self, kind: Kind) -> Token<'t> {
        let token = Token {
            kind,
            text: &self.text[self.start..self.at],
            line: self.line,
        };
        self.advance();
        token
    }

    fn advance(&mut self) {
        let newlines = self.text[self.start..self.at]
            .bytes()
            .filter(|byte| *byte == b'\n');
        self.line += newlines.count();
        self.start = self.at;
    }

    fn error(&mut self, fault: impl Into<String>) -> Token<'t> {
        self.fault = fault.into();
        Token {
            kind: Kind::Error,
            text: "",
            line: self.line,
        }
    }
}

/// Returns the length of a `- ` after `{{`, or zero.
fn left_marker(text: &str) -> usize {
    match text.strip_prefix('-') {
        Some(rest) if rest.starts_with(is_space) => 2,
        _ => 0,
    }
}

/// Returns the length of the ` -` before the `}}` that `text` starts with, if it does.
fn right_marker(text: &str) -> Option<usize> {
    match text.strip_prefix(is_space) {
        Some(rest) if rest.starts_with(TRIMMED_RIGHT) => Some(2),
        _ => text.starts_with(RIGHT).then_some(0),
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Returns whether a character is a letter, an ASCII digit or an underscore.
///
/// Go takes the letters of category L and the digits of every script; the standard library knows
/// letters by their property, which adds a few marks, and no digit that is not ASCII is taken.
fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_ascii_digit() || (c.is_alphabetic() && !c.is_numeric())
}
