//! Verifying, collecting, repairing.

use std::time::Duration;

use clap::Args as Group;

use modelkeep::{
    BlobStatus, Digest, Finding, GcOptions, Issue, LocationState, ModelName, Reference, Report,
    Store, StoreOptions, VerifyOptions, human_size,
};

use crate::output::{Failure, Outcome, Output, counted, note, say};
use crate::progress::{Bar, watched};
use crate::table::{Fitting, few};

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
    let mut bar = Bar::new(!output.json)?;
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
    if let Some(error) = &report.cache_error {
        say(format_args!(
            "note: later runs hash everything again: {error}"
        ));
    }
    let bad: Vec<&Finding> = report.blobs.iter().filter(|blob| !is_sound(blob)).collect();
    if !bad.is_empty() {
        let fitting = Fitting {
            header: &["STATUS", "DIGEST", "MODELS", "DETAIL"],
            numbers: &[],
            shrinking: &[3, 2],
        };
        let rows = bad.iter().map(|blob| row(blob, output)).collect();
        output.table(fitting.lines(rows, output.width()))?;
    }
    for model in &report.models {
        let reasons = output.brief(&model.reasons.join("; "));
        let line = format!("broken: {} ({reasons})", model.name);
        match output.fits(&line) {
            true => output.line(line)?,
            false => output.lines([format!("broken: {}", model.name), format!("  {reasons}")])?,
        }
    }
    let cached = report.cached;
    if cached.blobs > 0 {
        let (blobs, bytes) = (counted(cached.blobs, "blob"), human_size(cached.bytes));
        output.line(format!("{blobs}, {bytes} cached by an earlier run"))?;
    }
    let blobs = counted(report.blobs.len(), "blob");
    let (bytes, bad) = (human_size(report.hashed_bytes), bad.len());
    output.line(format!(
        "{blobs}, {bytes} hashed, {bad} bad{}",
        advice(&report)
    ))
}

/// Returns what to do with what is bad, where something can be done here.
fn advice(report: &Report) -> &'static str {
    let is_damaged =
        |blob: &Finding| matches!(blob.status, BlobStatus::WrongDigest | BlobStatus::WrongSize);
    match report.blobs.iter().any(is_damaged) {
        true => " (`modelkeep repair` moves damaged ones aside)",
        false if !report.models.is_empty() => " (`modelkeep doctor` says what to do)",
        false => "",
    }
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

fn row(blob: &Finding, output: &Output) -> Vec<String> {
    let fault = blob.gguf.as_ref().and_then(|gguf| gguf.error.as_ref());
    let detail = fault.map_or(blob.detail.clone(), ToString::to_string);
    let status = match blob.status {
        BlobStatus::Ok => "bad gguf",
        status => status.as_str(),
    };
    vec![
        status.replace('_', " "),
        output.brief(&blob.digest.to_string()),
        few(&blob.models),
        output.brief(&detail),
    ]
}

pub(crate) fn repair(store: &Store, names: Vec<Reference>, output: &mut Output) -> Outcome {
    let report = verified(store, names.clone(), &VerifyArgs::default(), output)?;
    let repaired = watched(store, !output.json, |store| store.repair(&report))?;
    let is_as_found =
        repaired.renamed.is_empty() && repaired.restored.is_empty() && repaired.changed.is_empty();
    let report = match is_as_found {
        true => report,
        // What was under another name or in the trash is there, and what has changed may be good.
        false => verified(store, names, &VerifyArgs::default(), output)?,
    };
    if !report.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(repaired.to_json()?);
    }
    for moved in &repaired.quarantined {
        let digest = output.brief(&moved.digest.to_string());
        let to = moved.to.parent().unwrap_or(&moved.to);
        output.line(format!("moved {digest} to {}", to.display()))?;
    }
    for moved in &repaired.renamed {
        output.line(format!("renamed to {}", moved.to.display()))?;
    }
    for digest in &repaired.changed {
        output.line(format!(
            "left alone: {digest}, which has changed since it was verified"
        ))?;
    }
    for digest in &repaired.restored {
        output.line(format!("put back {digest}, which is in use"))?;
    }
    if !repaired.quarantined.is_empty() {
        output.line("the damaged bytes are kept until `modelkeep gc --quarantine`")?;
    }
    for model in &report.models {
        let what = match is_only_unread(&report, &model.name) {
            true => "could not be read",
            false => "pull or import again",
        };
        output.line(format!("{what}: {}", model.name))?;
    }
    let (moved, broken) = (repaired.quarantined.len(), report.models.len());
    output.line(format!(
        "{} moved aside, {} broken",
        counted(moved, "damaged blob"),
        counted(broken, "model")
    ))
}

/// Returns whether all that is bad about the blobs of a model is that they could not be read: they
/// may be as good as ever, and a download would help nobody.
fn is_only_unread(report: &Report, name: &ModelName) -> bool {
    let bad = report.blobs.iter().filter(|blob| !is_sound(blob));
    let mut bad = bad.filter(|blob| blob.models.contains(name)).peekable();
    bad.peek().is_some() && bad.all(|blob| blob.status == BlobStatus::Unreadable)
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
        let digest = output.brief(&digest.to_string());
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
        young => format!(
            "; {} younger than the grace period (--grace 0s takes them, too)",
            counted(young, "unused file")
        ),
    };
    let files = counted(count, "file");
    output.line(format!("{verb} {files}, {bytes}{young}"))
}

/// Says which blobs went home.
pub(crate) fn restored(blobs: &[Digest], output: &mut Output) -> Outcome {
    blobs.iter().try_for_each(|digest| {
        let digest = output.brief(&digest.to_string());
        output.line(format!("put back {digest}, which is in use"))
    })
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
    let (what, advice) = (output.brief(&issue.what), &issue.advice);
    let lines = [
        String::new(),
        format!("{kind}{subject}"),
        format!("  {what}"),
        format!("  -> {advice}"),
    ];
    output.lines(lines)
}
