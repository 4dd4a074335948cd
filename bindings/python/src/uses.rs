//! The classes of `which`.

use crate::json_base::each;
use crate::listing::Problem;
use crate::record::{reads_like_its_list, record};

record! {
    /// The models that a digest, an ID or a file belongs to. Reads like a list of `Use`.
    ///
    /// >>> [(use.name, use.kind) for use in store.which(store.path("llama3.2"))]
    /// [('llama3.2:latest', 'model')]
    Uses(py, it: modelkeep::Uses) extends JsonBase shows [uses, problems] {
        /// What of which model it is, by name and then in the manifest's order, as a list of `Use`.
        uses => each(py, &it.uses, |part| Use::from(part.clone()))?;
        /// Manifests that cannot be read, and may name it, as a list of `Problem`.
        problems => each(py, &it.problems, |problem| Problem::from(problem.clone()))?;
    }
}

reads_like_its_list!(Uses: uses);

record! {
    /// A part of a model.
    ///
    /// >>> store.which(store["llama3.2"].digest[:12])[0].kind
    /// 'manifest'
    Use(py, it: modelkeep::Use) shows [name, kind, digest] {
        /// The model.
        name => it.name.to_string();
        /// `manifest`, or what the layer holds: `model`, `projector`, `template`, `config`, ...
        kind => it.kind.clone();
        /// The digest: of the layer's blob, or of the manifest as a list has it.
        digest => it.digest.clone();
    }
}
