//! Stored names that are near one that is not stored.

use crate::name::ModelName;
use crate::near::{MAXIMUM, edits, slip};
use crate::store::handle::Store;

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
            model: slip(wanted.model(), stored.model())?,
            is_elsewhere: !place(wanted).eq_ignore_ascii_case(&place(stored)),
            tag: edits(wanted.tag(), stored.tag()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_model_elsewhere_comes_before_another_model_here() {
        let name = |text: &str| text.parse::<ModelName>().unwrap();
        let wanted = name("huggingface.co/team/bert:Q4");
        let from = |text| Distance::between(&wanted, &name(text));
        assert!(from("hf.co/team/bert:Q4") < from("hf.co/team/bert:Q8"));
        assert!(from("hf.co/team/bert:Q8") < from("huggingface.co/team/bertt:Q4"));
    }
}
