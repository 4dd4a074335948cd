//! A model of another one whose metadata are edited.

use crate::error::{Error, ErrorKind, Result};
use crate::fs::gguf_edit::EditSource;
use crate::fs::staged::{Place, Staged};
use crate::gguf::{Editor, Fit, Index, Limits};
use crate::manifest::MediaType;
use crate::name::{ModelName, Reference, convert};
use crate::store::blobs::{NewBlob, hash};
use crate::store::edit::EditOptions;
use crate::store::handle::Store;
use crate::store::import::part::{Bytes, Facts, Part};
use crate::store::import::plan::{ImportPlan, Origin};
use crate::store::import::{FileWarning, ImportOptions, Imported};
use crate::store::model::Model;

/// What is to be edited, and how.
pub(super) struct Edit {
    pub model: Reference,
    pub editor: Editor,
    pub options: EditOptions,
}

impl Store {
    /// Makes a model of another one with edited metadata: the GGUF file is written anew, as by
    /// [`Editor::edit_file`], and hashed; the template, the parameters, the licenses and all other
    /// layers are used once more. The model that is edited stays as it is, unless `to` is its name,
    /// which takes [`replace`](EditOptions::replace).
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// use modelkeep::EditOptions;
    /// use modelkeep::gguf::Editor;
    ///
    /// let mut editor = Editor::new();
    /// editor.set("tokenizer.chat_template", "{{ messages }}");
    /// store.edit("tiny", "tiny:edited", &editor, &EditOptions::new())?;
    ///
    /// let edited = store.model("tiny:edited")?;
    /// assert_eq!(edited.gguf()?.view().chat_template(), Some("{{ messages }}"));
    /// assert_eq!(edited.system()?.as_deref(), Some("Be brief."));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Editor::edit_file`] and [`import`](Self::import); [`NotFound`](ErrorKind::NotFound) for
    /// a model that is missing or has no GGUF file, and [`Unsupported`](ErrorKind::Unsupported) for
    /// one whose weights are in several.
    pub fn edit(
        &self,
        model: impl TryInto<Reference, Error: Into<Error>>,
        to: impl TryInto<ModelName, Error: Into<Error>>,
        editor: &Editor,
        options: &EditOptions,
    ) -> Result<Imported> {
        let (model, to) = (convert::name(model)?, convert::name(to)?);
        let store = self.holder(&model)?;
        if self.is_several() {
            self.must_show(&store, &to)?;
        }
        let edit = Edit {
            model,
            editor: editor.clone(),
            options: options.clone(),
        };
        let with = ImportOptions::new().replace(options.replace);
        let plan = ImportPlan {
            weights: Origin::Edited(Box::new(edit)),
            opened: None,
            drafts: Vec::new(),
            with,
        };
        store.make(&to, plan)
    }

    /// Puts the edited file in the place of the weights.
    pub(super) fn edit_weights(
        &self,
        model: &Model,
        parts: &mut [Part],
        edit: &Edit,
    ) -> Result<()> {
        let mut weights = parts.iter_mut();
        let mut weights = weights
            .by_ref()
            .filter(|part| part.media == MediaType::Model);
        let (Some(part), others) = (weights.next(), weights.count()) else {
            let text = format!("model '{}' has no GGUF file", model.name());
            return Err(Error::new(ErrorKind::NotFound, text));
        };
        if others > 0 {
            let (name, files) = (model.name(), others + 1);
            let text = format!("the weights of model '{name}' are in {files} files, not in one");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let (path, file) = part.bytes.open(self)?;
        let source = EditSource::of(file, &path)?;
        let (bytes, facts, warnings) = self.stage_edited(&source, edit)?;
        let warnings = warnings.into_iter().map(|warning| FileWarning {
            file: path.clone(),
            warning,
        });
        part.warnings = warnings.collect();
        (part.bytes, part.facts) = (bytes, Some(facts));
        // These bytes are no longer those of that model.
        part.forget_source();
        Ok(())
    }

    fn stage_edited(
        &self,
        source: &EditSource,
        edit: &Edit,
    ) -> Result<(Bytes, Facts, Vec<crate::gguf::Warning>)> {
        let Edit {
            editor, options, ..
        } = edit;
        let header = source.header(editor, Fit::Tight)?;
        let mut staged = Staged::new(self.layout(), Place::Blobs, self.options().durability)?;
        let plan = source.plan(editor, header, &staged, options.padding)?;
        let header = &plan.header;
        // Written, and then read once more to be hashed.
        let mut work = self.begin_file(header.file_size.saturating_mul(2));
        source.write(&plan, &mut staged, &mut |bytes| work.advance(bytes))?;
        let mut file = staged.reopened()?;
        let blob = hash(&mut file, staged.path(), |piece| {
            work.advance(piece.len() as u64)
        })?;
        work.finish();
        let index = Index::parse(&header.bytes, header.file_size, &Limits::strict())?;
        let facts = Facts::of(index.view(&header.bytes));
        let bytes = Bytes::Staged(NewBlob::new(staged, blob));
        Ok((bytes, facts, header.warnings.clone()))
    }
}
