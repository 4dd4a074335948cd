//! The parameters a model runs with, and their two text forms.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::go;

/// The options of a model: decoded JSON values, sorted by the bytes of their keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Value>);

impl Parameters {
    /// Adds every value of `layer`; a key that is there already is replaced as a whole.
    pub fn merge(&mut self, layer: Map<String, Value>) {
        self.0.extend(layer);
    }

    /// Whether there is no parameter at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The text that `show` answers as `parameters`: a line per value, an array's elements each on
    /// their own, keys padded to thirty characters, values in Go's syntax.
    ///
    /// The reference prints the keys in random order; here they are sorted.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self
            .lines()
            .map(|(key, value)| format!("{key:<30} {}", go::syntax(value)))
            .collect();
        lines.join("\n")
    }

    /// The key and the unquoted text of every `PARAMETER` line of a Modelfile, in order.
    pub fn commands(&self) -> impl Iterator<Item = (&str, String)> {
        self.lines().map(|(key, value)| (key, go::plain(value)))
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().flat_map(|(key, value)| {
            let values = match value {
                Value::Array(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            values.iter().map(move |value| (key, value))
        })
    }
}

impl From<Map<String, Value>> for Parameters {
    fn from(layer: Map<String, Value>) -> Self {
        Parameters(layer.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameters(value: Value) -> Parameters {
        value.as_object().cloned().unwrap_or_default().into()
    }

    #[test]
    fn keys_are_padded_and_sorted_and_arrays_take_a_line_per_element() {
        let all = parameters(json!({
            "stop": ["</s>", " lead", [1, "a"]],
            "num_ctx": 1000000,
            "use_mmap": true,
            "empty": [],
            "this_is_a_very_long_parameter_name_over_30": null,
        }));
        let expected = [
            "num_ctx                        1e+06",
            "stop                           \"</s>\"",
            "stop                           \" lead\"",
            "stop                           []interface {}{1, \"a\"}",
            "this_is_a_very_long_parameter_name_over_30 <nil>",
            "use_mmap                       true",
        ];
        assert_eq!(all.text(), expected.join("\n"));
    }

    #[test]
    fn a_later_layer_replaces_a_key_as_a_whole() {
        let mut all = parameters(json!({"a": {"b": 1}, "c": [1, 2]}));
        all.merge(json!({"a": "x", "d": 0.7}).as_object().cloned().unwrap());
        let lines: Vec<_> = all.commands().collect();
        let expected = [("a", "x"), ("c", "1"), ("c", "2"), ("d", "0.7")];
        assert_eq!(lines, expected.map(|(key, value)| (key, value.to_owned())));
    }
}
