//! Which of some words somebody meant who wrote another one.

/// How many words a person can take in.
pub(crate) const MAXIMUM: usize = 3;

/// Returns the words that are near one that is none of them, the nearest first, at most three.
pub(crate) fn near<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let words = words.into_iter();
    let mut found: Vec<(usize, &str)> = words
        .filter_map(|word| Some((slip(written, word)?, word)))
        .collect();
    found.sort_unstable();
    let nearest = found.into_iter().take(MAXIMUM);
    nearest.map(|(_, word)| word.to_owned()).collect()
}

/// Returns the edits between two words in any case, where one is a slip of the other or an
/// extension of it, as `llama3.2` is of `llama3`.
pub(crate) fn slip(wanted: &str, stored: &str) -> Option<usize> {
    let (wanted, stored) = (wanted.to_ascii_lowercase(), stored.to_ascii_lowercase());
    let edits = edits(&wanted, &stored);
    let shorter = wanted.len().min(stored.len());
    let is_extension = wanted.starts_with(&stored) || stored.starts_with(&wanted);
    let is_slip = edits <= (shorter / 4).max(1) && edits < shorter;
    (is_slip || (is_extension && shorter >= 3)).then_some(edits)
}

/// Returns how many insertions, removals, replacements and swaps of neighbors turn one text into
/// the other.
pub(crate) fn edits(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let kept = last[j] + usize::from(x != y);
            let mut least = kept.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && *x == b[j - 1] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_with_swaps_of_neighbors() {
        for (a, b, count) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("mistral", "mitsral", 1),
            ("qwen", "qwne2", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), count, "{a} {b}");
            assert_eq!(edits(b, a), count, "{b} {a}");
        }
    }

    #[test]
    fn a_slip_and_an_extension_are_near_and_another_word_is_not() {
        for (wanted, stored) in [
            ("llama3", "llama3.2"),
            ("llama3.2-vision", "llama3.2"),
            ("Mitsral", "mistral"),
            ("gema3", "gemma3"),
        ] {
            assert!(slip(wanted, stored).is_some(), "{wanted}");
        }
        for (wanted, stored) in [
            ("nope", "copy"),
            ("nope", "tiny"),
            ("a", "b"),
            ("phi", "qwen"),
            ("b", "bert"),
        ] {
            assert!(slip(wanted, stored).is_none(), "{wanted}");
        }
    }

    #[test]
    fn the_nearest_word_comes_first() {
        let words = ["top_p", "top_k", "temperature", "min_p"];
        assert_eq!(near("temprature", words), ["temperature"]);
        assert_eq!(near("topk", words), ["top_k"]);
        assert_eq!(near("top_q", words), ["top_k", "top_p"]);
        assert_eq!(near("colour", words), [""; 0]);
    }
}
