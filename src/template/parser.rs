//! The grammar of templates: text, actions, and the blocks that actions open and close.
//!
//! Open blocks wait on a stack of their own, so their depth is bounded by memory alone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::TemplateError;
use super::constant;
use super::outline::{ListId, Outline, RangeId};
use super::stream::Stream;
use super::token::{Keyword, Kind, Token};
use crate::go;

pub(super) type Parsed<T = ()> = Result<T, TemplateError>;

/// What an open block is, and what its end has to delete_delay.
#[derive(Debug)]
enum Opened {
    If,
    With,
    Range,
    /// `define` or `block`: a template of its own.
    Template {
        name: Vec<u8>,
        context: &'static str,
        outside: Scope,
    },
}

#[derive(Debug)]
struct Open {
    what: Opened,
    in_else: bool,
    /// An `else if`, which ends together with what it continues.
    chained: bool,
    /// Variables of the surrounding blocks.
    variables: usize,
    parent: Place,
}

/// Where nodes and names go at the moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub list: ListId,
    pub range: Option<RangeId>,
}

/// What a template does not share with the one around it.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    /// The first of its own variables.
    variables: usize,
    /// How many ranges `break` could leave.
    ranges: usize,
}

pub(super) struct Parser<'t> {
    pub(super) tokens: Stream<'t>,
    pub(super) place: Place,
    pub(super) outline: Outline<'t>,
    pub(super) variables: Vec<&'t str>,
    pub(super) open_parens: usize,
    scope: Scope,
    open: Vec<Open>,
    templates: BTreeMap<Vec<u8>, ListId>,
    calls_without_argument: bool,
}

/// Reads a whole text; the list is the top of the main template.
pub(super) fn parse(text: &str) -> Parsed<(Outline<'_>, ListId)> {
    let mut outline = Outline::default();
    let top = outline.add_list(None);
    let mut parser = Parser {
        tokens: Stream::new(text),
        place: Place {
            list: top,
            range: None,
        },
        outline,
        variables: Vec::new(),
        open_parens: 0,
        scope: Scope::default(),
        open: Vec::new(),
        templates: BTreeMap::new(),
        calls_without_argument: false,
    };
    parser.main()?;
    parser.install(Vec::new(), top)?;
    if parser.calls_without_argument {
        return Err(TemplateError::anywhere("undefined template specified"));
    }
    let main = parser.templates.get(&[][..]).copied().unwrap_or(top);
    Ok((parser.outline, main))
}

impl<'t> Parser<'t> {
    fn main(&mut self) -> Parsed {
        loop {
            match self.tokens.peek().kind {
                Kind::EndOfText if self.open.is_empty() => return Ok(()),
                Kind::EndOfText => return Err(self.tokens.error("unexpected EOF")),
                Kind::LeftDelimiter if self.open.is_empty() => self.definition_or_action()?,
                _ => self.text_or_action()?,
            }
        }
    }

    /// `define` exists at the top alone; elsewhere it is an unexpected word.
    fn definition_or_action(&mut self) -> Parsed {
        let delimiter = self.tokens.next();
        let token = self.tokens.next_beyond_space();
        if token.kind == Kind::Keyword(Keyword::Define) {
            return self.definition();
        }
        self.tokens.push_back(token);
        self.tokens.push_back(delimiter);
        self.text_or_action()
    }

    fn definition(&mut self) -> Parsed {
        let context = "define clause";
        let name = self.tokens.next_beyond_space();
        let name = self.template_name(name, context)?;
        self.tokens.expect_right_delimiter(context)?;
        self.open_template(name, context);
        Ok(())
    }

