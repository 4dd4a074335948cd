//! The parameters a model runs with, and their two text forms.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::go;
use crate::go::decode::{Any, AnyRef, Decode, DecodeError, Event, Kind, Reader};

/// The options of a model: decoded JSON values, sorted by the bytes of their keys.
///
/// Iterating gives each key once, with the value that [`get`](Self::get) has for it, and so does
/// serializing.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let parameters = store.model("tiny")?.parameters()?;
/// let keys: Vec<&str> = parameters.values().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["stop", "temperature"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Any>);

impl Parameters {
    /// Adds every value of `layer`; a key that is there already is replaced as a whole.
    pub fn merge(&mut self, layer: Parameters) {
        self.0.extend(layer.0);
    }

    /// Returns whether there is no parameter at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text that `show` has as `parameters`: a line per value, an array's elements
    /// each on their own, keys padded to thirty characters, values in Go's syntax.
    ///
    /// Ollama prints the keys in random order; here they are sorted.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self
            .lines()
            .map(|(key, value)| format!("{key:<30} {}", go::syntax(value)))
            .collect();
        lines.join("\n")
    }

    /// Returns the key and the unquoted text of every `PARAMETER` line of a Modelfile, in order.
    pub fn commands(&self) -> impl Iterator<Item = (&str, String)> {
        self.lines().map(|(key, value)| (key, go::plain(value)))
    }

    /// Returns the key and the value of each parameter, by the bytes of the keys; of a list, such
    /// as `stop`, one pair for each element.
    pub fn values(&self) -> impl Iterator<Item = (&str, ParameterValue<'_>)> {
        self.lines().map(|(key, value)| (key, value.into()))
    }

    /// Returns the value of a key, lists as such.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let parameters = store.model("tiny")?.parameters()?;
    /// let stop = parameters.get("stop").expect("it has one");
    /// let words: Vec<_> = stop.as_list().unwrap_or_default().iter().map(|word| word.as_str()).collect();
    /// assert_eq!(words, [Some("</s>")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get(&self, key: &str) -> Option<ParameterValue<'_>> {
        self.0.get(key).map(|value| whole(value.view()))
    }

    /// Returns each key with its value, lists as such, by the bytes of the keys.
    ///
    /// ```
    /// # let (directory, store) =
    /// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
    /// let parameters = store.model("tiny")?.parameters()?;
    /// for (key, value) in &parameters {
    ///     println!("{key} = {value}");
    /// }
    /// assert_eq!(parameters.iter().map(|(key, _)| key).last(), Some("temperature"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> std::vec::IntoIter<(&str, ParameterValue<'_>)> {
        let values = self.0.iter();
        let values = values.map(|(key, value)| (key.as_str(), whole(value.view())));
        values.collect::<Vec<_>>().into_iter()
    }

    fn lines(&self) -> impl Iterator<Item = (&str, AnyRef<'_>)> {
        self.0.iter().flat_map(|(key, value)| {
            let values = match value.view().kind() {
                Kind::Array(items) => items,
                _ => vec![value.view()],
            };
            values.into_iter().map(move |value| (key.as_str(), value))
        })
    }
}

impl<'a> IntoIterator for &'a Parameters {
    type Item = (&'a str, ParameterValue<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

/// Returns a value with its list, whose elements are taken apart no further: a file may nest them
/// as deep as it likes.
fn whole(value: AnyRef<'_>) -> ParameterValue<'_> {
    match value.kind() {
        Kind::Array(items) => ParameterValue::List(items.into_iter().map(Into::into).collect()),
        _ => value.into(),
    }
}

/// The value of a parameter, or an element of one that is a list.
///
/// Serializes as the JSON value that it is: a number without a fraction as an integer, and
/// [`Other`](Self::Other) as the string that it holds.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::ParameterValue;
///
/// let parameters = store.model("tiny")?.parameters()?;
/// assert_eq!(parameters.get("temperature"), Some(ParameterValue::Number(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue<'a> {
    /// True or false.
    Bool(bool),
    /// A number: to Ollama, all of them are 64-bit floating-point numbers.
    Number(f64),
    /// A string.
    Text(&'a str),
    /// A list of values, such as `stop`; only [`Parameters::get`] has these.
    List(Vec<ParameterValue<'a>>),
    /// Null, or a list or an object inside a list, as a Modelfile has it.
    Other(String),
}

impl ParameterValue<'_> {
    /// Returns the truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            ParameterValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            ParameterValue::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            ParameterValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the values of the list.
    pub fn as_list(&self) -> Option<&[ParameterValue<'_>]> {
        match self {
            ParameterValue::List(values) => Some(values),
            _ => None,
        }
    }
}

impl<'a> From<AnyRef<'a>> for ParameterValue<'a> {
    fn from(value: AnyRef<'a>) -> Self {
        match value.kind() {
            Kind::Bool(value) => ParameterValue::Bool(value),
            Kind::Number(value) => ParameterValue::Number(value),
            Kind::Text(text) => ParameterValue::Text(text),
            _ => ParameterValue::Other(go::plain(value)),
        }
    }
}

impl Serialize for ParameterValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ParameterValue::Bool(value) => serializer.serialize_bool(*value),
            ParameterValue::Number(number) => match integer(*number) {
                Some(integer) => serializer.serialize_i64(integer),
                None => serializer.serialize_f64(*number),
            },
            ParameterValue::Text(text) => serializer.serialize_str(text),
            ParameterValue::List(values) => serializer.collect_seq(values),
            ParameterValue::Other(text) => serializer.serialize_str(text),
        }
    }
}

