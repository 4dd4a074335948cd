//! Verifying, measuring, collecting, repairing.

use std::time::Duration;

use clap::Args as Group;

use modelkeep::{
    BlobStatus, Digest, Finding, GcOptions, Issue, LocationState, ModelUsage, Reference, Report,
    Store, StoreOptions, Usage, VerifyOptions, human_size,
};

use crate::output::{Failure, Outcome, Output, counted, note, say, table};
use crate::progress::{Bar, watched};

#[derive(Debug, Default, Group)]
pub(crate) struct VerifyArgs {
    /// Read GGUF files strictly, too
    #[arg(long)]
    pub gguf: bool,
    /// Hash only what changed since an earlier run that used the cache, and update it for later
    /// ones; a write through a shared mapping may not move the times by which a change is told
    #[arg(long)]
    pub use_cache: bool,
}

fn verified(
    store: &Store,
    names: Vec<Reference>,
    how: &VerifyArgs,
    output: &Output,
) -> Outcome<Report> {
    let bar = Bar::new(!output.json)?;
    let options = VerifyOptions::default().models(names).gguf(how.gguf);
    let options = options.use_cache(how.use_cache);
    Ok(store.verify_with(&options, &mut |progress| bar.observe(progress))?)
}

pub(crate) fn verify(
    store: &Store,
    names: Vec<Reference>,
    how: &VerifyArgs,
    output: &mut Output,
) -> Outcome {
    let report = verified(store, names, how, output)?;
    if !report.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(report.to_json()?);
    }
    note(&report.problems);
    for blob in &report.blobs {
        note_unsupported(blob);
    }
    let bad: Vec<&Finding> = report.blobs.iter().filter(|blob| !is_sound(blob)).collect();
    if !bad.is_empty() {
        let header = ["STATUS", "DIGEST", "MODELS", "DETAIL"];
        let rows = bad.iter().map(row);
        let rows = rows.map(|cells| cells.map(|cell| output.brief(&cell)));
        output.table(table(header, rows, &[]))?;
    }
    for model in &report.models {
        let reasons = output.brief(&model.reasons.join("; "));
        output.line(format!("broken: {} ({reasons})", model.name))?;
    }
    let (blobs, bytes) = (report.blobs.len(), human_size(report.hashed_bytes));
    let blobs = counted(blobs, "blob");
    output.line(format!("{blobs}, {bytes} hashed, {} bad", bad.len()))?;
    let cached = report.cached;
    if cached.blobs == 0 {
        return Ok(());
    }
    let (blobs, bytes) = (cached.blobs, human_size(cached.bytes));
    let blobs = counted(blobs, "blob");
    output.line(format!("{blobs}, {bytes} cached by an earlier run"))
}

fn is_sound(blob: &Finding) -> bool {
    blob.status == BlobStatus::Ok && blob.gguf.as_ref().is_none_or(|gguf| gguf.is_ok())
}

/// Says which file only strict readers refuse: it is not damaged, so the exit status stays.
fn note_unsupported(blob: &Finding) {
    let unsupported = blob
        .gguf
        .as_ref()
        .and_then(|gguf| gguf.unsupported.as_ref());
    if let Some(fault) = unsupported {
        say(format_args!(
            "note: {}: unsupported by strict readers: {fault}",
            blob.digest
        ));
    }
}

fn row(blob: &&Finding) -> [String; 4] {
    let fault = blob.gguf.as_ref().and_then(|gguf| gguf.error.as_ref());
    let detail = fault.map_or(blob.detail.clone(), ToString::to_string);
    let status = match blob.status {
        BlobStatus::Ok => "bad gguf",
        status => status.as_str(),
    };
    let models: Vec<String> = blob.models.iter().map(ToString::to_string).collect();
    [
        status.replace('_', " "),
        blob.digest.to_string(),
        models.join(", "),
        detail,
    ]
}

pub(crate) fn repair(store: &Store, names: Vec<Reference>, output: &mut Output) -> Outcome {
    let report = verified(store, names.clone(), &VerifyArgs::default(), output)?;
    let repaired = watched(store, !output.json, |store| store.repair(&report))?;
    let report = match repaired.renamed.is_empty() {
        true => report,
        // What was there under another name is whole again.
        false => verified(store, names, &VerifyArgs::default(), output)?,
    };
    if !report.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(repaired.to_json()?);
    }
    for moved in &repaired.quarantined {
        output.line(format!("moved {} to {}", moved.digest, moved.to.display()))?;
    }
    for moved in &repaired.renamed {
        output.line(format!("renamed to {}", moved.to.display()))?;
    }
    for digest in &repaired.changed {
        output.line(format!(
            "changed since it was verified: {digest}; verify again"
        ))?;
    }
    for model in &report.models {
        output.line(format!("pull or import again: {}", model.name))?;
    }
    if !repaired.quarantined.is_empty() {
        output.line("the damaged bytes are kept until `modelkeep gc --quarantine`")?;
    }
    output.line(format!(
        "damaged blobs moved aside: {}",
        repaired.quarantined.len()
    ))
}

pub(crate) fn usage(store: &Store, output: &mut Output) -> Outcome {
    let usage = store.usage()?;
    note(&usage.problems);
    if output.json {
        return output.line(usage.to_json()?);
    }
    let largest = usage
        .models
        .iter()
        .map(|model| model.exclusive.saturating_add(model.shared))
        .max();
    let largest = largest.unwrap_or(0).max(1);
    let row = |model: &ModelUsage| {
        [
            model.name.to_string(),
            human_size(model.exclusive),
            human_size(model.shared),
            bar(model, largest),
            if model.missing > 0 {
                format!("{} missing", counted(model.missing, "blob"))
            } else {
                String::new()
            },
        ]
    };
    let header = ["NAME", "ALONE", "SHARED", "", ""];
    output.table(table(header, usage.models.iter().map(row), &[1, 2]))?;
    output.line("")?;
    totals(&usage, output)
}

