//! The tokens of a text with some looked ahead, and the errors that speak of them.

use super::TemplateError;
use super::lexer::Lexer;
use super::parser::Parsed;
use super::token::{Kind, Token};

pub(super) struct Stream<'t> {
    lexer: Lexer<'t>,
    /// Tokens pushed back, the next one last.
    pending: Vec<Token<'t>>,
    /// The line of the token that the lexer made last: the line of every error.
    line: usize,
    /// Where the current action started; zero outside of one.
    pub action_line: usize,
}

impl<'t> Stream<'t> {
    pub fn new(text: &'t str) -> Self {
        Stream {
            lexer: Lexer::new(text),
            pending: Vec::new(),
            line: 0,
            action_line: 0,
        }
    }

    pub fn next(&mut self) -> Token<'t> {
        if let Some(token) = self.pending.pop() {
            return token;
        }
        let token = self.lexer.next();
        self.line = token.line;
        token
    }

    pub fn push_back(&mut self, token: Token<'t>) {
        self.pending.push(token);
    }

    pub fn peek(&mut self) -> Token<'t> {
        let token = self.next();
        self.push_back(token);
        token
    }

    pub fn next_beyond_space(&mut self) -> Token<'t> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    /// Drops the white space before the next token.
    pub fn peek_beyond_space(&mut self) -> Token<'t> {
        let token = self.next_beyond_space();
        self.push_back(token);
        token
    }

    pub fn expect_right_delimiter(&mut self, context: &'static str) -> Parsed {
        let token = self.next_beyond_space();
        match token.kind {
            Kind::RightDelimiter => Ok(()),
            _ => Err(self.unexpected(token, context)),
        }
    }

    pub fn unexpected(&self, token: Token<'_>, context: &str) -> TemplateError {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {} in {context}", token.shown()));
        }
        let fault = &self.lexer.fault;
        if self.action_line == 0 || self.action_line == token.line {
            return self.error(fault.clone());
        }
        let action = if fault.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        self.error(format!("{fault}{action} started at :{}", self.action_line))
    }

    pub fn error(&self, fault: impl Into<String>) -> TemplateError {
        TemplateError::at(self.line, fault.into())
    }
}
