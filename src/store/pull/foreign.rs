//! Artifacts of other tools that hold the weights of a model as they are.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Manifest;
use crate::name::{Digest, ModelName};
use crate::oci;
use crate::registry::{Registry, RemoteManifest};
use crate::store::handle::Store;
use crate::store::import::ImportOptions;
use crate::store::upstream::Flights;

use super::{PullOptions, Pulled};

/// Where tools write the name that a layer had as a file.
// annotations.md of the OCI image specification; ModelPack specification, annotations.go
const FILE_NAMES: [&str; 3] = [
    "org.opencontainers.image.title",
    "org.cncf.model.filepath",
    "org.cnai.model.filepath",
];

/// What it takes to be a model's layer of Ollama's own.
const OLLAMAS: &str = "application/vnd.ollama.image.";

/// The media types of weights that are one file as it is, without the end that says which form.
// docker/model-distribution, types/config.go; ModelPack specification, mediatype.go
const RAW_WEIGHTS: [&str; 2] = [
    "application/vnd.cncf.model.weight.",
    "application/vnd.cnai.model.",
];

/// A license is a text for people.
const LONGEST_LICENSE: u64 = 1 << 20;

/// The layers of an artifact from which a model can be made.
#[derive(Debug)]
pub(super) struct Artifact {
    weights: (Digest, u64),
    projectors: Vec<(Digest, u64)>,
    licenses: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    #[serde(default)]
    artifact_type: String,
    #[serde(default)]
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// What a layer is for a model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Weights,
    Projector,
    License,
    /// In an archive, or compressed.
    Packed,
    Other,
}

impl Descriptor {
    fn file_name(&self) -> &str {
        let found = FILE_NAMES.iter().find_map(|key| self.annotations.get(*key));
        let path = found.map(String::as_str).unwrap_or_default();
        path.rsplit('/').next().unwrap_or(path)
    }

    fn kind(&self) -> Kind {
        let (media, name) = (
            self.media_type.to_ascii_lowercase(),
            self.file_name().to_ascii_lowercase(),
        );
        let is_packed = ["tar", "gzip", "zstd"]
            .iter()
            .any(|part| media.contains(part));
        let is_raw_weights = RAW_WEIGHTS.iter().any(|start| media.starts_with(start))
            && media.contains("weight")
            && !media.contains("config");
        let is_gguf = media.contains("gguf") || name.ends_with(".gguf");
        if media.ends_with("license") || name.starts_with("license") {
            return if is_packed {
                Kind::Other
            } else {
                Kind::License
            };
        }
        if media.contains("mmproj") || (is_gguf && name.contains("mmproj")) {
            return if is_packed {
                Kind::Packed
            } else {
                Kind::Projector
            };
        }
        match (is_gguf || is_raw_weights, is_packed) {
            (true, false) => Kind::Weights,
            (true, true) => Kind::Packed,
            (false, true) if media.contains("model") => Kind::Packed,
            _ => Kind::Other,
        }
    }

    fn blob(&self) -> Result<(Digest, u64)> {
        Ok((Digest::stored(&self.digest)?, self.size))
    }
}

impl Artifact {
    /// Reads a manifest; `None` where it is that of an Ollama model, or may be.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where it is that of something else: which, is in the
    /// text.
    pub(super) fn of(manifest: &[u8]) -> Result<Option<Self>> {
        let Ok(text) = serde_json::from_slice::<Text>(manifest) else {
            return Ok(None);
        };
        let is_ollamas = text
            .layers
            .iter()
            .any(|it| it.media_type.starts_with(OLLAMAS));
        let wraps = Manifest::parse(manifest).is_ok_and(|it| oci::manifest_layer(&it).is_some());
        if is_ollamas || wraps || text.layers.is_empty() {
            return Ok(None);
        }
        let of = |kind: Kind| text.layers.iter().filter(move |layer| layer.kind() == kind);
        let refused = |what: String| Err(Error::new(ErrorKind::Unsupported, what));
        let what = match (text.artifact_type.as_str(), text.config.media_type.as_str()) {
            ("", "") => "something of no type",
            ("", config) => config,
            (artifact, _) => artifact,
        };
        let mut weights = of(Kind::Weights);
        match (weights.next(), weights.count()) {
            (Some(one), 0) => Ok(Some(Artifact {
                weights: one.blob()?,
                projectors: of(Kind::Projector)
                    .map(Descriptor::blob)
                    .collect::<Result<_>>()?,
                licenses: of(Kind::License)
                    .filter(|layer| layer.size <= LONGEST_LICENSE)
                    .map(|layer| Ok(layer.blob()?.0))
                    .collect::<Result<_>>()?,
            })),
            (Some(_), more) => refused(format!(
                "it is an artifact of {} files of weights ({what}): a model is made of one GGUF file",
                more + 1
            )),
            (None, _) if of(Kind::Packed).next().is_some() => refused(format!(
                "it is an artifact whose files are packed ({what}): unpack it with the tool that \
                 made it, and import the GGUF file"
            )),
            (None, _) => refused(format!("it is no model, but {what}")),
        }
    }
}