    fn text_or_action(&mut self) -> Parsed {
        let token = self.tokens.next_beyond_space();
        match token.kind {
            Kind::Text => {
                self.outline.add_text(self.place.list, token.text);
                Ok(())
            }
            Kind::LeftDelimiter => {
                self.tokens.action_line = token.line;
                self.action()
            }
            _ => Err(self.tokens.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Parsed {
        let token = self.tokens.next_beyond_space();
        match token.kind {
            Kind::Keyword(Keyword::If) => return self.control(Opened::If, false),
            Kind::Keyword(Keyword::With) => return self.control(Opened::With, false),
            Kind::Keyword(Keyword::Range) => return self.control(Opened::Range, false),
            Kind::Keyword(Keyword::Block) => return self.block(),
            Kind::Keyword(Keyword::Else) => return self.else_branch(),
            Kind::Keyword(Keyword::End) => self.end()?,
            Kind::Keyword(Keyword::Break) => self.leave_range("{{break}}")?,
            Kind::Keyword(Keyword::Continue) => self.leave_range("{{continue}}")?,
            Kind::Keyword(Keyword::Template) => self.call()?,
            _ => {
                self.tokens.push_back(token);
                self.outline.add_node(self.place.list);
                self.pipeline("command", Kind::RightDelimiter)?;
            }
        }
        self.tokens.action_line = 0;
        Ok(())
    }

    fn leave_range(&mut self, action: &'static str) -> Parsed {
        self.tokens.expect_right_delimiter(action)?;
        if self.scope.ranges == 0 {
            return Err(self.tokens.error(format!("{action} outside {{{{range}}}}")));
        }
        self.outline.add_node(self.place.list);
        Ok(())
    }

    fn control(&mut self, what: Opened, chained: bool) -> Parsed {
        let (parent, variables) = (self.place, self.variables.len());
        self.outline.add_node(parent.list);
        match what {
            Opened::With => self.pipeline("with", Kind::RightDelimiter)?,
            Opened::Range => self.range_pipeline()?,
            _ => self.pipeline("if", Kind::RightDelimiter)?,
        }
        self.place.list = self.outline.add_list(Some(parent.list));
        self.open.push(Open {
            what,
            in_else: false,
            chained,
            variables,
            parent,
        });
        Ok(())
    }

    fn range_pipeline(&mut self) -> Parsed {
        let (range, names) = (self.outline.add_range(), self.outline.names());
        self.place.range = Some(range);
        self.pipeline("range", Kind::RightDelimiter)?;
        self.outline.close_range(range, names);
        self.scope.ranges += 1;
        Ok(())
    }

    fn else_branch(&mut self) -> Parsed {
        let next = self.tokens.peek_beyond_space().kind;
        if !matches!(next, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.tokens.expect_right_delimiter("else")?;
        }
        self.tokens.action_line = 0;
        let chained = match self.open.last_mut() {
            None => return Err(self.tokens.error("unexpected {{else}}")),
            Some(Open {
                what: Opened::Template { context, .. },
                ..
            }) => {
                let context = *context;
                return Err(self
                    .tokens
                    .error(format!("unexpected {{{{else}}}} in {context}")));
            }
            Some(Open { in_else: true, .. }) => {
                return Err(self.tokens.error("expected end; found {{else}}"));
            }
            Some(open) => {
                open.in_else = true;
                self.scope.ranges -= usize::from(matches!(open.what, Opened::Range));
                self.place.list = self.outline.add_list(Some(open.parent.list));
                match (&open.what, next) {
                    (Opened::If, Kind::Keyword(Keyword::If)) => Some(Opened::If),
                    (Opened::With, Kind::Keyword(Keyword::With)) => Some(Opened::With),
                    _ => None,
                }
            }
        };
        let Some(what) = chained else { return Ok(()) };
        self.tokens.next();
        self.control(what, true)
    }

    fn end(&mut self) -> Parsed {
        self.tokens.expect_right_delimiter("end")?;
        loop {
            let Some(open) = self.open.pop() else {
                return Err(self.tokens.error("unexpected {{end}}"));
            };
            let body = std::mem::replace(&mut self.place, open.parent).list;
            self.variables.truncate(open.variables);
            match open.what {
                Opened::Range if !open.in_else => self.scope.ranges -= 1,
                Opened::Template { name, outside, .. } => {
                    self.scope = outside;
                    self.install(name, body)?;
                }
                _ => {}
            }
            if !open.chained {
                return Ok(());
            }
        }
    }

    /// `{{block "name" pipeline}}`: a call, and the definition of what it calls.
    fn block(&mut self) -> Parsed {
        let context = "block clause";
        let name = self.tokens.next_beyond_space();
        let name = self.template_name(name, context)?;
        self.outline.add_node(self.place.list);
        self.pipeline(context, Kind::RightDelimiter)?;
        self.tokens.action_line = 0;
        self.open_template(name, context);
        Ok(())
    }

    /// `{{template "name" pipeline}}`
    fn call(&mut self) -> Parsed {
        let context = "template clause";
        let name = self.tokens.next_beyond_space();
        self.template_name(name, context)?;
        self.outline.add_node(self.place.list);
        let next = self.tokens.next_beyond_space();
        if next.kind == Kind::RightDelimiter {
            self.calls_without_argument = true;
            return Ok(());
        }
        self.tokens.push_back(next);
        self.pipeline(context, Kind::RightDelimiter)
    }

    fn template_name(&mut self, token: Token<'t>, context: &'static str) -> Parsed<Vec<u8>> {
        match token.kind {
            Kind::String | Kind::RawString => {
                constant::string(token.text).map_err(|fault| self.tokens.error(fault))
            }
            _ => Err(self.tokens.unexpected(token, context)),
        }
    }

    fn open_template(&mut self, name: Vec<u8>, context: &'static str) {
        let (parent, variables) = (self.place, self.variables.len());
        let inside = Scope {
            variables,
            ranges: 0,
        };
        let outside = std::mem::replace(&mut self.scope, inside);
        let what = Opened::Template {
            name,
            context,
            outside,
        };
        self.place = Place {
            list: self.outline.add_list(None),
            range: None,
        };
        self.open.push(Open {
            what,
            in_else: false,
            chained: false,
            variables,
            parent,
        });
    }

    /// Keeps a template under its name; a blank one gives way to any other.
    fn install(&mut self, name: Vec<u8>, top: ListId) -> Parsed {
        let quoted = go::quote(&name);
        match self.templates.entry(name) {
            Entry::Vacant(slot) => {
                slot.insert(top);
            }
            Entry::Occupied(mut slot) if self.outline.is_blank(*slot.get()) => {
                slot.insert(top);
            }
            Entry::Occupied(_) if self.outline.is_blank(top) => {}
            Entry::Occupied(_) => {
                let fault = format!("template: multiple definition of template {quoted}");
                return Err(self.tokens.error(fault));
            }
        }
        Ok(())
    }

    pub(super) fn declare(&mut self, variable: &'t str) {
        self.variables.push(variable);
    }

    pub(super) fn is_declared(&self, variable: &str) -> bool {
        let own = self.variables.iter().skip(self.scope.variables);
        variable == "$" || own.rev().any(|declared| *declared == variable)
    }
}
