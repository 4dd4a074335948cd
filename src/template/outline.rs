//! What a template says, without how: the lists of its blocks and the names in its pipelines.
//!
//! Flat on purpose: nothing here nests, so the depth of a hostile text costs no stack.

use std::collections::BTreeSet;

/// A list of nodes: the top of a template, or one branch of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListId(usize);

/// A `range` action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RangeId(usize);

#[derive(Clone, Copy, Debug)]
enum Edge<'t> {
    Text(&'t str),
    Other,
}

#[derive(Debug)]
struct List<'t> {
    /// The list at the top of the same template.
    top: ListId,
    /// The first and the last node.
    edges: Option<(Edge<'t>, Edge<'t>)>,
    /// Whether there is a node other than blank text.
    says_something: bool,
}

/// A field or variable among the arguments of a pipeline.
#[derive(Debug)]
struct Name<'t> {
    /// `$x.A` is `$x`, `A`.
    path: Vec<&'t str>,
    list: ListId,
    /// The innermost range around it; a range's own pipeline belongs to that range.
    range: Option<RangeId>,
}

impl Name<'_> {
    /// Returns whether it is the field `.first...`; the path of a variable starts with its `$`.
    fn is_field(&self, first: &str) -> bool {
        self.path.first() == Some(&first)
    }
}

#[derive(Debug, Default)]
pub(super) struct Outline<'t> {
    lists: Vec<List<'t>>,
    names: Vec<Name<'t>>,
    /// By range: whether its pipeline names the field `Messages`.
    ranges: Vec<bool>,
}

impl<'t> Outline<'t> {
    /// Returns a list inside the list `parent`, or the top of another template.
    pub fn add_list(&mut self, parent: Option<ListId>) -> ListId {
        let new = ListId(self.lists.len());
        let parent = parent.and_then(|parent| self.lists.get(parent.0));
        let top = parent.map_or(new, |parent| parent.top);
        self.lists.push(List {
            top,
            edges: None,
            says_something: false,
        });
        new
    }

    pub fn add_text(&mut self, list: ListId, text: &'t str) {
        self.add_edge(list, Edge::Text(text), !text.trim().is_empty());
    }

    /// Any node but text.
    pub fn add_node(&mut self, list: ListId) {
        self.add_edge(list, Edge::Other, true);
    }

    fn add_edge(&mut self, list: ListId, edge: Edge<'t>, says_something: bool) {
        if let Some(list) = self.lists.get_mut(list.0) {
            let first = list.edges.map_or(edge, |(first, _)| first);
            list.edges = Some((first, edge));
            list.says_something |= says_something;
        }
    }

    /// Returns whether a list holds nothing but blank text.
    pub fn is_blank(&self, list: ListId) -> bool {
        self.lists
            .get(list.0)
            .is_none_or(|list| !list.says_something)
    }

    pub fn add_range(&mut self) -> RangeId {
        self.ranges.push(false);
        RangeId(self.ranges.len() - 1)
    }

    /// Ends the pipeline of a range whose names begin at `since`.
    pub fn close_range(&mut self, range: RangeId, since: usize) {
        let over_messages = self
            .names
            .iter()
            .skip(since)
            .any(|name| name.is_field("Messages"));
        if let Some(slot) = self.ranges.get_mut(range.0) {
            *slot = over_messages;
        }
    }

    pub fn names(&self) -> usize {
        self.names.len()
    }

    pub fn add_name(&mut self, first: &'t str, list: ListId, range: Option<RangeId>) {
        self.names.push(Name {
            path: vec![first],
            list,
            range,
        });
    }

    pub fn extend_last_name(&mut self, fields: Vec<&'t str>) {
        if let Some(name) = self.names.last_mut() {
            name.path.extend(fields);
        }
    }

    /// Forgets the names from `since` on: those of a parenthesised pipeline that a field follows.
    pub fn drop_names(&mut self, since: usize) {
        self.names.truncate(since);
    }

    /// Returns every part of every name, in lower case.
    pub fn variables(&self) -> BTreeSet<String> {
        self.names
            .iter()
            .flat_map(|name| &name.path)
            .map(|part| part.to_lowercase())
            .collect()
    }

    /// Returns the texts around the last `.Thinking` inside a range over messages, in the template
    /// `main`.
    ///
    /// A list without text at an end keeps what an earlier one gave.
    pub fn thinking_tags(&self, main: ListId) -> Option<(String, String)> {
        let (mut opening, mut closing) = ("", "");
        for name in self.names.iter().filter(|name| name.is_field("Thinking")) {
            let over_messages = name.range.and_then(|range| self.ranges.get(range.0));
            let Some(list) = self.lists.get(name.list.0) else {
                continue;
            };
            if list.top != main || over_messages != Some(&true) {
                continue;
            }
            if let Some((Edge::Text(first), _)) = list.edges {
                opening = first.trim();
            }
            if let Some((_, Edge::Text(last))) = list.edges {
                closing = last.trim();
            }
        }
        let both = !opening.is_empty() && !closing.is_empty();
        both.then(|| (opening.to_owned(), closing.to_owned()))
    }
}
