//! Pipelines: declarations, commands between `|`, and their operands.

use super::constant;
use super::parser::{Parsed, Parser};
use super::token::{Kind, Token};
use crate::go;

/// The functions that a template may call: Go's own, then Ollama's.
const FUNCTIONS: [&str; 23] = [
    "and",
    "call",
    "eq",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
    "json",
    "currentDate",
    "yesterdayDate",
    "toTypeScriptType",
];

/// How deep parentheses may nest. Go allows 10000; each level costs us stack.
const MAX_PARENS: usize = 256;

/// What the term before a field is.
enum Term<'t> {
    Constant(&'t str),
    /// The last name of the outline.
    Name,
    Function,
    /// Its names begin there.
    Parenthesised(usize),
}

impl<'t> Parser<'t> {
    /// Reads up to and including `end`.
    pub(super) fn pipeline(&mut self, context: &'static str, end: Kind) -> Parsed {
        self.declarations(context)?;
        let (mut stages, mut idle_stage) = (0_usize, None);
        loop {
            let token = self.tokens.next_beyond_space();
            if token.kind == end {
                break;
            }
            if !starts_operand(token.kind) {
                return Err(self.tokens.unexpected(token, context));
            }
            self.tokens.push_back(token);
            stages += 1;
            if !self.command()? && stages > 1 {
                idle_stage = idle_stage.or(Some(stages));
            }
        }
        match idle_stage {
            _ if stages == 0 => Err(self.tokens.error(format!("missing value for {context}"))),
            None => Ok(()),
            Some(stage) => Err(self
                .tokens
                .error(format!("non executable command in pipeline stage {stage}"))),
        }
    }

    /// `$x :=`, `$x =`, and `$i, $x :=` in a range.
    fn declarations(&mut self, context: &'static str) -> Parsed {
        for declared in 0.. {
            let variable = self.tokens.peek_beyond_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.tokens.next();
            let adjacent = self.tokens.peek();
            let next = self.tokens.peek_beyond_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    self.tokens.next();
                    self.declare(variable.text);
                    return Ok(());
                }
                Kind::Character if next.text == "," => {
                    self.tokens.next();
                    self.declare(variable.text);
                    self.after_comma(context, declared)?;
                }
                _ => {
                    // An operand after all; the space behind it tells arguments apart.
                    if adjacent.kind == Kind::Space {
                        self.tokens.push_back(adjacent);
                    }
                    self.tokens.push_back(variable);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn after_comma(&mut self, context: &'static str, declared: usize) -> Parsed {
        if context != "range" || declared > 0 {
            return Err(self
                .tokens
                .error(format!("too many declarations in {context}")));
        }
        match self.tokens.peek_beyond_space().kind {
            Kind::Variable | Kind::RightDelimiter | Kind::RightParen => Ok(()),
            _ => Err(self.tokens.error("range can only initialize variables")),
        }
    }

    /// Reads one stage; whether something can be piped into it.
    fn command(&mut self) -> Parsed<bool> {
        let mut executable = None;
        loop {
            self.tokens.peek_beyond_space();
            if let Some(operand) = self.operand()? {
                executable.get_or_insert(!matches!(operand, Term::Constant(_)));
            }
            let token = self.tokens.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParen => self.tokens.push_back(token),
                Kind::Pipe => {}
                _ => return Err(self.tokens.unexpected(token, "operand")),
            }
            return executable.ok_or_else(|| self.tokens.error("empty command"));
        }
    }

    /// Returns a term and the fields behind it; `None` where the next token starts no term.
    fn operand(&mut self) -> Parsed<Option<Term<'t>>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while self.tokens.peek().kind == Kind::Field {
            fields.push(field_name(self.tokens.next()));
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        match term {
            Term::Constant(text) => {
                let text = go::quote(text);
                return Err(self.tokens.error(format!("unexpected . after term {text}")));
            }
            Term::Name => self.outline.extend_last_name(fields),
            // Ollama sees nothing inside `(index .M 0).Tools`, not even `.M`.
            Term::Parenthesised(names) => self.outline.drop_names(names),
            Term::Function => return Ok(Some(Term::Function)),
        }
        Ok(Some(Term::Name))
    }

    fn term(&mut self) -> Parsed<Option<Term<'t>>> {
        let token = self.tokens.next_beyond_space();
        let text = token.text;
        let judged = match token.kind {
            Kind::Identifier if !FUNCTIONS.contains(&text) => {
                Err(format!("function {} not defined", go::quote(text)))
            }
            Kind::Identifier => return Ok(Some(Term::Function)),
            Kind::Variable if !self.is_declared(text) => {
                Err(format!("undefined variable {}", go::quote(text)))
            }
            Kind::Variable => return Ok(Some(self.name(text))),
            Kind::Field => return Ok(Some(self.name(field_name(token)))),
            Kind::LeftParen => return self.parenthesised().map(Some),
            Kind::Dot | Kind::Nil | Kind::Bool => Ok(()),
            Kind::Number => constant::number(text),
            Kind::Complex => constant::complex(text),
            Kind::CharConstant => constant::character(text),
            Kind::String | Kind::RawString => constant::string(text).map(drop),
            _ => {
                self.tokens.push_back(token);
                return Ok(None);
            }
        };
        judged
            .map(|()| Some(Term::Constant(text)))
            .map_err(|fault| self.tokens.error(fault))
    }

    fn name(&mut self, first: &'t str) -> Term<'t> {
        self.outline
            .add_name(first, self.place.list, self.place.range);
        Term::Name
    }

    fn parenthesised(&mut self) -> Parsed<Term<'t>> {
        if self.open_parens >= MAX_PARENS {
            return Err(self.tokens.error("max expression depth exceeded"));
        }
        let names = self.outline.names();
        self.open_parens += 1;
        self.pipeline("parenthesized pipeline", Kind::RightParen)?;
        self.open_parens -= 1;
        Ok(Term::Parenthesised(names))
    }
}

fn field_name(token: Token<'_>) -> &str {
    token.text.strip_prefix('.').unwrap_or(token.text)
}

fn starts_operand(kind: Kind) -> bool {
    use Kind::{
        Bool, CharConstant, Complex, Dot, Field, Identifier, LeftParen, Nil, Number, RawString,
        String, Variable,
    };
    matches!(
        kind,
        Bool | CharConstant
            | Complex
            | Dot
            | Field
            | Identifier
            | Number
            | Nil
            | RawString
            | String
            | Variable
            | LeftParen
    )
}
