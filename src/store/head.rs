//! What list takes from the head of a GGUF file.

use std::ops::ControlFlow;
use std::path::Path;

use crate::fs::gguf_file;
use crate::gguf::{FileType, Value};

/// The facts that stand before a GGUF's vocabulary, which is where writers put them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    architecture: Option<String>,
    pub file_type: Option<FileType>,
    pub pooling: bool,
    pub vision: bool,
    pub audio: bool,
    pub context_length: i64,
    pub embedding_length: i64,
}

/// Why the rest of a file tells nothing: a key that list needs holds the wrong type.
struct WrongType;

impl Head {
    /// Reads up to the first `tokenizer.` key, some kilobytes of most files. `None` where the file
    /// cannot be read so far, or a fact has the wrong type: such a file tells list nothing.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let mut head = Head::default();
        let mut wrong = false;
        let visit = |key: &[u8], value: Value<'_>| match head.take(key, &value) {
            Ok(flow) => flow,
            Err(WrongType) => {
                wrong = true;
                ControlFlow::Break(())
            }
        };
        gguf_file::scan(path, visit).ok()?;
        (!wrong).then_some(head)
    }

    fn take(&mut self, key: &[u8], value: &Value<'_>) -> Result<ControlFlow<()>, WrongType> {
        match (key, &self.architecture) {
            (b"general.architecture", _) => {
                self.architecture = Some(value.as_str().ok_or(WrongType)?.to_owned());
            }
            (b"general.file_type", _) => {
                let code = integer(value)?;
                // The reference keeps 32 bits of it, whatever it is.
                self.file_type = Some(FileType::from_code(code as u32));
            }
            (key, Some(_)) if key.starts_with(b"tokenizer.") => return Ok(ControlFlow::Break(())),
            (key, Some(architecture)) => {
                let own = key.strip_prefix(architecture.as_bytes());
                let own = own.filter(|_| !architecture.is_empty());
                match own {
                    Some(b".pooling_type") => self.pooling = true,
                    Some(b".vision.block_count") => self.vision = true,
                    Some(b".audio.block_count") => self.audio = true,
                    Some(b".context_length") => self.context_length = integer(value)?,
                    Some(b".embedding_length") => self.embedding_length = integer(value)?,
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Any integer type, as the reference converts it: 64 bits that wrap.
fn integer(value: &Value<'_>) -> Result<i64, WrongType> {
    let unsigned = value.as_u64().map(|number| number as i64);
    value.as_i64().or(unsigned).ok_or(WrongType)
}