fn totals(usage: &Usage, output: &mut Output) -> Outcome {
    let files = |files: &modelkeep::Files| {
        format!(
            "{} in {}",
            human_size(files.bytes),
            counted(files.files, "file")
        )
    };
    output.line(format!("used by models  {}", human_size(usage.used)))?;
    output.line(format!("orphans         {}", files(&usage.orphans)))?;
    output.line(format!("downloads       {}", files(&usage.partials)))?;
    output.line(format!("unknown files   {}", files(&usage.unknown)))?;
    output.line(format!("staged          {}", files(&usage.staged)))?;
    output.line(format!("trash           {}", files(&usage.trash)))?;
    output.line(format!("quarantine      {}", files(&usage.quarantine)))?;
    output.line(format!("everything else {}", files(&usage.other)))?;
    output.line(format!("total           {}", human_size(usage.total)))?;
    match usage.held_outside {
        0 => Ok(()),
        bytes => output.line(format!(
            "of which files elsewhere hold {} as well: removing here does not free it",
            human_size(bytes)
        )),
    }
}

/// Returns a bar, of twenty places for the largest model: what a delete would free is dark, what is
/// shared light.
fn bar(model: &ModelUsage, largest: u64) -> String {
    const PLACES: u128 = 20;
    let places = |bytes: u64| {
        let places = u128::from(bytes) * PLACES / u128::from(largest);
        usize::try_from(places).unwrap_or(0)
    };
    let alone = places(model.exclusive);
    let shared = places(model.exclusive.saturating_add(model.shared)).saturating_sub(alone);
    format!("{}{}", "#".repeat(alone), "-".repeat(shared))
}

pub(crate) struct Gc {
    pub grace: Duration,
    pub dry_run: bool,
    pub partials: bool,
    pub quarantine: bool,
    pub all: bool,
    pub rename_old: bool,
}

pub(crate) fn collect(store: &Store, what: &Gc, output: &mut Output) -> Outcome {
    if what.rename_old {
        let renamed = store.rename_old_blobs()?;
        if !output.json {
            output.line(format!("renamed {}", counted(renamed.len(), "old blob")))?;
        }
    }
    let options = GcOptions::default().grace(what.grace).dry_run(what.dry_run);
    let options = options
        .partials(what.partials)
        .quarantine(what.quarantine)
        .all(what.all);
    let collected = watched(store, !output.json, |store| store.gc(&options))?;
    if output.json {
        return output.line(collected.to_json()?);
    }
    let verb = if collected.dry_run {
        "would remove"
    } else {
        "removed"
    };
    for digest in &collected.blobs {
        output.line(format!("{verb} {digest}"))?;
    }
    for path in collected.partials.iter().chain(&collected.leftovers) {
        output.line(format!("{verb} {}", path.display()))?;
    }
    restored(&collected.restored, output)?;
    for reason in &collected.kept {
        say(format_args!("blobs were kept: {reason}"));
    }
    let files = [&collected.partials, &collected.leftovers].map(Vec::len);
    let count = collected.blobs.len() + files.iter().sum::<usize>();
    let bytes = human_size(collected.bytes);
    let young = match collected.young {
        0 => String::new(),
        young => format!("; {young} unused, younger than the grace period (--grace 0s)"),
    };
    let files = counted(count, "file");
    output.line(format!("{verb} {files}, {bytes}{young}"))
}

/// Says which blobs went home.
pub(crate) fn restored(blobs: &[Digest], output: &mut Output) -> Outcome {
    output.lines(
        blobs
            .iter()
            .map(|digest| format!("put back {digest}, which is in use")),
    )
}

pub(crate) fn doctor(options: &StoreOptions, output: &mut Output) -> Outcome {
    let diagnosis = options.diagnose()?;
    if !diagnosis.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(diagnosis.to_json()?);
    }
    for root in &diagnosis.locations {
        let path = root.path.display();
        let opened = if root.opened { "opened, " } else { "" };
        let what = match root.state {
            LocationState::Store => counted(root.manifests, "manifest"),
            _ => root.what.clone(),
        };
        output.line(format!("{path}: {opened}{what}"))?;
    }
    for issue in &diagnosis.issues {
        told(issue, "", output)?;
    }
    for note in &diagnosis.notes {
        told(note, "note: ", output)?;
    }
    let count = diagnosis.issues.len();
    if count > 0 {
        return Err(Failure::Other(counted(count, "issue")));
    }
    if !diagnosis.notes.is_empty() {
        output.line("")?;
    }
    output.line(match (diagnosis.blobs, diagnosis.verified) {
        (0, _) => "nothing is wrong".to_owned(),
        (blobs, verified) if blobs == verified => {
            let blobs = counted(blobs, "blob");
            format!("nothing is wrong; {blobs} verified earlier and not touched since")
        }
        _ => "nothing is wrong that can be seen without hashing (modelkeep verify)".to_owned(),
    })
}

fn told(issue: &Issue, kind: &str, output: &mut Output) -> Outcome {
    let path = issue.path.display().to_string();
    let name = issue.name.as_ref();
    let subject = name.map_or(path, ToString::to_string);
    let (what, advice) = (&issue.what, &issue.advice);
    let lines = [
        String::new(),
        format!("{kind}{subject}"),
        format!("  {what}"),
        format!("  -> {advice}"),
    ];
    output.lines(lines)
}
