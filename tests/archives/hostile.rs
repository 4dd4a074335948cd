//! Archives of hostile making: each is refused by a clear error, and harms nothing.

use std::fs;
use std::time::Duration;

use modelkeep::{Digest, ErrorKind, GcOptions};
use tar::EntryType;

use crate::common::Scratch;
use crate::entries::{Entry, archive as packed, entries, file, raw};
use crate::{archive, import, manifests, staged, store};

const END: [u8; 1024] = [0; 1024];

/// The files of a good archive, which the cases spoil.
fn good() -> Vec<Entry> {
    let scratch = Scratch::new();
    entries(&archive(&store(&scratch), &["tiny"]))
}

/// A good archive with entries of another making in the place of its end, and where it begins.
fn with(strange: &[u8]) -> [Vec<u8>; 2] {
    let mut good = packed(&good());
    good.truncate(good.len() - END.len());
    let last = [&good, strange, &END].concat();
    let first = [strange, &good, &END].concat();
    [first, last]
}

/// Imports into a store with a model, and into one without; each is as it was, but for blobs that a
/// collection takes.
fn refused(bytes: &[u8], kind: ErrorKind, part: &str) {
    let scratch = Scratch::new();
    let used = scratch.model("mine", &[b"weights"]);
    let before = scratch.snapshot();
    let error = import(&scratch.store(), bytes).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    assert!(text.contains(part) && text.len() < 1000, "{text}");
    assert!(text.starts_with("importing the archive: "), "{text}");
    assert!(staged(&scratch).is_empty());
    assert_eq!(manifests(&scratch).len(), 1);
    let gc = GcOptions::new().grace(Duration::ZERO);
    scratch.store().gc(&gc).unwrap();
    assert_eq!(scratch.snapshot(), before, "{text}");
    assert!(used.iter().all(|digest| scratch.store().has_blob(digest)));
}

#[test]
fn entries_that_lead_out_or_are_no_files_are_refused() {
    use EntryType as Kind;
    let hex = Digest::of(b"x").hex();
    let blob = format!("blobs/sha256/{hex}");
    let upper = format!("blobs/sha256/{}", hex.to_uppercase());
    let inside = format!("blobs/sha256/../../../{hex}");
    for (entry, part) in [
        (file("/etc/passwd", b"x"), "an absolute path"),
        (file("../outside", b"x"), "leads out"),
        (file("blobs/../../outside", b"x"), "leads out"),
        (file(&inside, b"x"), "leads out"),
        (file("blobs/sha256/x", b"x"), "not named by a digest"),
        (file("blobs/sha256/sha256", b"x"), "not named by a digest"),
        (file(&upper, b"x"), "not named by a digest"),
        (file("blobs\\sha256\\x", b"x"), "a backslash"),
        (
            raw(Kind::Symlink, &blob, "/etc/passwd", 0, b""),
            "a symbolic link",
        ),
        (raw(Kind::Link, &blob, "oci-layout", 0, b""), "a hard link"),
        (raw(Kind::Char, &blob, "", 0, b""), "a device"),
        (raw(Kind::Block, "x", "", 0, b""), "a device"),
        (raw(Kind::Fifo, &blob, "", 0, b""), "a FIFO"),
        (raw(Kind::new(b'Z'), &blob, "", 1, b"x"), "no file"),
        (raw(Kind::Directory, "../x", "", 0, b""), "leads out"),
        (raw(Kind::Directory, "/x", "", 0, b""), "an absolute path"),
        (raw(Kind::GNUSparse, &blob, "", 512, &[0; 512]), "real_size"),
    ] {
        for bytes in with(&entry) {
            refused(&bytes, ErrorKind::Corrupt, part);
        }
    }
    assert!(!std::path::Path::new("outside").exists());
}

/// A header whose field for the size has these bytes.
fn of_size(field: &[u8; 12]) -> Vec<u8> {
    let path = format!("blobs/sha256/{}", Digest::of(b"x").hex());
    let mut entry = raw(EntryType::Regular, &path, "", 1, b"x");
    entry[124..136].copy_from_slice(field);
    let mut header = tar::Header::from_byte_slice(&entry[..512]).clone();
    header.set_cksum();
    entry[..512].copy_from_slice(header.as_bytes());
    entry
}

