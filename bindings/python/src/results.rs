//! The results of copy, delete and import.

use crate::gguf::FileWarning;
use crate::json_base::{each, texts};
use crate::listing::Problem;
use crate::record::record;

record! {
    /// What a copy or a rename did.
    ///
    /// >>> copied = store.copy("llama3.2", "backup")
    /// >>> copied.src, copied.dst, copied.replaced
    /// ('llama3.2:latest', 'backup:latest', False)
    Copied(py, it: modelkeep::Copied) extends JsonBase shows [src, dst, replaced] {
        /// The stored name of the source.
        src => it.from.to_string();
        /// The stored name of the destination.
        dst => it.to.to_string();
        /// Whether a model of that name was replaced. Its blobs stay until they are collected.
        replaced => it.replaced;
    }
}

record! {
    /// What a delete did.
    ///
    /// >>> deleted = store.delete("llama3.2")
    /// >>> deleted.models, len(deleted.blobs), deleted.shared
    /// (['llama3.2:latest'], 7, [])
    Deleted(py, it: modelkeep::Deleted) extends JsonBase shows [models, blobs, bytes] {
        /// The models that are gone, or, with `dry_run`, would be.
        models => texts(&it.models);
        /// The digests of the blobs that went with them.
        blobs => texts(&it.blobs);
        /// The bytes on the disk that became free.
        bytes => it.bytes;
        /// The digests of blobs that somebody began to use meanwhile, and which were put back.
        restored => texts(&it.restored);
        /// Blobs of the models that other models use: why less became free than the models took.
        shared => each(py, &it.shared, |blob| SharedBlob::from(blob.clone()))?;
        /// Names that were aliases: only the link went, and the model stays.
        aliases => each(py, &it.aliases, |alias| Alias::from(alias.clone()))?;
        /// Why blobs were kept: manifests that cannot be read may use any of them, or another
        /// program has one open.
        kept => each(py, &it.kept, |problem| Problem::from(problem.clone()))?;
        /// From which store each model is gone, in a view of several, as a list of `DeletedFrom`.
        stores => each(py, &it.stores, |from| DeletedFrom::from(from.clone()))?;
    }
}

record! {
    /// From which of several stores a model was deleted.
    ///
    /// >>> view = modelkeep.Store([store.root, "/usr/share"])
    /// >>> view.delete("llama3.2", dry_run=True).stores[0].store == store.root
    /// True
    DeletedFrom(py, it: modelkeep::DeletedFrom) shows [name, store] {
        /// The model.
        name => it.name.to_string();
        /// The directory of its store.
        store => it.store.clone();
        /// The directory of the store whose model has that name now; `None` where there is none.
        shown_from => it.shown_from.clone();
    }
}

record! {
    /// A blob that stays because other models use it.
    ///
    /// >>> _ = store.copy("llama3.2", "backup")
    /// >>> [blob.models for blob in store.delete("backup").shared][0]
    /// ['llama3.2:latest']
    SharedBlob(py, it: modelkeep::SharedBlob) shows [digest, bytes, models] {
        /// The blob's digest.
        digest => it.digest.to_string();
        /// Its bytes on the disk.
        bytes => it.bytes;
        /// The models that use it.
        models => texts(&it.models);
    }
}

record! {
    /// A name behind a link to a directory, where the same manifests have another name as well.
    ///
    /// >>> for alias in store.delete("llama3.2", dry_run=True).aliases:
    /// ...     print(alias.name, "is", alias.model)
    Alias(py, it: modelkeep::Alias) shows [name, link, model] {
        /// The name.
        name => it.name.to_string();
        /// The link.
        link => it.link.clone();
        /// The model that the name leads to.
        model => it.model.to_string();
    }
}

record! {
    /// What an import made.
    ///
    /// >>> imported = store.import_gguf("llama3.2.gguf", "other")
    /// >>> imported.name, imported.bytes, imported.ignored, imported.warnings
    /// ('other:latest', 736, [], [])
    Imported(py, it: modelkeep::Imported) extends JsonBase shows [name, digest, bytes] {
        /// The name under which the model is stored.
        name => it.name.to_string();
        /// The digest of the weights.
        digest => it.digest.to_string();
        /// The bytes of the weights.
        bytes => it.bytes;
        /// Whether a model of that name was replaced.
        replaced => it.replaced;
        /// The parameters that say nothing any more, and were left out.
        ignored => it.ignored.clone();
        /// What is unusual in the files, and may be refused elsewhere, as a list of `FileWarning`.
        warnings => each(py, &it.warnings, |warning| FileWarning::from(warning.clone()))?;
    }
}