/// Returns the digest of the one manifest of a list that may be a model's; `None` for what is no list.
///
/// # Errors
/// [`Unsupported`](ErrorKind::Unsupported) where there are several.
pub(super) fn only_manifest(manifest: &[u8]) -> Result<Option<Digest>> {
    #[derive(Deserialize)]
    struct List {
        manifests: Vec<Descriptor>,
    }
    let Ok(list) = serde_json::from_slice::<List>(manifest) else {
        return Ok(None);
    };
    // Of the builds of images, docker buildx.
    let is_no_attestation = |it: &&Descriptor| {
        let kind = it.annotations.get("vnd.docker.reference.type");
        kind.is_none_or(|kind| kind != "attestation-manifest")
    };
    let mut all = list.manifests.iter().filter(is_no_attestation);
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(Some(Digest::stored(&one.digest)?)),
        (None, _) => Err(Error::new(
            ErrorKind::Unsupported,
            "it is a list of no manifests",
        )),
        (Some(one), Some(_)) => {
            let text = format!(
                "it is a list of several manifests: name one by its digest, as @{}",
                one.digest
            );
            Err(Error::new(ErrorKind::Unsupported, text))
        }
    }
}

impl Store {
    /// Makes a model of an artifact: its weights come as a blob, and are imported from there.
    pub(super) fn pull_artifact(
        &self,
        registry: &Registry,
        artifact: Artifact,
        found: &RemoteManifest,
        name: &ModelName,
        options: &PullOptions,
    ) -> Result<Pulled> {
        let mut licenses = Vec::new();
        for digest in &artifact.licenses {
            let text = self.ending(registry, || registry.document(digest))?;
            licenses.push(String::from_utf8_lossy(&text).into_owned());
        }
        let mut blobs = vec![artifact.weights];
        blobs.extend(&artifact.projectors);
        let fetched = self.fetch(registry, &blobs, options, &Flights::default())?;
        let path = |(digest, _): &(Digest, u64)| self.blob_path(digest);
        let importing = ImportOptions::new()
            .replace(options.replace)
            .licenses(licenses)
            .projectors(artifact.projectors.iter().map(path));
        let imported = self.import(path(&artifact.weights), name, &importing)?;
        Ok(fetched.pulled(registry, found.digest, imported.name, imported.replaced))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media: &str, name: &str) -> String {
        let digest = Digest::of(name.as_bytes());
        format!(
            r#"{{"mediaType":"{media}","digest":"{digest}","size":9,"annotations":{{"org.opencontainers.image.title":"{name}"}}}}"#
        )
    }

    fn read(layers: &[String]) -> Result<Option<Artifact>> {
        let layers = layers.join(",");
        Artifact::of(
            format!(r#"{{"artifactType":"application/x.y","layers":[{layers}]}}"#).as_bytes(),
        )
    }

    #[test]
    fn one_gguf_file_makes_a_model_whoever_packed_it() {
        for (media, name) in [
            ("application/vnd.docker.ai.gguf.v3", "x"),
            ("application/vnd.docker.ai.model.file.v1+gguf", ""),
            ("application/vnd.cncf.model.weight.v1.raw", "model.gguf"),
            ("application/octet-stream", "dir/Model-Q4.GGUF"),
        ] {
            let license = layer("application/vnd.docker.ai.license", "LICENSE");
            let artifact = read(&[license, layer(media, name)]).unwrap().unwrap();
            assert_eq!(artifact.weights.0, Digest::of(name.as_bytes()), "{media}");
            assert_eq!(artifact.licenses.len(), 1);
        }
    }

    #[test]
    fn what_makes_no_model_is_refused_by_name() {
        let refused = |layers: &[String]| {
            let error = read(layers).expect_err("it is refused");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            error.to_string()
        };
        let kit = layer("application/vnd.kitops.modelkit.model.v1.tar+gzip", "");
        assert!(refused(&[kit]).contains("packed (application/x.y)"));
        let part = |n| layer("application/vnd.docker.ai.gguf.v3", &format!("{n}.gguf"));
        assert!(refused(&[part(1), part(2)]).contains("2 files"));
        let chart = layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "");
        assert!(refused(&[chart]).contains("no model, but application/x.y"));
    }

    #[test]
    fn ollamas_own_are_left_to_be_read_as_such() {
        let own = layer("application/vnd.ollama.image.model", "");
        assert!(read(&[own]).unwrap().is_none());
        assert!(Artifact::of(b"not JSON").unwrap().is_none());
    }
}