#[test]
fn sizes_that_lie_are_refused() {
    let negative = [0xff; 12];
    let mut huge = [0; 12];
    huge[0] = 0x80;
    huge[4..].copy_from_slice(&(u64::MAX / 2).to_be_bytes());
    for field in [
        &negative,
        &huge,
        b"777777777777",
        b"not a number",
        b"-00000000001",
    ] {
        let entry = of_size(field);
        for bytes in with(&entry) {
            let scratch = Scratch::new();
            let error = import(&scratch.store(), &bytes).unwrap_err();
            let kind = error.kind();
            assert!(
                matches!(kind, ErrorKind::Corrupt | ErrorKind::Io),
                "{error}"
            );
            assert!(staged(&scratch).is_empty() && manifests(&scratch).is_empty());
        }
    }
}

/// An extended header of PAX with one record.
fn extended(record: &str) -> Vec<u8> {
    // The length counts itself, of two digits.
    let record = format!("{} {record}\n", record.len() + 4);
    let size = record.len() as u64;
    raw(EntryType::XHeader, "pax", "", size, record.as_bytes())
}

#[test]
fn headers_that_would_fill_the_memory_are_refused() {
    for kind in [
        EntryType::XHeader,
        EntryType::GNULongName,
        EntryType::GNULongLink,
    ] {
        let long = raw(kind, "long", "", 64 << 20, &vec![b'x'; 64 << 20]);
        refused(&[&long[..], &END].concat(), ErrorKind::Corrupt, "too large");
    }
    for (record, part) in [
        ("size=18446744073709551615", "size overflow"),
        ("GNU.sparse.major=1", "a sparse file"),
        ("path=../../outside", "leads out"),
        ("path=/etc/passwd", "an absolute path"),
    ] {
        let entry = [extended(record), file("x", b"x")].concat();
        refused(&with(&entry)[0], ErrorKind::Corrupt, part);
    }
}

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let good = packed(&good());
    for length in (0..good.len() - END.len()).step_by(97) {
        let scratch = Scratch::new();
        let error = import(&scratch.store(), &good[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}: {error}");
        assert!(manifests(&scratch).is_empty() && staged(&scratch).is_empty());
    }
}

#[test]
fn what_is_twice_or_missing_or_other_than_its_digest_is_refused() {
    let good = good();
    for (place, entry) in good.iter().enumerate() {
        let mut twice = good.clone();
        twice.push(entry.clone());
        refused(&packed(&twice), ErrorKind::Corrupt, "twice");
        let mut lacking = good.clone();
        lacking.remove(place);
        refused(&packed(&lacking), ErrorKind::Corrupt, "it ");
        if entry.path.starts_with("blobs") {
            for flipped in [0, entry.bytes.len() - 1] {
                let mut other = good.clone();
                other[place].bytes[flipped] ^= 1;
                refused(&packed(&other), ErrorKind::Corrupt, "are sha256:");
                other.reverse();
                refused(&packed(&other), ErrorKind::Corrupt, "are sha256:");
            }
        }
    }
}

/// A blob, and what describes it.
fn blob(bytes: &[u8]) -> (Entry, String, usize) {
    let digest = Digest::of(bytes);
    let path = format!("blobs/sha256/{}", digest.hex());
    let bytes = bytes.to_vec();
    let size = bytes.len();
    (Entry { path, bytes }, digest.to_string(), size)
}

/// An archive with this index, and these blobs.
fn of_index(index: &str, blobs: Vec<Entry>) -> Vec<u8> {
    let of = |path: &str, text: &str| Entry {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let layout = of("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let mut all = vec![layout, of("index.json", index)];
    all.extend(blobs);
    packed(&all)
}

fn descriptor(digest: &str, size: i64, name: &str) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}",
        "size":{size},"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
    )
}

fn index(descriptors: &[String]) -> String {
    format!(
        r#"{{"schemaVersion":2,"manifests":[{}]}}"#,
        descriptors.join(",")
    )
}

