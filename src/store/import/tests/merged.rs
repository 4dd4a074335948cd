//! Split models on their way in: any part brings in all, as the one file that they make.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;

use super::*;
use crate::manifest::MediaType;
use crate::{EditOptions, GgufParts, SplitOptions};

impl Scene {
    /// A split model of three parts, each with so many bytes of data and a few, and the bytes of the one
    /// file that they make.
    fn split_of(&self, size: usize) -> (Vec<PathBuf>, Vec<u8>) {
        let mut writer = Writer::new();
        writer.set("general.architecture", "llama");
        writer.set("general.name", "Split");
        for at in 0..3_u8 {
            let data: Vec<u8> = (0..size + 7).map(|byte| (byte % 251) as u8 + at).collect();
            let name = format!("blk.{at}.a");
            writer.tensor(&name, &[data.len() as u64], TensorType::I8, data);
        }
        let (whole, prefix) = (self.path("whole"), self.path("parts/m"));
        fs::create_dir_all(self.path("parts")).unwrap();
        writer.write_to(&mut File::create(&whole).unwrap()).unwrap();
        let (split, merge) = (SplitOptions::new(), EditOptions::new());
        let options = split.max_tensors(1).durability(Durability::None);
        let parts = GgufParts::split_file(&whole, &prefix, &options).unwrap();
        let parts: Vec<_> = parts.into_iter().map(|part| part.file).collect();
        let merged = self.path("merged");
        let options = merge.durability(Durability::None);
        GgufParts::merge_file(&parts[0], &merged, &options).unwrap();
        (parts, fs::read(&merged).unwrap())
    }

    fn split(&self) -> (Vec<PathBuf>, Vec<u8>) {
        self.split_of(70_000)
    }

    /// Whether a model is stored, of one file with these bytes.
    fn has(&self, name: &str, bytes: &[u8]) -> bool {
        let path = self.store.model(name).unwrap().gguf_path().unwrap();
        fs::read(path).unwrap() == bytes
    }

    fn refusal(&self, file: &Path) -> Error {
        let error = self.import(file, "a", CopyMode::Auto).unwrap_err();
        assert!(self.is_empty(), "{error}");
        error
    }
}

#[test]
fn any_part_brings_in_what_a_merge_would_write() {
    let scene = Scene::new();
    let (parts, merged) = scene.split();
    for (at, part) in parts.iter().enumerate() {
        let imported = scene.import(part, &format!("m:{at}"), CopyMode::Auto);
        assert_eq!(imported.unwrap().digest, Digest::of(&merged));
        assert!(scene.has(&format!("m:{at}"), &merged));
    }
    let config = scene.store.model("m:0").unwrap().config().unwrap().clone();
    assert_eq!(config.family, "llama");
    assert_eq!(scene.store.layout().blobs().unwrap().len(), 2);
    // A Modelfile that names a part, some of them, or the directory that they are in, which holds
    // another file as well.
    for (at, text) in [
        "FROM parts/m-00002-of-00003.gguf",
        "FROM parts/m-00003-of-00003.gguf\nFROM ./parts/m-00001-of-00003.gguf",
        "FROM parts",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("of:{at}");
        let modelfile = scene.modelfile(text);
        scene.import(&modelfile, &name, CopyMode::Copy).unwrap();
        assert!(scene.has(&name, &merged), "{text}");
    }
    let projector = scene.gguf("parts/other.gguf", 10, [1, 2]);
    let mut options = ImportOptions::new();
    options = options.projectors([&projector, &parts[1]]);
    scene.store.import(&parts[2], "two", &options).unwrap();
    let model = scene.store.model("two").unwrap();
    let layers = model.manifest().layers().iter().map(|layer| layer.media());
    let expected = [MediaType::Model, MediaType::Projector, MediaType::Projector];
    assert_eq!(layers.collect::<Vec<_>>(), expected);
}

#[test]
#[cfg(unix)]
fn each_byte_of_a_part_is_read_once() {
    let scene = Scene::new();
    let (parts, merged) = scene.split_of(SIZE);
    let all: Vec<&Path> = parts.iter().map(PathBuf::as_path).collect();
    let import = || drop(scene.import(all[1], "a", CopyMode::Auto).unwrap());
    let (opens, bytes) = reads(&all, import);
    // For its header, and for its data.
    assert_eq!(opens, [2; 3]);
    let most = merged.len() as u64 + 3 * (64 << 10) + LITTLE;
    assert!(bytes == 0 || bytes <= most, "{bytes} of {}", merged.len());
}

