//! `general.file_type`: the mixture of tensor types that a file was quantized to.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind};

/// The names by number. Ollama has no name for those that were removed, and none for Q2_0.
// llama.h, enum llama_ftype
#[rustfmt::skip]
const NAMES: [&str; 42] = [
    "F32", "F16", "Q4_0", "Q4_1", "Q4_1_SOME_F16", "Q4_2", "Q4_3", "Q8_0", "Q5_0", "Q5_1",
    "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",
    "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ3_M",
    "IQ2_S", "IQ2_M", "IQ4_XS", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8",
    "TQ1_0", "TQ2_0", "MXFP4_MOE", "NVFP4", "Q1_0", "Q2_0",
];

/// The flag of a file whose mixture was guessed from its tensors.
// llama.h, LLAMA_FTYPE_GUESSED
const GUESSED: u32 = 1024;

/// The mixture of tensor types of a file.
///
/// ```
/// use modelkeep::gguf::FileType;
///
/// assert_eq!(FileType::from_code(15).name(), Some("Q4_K_M"));
/// assert_eq!(FileType::from_code(1039).to_string(), "Q4_K_M (guessed)");
/// assert_eq!("Q4_K_M".parse::<FileType>()?.code(), 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileType(u32);

impl FileType {
    /// Returns the file type of a number in a file.
    pub const fn from_code(code: u32) -> Self {
        FileType(code)
    }

    /// Returns the number in a file.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Returns the name that Ollama (August 2026) prints, as in `Q4_K_M`; `None` where it prints
    /// `unknown`: for removed, guessed and unknown numbers, and for Q2_0.
    pub fn name(self) -> Option<&'static str> {
        let has_name = !(self.is_removed() || self.0 == 41);
        has_name.then(|| named(self.0))?
    }

    const fn is_removed(self) -> bool {
        matches!(self.0, 4..=6 | 33..=35)
    }
}

fn named(code: u32) -> Option<&'static str> {
    NAMES.get(usize::try_from(code).ok()?).copied()
}

/// Names every number for people: `Q4_K_M`, `Q2_0`, `Q4_K_M (guessed)`, `Q4_0_4_4 (removed)`,
/// `unknown (57)`.
impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mixture = FileType(self.0 & !GUESSED);
        let remark = match (mixture.is_removed(), mixture != *self) {
            (false, false) => "",
            (false, true) => " (guessed)",
            (true, false) => " (removed)",
            (true, true) => " (removed, guessed)",
        };
        match named(mixture.0) {
            Some(name) => write!(f, "{name}{remark}"),
            None => write!(f, "unknown ({})", self.0),
        }
    }
}

impl FromStr for FileType {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes, of every number.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for any other name.
    fn from_str(name: &str) -> Result<Self, Error> {
        let unknown = name.strip_prefix("unknown (");
        let code = match unknown.and_then(|rest| rest.strip_suffix(')')) {
            Some(digits) => digits.parse().ok(),
            None => code_of(name),
        };
        let found = code.map(FileType).filter(|found| found.to_string() == name);
        found.ok_or_else(|| {
            let text = format!("no file type is called {name:?}");
            Error::new(ErrorKind::InvalidArgument, text)
        })
    }
}

/// Returns the number of a name with its remark, which is left to be compared.
fn code_of(name: &str) -> Option<u32> {
    let (bare, remark) = name.split_once(' ').unwrap_or((name, ""));
    let place = NAMES.iter().position(|known| *known == bare)?;
    let flag = if remark.ends_with("guessed)") {
        GUESSED
    } else {
        0
    };
    Some(u32::try_from(place).ok()? | flag)
}

impl Serialize for FileType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_is_read_back_from_its_name(code in prop_oneof![0..2048_u32, any::<u32>()]) {
            let file_type = FileType::from_code(code);
            prop_assert_eq!(file_type.to_string().parse::<FileType>().unwrap(), file_type);
        }

        #[test]
        fn only_what_is_written_is_read(text in "(Q4_K_M|Q2_0|Q4_2|unknown)?[ (]{0,2}(7|removed|guessed)?[,) ]{0,2}") {
            if let Ok(file_type) = text.parse::<FileType>() {
                prop_assert_eq!(file_type.to_string(), text);
            }
        }
    }

    #[test]
    fn a_number_has_the_name_that_ollama_prints_and_one_for_people() {
        let names = [
            (0, Some("F32"), "F32"),
            (15, Some("Q4_K_M"), "Q4_K_M"),
            (40, Some("Q1_0"), "Q1_0"),
            (5, None, "Q4_2 (removed)"),
            (34, None, "Q4_0_4_8 (removed)"),
            (41, None, "Q2_0"),
            (42, None, "unknown (42)"),
            (1024, None, "F32 (guessed)"),
            (1039, None, "Q4_K_M (guessed)"),
            (1057, None, "Q4_0_4_4 (removed, guessed)"),
            (u32::MAX, None, "unknown (4294967295)"),
        ];
        for (code, name, words) in names {
            let file_type = FileType::from_code(code);
            assert_eq!((file_type.name(), &*file_type.to_string()), (name, words));
        }
    }
}
