//! What a delete would do, without doing it.

use std::collections::{BTreeSet, HashSet};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::system::stat::Stat;
use crate::name::{Digest, ModelName, Reference};
use crate::store::handle::Store;
use crate::store::live::LiveBlobs;
use crate::store::outgoing;
use crate::store::problem::Problem;

use super::{Deleted, digests_of};

impl Store {
    pub(super) fn plan_delete(&self, references: Vec<Reference>) -> Result<Deleted> {
        let mut deleted = Deleted {
            dry_run: true,
            ..Deleted::default()
        };
        let mut digests = HashSet::new();
        for (_, name) in self.find_to_delete(references, &mut deleted)? {
            match self.alias(&name) {
                Some(alias) => deleted.aliases.push(alias),
                None => digests.extend(digests_of(&self.layout().manifest(&name))),
            }
            deleted.models.push(name);
        }
        if digests.is_empty() {
            return Ok(deleted);
        }
        let live = LiveBlobs::scan_besides(self, &deleted.models, &digests)?;
        let mut digests: Vec<Digest> = digests.into_iter().collect();
        digests.sort();
        deleted.kept = self.left_hanging(&digests, &live, &deleted.models);
        deleted.kept.extend_from_slice(live.problems());
        if deleted.kept.is_empty() {
            self.plan_blobs(&digests, &live, &mut deleted);
        }
        Ok(deleted)
    }

    /// Says which blobs would go: those that nobody else uses, and what lies in the trash.
    fn plan_blobs(&self, digests: &[Digest], live: &LiveBlobs, deleted: &mut Deleted) {
        let (used, unused): (Vec<_>, Vec<_>) = digests.iter().partition(|it| live.contains(it));
        let shared = used.into_iter();
        let shared = shared.filter_map(|it| self.shared_blob(it, live));
        deleted.shared.extend(shared);
        let layout = self.layout();
        let mut going: Vec<(Digest, Stat)> = Vec::new();
        for digest in unused {
            let homes = [layout.new_blob(digest), layout.old_blob(digest)];
            let stats = homes.iter().filter_map(|home| Stat::of_entry(home).ok());
            going.extend(stats.map(|stat| (*digest, stat)));
        }
        let trashed = outgoing::unused_trash(self, live).into_iter();
        going.extend(trashed.map(|(digest, file)| (digest, file.stat)));
        deleted.bytes = outgoing::freed_together(going.iter().map(|(_, stat)| stat));
        deleted.blobs = going.into_iter().map(|(digest, _)| digest).collect();
        deleted.blobs.sort();
        deleted.blobs.dedup();
    }

    /// Returns the aliases that would lead nowhere without some models: that keeps every blob.
    fn left_hanging(
        &self,
        digests: &[Digest],
        live: &LiveBlobs,
        gone: &[ModelName],
    ) -> Vec<Problem> {
        let users: BTreeSet<_> = digests.iter().flat_map(|it| live.users(it)).collect();
        let aliases = users.into_iter().filter_map(|user| self.alias(user));
        let hanging = aliases.filter(|alias| gone.contains(&alias.model));
        hanging
            .map(|alias| {
                let text = format!("model '{}' is an alias of '{}'", alias.name, alias.model);
                let error = Error::new(ErrorKind::Corrupt, text);
                Problem::new(&alias.link, Some(&alias.name), error)
            })
            .collect()
    }
}
