//! A case from beginning to end.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::call::{Call, Collect};
use crate::drive::{Driver, Outcome};
use crate::oracle::disk::Kind;
use crate::oracle::rules::{self, Change, Finding};
use crate::oracle::view::{View, hex_in};
use crate::place::Case;
use crate::plan::{Line, Plan, Step};
use crate::together;

/// What a case showed.
#[derive(Debug, Default)]
pub struct Ran {
    pub findings: Vec<Finding>,
    pub calls: usize,
}

/// A call that was made while others were.
pub struct Event<'a> {
    pub step: &'a Step,
    pub outcome: Outcome,
    pub began: Instant,
    pub ended: Instant,
}

/// Builds the store of a plan, makes its calls and looks at what they did.
pub fn run(case: &Case, plan: &Plan) -> std::io::Result<Ran> {
    let mut whole = plan.clone();
    let last = plan.processes();
    whole.lines.push(Line::Do(quiet_collection(last)));
    case.build(&whole)?;
    let mut ran = Ran {
        calls: whole.all_steps().count(),
        ..Ran::default()
    };
    let nobody = plan.is_nobody();
    let view = View::read(case, nobody);
    let view = match last {
        0 => view,
        1 => in_turn(case, &whole, 0, view, &mut ran),
        _ => at_once(case, plan, &view, &mut ran),
    };
    let after = in_turn(case, &whole, last, view, &mut ran);
    ran.findings.extend(rules::sentinels(&after, &after));
    Ok(ran)
}

fn quiet_collection(process: usize) -> Step {
    let call = Call::Collect(Collect::default());
    Step {
        process,
        call,
        kill: None,
    }
}

/// Makes the calls of one process, with a look at the disk after each.
fn in_turn(case: &Case, plan: &Plan, process: usize, first: View, ran: &mut Ran) -> View {
    let nobody = plan.is_nobody();
    let is_final = process + 1 == plan.processes();
    let mut driver = Driver::new(case, process, nobody);
    let mut before = first;
    for step in plan.steps(process) {
        let outcome = driver.step(step);
        let after = View::read(case, nobody);
        let change = Change {
            call: &step.call,
            outcome: &outcome,
            before: &before,
            after: &after,
        };
        ran.findings.extend(change.findings());
        ran.findings.extend(outcome.findings(step));
        if is_final {
            ran.findings.extend(quiet(&outcome, &after));
        }
        before = after;
    }
    before
}

/// Makes the calls of all processes at once.
fn at_once(case: &Case, plan: &Plan, before: &View, ran: &mut Ran) -> View {
    let nobody = plan.is_nobody();
    let drive = |process: usize| {
        let mut driver = Driver::new(case, process, nobody);
        let made = plan.steps(process).into_iter().map(|step| {
            let began = Instant::now();
            let outcome = driver.step(step);
            Event {
                step,
                outcome,
                began,
                ended: Instant::now(),
            }
        });
        made.collect::<Vec<_>>()
    };
    let events = thread::scope(|scope| {
        let processes = 0..plan.processes();
        let drivers: Vec<_> = processes
            .map(|process| scope.spawn(move || drive(process)))
            .collect();
        let ended = drivers
            .into_iter()
            .map(|driver| driver.join().unwrap_or_default());
        ended.flatten().collect::<Vec<Event>>()
    });
    let after = View::read(case, nobody);
    for event in &events {
        ran.findings.extend(event.outcome.findings(event.step));
    }
    ran.findings
        .extend(together::findings(before, &after, &events));
    after
}

/// What lies in our own directory after a last collection.
fn quiet(outcome: &Outcome, after: &View) -> Vec<Finding> {
    match outcome {
        Outcome::Answered { ok: true, .. } => leftovers(after),
        // Nobody knows whether a blob that an index names and that is no file is a manifest.
        Outcome::Answered { text, .. } if is_plain(after) && !text.contains(": reading blob") => {
            let words = text.split(' ').filter(|word| !word.contains('/'));
            let reason = words.take(9).collect::<Vec<_>>().join(" ");
            let kind = format!("gc fails although all can be read: {reason}");
            vec![Finding::new(kind, text)]
        }
        _ => Vec::new(),
    }
}

fn leftovers(after: &View) -> Vec<Finding> {
    let is_ours = |path: &Path, kind: &Kind| {
        let parents: BTreeSet<_> = path.parent().into_iter().flatten().collect();
        let own = parents.contains(std::ffi::OsStr::new(".modelkeep"));
        let place = path.parent().and_then(Path::file_name);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let passing = place.is_some_and(|place| {
            // What is called x is not ours.
            (place == "tmp" && name != "x")
                || (place == "trash" && hex_in(&name).is_some() && !after.is_shut)
        });
        let staged = name.starts_with(".modelkeep-");
        matches!(kind, Kind::File(_)) && ((own && passing) || staged)
    };
    let device = |path: &str| {
        after
            .disk
            .entries
            .get(Path::new(path))
            .map(|entry| entry.inode.0)
    };
    // What lies beside the blobs is ours where they are on another device, as it is there only.
    let aside = device("store/blobs") == device("store");
    let is_ours = |path: &Path, kind: &Kind| {
        is_ours(path, kind) && !(aside && path.starts_with("store/blobs"))
    };
    let left = after
        .disk
        .entries
        .iter()
        .filter(|(path, entry)| is_ours(path, &entry.kind));
    let finding = |path: &Path| {
        let place = path.parent().and_then(Path::file_name).unwrap_or_default();
        let kind = format!("a leftover after gc in {}", place.to_string_lossy());
        Finding::new(kind, path.display().to_string())
    };
    left.map(|(path, _)| finding(path)).collect()
}

/// Whether nothing that lies in the store is a reason not to collect.
fn is_plain(view: &View) -> bool {
    let kinds = [
        ("store", true),
        ("store/blobs", true),
        ("store/.modelkeep", true),
        ("store/.modelkeep/tmp", true),
        ("store/.modelkeep/trash", true),
        ("store/.modelkeep/quarantine", true),
        ("store/.modelkeep/lock", false),
    ];
    let plain = kinds.iter().all(|(path, is_directory)| {
        let entry = view.disk.entries.get(Path::new(path));
        entry.is_none_or(|entry| match &entry.kind {
            Kind::Directory => *is_directory && entry.mode & 0o700 == 0o700,
            Kind::File(_) => !is_directory && entry.mode & 0o600 == 0o600,
            _ => false,
        })
    });
    plain && !view.is_doubtful && view.blocks.is_empty() && !view.manifests.is_empty()
}
