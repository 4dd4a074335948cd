//! Verifying, measuring, collecting, repairing.

use std::time::Duration;

use indicatif::DecimalBytes;
use modelkeep::{
    BlobStatus, Finding, GcOptions, ModelUsage, Reference, Report, Store, VerifyOptions,
};

use crate::args::VerifyArgs;
use crate::output::{Failure, Outcome, Output, note, say, table};
use crate::progress::Bar;

fn verified(
    store: &Store,
    names: Vec<Reference>,
    how: &VerifyArgs,
    output: &Output,
) -> Outcome<Report> {
    let bar = Bar::new(!output.json);
    let options = VerifyOptions::default().models(names).gguf(how.gguf);
    let options = options.remember(how.remember);
    Ok(store.verify(&options, &mut |progress| bar.observe(progress))?)
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
        return output.line(report.to_json());
    }
    note(&report.problems);
    for blob in &report.blobs {
        note_unsupported(blob);
    }
    let bad: Vec<&Finding> = report.blobs.iter().filter(|blob| !is_sound(blob)).collect();
    if !bad.is_empty() {
        output.lines(table(
            ["STATUS", "DIGEST", "MODELS", "DETAIL"],
            bad.iter().map(row),
            &[],
        ))?;
    }
    for model in &report.models {
        output.line(format!(
            "broken: {} ({})",
            model.name,
            model.reasons.join("; ")
        ))?;
    }
    let (blobs, bytes) = (report.blobs.len(), DecimalBytes(report.hashed_bytes));
    output.line(format!("{blobs} blobs, {bytes} hashed, {} bad", bad.len()))?;
    let trusted = report.trusted;
    if trusted.blobs == 0 {
        return Ok(());
    }
    let (blobs, bytes) = (trusted.blobs, DecimalBytes(trusted.bytes));
    output.line(format!(
        "{blobs} blobs, {bytes} trusted from an earlier run"
    ))
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
    let fault = blob.gguf.as_ref().and_then(|gguf| gguf.fault.as_ref());
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
    let report = verified(store, names, &VerifyArgs::default(), output)?;
    let repaired = store.repair(&report)?;
    if output.json {
        return output.line(repaired.to_json());
    }
    for moved in &repaired.moved {
        output.line(format!("moved {} to {}", moved.digest, moved.to.display()))?;
    }
    for model in &report.models {
        output.line(format!("pull or import again: {}", model.name))?;
    }
    output.line(format!(
        "damaged blobs moved aside: {}",
        repaired.moved.len()
    ))
}

pub(crate) fn usage(store: &Store, output: &mut Output) -> Outcome {
    let usage = store.usage()?;
    note(&usage.problems);
    if output.json {
        return output.line(usage.to_json());
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
            DecimalBytes(model.exclusive).to_string(),
            DecimalBytes(model.shared).to_string(),
            bar(model, largest),
            if model.missing > 0 {
                format!("{} blobs missing", model.missing)
            } else {
                String::new()
            },
        ]
    };
    let header = ["NAME", "ALONE", "SHARED", "", ""];
    output.lines(table(header, usage.models.iter().map(row), &[1, 2]))?;
    let files = |files: &modelkeep::Files| {
        format!("{} in {} files", DecimalBytes(files.bytes), files.files)
    };
    output.line("")?;
    output.line(format!("used by models  {}", DecimalBytes(usage.used)))?;
    output.line(format!("orphans         {}", files(&usage.orphans)))?;
    output.line(format!("downloads       {}", files(&usage.partials)))?;
    output.line(format!("strangers       {}", files(&usage.strangers)))?;
    output.line(format!("total           {}", DecimalBytes(usage.total)))
}

/// Twenty places for the largest model: what a delete would free is dark, what is shared light.
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
    pub rename_old: bool,
}

pub(crate) fn collect(store: &Store, what: &Gc, output: &mut Output) -> Outcome {
    if what.rename_old {
        let renamed = store.rename_old_blobs()?;
        if !output.json {
            output.line(format!("renamed {} old blobs", renamed.len()))?;
        }
    }
    let options = GcOptions::default().grace(what.grace).dry_run(what.dry_run);
    let collected = store.gc(&options.partials(what.partials))?;
    if output.json {
        return output.line(collected.to_json());
    }
    let verb = if collected.dry_run {
        "would remove"
    } else {
        "removed"
    };
    for digest in &collected.blobs {
        output.line(format!("{verb} {digest}"))?;
    }
    for path in &collected.partials {
        output.line(format!("{verb} {}", path.display()))?;
    }
    let (count, bytes) = (
        collected.blobs.len() + collected.partials.len(),
        DecimalBytes(collected.bytes),
    );
    let young = match collected.young {
        0 => String::new(),
        young => format!("; {young} unused but too young"),
    };
    output.line(format!("{verb} {count} files, {bytes}{young}"))
}

pub(crate) fn doctor(store: &Store, output: &mut Output) -> Outcome {
    let diagnosis = store.doctor()?;
    if !diagnosis.is_ok() {
        output.found_a_problem();
    }
    if output.json {
        return output.line(diagnosis.to_json());
    }
    for root in &diagnosis.roots {
        let state = match (root.opened, root.exists) {
            (true, _) => "opened",
            (false, true) => "exists, not opened",
            (false, false) => "does not exist",
        };
        let path = root.path.display();
        output.line(format!("{path}: {state}, {} manifests", root.manifests))?;
    }
    for complaint in &diagnosis.complaints {
        let name = complaint
            .name
            .as_ref()
            .map_or(complaint.path.display().to_string(), |name| {
                name.to_string()
            });
        output.line("")?;
        output.line(name)?;
        output.line(format!("  {}", complaint.what))?;
        output.line(format!("  -> {}", complaint.advice))?;
    }
    match diagnosis.complaints.len() {
        0 => output.line("nothing is wrong"),
        count => Err(Failure::Other(format!("{count} complaints"))),
    }
}
