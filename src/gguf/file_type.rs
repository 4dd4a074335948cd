//! `general.file_type`: the mixture of tensor types that a file was quantized to.

/// The names by number; the holes are retired, or the reference has no name for them.
// llama.h, enum llama_ftype
#[rustfmt::skip]
const NAMES: [&str; 41] = [
    "F32", "F16", "Q4_0", "Q4_1", "", "", "", "Q8_0", "Q5_0", "Q5_1",
    "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",
    "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ3_M",
    "IQ2_S", "IQ2_M", "IQ4_XS", "IQ1_M", "BF16", "", "", "",
    "TQ1_0", "TQ2_0", "MXFP4_MOE", "NVFP4", "Q1_0",
];

/// The mixture of tensor types of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileType(u32);

impl FileType {
    /// The file type of a number in a file.
    pub const fn from_code(code: u32) -> Self {
        FileType(code)
    }

    /// The number in a file.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The name, as in `Q4_K_M`; `None` for retired and unknown numbers.
    pub fn name(self) -> Option<&'static str> {
        let name = NAMES.get(usize::try_from(self.0).ok()?)?;
        (!name.is_empty()).then_some(*name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retired_numbers_have_no_name() {
        let names = [
            (0, Some("F32")),
            (15, Some("Q4_K_M")),
            (40, Some("Q1_0")),
            (5, None),
        ];
        for (code, name) in names
            .into_iter()
            .chain([(34, None), (41, None), (1024, None)])
        {
            assert_eq!(FileType::from_code(code).name(), name, "{code}");
        }
    }
}
