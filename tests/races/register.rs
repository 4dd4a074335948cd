//! Whether a history has an order: one moment for each call, within its interval, so that the names
//! behave as if the calls had come one after the other (linearizability; after Wing and Gong).
//!
//! All names are judged together, because a copy reads one and writes another at one moment.

use std::collections::{HashMap, HashSet};

use crate::history::{Call, Deed, Seen};

/// Contents by name, as numbers; `None` for a name that is not stored.
type Contents = Vec<Option<u32>>;

/// A call as the search sees it.
#[derive(Clone, Copy)]
enum Step {
    Write(usize, u32, bool),
    Copy(usize, usize, bool),
    Delete(usize),
    See(usize, Option<Option<u32>>),
}

impl Step {
    /// What the names hold after the call, if it can happen now.
    fn apply(self, now: &Contents) -> Option<Contents> {
        let mut next = now.clone();
        let possible = match self {
            Step::Write(name, content, replaced) => {
                next[name] = Some(content);
                now[name].is_some() == replaced
            }
            Step::Copy(from, to, replaced) => {
                next[to] = now[from];
                now[from].is_some() && now[to].is_some() == replaced
            }
            Step::Delete(name) => {
                next[name] = None;
                now[name].is_some()
            }
            Step::See(name, None) => now[name].is_some(),
            Step::See(name, Some(seen)) => now[name] == seen,
        };
        possible.then_some(next)
    }

    fn is_read(self) -> bool {
        matches!(self, Step::See(..))
    }
}

/// A point of the search: the first `events` happened, and of the calls that began, those in
/// `open` have not taken effect yet.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Point {
    events: usize,
    contents: Contents,
    open: Vec<usize>,
}

impl Point {
    fn take(&self, call: usize, contents: Contents, steps: &[Step]) -> Self {
        let mut next = self.clone();
        next.contents = contents;
        next.open.retain(|open| *open != call);
        next.see(steps);
        next
    }

    /// A read changes nothing, so it is best taken as soon as it can be.
    fn see(&mut self, steps: &[Step]) {
        let contents = &self.contents;
        self.open
            .retain(|call| !steps[*call].is_read() || steps[*call].apply(contents).is_none());
    }
}

/// Finds an order, or says which call has none.
pub fn order(calls: &[Call], names: usize) -> Result<(), String> {
    let steps = number(calls);
    let mut events: Vec<(u64, bool, usize)> = Vec::with_capacity(2 * calls.len());
    for (index, call) in calls.iter().enumerate() {
        events.push((call.start, false, index));
        events.push((call.end, true, index));
    }
    events.sort_unstable();
    let mut stack = vec![Point {
        events: 0,
        contents: vec![None; names],
        open: Vec::new(),
    }];
    let (mut known, mut farthest) = (HashSet::new(), 0);
    while let Some(mut point) = stack.pop() {
        let Some(ends) = advance(&mut point, &events, &steps) else {
            return Ok(());
        };
        farthest = farthest.max(point.events);
        if !known.insert(point.clone()) {
            continue;
        }
        // Of the calls that change something, the one that ends first is the likeliest to be next:
        // last on the stack.
        let mut next: Vec<usize> = point.open.clone();
        next.retain(|call| !steps[*call].is_read());
        next.sort_by_key(|call| (*call != ends, calls[*call].end));
        for call in next.into_iter().rev() {
            if let Some(contents) = steps[call].apply(&point.contents) {
                stack.push(point.take(call, contents, &steps));
            }
        }
    }
    let stuck = events.get(farthest).map(|event| &calls[event.2]);
    Err(format!("no order of the calls explains {stuck:?}"))
}

/// Goes on to the end of a call that has not taken effect; `None` at the end of the history.
fn advance(point: &mut Point, events: &[(u64, bool, usize)], steps: &[Step]) -> Option<usize> {
    loop {
        let (_, is_end, call) = *events.get(point.events)?;
        if is_end && point.open.contains(&call) {
            return Some(call);
        }
        point.events += 1;
        if !is_end {
            point.open.push(call);
            point.see(steps);
        }
    }
}

fn number(calls: &[Call]) -> Vec<Step> {
    let mut numbers = HashMap::new();
    let mut number = |content: &String| {
        let next = u32::try_from(numbers.len()).unwrap();
        *numbers.entry(content.clone()).or_insert(next)
    };
    let step = |call: &Call| match &call.deed {
        Deed::Wrote(name, content, replaced) => Step::Write(*name, number(content), *replaced),
        Deed::Copied(from, to, replaced) => Step::Copy(*from, *to, *replaced),
        Deed::Deleted(name) => Step::Delete(*name),
        Deed::Saw(name, Seen::Nothing) => Step::See(*name, Some(None)),
        Deed::Saw(name, Seen::Something) => Step::See(*name, None),
        Deed::Saw(name, Seen::Content(content)) => Step::See(*name, Some(Some(number(content)))),
    };
    calls.iter().map(step).collect()
}

fn history(text: &str) -> Vec<Call> {
    text.split(", ").map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_history_with_an_order_has_one() {
    for text in [
        "0 9 wrote 0 x false, 1 2 saw 0 nothing, 3 4 saw 0 x",
        "0 1 wrote 0 x false, 2 9 copied 0 1 false, 3 8 deleted 0, 10 11 saw 1 x",
        "0 9 deleted 0, 1 2 wrote 0 x false, 3 4 saw 0 something, 10 11 saw 0 nothing",
        "0 9 wrote 0 x true, 0 9 wrote 0 y false, 10 11 saw 0 x",
        "0 1 wrote 0 x false, 2 9 saw 0 x, 3 4 deleted 0, 5 6 saw 0 nothing",
    ] {
        assert_eq!(order(&history(text), 2), Ok(()), "{text}");
    }
}

#[test]
fn a_history_without_an_order_is_refused() {
    for text in [
        "0 1 wrote 0 x false, 2 3 saw 0 nothing",
        "0 1 wrote 0 x false, 2 3 wrote 0 y true, 4 5 saw 0 x",
        "0 9 wrote 0 x false, 1 2 saw 0 x, 3 4 saw 0 nothing",
        "0 1 wrote 0 x false, 2 3 deleted 0, 4 5 copied 0 1 false",
        "0 1 wrote 0 x false, 2 3 wrote 0 y true, 4 5 copied 0 1 false, 6 7 saw 1 x",
        "0 1 wrote 0 x false, 2 3 deleted 0, 4 5 deleted 0",
        "0 9 wrote 0 x true, 0 9 wrote 0 y true",
    ] {
        assert!(order(&history(text), 2).is_err(), "{text}");
    }
}
