//! What an operation answers that is made again after one that was broken off.

use super::disk::{Disk, Image};
use super::{Operation, Scene};
use crate::error::ErrorKind;

pub(super) type Answer = std::result::Result<(), ErrorKind>;

pub(super) fn answer(operation: Operation, scene: &Scene) -> Answer {
    operation(&scene.store()).map_err(|e| e.kind())
}

/// What is there before and after an operation, and what a second one answers.
pub(super) struct Expected {
    operation: &'static str,
    old: Image,
    new: Image,
    repeated: Answer,
}

impl Expected {
    pub(super) fn of(name: &'static str, operation: Operation) -> Self {
        let scene = Scene::new();
        let old = told(&scene);
        assert_eq!(answer(operation, &scene), Ok(()), "{name}");
        Expected {
            operation: name,
            old,
            new: told(&scene),
            repeated: answer(operation, &scene),
        }
    }

    /// Returns what the operation has to answer where it finds what is there now.
    pub(super) fn answer(&self, scene: &Scene) -> Answer {
        match told(scene) {
            left if left == self.old => Ok(()),
            left if left == self.new => self.repeated,
            _ => half_done(self.operation),
        }
    }
}

/// What is there by the names that people know, with the bytes.
fn told(scene: &Scene) -> Image {
    let is_own = |part: std::path::Component<'_>| {
        let part = part.as_os_str().as_encoded_bytes();
        part == b"blobs" || part.starts_with(b".modelkeep")
    };
    let files = Disk::of(scene.root()).live().into_iter();
    let files = files.map(|(path, bytes)| {
        let path = path.strip_prefix(scene.root()).unwrap().to_owned();
        (path, bytes)
    });
    files
        .filter(|(path, _)| !path.components().any(is_own))
        .collect()
}

/// What an operation answers that finds a part of what it does done.
fn half_done(operation: &str) -> Answer {
    match operation {
        // The new name is there, and the old one is as well; the import is done, and the edit is not.
        "rename" | "import, and edit what came" => Err(ErrorKind::AlreadyExists),
        "delete the last users"
        | "import an archive over a model"
        | "export to a directory"
        | "export into a layout" => Ok(()),
        _ => panic!("{operation} was left half done"),
    }
}