#[test]
fn a_part_that_is_missing_or_foreign_is_named() {
    let scene = Scene::new();
    let (parts, _) = scene.split();
    let bytes = fs::read(&parts[1]).unwrap();
    fs::remove_file(&parts[1]).unwrap();
    let error = scene.refusal(&parts[0]);
    assert_eq!(error.kind(), ErrorKind::FileNotFound);
    assert!(
        error.to_string().contains("m-00002-of-00003.gguf"),
        "{error}"
    );
    fs::copy(&parts[2], &parts[1]).unwrap();
    let error = scene.refusal(&parts[2]);
    assert_eq!(error.kind(), ErrorKind::InvalidGguf);
    let text = error.to_string();
    let expected = "m-00002-of-00003.gguf: its name is that of part 2 of 3, and it is part 3 of 3";
    assert!(text.contains(expected), "{text}");
    let alone = scene.path("alone.gguf");
    fs::write(&alone, &bytes).unwrap();
    let error = scene.refusal(&alone).to_string();
    assert!(error.contains("which part of how many it is"), "{error}");
    fs::write(&parts[1], &bytes[..bytes.len() - 30_000]).unwrap();
    let error = scene.refusal(&parts[0]);
    assert_eq!(error.kind(), ErrorKind::InvalidGguf);
    assert!(
        error.to_string().contains("m-00002-of-00003.gguf"),
        "{error}"
    );
    fs::write(&parts[1], &bytes).unwrap();
    for copy_mode in [CopyMode::Reflink, CopyMode::HardLink] {
        let error = scene.import(&parts[0], "a", copy_mode).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    scene.import(&parts[0], "a", CopyMode::Auto).unwrap();
}

#[test]
fn a_part_that_somebody_changes_meanwhile_is_not_stored() {
    // One that is read at the first write, and one that will be.
    for changed in [0, 2] {
        let scene = Scene::new();
        let (parts, _) = scene.split_of(SIZE);
        let part = parts[changed].clone();
        let mut is_done = false;
        let change = move |change: &Change<'_>| {
            if matches!(change, Change::Write(..)) && !std::mem::replace(&mut is_done, true) {
                let mut bytes = fs::read(&part)?;
                bytes.push(0);
                fs::write(&part, bytes)?;
            }
            Ok(())
        };
        let error = hook::with(change, || scene.refusal(&parts[1]));
        let (text, name) = (error.to_string(), parts[changed].to_str().unwrap());
        assert!(text.contains("it was changed while it was read"), "{text}");
        assert!(text.contains(name), "{text}");
    }
}

#[test]
#[cfg(unix)]
fn an_import_of_parts_that_fails_anywhere_is_whole_or_absent() {
    let scene = Scene::new();
    let (parts, merged) = scene.split();
    let mut failed = 0;
    for n in 1.. {
        let count = Rc::new(Cell::new(0));
        let counted = count.clone();
        let fail = move |_: &Change<'_>| {
            counted.set(counted.get() + 1);
            match counted.get() == n {
                true => Err(io::Error::from_raw_os_error(libc::EIO)),
                false => Ok(()),
            }
        };
        let imported = hook::with(fail, || scene.import(&parts[1], "a", CopyMode::Auto));
        failed += usize::from(imported.is_err());
        if scene.store.find("a").unwrap().is_some() {
            assert!(scene.has("a", &merged), "{n}");
            scene.store.delete("a").unwrap();
        } else {
            assert!(imported.is_err(), "{n}");
        }
        if count.get() < n {
            break;
        }
    }
    assert!(failed > 10, "{failed} failures");
}

#[test]
fn a_watched_import_of_parts_counts_all_bytes_and_can_be_stopped() {
    let scene = Scene::new();
    let (parts, merged) = scene.split();
    let with = ImportOptions::new();
    let mut calls = 0;
    let mut stop = |progress: &crate::Progress| {
        calls += 1;
        match calls > 1 && progress.bytes > 0 {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let import = |store: &Store| store.import(&parts[0], "a", &with);
    match scene.store.watch(&mut stop, import) {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Cancelled);
            assert!(scene.store.find("a").unwrap().is_none());
        }
        // It was done before anybody looked.
        Ok(_) => assert!(scene.has("a", &merged)),
    }
    let mut last = crate::Progress::default();
    let mut note = |progress: &crate::Progress| {
        last = *progress;
        ControlFlow::Continue(())
    };
    let import = |store: &Store| store.import(&parts[0], "b", &with);
    scene.store.watch(&mut note, import).unwrap();
    assert_eq!(last.bytes, last.total_bytes);
    assert!(last.bytes >= merged.len() as u64, "{last:?}");
}
