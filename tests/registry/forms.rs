//! What a registry has under a name: a model, a list of manifests, an image, another tool's artifact.

use std::fs;

use modelkeep::{Digest, ErrorKind, MediaType};

use crate::common::{Scratch, fixture};
use crate::server::Server;
use crate::{nothing_visible, pull};

#[test]
fn the_one_manifest_of_a_list_is_taken_and_of_several_none() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let manifest = server.model("t", &[b"GGUF weights"]);
    let one = format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{}}}"#,
        Digest::of(&manifest),
        manifest.len()
    );
    server.manifest(
        "t",
        format!(r#"{{"schemaVersion":2,"manifests":[{one}]}}"#).as_bytes(),
    );
    pull(&scratch.store(), &server).unwrap();
    server.manifest(
        "t",
        format!(r#"{{"schemaVersion":2,"manifests":[{one},{one}]}}"#).as_bytes(),
    );
    let several = pull(&scratch.store(), &server).unwrap_err();
    let attestation = one.replace(
        r#""size""#,
        r#""annotations":{"vnd.docker.reference.type":"attestation-manifest"},"size""#,
    );
    server.manifest(
        "t",
        format!(r#"{{"schemaVersion":2,"manifests":[{attestation},{one}]}}"#).as_bytes(),
    );
    pull(&scratch.store(), &server).unwrap();
    assert_eq!(several.kind(), ErrorKind::Unsupported);
    assert!(several.to_string().contains("@sha256:"), "{several}");
}

#[test]
fn an_artifact_of_another_tool_becomes_a_model() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let weights = fs::read(fixture()).unwrap();
    let license = b"Do what you want.".as_slice();
    let mut projector = Vec::new();
    let mut writer = modelkeep::gguf::Writer::new();
    writer.set("general.type", "mmproj");
    writer.write_to(&mut projector).unwrap();
    let describe = |media: &str, blob: &[u8]| {
        let digest = server.blob(blob);
        format!(
            r#"{{"mediaType":"{media}","digest":"{digest}","size":{}}}"#,
            blob.len()
        )
    };
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{},{},{}]}}"#,
        describe("application/vnd.docker.ai.model.config.v0.1+json", b"{}"),
        describe("application/vnd.docker.ai.mmproj", &projector),
        describe("application/vnd.docker.ai.gguf.v3", &weights),
        describe("application/vnd.docker.ai.license", license),
    );
    server.manifest("t", manifest.as_bytes());
    let pulled = pull(&scratch.store(), &server).unwrap();
    assert_eq!(
        (pulled.new_blobs, pulled.digest),
        (2, Digest::of(manifest.as_bytes()))
    );
    let model = scratch.store().model("m").unwrap();
    assert_eq!(model.gguf().unwrap().view().architecture(), Some("llama"));
    assert_eq!(model.licenses().unwrap(), ["Do what you want."]);
    let mut layers = model.manifest().layers().iter();
    let sees = layers.find(|layer| layer.media() == MediaType::Projector);
    assert_eq!(sees.unwrap().digest().unwrap(), Digest::of(&projector));
}

/// What an artifact has is told by its media types and the names of its files: one layer, and what
/// a pull of it says.
#[test]
fn what_is_in_an_artifact_is_told_by_its_media_types_and_file_names() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let weights = fs::read(fixture()).unwrap();
    let digest = server.blob(&weights);
    let size = weights.len();
    let title =
        |name: &str| format!(r#","annotations":{{"org.opencontainers.image.title":"{name}"}}"#);
    let pulled = |media: &str, more: &str| {
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/x","digest":"{digest}","size":{size}}},
            "layers":[{{"mediaType":"{media}","digest":"{digest}","size":{size}{more}}}]}}"#
        );
        server.manifest("t", manifest.as_bytes());
        match pull(&scratch.store(), &server) {
            Ok(_) => "a model".to_owned(),
            Err(error) => format!("{:?}: {error}", error.kind()),
        }
    };
    let packed = "Unsupported: .*packed";
    let none = "Unsupported: .*it is no model, but application/x";
    for (media, name, expected) in [
        ("application/vnd.docker.ai.gguf.v3", "", "a model"),
        ("application/octet-stream", "d/x.GGUF", "a model"),
        ("application/vnd.cncf.model.weight.v1.raw", "", "a model"),
        ("application/vnd.cncf.model.weight.config.v1.raw", "", none),
        ("application/vnd.docker.ai.gguf.v3+gzip", "", packed),
        ("application/x-tar", "x.gguf", packed),
        ("application/vnd.cncf.model.weight.v1.tar", "", packed),
        ("application/x-model+zstd", "", packed),
        ("application/x-tar", "", none),
        ("application/octet-stream", "x.safetensors", none),
    ] {
        let said = pulled(media, &title(name));
        let (kind, text) = expected.split_once(".*").unwrap_or((expected, ""));
        assert!(
            said.starts_with(kind) && said.contains(text),
            "{media} {name}: {said}"
        );
    }
}

/// Ollama's own manifest may be a layer of an image, which comes first.
#[test]
fn a_manifest_that_an_image_wraps_is_the_models() {
    let (scratch, server) = (Scratch::new(), Server::good());
    let own = server.model("own", &[b"GGUF weights"]);
    let digest = Digest::of(&own);
    let image = format!(
        r#"{{"schemaVersion":2,"layers":[{{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","digest":"{digest}","size":{}}}]}}"#,
        own.len()
    );
    server.manifest("t", image.as_bytes());
    let missing = pull(&scratch.store(), &server).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    nothing_visible(&scratch);
    server.blob(&own);
    pull(&scratch.store(), &server).unwrap();
    assert_eq!(fs::read(scratch.manifest_path("m")).unwrap(), own);
    assert!(scratch.is_whole());
}
