//! The class `ParseError`: why a GGUF file is refused.

use crate::record::record;

record! {
    /// Why a GGUF file is refused: what is wrong, where in its structure, and at which byte.
    ///
    /// >>> _ = open("cut.gguf", "wb").write(b"GGUF")
    /// >>> try:
    /// ...     modelkeep.Gguf("cut.gguf")
    /// ... except modelkeep.GgufError as error:
    /// ...     print(error.parse_error.kind, error.parse_error.offset)
    /// truncated 4
    ParseError(py, it: modelkeep::gguf::ParseError) shows [kind, offset, path, message] {
        /// The class of the fault, a word that never changes, as in `bad_magic`.
        kind => it.kind().code();
        /// The offset in the file, in bytes, of the item that is wrong.
        offset => it.offset();
        /// The place in the structure.
        path => it.path().to_owned();
        /// What is wrong, in words.
        message => it.message().to_owned();
    }
}
