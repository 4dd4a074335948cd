//! What several processes at once may do, and what they must leave.

use std::path::Path;

use crate::call::Call;
use crate::drive::Outcome;
use crate::oracle::disk::Kind;
use crate::oracle::name::Name;
use crate::oracle::rules::{self, Finding};
use crate::oracle::view::View;
use crate::run::Event;

/// Returns all that is wrong after the calls of several processes.
pub fn findings(before: &View, after: &View, events: &[Event]) -> Vec<Finding> {
    let mut findings = rules::sentinels(before, after);
    if !after.is_there || !before.is_there {
        return findings;
    }
    findings.extend(lost(before, after, events));
    findings.extend(
        events
            .iter()
            .filter_map(|event| missing(before, after, event, events)),
    );
    findings
}

fn made(events: &[Event], kind: impl Fn(&Call) -> bool) -> bool {
    events.iter().any(|event| kind(&event.step.call))
}

/// No good blob goes that is in use, nor any while not all can be read.
fn lost(before: &View, after: &View, events: &[Event]) -> Vec<Finding> {
    let killed = events.iter().any(|event| !event.outcome.is_ok());
    let there = if killed {
        after.present()
    } else {
        after.good.clone()
    };
    let used = after.used();
    let may_go = made(events, |call| match call {
        Call::Remove(_) | Call::ForeignRemove(_) => true,
        Call::Collect(options) => options.grace == 0 && !options.dry_run,
        _ => false,
    });
    let foreign = made(events, |call| {
        matches!(call, Call::ForeignRemove(_) | Call::Make(_))
    });
    let block = before
        .blocks
        .iter()
        .find(|block| after.blocks.contains(block));
    // A server takes for granted whatever lies under a blob's name when it pulls.
    let renames = made(events, |call| {
        matches!(call, Call::Maintain | Call::RenameOld)
    });
    let is_renamed = |hex: &str| {
        let old = before.files.get(&format!("sha256:{hex}"));
        foreign && renames && old.is_some() && old == after.files.get(&format!("sha256-{hex}"))
    };
    // It finds out by listing what is in use: what only a model has that it cannot list goes, and
    // whoever copies that model at the time lacks it, too.
    let listed = before.used();
    let removes = made(events, |call| matches!(call, Call::ForeignRemove(_)));
    let is_unlisted = |hex: &String| {
        let mut hidden = before.hidden.iter();
        removes && !listed.contains_key(hex) && hidden.any(|it| it.reading.named.contains(hex))
    };
    let mut findings = Vec::new();
    let gone = before.present();
    let gone = gone.difference(&there);
    for hex in gone.filter(|hex| !is_renamed(hex) && !is_unlisted(hex)) {
        let finding = match used.get(hex) {
            Some(manifest) => {
                let text = format!("{hex}: {}", manifest.below.display());
                let what = manifest.peculiarity(hex);
                Finding::new(format!("a blob in use{what} was lost by several"), text)
            }
            None if after.trashed.contains(hex) => continue,
            // What was on its way out before goes with any change.
            None if before.trashed.contains(hex) && made(events, Call::is_change) => continue,
            None if block.is_some() && !foreign => {
                let why = block.map_or("", |block| block.why);
                let text = format!("{hex}; {}", after.block_text());
                Finding::new(format!("a blob was taken beside {why} by several"), text)
            }
            None if !may_go => Finding::new("a blob was taken by several, none of which may", hex),
            None => continue,
        };
        findings.push(finding);
    }
    findings
}

/// A name that an acknowledged call made is there, unless somebody changed it later.
fn missing(before: &View, after: &View, event: &Event, events: &[Event]) -> Option<Finding> {
    let Outcome::Answered { ok: true, text, .. } = &event.outcome else {
        return None;
    };
    if !matches!(event.step.call, Call::Copy(..) | Call::Import(_)) {
        return None;
    }
    let below = Path::new(text.split(' ').nth(1)?);
    if events.iter().any(|other| touches(other, event, below)) {
        return None;
    }
    // Whoever writes onto an alias replaces the link, and takes the other names behind it.
    let linked = |above: &Path| {
        let entry = before
            .disk
            .entries
            .get(&Path::new("store/manifests").join(above));
        entry.is_some_and(|entry| matches!(entry.kind, Kind::Link(_)))
    };
    if below.ancestors().skip(1).any(linked) {
        return None;
    }
    let manifest = after
        .manifests
        .iter()
        .chain(&after.hidden)
        .find(|manifest| manifest.below == below);
    let word = event.step.call.word();
    let is_there = || {
        let path = Path::new("store/manifests").join(below);
        after.disk.entries.contains_key(&path)
    };
    match (manifest, &event.step.call) {
        // What cannot be read may be there all the same.
        (None, Call::Import(_)) if !after.blocks.is_empty() && is_there() => None,
        (None, Call::Import(_)) => Some(Finding::new(
            format!("an acknowledged {word} is missing, by several"),
            text,
        )),
        (Some(manifest), Call::Import(import)) => {
            let lacks: Vec<_> = manifest.reading.named.difference(&after.good).collect();
            let stored = matches!(import.source, crate::call::Source::Model(_));
            let kind = format!("an acknowledged {word} lacks blobs, by several");
            (!lacks.is_empty() && !stored).then(|| Finding::new(kind, format!("{text} {lacks:?}")))
        }
        (None, Call::Copy(..)) if after.blocks.is_empty() => {
            let kind = "an acknowledged copy is missing, by several";
            (!is_there()).then(|| Finding::new(kind, text))
        }
        _ => None,
    }
}

/// Whether another call that may have come later may have changed the same name.
fn touches(other: &Event, event: &Event, below: &Path) -> bool {
    let is_later = !std::ptr::eq(other, event) && other.ended > event.began;
    let mut targets = other.step.call.targets().into_iter();
    let is_same = targets.any(|target| Name::of(target).is_at(below));
    is_later && (is_same || matches!(other.step.call, Call::Make(_)))
}
