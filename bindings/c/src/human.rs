//! Sizes and counts for people.

use std::ffi::c_char;

use crate::boundary::query;

/// A short text: a NUL ends it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_human {
    /// The text.
    pub text: [c_char; 24],
}

impl mkeep_human {
    /// Keeps as much of a text as there is room for.
    fn new(text: &str) -> Self {
        let mut kept = mkeep_human { text: [0; 24] };
        // The last place stays a NUL.
        let places = kept.text.iter_mut().take(23);
        for (place, byte) in places.zip(text.bytes()) {
            *place = c_char::from_ne_bytes([byte]);
        }
        kept
    }
}

/// Returns a number of bytes as the command prints it: `2.02 GB`, `17.00 kB`, `100 B`. There is
/// nothing to free: the text may be an argument of printf as it is returned.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_human_size(bytes: u64) -> mkeep_human {
    query(mkeep_human::new(""), || {
        Ok(mkeep_human::new(&engine::human_size(bytes)))
    })
}

/// Returns a count of parameters or tokens as the command prints it: `8.0B`, `109.48M`, `2K`.
#[unsafe(no_mangle)]
pub extern "C" fn mkeep_human_number(count: u64) -> mkeep_human {
    query(mkeep_human::new(""), || {
        Ok(mkeep_human::new(&engine::human_number(count)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_always_ends_with_a_nul() {
        let long = mkeep_human::new(&"x".repeat(99));
        assert_eq!((long.text.iter().position(|byte| *byte == 0)), Some(23));
        for longest in [mkeep_human_size(u64::MAX), mkeep_human_number(u64::MAX)] {
            assert!(longest.text.iter().filter(|byte| **byte != 0).count() < 20);
        }
    }
}