/// An archive with one manifest, under one name.
fn of_manifest(manifest: &str, mut blobs: Vec<Entry>) -> Vec<u8> {
    let (entry, digest, size) = blob(manifest.as_bytes());
    blobs.push(entry);
    let size = i64::try_from(size).unwrap();
    of_index(&index(&[descriptor(&digest, size, "x")]), blobs)
}

#[test]
fn manifests_that_lie_are_refused() {
    let (weights, digest, size) = blob(b"weights");
    let layer = |digest: &str, size: i64| format!(r#"{{"digest":"{digest}","size":{size}}}"#);
    let model = |layers: &str| format!(r#"{{"schemaVersion":2,"layers":[{layers}]}}"#);
    let absent = Digest::of(b"absent").to_string();
    let right = i64::try_from(size).unwrap();
    let path = "sha256:../../../../etc/passwd";
    let digits = "a".repeat(5000);
    let row = model(&layer(&digest, right).replace('}', &format!(r#","x":"{digits}"}}"#)));
    let oci = r#"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","#;
    let container = model(&layer(&digest, right).replacen('{', oci, 1));
    let parts = model(&vec!["{}"; 60_000].join(","));
    let deep = format!("{}{}", r#"{"x":"#.repeat(50_000), "1");
    for (manifest, kind, part) in [
        (
            model(&layer(&absent, 6)),
            ErrorKind::Corrupt,
            "it lacks the blob",
        ),
        (
            model(&layer(&digest, right + 1)),
            ErrorKind::Corrupt,
            "states 8 bytes",
        ),
        (
            model(&layer(&digest, -7)),
            ErrorKind::Corrupt,
            "states -7 bytes",
        ),
        (model(&layer(path, 7)), ErrorKind::Corrupt, "invalid digest"),
        (model(&layer("", 7)), ErrorKind::Corrupt, "invalid digest"),
        (row, ErrorKind::Corrupt, "collect garbage"),
        (container, ErrorKind::Unsupported, "a container"),
        (
            r#"{"manifests":[]}"#.to_owned(),
            ErrorKind::Unsupported,
            "an index",
        ),
        (
            r#"{"fsLayers":[]}"#.to_owned(),
            ErrorKind::Unsupported,
            "first schema",
        ),
        (
            "{\"layers\":".to_owned(),
            ErrorKind::Corrupt,
            "decoding manifest",
        ),
        (
            "not JSON".to_owned(),
            ErrorKind::Corrupt,
            "decoding manifest",
        ),
        (parts, ErrorKind::Corrupt, "more than"),
        (deep, ErrorKind::Corrupt, ""),
    ] {
        let mut bytes = of_manifest(&manifest, vec![weights.clone()]);
        refused(&bytes, kind, part);
        // Where the index comes last as well.
        let mut turned = entries(&bytes);
        turned.reverse();
        bytes = packed(&turned);
        refused(&bytes, kind, part);
    }
}

#[test]
fn an_image_that_wraps_a_manifest_of_somebody_else_is_refused() {
    let absent = Digest::of(b"absent").to_string();
    let media = "application/vnd.docker.distribution.manifest.v2+json";
    let image = format!(r#"{{"layers":[{{"mediaType":"{media}","digest":"{absent}"}}]}}"#);
    refused(
        &of_manifest(&image, vec![]),
        ErrorKind::Corrupt,
        "it lacks the manifest",
    );
    let image = image.replace(&absent, "sha256:x");
    refused(
        &of_manifest(&image, vec![]),
        ErrorKind::Corrupt,
        "invalid digest",
    );
    let (bomb, digest, _) =
        blob(format!(r#"{{"layers":[{}]}}"#, vec!["{}"; 60_000].join(",")).as_bytes());
    let image = image.replace("sha256:x", &digest);
    refused(
        &of_manifest(&image, vec![bomb]),
        ErrorKind::Corrupt,
        "more than 50000 parts",
    );
}

#[test]
fn indexes_that_lie_are_refused() {
    let (entry, digest, size) = blob(br#"{"layers":[]}"#);
    let size = i64::try_from(size).unwrap();
    let one = |name: &str| descriptor(&digest, size, name);
    let many = vec!["{}".to_owned(); 30_000];
    let nested = one("x").replace("image.manifest", "image.index");
    let unnamed = one("x").replace("ref.name", "title");
    let large = format!("{}{}", index(&[one("x")]), " ".repeat(5 << 20));
    let deep = format!(
        r#"{{"x":{}1{},"manifests":[]}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    for (text, kind, part) in [
        ("", ErrorKind::Corrupt, "decoding index.json"),
        ("null", ErrorKind::Corrupt, "names no model"),
        (r#"{"manifests":[]}"#, ErrorKind::Corrupt, "names no model"),
        (
            r#"{"manifests":{}}"#,
            ErrorKind::Corrupt,
            "decoding index.json",
        ),
        (&deep, ErrorKind::Corrupt, "nested too deeply"),
        (&large, ErrorKind::Corrupt, "more than 4194304"),
        (&index(&many), ErrorKind::Corrupt, "more than 20000 models"),
        (&index(&[nested]), ErrorKind::Unsupported, "another index"),
        (&index(&[unnamed]), ErrorKind::InvalidName, "has no name"),
        (
            &index(&[one("../../x")]),
            ErrorKind::InvalidName,
            "invalid model name",
        ),
        (
            &index(&[one("a b")]),
            ErrorKind::InvalidName,
            "invalid model name",
        ),
        (
            &index(&[one("x"), one("X:latest")]),
            ErrorKind::Corrupt,
            "twice",
        ),
        (
            &index(&[descriptor(&digest, size + 1, "x")]),
            ErrorKind::Corrupt,
            "states 14 bytes",
        ),
        (
            &index(&[descriptor(&digest, -1, "x")]),
            ErrorKind::Corrupt,
            "states -1 bytes",
        ),
        (
            &index(&[descriptor("sha256:..", 1, "x")]),
            ErrorKind::Corrupt,
            "invalid digest",
        ),
    ] {
        let bytes = of_index(text, vec![entry.clone()]);
        refused(&bytes, kind, part);
        let mut turned = entries(&bytes);
        turned.reverse();
        refused(&packed(&turned), kind, part);
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let gguf = fs::read(crate::fixture()).unwrap();
    let page = b"<html>".repeat(200);
    let other = packed(&[Entry {
        path: "notes.txt".to_owned(),
        bytes: b"hello".to_vec(),
    }]);
    for (bytes, kind, part) in [
        (&b""[..], ErrorKind::Corrupt, "empty"),
        (&gguf, ErrorKind::Corrupt, "reading"),
        (&page, ErrorKind::Corrupt, "reading"),
        (&END, ErrorKind::Corrupt, "no oci-layout"),
        (&other, ErrorKind::Corrupt, "no oci-layout"),
        (b"\x1f\x8b\x08", ErrorKind::Unsupported, "compressed"),
        (b"\x28\xb5\x2f\xfd", ErrorKind::Unsupported, "zstd"),
        (b"\xfd7zXZ\0", ErrorKind::Unsupported, "xz"),
        (b"BZh9", ErrorKind::Unsupported, "bzip2"),
    ] {
        refused(bytes, kind, part);
    }
    let mut version = good();
    version[0].bytes = br#"{"imageLayoutVersion":"2.0.0"}"#.to_vec();
    refused(
        &packed(&version),
        ErrorKind::Unsupported,
        "version \"2.0.0\"",
    );
}

#[test]
fn what_no_model_needs_is_passed_over() {
    let mut entries = good();
    let junk: Vec<Entry> = (0..5000).map(|n: u32| blob(&n.to_le_bytes()).0).collect();
    entries.extend(junk);
    entries.push(Entry {
        path: "manifest.json".to_owned(),
        bytes: vec![b'x'; 3 << 20],
    });
    let mut bytes = packed(&entries);
    let global = raw(
        EntryType::XGlobalHeader,
        "pax",
        "",
        18,
        b"18 comment=hello!\n",
    );
    let directory = raw(EntryType::Directory, "./blobs/", "", 0, b"");
    bytes.splice(0..0, [global, directory].concat());
    let scratch = Scratch::new();
    let imported = import(&scratch.store(), &bytes).unwrap();
    let blobs = fs::read_dir(scratch.root().join("blobs")).unwrap().count();
    assert_eq!((imported.models.len(), imported.new_blobs), (1, blobs));
    assert!(blobs < 10);
}
