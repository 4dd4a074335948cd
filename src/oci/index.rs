//! `index.json`: which models an archive holds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::go::decode::{self, Decode, DecodeError, Event, Reader};
use crate::go::json;
use crate::name::{Digest, ModelName};
use crate::oci::{IMAGE_INDEX, IMAGE_MANIFEST};

/// The annotation with the name of an image.
// annotations.md of the OCI image specification 1.0
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// More models are in no archive: what names more is made to fill the memory.
const MOST_MODELS: usize = 20_000;

/// An index as it was read.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub manifests: Vec<Descriptor>,
}

/// What an index says of one manifest.
#[derive(Debug, Default)]
pub(crate) struct Descriptor {
    media_type: String,
    digest: String,
    size: i64,
    /// The name, where it has one.
    name: String,
}

impl Index {
    /// Returns the index of one manifest without a name.
    pub(crate) fn of_one(digest: &Digest, size: usize) -> Self {
        let manifest = Descriptor {
            digest: digest.to_string(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            ..Descriptor::default()
        };
        Index {
            manifests: vec![manifest],
        }
    }

    /// Reads an index.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where it does not decode or names nothing,
    /// [`Unsupported`](ErrorKind::Unsupported) where it names other indexes.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let mut index = Index::default();
        decode::whole(text, &mut index)
            .map_err(|e| Error::caused(ErrorKind::Corrupt, "decoding index.json", e))?;
        if index.manifests.is_empty() {
            let text = "index.json names no model";
            return Err(Error::new(ErrorKind::Corrupt, text));
        }
        for descriptor in &index.manifests {
            if descriptor.media_type.contains(".index.") || descriptor.media_type.contains(".list.")
            {
                let text = "index.json names another index: an image for several platforms";
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        }
        Ok(index)
    }
}

impl Descriptor {
    /// Returns the digest of the manifest.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) for a malformed one.
    pub(crate) fn digest(&self) -> Result<Digest> {
        Digest::stored(&self.digest)
            .map_err(|e| Error::caused(ErrorKind::Corrupt, "reading index.json", e))
    }

    /// Fails where the index states another size of a manifest than it has.
    pub(crate) fn check_size(&self, size: usize) -> Result<()> {
        if usize::try_from(self.size) == Ok(size) {
            return Ok(());
        }
        let (digest, stated) = (&self.digest, self.size);
        let text = format!("index.json states {stated} bytes of {digest}, which has {size}");
        Err(Error::new(ErrorKind::Corrupt, text))
    }

    /// Returns the model's name.
    ///
    /// # Errors
    /// [`InvalidName`](ErrorKind::InvalidName) where it has none, or a malformed one.
    pub(crate) fn name(&self) -> Result<ModelName> {
        if self.name.is_empty() {
            let text = format!("index.json has no name for {}: give it one", self.digest);
            return Err(Error::new(ErrorKind::InvalidName, text));
        }
        let name = self.name.parse::<ModelName>();
        name.map_err(|e| Error::caused(ErrorKind::InvalidName, "reading index.json", e))
    }
}

impl Decode for Index {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut manifests = Descriptors::default();
        json.fields(first, &mut [("manifests", &mut manifests)])?;
        self.manifests = manifests.0;
        Ok(())
    }
}

/// As many descriptors as there may be.
#[derive(Default)]
struct Descriptors(Vec<Descriptor>);

impl Decode for Descriptors {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        match first {
            Event::Array if self.0.is_empty() => {}
            _ => return Err(DecodeError::new("one array of manifests is needed")),
        }
        loop {
            let first = match json.next()? {
                Event::End => return Ok(()),
                first => first,
            };
            if self.0.len() == MOST_MODELS {
                return Err(DecodeError::new(format!("more than {MOST_MODELS} models")));
            }
            let mut descriptor = Descriptor::default();
            descriptor.decode(first, json)?;
            self.0.push(descriptor);
        }
    }
}

impl Decode for Descriptor {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut name = RefName::default();
        json.fields(
            first,
            &mut [
                ("mediaType", &mut self.media_type),
                ("digest", &mut self.digest),
                ("size", &mut self.size),
                ("annotations", &mut name),
            ],
        )?;
        self.name = name.0;
        Ok(())
    }
}

/// The one annotation that counts.
#[derive(Default)]
struct RefName(String);

impl Decode for RefName {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        json.each_member(first, |key, value, json| match key {
            REF_NAME => self.0.decode(value, json),
            _ => json.skip(value).map(drop),
        })
    }
}

/// An index that is being made: of a new archive, or with more models than it had.
#[derive(Debug)]
pub(crate) struct NewIndex {
    fields: Map<String, Value>,
    manifests: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewDescriptor<'a> {
    media_type: &'static str,
    digest: Digest,
    size: usize,
    annotations: BTreeMap<&'static str, &'a str>,
}

impl NewIndex {
    /// Returns an index that names nothing yet.
    pub(crate) fn new() -> Self {
        let mut fields = Map::new();
        fields.insert("mediaType".to_owned(), IMAGE_INDEX.into());
        fields.insert("schemaVersion".to_owned(), 2.into());
        let manifests = Vec::new();
        NewIndex { fields, manifests }
    }

    /// Returns an index that is there already, with all that it says.
    ///
    /// # Errors
    /// [`Corrupt`](ErrorKind::Corrupt) where it is none.
    pub(crate) fn of(text: &[u8]) -> Result<Self> {
        let corrupt = |e| Error::caused(ErrorKind::Corrupt, "decoding index.json", e);
        let mut fields: Map<String, Value> = serde_json::from_slice(text).map_err(corrupt)?;
        let manifests = match fields.remove("manifests") {
            Some(Value::Array(manifests)) => manifests,
            _ => Vec::new(),
        };
        Ok(NewIndex { fields, manifests })
    }

    /// Names a manifest of so many bytes. Returns false, and changes nothing, where another one has
    /// the name and is not to be replaced.
    pub(crate) fn add(
        &mut self,
        name: &ModelName,
        digest: Digest,
        size: usize,
        replace: bool,
    ) -> bool {
        let name = readable(name);
        let of_the_name = |manifest: &Value| {
            let named = manifest.get("annotations").and_then(|of| of.get(REF_NAME));
            named.and_then(Value::as_str) == Some(&name)
        };
        let is_it = |manifest: &Value| {
            let stated = manifest.get("digest").and_then(Value::as_str);
            stated == Some(&digest.to_string())
        };
        let mut others = self.manifests.iter().filter(|one| of_the_name(one));
        if !replace && others.any(|other| !is_it(other)) {
            return false;
        }
        self.manifests.retain(|manifest| !of_the_name(manifest));
        let new = NewDescriptor {
            media_type: IMAGE_MANIFEST,
            digest,
            size,
            annotations: BTreeMap::from([(REF_NAME, name.as_str())]),
        };
        let new = serde_json::to_value(new);
        self.manifests
            .push(new.expect("texts and numbers are JSON"));
        true
    }

    /// Returns the text of the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut fields = self.fields.clone();
        fields.insert("manifests".to_owned(), self.manifests.clone().into());
        json::to_string(&fields).into_bytes()
    }
}

/// Returns a name as people write it, where that is the same name.
fn readable(name: &ModelName) -> String {
    let short = name.to_string();
    match short.parse::<ModelName>() {
        Ok(read) if read == *name => short,
        _ => name.full(),
    }
}
