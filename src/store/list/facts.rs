//! What list takes from the header of a GGUF file.

use std::path::Path;

use crate::capability::Capability;
use crate::fs::gguf_file;
use crate::fs::stamp::FileStamp;
use crate::gguf::{FileType, Limits, Scan, Stop, Value};

/// The facts that stand before a GGUF's vocabulary, which is where writers put them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListedFacts {
    architecture: Option<Vec<u8>>,
    pub file_type: Option<FileType>,
    pub pooling: bool,
    /// Vision and audio, in the order in which the file speaks of them.
    pub senses: Vec<Capability>,
    pub context_length: i64,
    pub embedding_length: i64,
}

/// A key that list needs holds a value of the wrong type.
struct WrongType;

impl ListedFacts {
    /// Reads up to the first `tokenizer.` key, some kilobytes of most files. `None` where the file
    /// cannot be read so far, or a fact has the wrong type: such a file tells list nothing.
    pub(crate) fn read(path: &Path) -> Option<(Self, FileStamp)> {
        let scanned = gguf_file::scan(path, &Limits::lenient(), ListedFacts::scan);
        let (facts, stat) = scanned.ok()?;
        Some((facts?, FileStamp::of(&stat)))
    }

    fn scan(scan: &mut Scan<'_, '_>) -> Result<Option<Self>, Stop> {
        let mut facts = ListedFacts::default();
        while let Some(key) = scan.next_key()? {
            let key = key.as_bytes();
            if facts.architecture.is_some() && key.starts_with(b"tokenizer.") {
                break;
            }
            if !facts.wants(key) {
                continue;
            }
            if let Some(value) = scan.value()?
                && let Err(WrongType) = facts.take(key, &value)
            {
                return Ok(None);
            }
        }
        Ok(Some(facts))
    }

    /// Returns the part of a key after the architecture, which must have come before.
    fn own<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        let architecture = self.architecture.as_ref().filter(|name| !name.is_empty())?;
        key.strip_prefix(architecture.as_slice())
    }

    fn wants(&self, key: &[u8]) -> bool {
        let general = matches!(key, b"general.architecture" | b"general.file_type");
        let own = [
            ".pooling_type",
            ".vision.block_count",
            ".audio.block_count",
            ".context_length",
            ".embedding_length",
        ];
        general
            || self
                .own(key)
                .is_some_and(|key| own.iter().any(|own| own.as_bytes() == key))
    }

    fn take(&mut self, key: &[u8], value: &Value<'_>) -> Result<(), WrongType> {
        match key {
            b"general.architecture" => {
                self.architecture = Some(value.as_text().ok_or(WrongType)?.as_bytes().to_owned());
                return Ok(());
            }
            b"general.file_type" => {
                // Ollama keeps the low 32 bits of it, whatever it is.
                let code = integer(value)?.cast_unsigned() & u64::from(u32::MAX);
                self.file_type = u32::try_from(code).ok().map(FileType::from_code);
                return Ok(());
            }
            _ => {}
        }
        match self.own(key) {
            Some(b".pooling_type") => self.pooling = true,
            Some(b".vision.block_count") => self.senses.push(Capability::Vision),
            Some(b".audio.block_count") => self.senses.push(Capability::Audio),
            Some(b".context_length") => self.context_length = integer(value)?,
            Some(b".embedding_length") => self.embedding_length = integer(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// Any integer type, as Ollama converts it: 64 bits that wrap.
fn integer(value: &Value<'_>) -> Result<i64, WrongType> {
    let unsigned = value.as_u64().map(u64::cast_signed);
    value.as_i64().or(unsigned).ok_or(WrongType)
}