/// Returns the integer that a number is, where it is exactly one and has no other sign than that.
fn integer(number: f64) -> Option<i64> {
    // Beyond 2^53 not every integer is a number of 64 bits; below, Display writes all digits.
    let is_exact = number.abs() <= 9_007_199_254_740_992.0 && number.fract() == 0.0;
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    (is_exact && !is_negative_zero).then(|| number.to_string().parse().ok())?
}

impl fmt::Display for ParameterValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterValue::Bool(value) => write!(f, "{value}"),
            ParameterValue::Number(value) => {
                f.write_str(&go::plain(Any::from(&Value::from(*value)).view()))
            }
            ParameterValue::Text(text) => f.write_str(text),
            ParameterValue::List(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", values.join(" "))
            }
            ParameterValue::Other(text) => f.write_str(text),
        }
    }
}

impl Decode for Parameters {
    fn decode(&mut self, first: Event<'_>, json: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.0.decode(first, json)
    }
}

impl From<Map<String, Value>> for Parameters {
    fn from(layer: Map<String, Value>) -> Self {
        let values = layer.iter();
        Parameters(
            values
                .map(|(key, value)| (key.clone(), Any::from(value)))
                .collect(),
        )
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
        all.merge(parameters(json!({"a": "x", "d": 0.7})));
        let lines: Vec<_> = all.commands().collect();
        let expected = [("a", "x"), ("c", "1"), ("c", "2"), ("d", "0.7")];
        assert_eq!(lines, expected.map(|(key, value)| (key, value.to_owned())));
    }

    #[test]
    fn a_key_has_a_value_of_its_type() {
        let all = parameters(json!({"a": 0.5, "b": ["x", [1]], "c": true}));
        assert_eq!(all.get("a").and_then(|value| value.as_f64()), Some(0.5));
        assert_eq!(all.get("c").and_then(|value| value.as_bool()), Some(true));
        let list = all.get("b").unwrap();
        let first = list.as_list().and_then(|values| values.first()?.as_str());
        assert_eq!((first, list.to_string().as_str()), (Some("x"), "[x [1]]"));
        assert_eq!(all.get("A"), None);
    }

    #[test]
    fn the_json_of_parameters_has_their_values() {
        let json = json!({
            "a": 0.5, "b": ["x", 1, [1]], "c": true, "d": 4096, "e": -0.0, "f": 9_007_199_254_740_994_u64, "g": [],
        });
        let found = serde_json::to_string(&parameters(json)).unwrap();
        let expected = r#"{"a":0.5,"b":["x",1,"[1]"],"c":true,"d":4096,"e":-0.0,"f":9007199254740994.0,"g":[]}"#;
        assert_eq!(found, expected);
    }

    /// Ten thousand levels decode, so they must print, too.
    #[test]
    fn the_json_of_a_deep_value_does_not_recurse_on_it() {
        let text = format!("{{\"a\":{}{}}}", "[".repeat(9_000), "]".repeat(9_000));
        let mut deep = Parameters::default();
        go::decode::first(text.as_bytes(), &mut deep).unwrap();
        let json = serde_json::to_string(&deep).unwrap();
        assert!(json.starts_with("{\"a\":[\"[[[["));
    }

    #[test]
    fn values_are_typed_and_lists_are_taken_apart() {
        let all = parameters(json!({"a": 0.5, "b": ["x", [1]], "c": true, "d": null}));
        let values: Vec<_> = all.values().collect();
        let expected = [
            ("a", ParameterValue::Number(0.5)),
            ("b", ParameterValue::Text("x")),
            ("b", ParameterValue::Other("[1]".to_owned())),
            ("c", ParameterValue::Bool(true)),
            ("d", ParameterValue::Other("<nil>".to_owned())),
        ];
        assert_eq!(values, expected);
        let texts: Vec<_> = all.values().map(|(_, value)| value.to_string()).collect();
        let commands: Vec<_> = all.commands().map(|(_, text)| text).collect();
        assert_eq!(texts, commands);
    }
}
