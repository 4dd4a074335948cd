//! What a call may change, and what it must answer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::call::Call;
use crate::drive::Outcome;
use crate::oracle::disk::{Entry, Kind};
use crate::oracle::name::Name;
use crate::oracle::view::{View, hex_in};

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of it; two findings of one kind are taken for one.
    pub kind: String,
    pub text: String,
}

impl Finding {
    pub fn new(kind: impl Into<String>, text: impl Into<String>) -> Self {
        Finding {
            kind: kind.into(),
            text: text.into(),
        }
    }
}

/// A call between two looks at the disk, while nobody else changes it.
pub struct Change<'a> {
    pub call: &'a Call,
    pub outcome: &'a Outcome,
    pub before: &'a View,
    pub after: &'a View,
}

impl Change<'_> {
    /// Returns all that is wrong.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = sentinels(self.before, self.after);
        if self.call.is_foreign() {
            return findings;
        }
        if !self.before.is_there {
            findings.extend(self.absent());
            return findings;
        }
        if !self.call.is_change() {
            findings.extend(self.unchanged());
        }
        findings.extend(self.blobs());
        findings.extend(self.other_files());
        findings.extend(self.manifests());
        findings.extend(self.acknowledged());
        findings
    }

    fn finding(&self, kind: &str, text: impl Into<String>) -> Finding {
        Finding::new(format!("{kind} by {}", self.call.word()), text)
    }

    /// A store that is away is no empty one.
    fn absent(&self) -> Option<Finding> {
        let answers = self.outcome.is_ok() && !matches!(self.call, Call::Doctor | Call::Open(_));
        answers.then(|| self.finding("a store that is away looks empty", ""))
    }

    /// A call that only reads changes nothing but the record of verifications, which lies beside the
    /// blobs: those of the store, or of the second one whose blobs it shares.
    fn unchanged(&self) -> Vec<Finding> {
        let verifies = self.call.word().starts_with("verify");
        let is_ours = |path: &Path| {
            let of_root = |root: &str| {
                path == Path::new(root) || path.starts_with(Path::new(root).join(".modelkeep"))
            };
            verifies
                && ["store", "elsewhere/second", "other/second"]
                    .iter()
                    .any(|it| of_root(it))
        };
        let changed = differences(self.before, self.after, |path, before, after| {
            (!is_ours(path) && before != after).then(|| path.display().to_string())
        });
        let finding = |path| self.finding("a reading call changed a file", path);
        changed.into_iter().map(finding).collect()
    }

    /// No good blob goes that is in use, or that the call may not take; what is in use is not left
    /// on its way out.
    fn blobs(&self) -> Vec<Finding> {
        let gone = self.before.present();
        let gone = gone.difference(&self.after.good);
        gone.filter_map(|hex| self.gone(hex)).collect()
    }

    fn gone(&self, hex: &str) -> Option<Finding> {
        let is_trashed = self.after.trashed.contains(hex);
        let is_done = self.outcome.is_ok() && self.call.is_change() && !self.found_nothing();
        let used = self.after.used();
        match (used.get(hex), is_trashed) {
            (Some(_), true) if !is_done || self.after.is_shut => None,
            (Some(user), _) => {
                let peculiarity = user.peculiarity(hex);
                let became = if is_trashed {
                    "left in the trash"
                } else {
                    "lost"
                };
                let kind = format!("a blob in use{peculiarity} was {became}");
                Some(self.finding(&kind, format!("{hex}: {}", user.below.display())))
            }
            (None, true) => None,
            (None, false) => {
                let why = self.may_take(hex).err()?;
                Some(self.finding(&format!("a blob was taken {why}"), self.explain(hex)))
            }
        }
    }

    /// Whether several models were to be deleted, none of which is there: then nothing begins.
    fn found_nothing(&self) -> bool {
        matches!(self.call, Call::Remove(_))
            && matches!(self.outcome, Outcome::Answered { text, .. } if text.contains("\"models\":[]"))
    }

    fn explain(&self, hex: &str) -> String {
        format!("{hex}; {}", self.after.block_text())
    }

    /// Whether the call may take a blob that no manifest names now, or why not.
    fn may_take(&self, hex: &str) -> Result<(), String> {
        let was_trashed = self.before.trashed.contains(hex);
        if let Some(block) = self.after.blocks.first() {
            return Err(format!("beside {}", block.why));
        }
        self.may_take_unused(hex, was_trashed)
            .map_err(str::to_owned)
    }

    fn may_take_unused(&self, hex: &str, was_trashed: bool) -> Result<(), &'static str> {
        match self.call {
            Call::Collect(options) if options.grace > 0 && !was_trashed => Err("within the grace"),
            Call::Collect(options) if options.dry_run => Err("in a dry run"),
            Call::Collect(options)
                if !options.all && !was_trashed && self.before.manifests.is_empty() =>
            {
                Err("without any manifest")
            }
            Call::Collect(_) => Ok(()),
            Call::Maintain if !was_trashed => Err("within the grace"),
            Call::Remove(_) if was_trashed || self.was_named(hex) => Ok(()),
            Call::Remove(_) => Err("that the model did not name"),
            call if call.is_change() && was_trashed => Ok(()),
            _ => Err("by a call that removes nothing"),
        }
    }

    /// Whether a manifest that is gone now named a blob.
    fn was_named(&self, hex: &str) -> bool {
        let gone = |below: &Path| {
            self.after
                .manifests
                .iter()
                .all(|other| other.below != below)
        };
        let before = &self.before;
        let mut manifests = before.manifests.iter().chain(&before.hidden);
        manifests.any(|manifest| gone(&manifest.below) && manifest.reading.named.contains(hex))
    }

    /// What is no good blob stays in `blobs`, unless the call may take it.
    fn other_files(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, digest) in &self.before.files {
            let hex = hex_in(name);
            let is_good = hex.as_ref() == Some(digest);
            let stays = self.after.files.get(name) == Some(digest);
            let moved = self.after.quarantined.contains(digest) || self.after.good.contains(digest);
            if is_good || stays || moved {
                continue;
            }
            if let Err(why) = self.may_take_other(name, hex.as_deref()) {
                findings.push(self.finding(&format!("a file in blobs was taken {why}"), name));
            }
        }
        findings
    }

    fn may_take_other(&self, name: &str, hex: Option<&str>) -> Result<(), String> {
        let may = match (self.call, hex) {
            (Call::Collect(options), None) => {
                options.grace == 0 && options.partials && name.starts_with("sha256-")
            }
            (Call::Remove(removed), None) => {
                let manifests = self.before.manifests.iter();
                let mut among =
                    manifests.filter(|it| it.is_among_blobs && it.below.ends_with(name));
                among.any(|it| removed.iter().any(|name| Name::of(name).is_at(&it.below)))
            }
            (Call::Import(_) | Call::AddBlob { .. }, Some(hex)) => self.after.good.contains(hex),
            // It was set aside for the good one, which came home from the trash.
            (Call::Collect(options), Some(hex)) if options.quarantine && self.has_good(hex) => true,
            (Call::RenameOld | Call::Maintain, Some(hex)) => {
                self.after.good.contains(hex) || (name.contains(':') && self.has(hex))
            }
            (_, Some(hex)) if self.after.used().contains_key(hex) => {
                return Err("though a manifest names it".to_owned());
            }
            (_, Some(hex)) => return self.may_take(hex),
            _ => false,
        };
        may.then_some(())
            .ok_or_else(|| "though it may not".to_owned())
    }

    /// Whether a good blob came home from the trash.
    fn has_good(&self, hex: &str) -> bool {
        !self.before.good.contains(hex) && self.after.good.contains(hex)
    }

    /// Whether a digest has a blob under its present name.
    fn has(&self, hex: &str) -> bool {
        self.after.files.contains_key(&format!("sha256-{hex}"))
    }

    /// Only what the call names is changed among the manifests, and never through a link.
    fn manifests(&self) -> Vec<Finding> {
        if matches!(self.outcome, Outcome::Killed) {
            return Vec::new();
        }
        let targets: Vec<Name> = self.call.targets().into_iter().map(Name::of).collect();
        let wrong = |path: &Path, before: Option<&Entry>, after: Option<&Entry>| {
            let below = path.strip_prefix("store/manifests").ok()?;
            let kind = |entry: Option<&Entry>| entry.map(|entry| entry.kind.clone());
            let (was, is) = (kind(before), kind(after));
            let allowed = match (&was, &is) {
                (None | Some(Kind::Directory), None | Some(Kind::Directory)) => true,
                // A new name behind a link of a directory is made where that leads; what lies there
                // at another depth than manifests do is no model.
                (was, _) if was.is_none() || below.components().count() != 4 => targets
                    .iter()
                    .any(|name| name.is_at(below) || self.is_linked(name)),
                (Some(Kind::Link(_)), _) => targets.iter().any(|name| name.is_below(below)),
                _ => targets.iter().any(|name| name.is_at(below)),
            };
            (was != is && !allowed).then(|| format!("{}: {was:?} -> {is:?}", path.display()))
        };
        let changed = differences(self.before, self.after, wrong);
        let finding = |text| self.finding("a manifest of another name was changed", text);
        changed.into_iter().map(finding).collect()
    }

    /// Whether a directory of a name is a link.
    fn is_linked(&self, name: &Name) -> bool {
        let links = self.before.disk.below("store/manifests");
        let mut links = links.filter(|(_, entry)| matches!(entry.kind, Kind::Link(_)));
        links.any(|(path, _)| {
            path.strip_prefix("store/manifests")
                .is_ok_and(|below| name.is_below(below))
        })
    }

    /// What was acknowledged is there.
    fn acknowledged(&self) -> Vec<Finding> {
        let Outcome::Answered { ok: true, text, .. } = self.outcome else {
            return Vec::new();
        };
        match self.call {
            Call::Copy(from, _) => self.copied(from, text),
            Call::Import(_) => self.imported(text),
            Call::Remove(names) => names.iter().filter_map(|name| self.removed(name)).collect(),
            _ => Vec::new(),
        }
    }

    fn copied(&self, from: &str, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        if text.starts_with("unlisted") && self.after.blocks.is_empty() {
            findings.push(self.finding("a copy is not listed", text));
        }
        let from = Name::of(from);
        let source = |(path, _): &(&PathBuf, &Entry)| {
            path.strip_prefix("store/manifests")
                .is_ok_and(|below| from.is_at(below))
        };
        let mut sources = self.before.disk.below("store/manifests").filter(source);
        let copy = self.after.disk.entries.get(&stored(text));
        let is_copy = |entry: &Entry| match &entry.kind {
            Kind::File(_) => copy.is_some_and(|copy| copy.kind == entry.kind),
            _ => copy.is_some(),
        };
        // What lies behind a link of a directory has another path on the disk.
        let seen = sources.clone().count() > 0 && copy.is_some() && !self.is_linked(&from);
        if seen && !sources.any(|(_, entry)| is_copy(entry)) {
            findings.push(self.finding("a copy that was acknowledged is another", text));
        }
        findings
    }

    fn imported(&self, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let from_model = self.call.to_string().contains(" model:");
        // A stored model may have parts of which no list makes a model.
        let is_known = from_model && text.starts_with("problem");
        // What cannot be read cannot be listed.
        let is_hidden = !self.after.blocks.is_empty();
        if !(text.starts_with("listed") || is_known || is_hidden) {
            findings.push(self.finding("an import is not listed", text));
        }
        let path = stored(text);
        let below = path.strip_prefix("store/manifests").unwrap_or(&path);
        let manifest = self
            .after
            .manifests
            .iter()
            .find(|manifest| manifest.below == below);
        match manifest {
            None if is_hidden => {}
            None => findings.push(self.finding("an import that was acknowledged is missing", text)),
            Some(manifest) => {
                let lacks: BTreeSet<_> = manifest
                    .reading
                    .named
                    .difference(&self.after.good)
                    .collect();
                if !lacks.is_empty() && !from_model {
                    findings.push(self.finding("an import lacks blobs", format!("{lacks:?}")));
                }
            }
        }
        findings
    }

    fn removed(&self, name: &str) -> Option<Finding> {
        let name = Name::of(name);
        let path = name.under(Path::new("store/manifests"));
        let exact = self.after.disk.entries.contains_key(&path);
        let several = self.call.targets().len() > 1;
        let finding = self.finding(
            "a model that was removed is there",
            path.display().to_string(),
        );
        (exact && !several).then_some(finding)
    }
}

/// The path of a stored name at the end of an answer.
fn stored(text: &str) -> PathBuf {
    let name = text.split(' ').nth(1).unwrap_or_default();
    Path::new("store/manifests").join(name)
}

/// Nothing is touched that is not the store's.
pub fn sentinels(before: &View, after: &View) -> Vec<Finding> {
    let changed = differences(before, after, |path, before, after| {
        let outside = path.starts_with("sentinel");
        (outside && before != after).then(|| path.display().to_string())
    });
    let finding = |path| Finding::new("a file outside the store was touched", path);
    changed.into_iter().map(finding).collect()
}

/// Returns what `wrong` says of each path where it says something.
fn differences(
    before: &View,
    after: &View,
    wrong: impl Fn(&Path, Option<&Entry>, Option<&Entry>) -> Option<String>,
) -> Vec<String> {
    let (before, after) = (&before.disk.entries, &after.disk.entries);
    let paths: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    let look = |path: &&PathBuf| wrong(path, before.get(*path), after.get(*path));
    paths.iter().filter_map(look).collect()
}
