//! Stored names that are near one that is not stored.

use crate::name::ModelName;
use crate::store::handle::Store;

/// How many names a person can take in.
const MAXIMUM: usize = 3;

impl Store {
    /// Returns the stored names nearest to one that is not, at most three. Costs what
    /// [`names`](Self::names) costs.
    pub(crate) fn near(&self, wanted: &ModelName) -> Vec<String> {
        let names = self.names().into_iter().flatten();
        let mut found: Vec<(Distance, ModelName)> = names
            .filter_map(|name| Some((Distance::between(wanted, &name)?, name)))
            .collect();
        found.sort();
        let nearest = found.into_iter().take(MAXIMUM);
        nearest.map(|(_, name)| name.to_string()).collect()
    }
}

/// How far one name is from another; the order is the one in which they are suggested.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    /// Edits of the model's own name.
    model: usize,
    /// Whether it is in another place: at another host or in another namespace.
    is_elsewhere: bool,
    /// Edits of the tag.
    tag: usize,
}

impl Distance {
    /// `None` where nobody could have meant the one by the other.
    fn between(wanted: &ModelName, stored: &ModelName) -> Option<Self> {
        let place = |name: &ModelName| format!("{}/{}", name.host(), name.namespace());
        Some(Distance {
            model: model_distance(wanted.model(), stored.model())?,
            is_elsewhere: !place(wanted).eq_ignore_ascii_case(&place(stored)),
            tag: edits(wanted.tag(), stored.tag()),
        })
    }
}

/// Returns the edits between two models' names, where one is a slip of the other or an extension of
/// it, as `llama3.2` is of `llama3`.
fn model_distance(wanted: &str, stored: &str) -> Option<usize> {
    let (wanted, stored) = (wanted.to_ascii_lowercase(), stored.to_ascii_lowercase());
    let edits = edits(&wanted, &stored);
    let shorter = wanted.len().min(stored.len());
    let is_extension = wanted.starts_with(&stored) || stored.starts_with(&wanted);
    let is_slip = edits <= (shorter / 4).max(1) && edits < shorter;
    (is_slip || (is_extension && shorter >= 3)).then_some(edits)
}

/// Returns how many insertions, removals, replacements and swaps of neighbors turn one text into
/// the other.
fn edits(a: &str, b: &str) -> usize {
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
            assert!(model_distance(wanted, stored).is_some(), "{wanted}");
        }
        for (wanted, stored) in [
            ("nope", "copy"),
            ("nope", "tiny"),
            ("a", "b"),
            ("phi", "qwen"),
            ("b", "bert"),
        ] {
            assert!(model_distance(wanted, stored).is_none(), "{wanted}");
        }
    }

    #[test]
    fn the_same_model_elsewhere_comes_before_another_model_here() {
        let name = |text: &str| text.parse::<ModelName>().unwrap();
        let wanted = name("huggingface.co/team/bert:Q4");
        let from = |text| Distance::between(&wanted, &name(text));
        assert!(from("hf.co/team/bert:Q4") < from("hf.co/team/bert:Q8"));
        assert!(from("hf.co/team/bert:Q8") < from("huggingface.co/team/bertt:Q4"));
    }
}
