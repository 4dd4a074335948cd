//! The parameters that a Modelfile may set, and their types.

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::near::near;

/// What a parameter holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Float,
    Boolean,
    /// Texts that add up over the lines.
    Texts,
    /// What older releases knew; it says nothing any more.
    Obsolete,
}

/// The fields of Ollama's options (August 2026), by their names in JSON.
const FIELDS: &[(Kind, &[&str])] = &[
    (
        Kind::Integer,
        &[
            "num_ctx",
            "num_batch",
            "num_gpu",
            "main_gpu",
            "num_thread",
            "draft_num_predict",
            "num_keep",
            "seed",
            "num_predict",
            "top_k",
            "repeat_last_n",
        ],
    ),
    (
        Kind::Float,
        &[
            "top_p",
            "min_p",
            "typical_p",
            "temperature",
            "repeat_penalty",
            "presence_penalty",
            "frequency_penalty",
        ],
    ),
    (Kind::Boolean, &["use_mmap"]),
    (Kind::Texts, &["stop"]),
    (
        Kind::Obsolete,
        &[
            "penalize_newline",
            "low_vram",
            "f16_kv",
            "logits_all",
            "vocab_only",
            "use_mlock",
            "mirostat",
            "mirostat_tau",
            "mirostat_eta",
        ],
    ),
];

impl Kind {
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for an unknown parameter.
    fn of(key: &str) -> Result<Kind, Error> {
        let found = FIELDS.iter().find(|(_, keys)| keys.contains(&key));
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let useful = FIELDS.iter().filter(|(kind, _)| *kind != Kind::Obsolete);
            let keys = useful.flat_map(|(_, keys)| keys.iter().copied());
            let text = format!("unknown parameter '{key}'");
            Error::new(ErrorKind::InvalidArgument, text).suggest(near(key, keys))
        })
    }

    fn what(self) -> &'static str {
        match self {
            Kind::Integer => "an integer",
            Kind::Float => "a number",
            Kind::Boolean => "true or false",
            Kind::Texts => "a list of texts",
            Kind::Obsolete => "nothing any more",
        }
    }
}

fn refused(key: &str, kind: Kind, value: &dyn std::fmt::Display) -> Error {
    let text = format!("parameter '{key}' is {}, not {value}", kind.what());
    Error::new(ErrorKind::InvalidArgument, text)
}

/// Returns the value of a parameter as Ollama stores it; `None` for one that says nothing any more.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for an unknown parameter and for a text that is
/// no value of its type.
pub(crate) fn value(key: &str, text: &str) -> Result<Option<Value>, Error> {
    let kind = Kind::of(key)?;
    let value = match kind {
        Kind::Integer => integer(text),
        Kind::Float => float(text),
        Kind::Boolean => boolean(text),
        Kind::Texts => Some(Value::Array(vec![text.into()])),
        Kind::Obsolete => return Ok(None),
    };
    value
        .map(Some)
        .ok_or_else(|| refused(key, kind, &format_args!("{text:?}")))
}

/// Returns the value of a parameter that has a type already, as Ollama stores it: of `stop`, a
/// single text is a list of one. `None` for a parameter that says nothing any more.
///
/// # Errors
/// As [`value`].
pub(crate) fn typed(key: &str, value: &Value) -> Result<Option<Value>, Error> {
    let kind = Kind::of(key)?;
    let fits = match (kind, value) {
        (Kind::Integer, Value::Number(number)) => number.as_f64().is_some_and(is_integer),
        (Kind::Float, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => true,
        (Kind::Texts, Value::Array(texts)) => texts.iter().all(Value::is_string),
        (Kind::Texts, Value::String(_)) => return Ok(Some(Value::Array(vec![value.clone()]))),
        (Kind::Obsolete, _) => return Ok(None),
        _ => false,
    };
    match fits {
        true => Ok(Some(value.clone())),
        false => Err(refused(key, kind, value)),
    }
}

/// Checks a parameter that only replaces a model's own for a while, and is stored nowhere: a text
/// that a Modelfile could have is as good as a value, and a parameter like no known one may be
/// another release's.
///
/// # Errors
/// As [`value`], for a slip.
pub(crate) fn check_override(key: &str, value: &Value) -> Result<(), Error> {
    match (Kind::of(key), value) {
        (Err(unknown), _) if unknown.suggestions().is_empty() => Ok(()),
        (_, Value::String(text)) => self::value(key, text).map(drop),
        _ => typed(key, value).map(drop),
    }
}

fn is_integer(number: f64) -> bool {
    number.fract() == 0.0
}

/// On its way through Ollama's API every number becomes one of 64 floating bits.
#[expect(clippy::cast_precision_loss, reason = "Ollama rounds, too")]
fn integer(text: &str) -> Option<Value> {
    let number: i64 = text.parse().ok()?;
    Some((number as f64).into())
}

/// Rounded to 32 bits, and then the shortest text that gives them.
fn float(text: &str) -> Option<Value> {
    let number: f32 = text
        .parse()
        .ok()
        .filter(|number: &f32| number.is_finite())?;
    number.to_string().parse::<f64>().ok().map(Value::from)
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true.into()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go::json;

    fn json(key: &str, text: &str) -> String {
        json::to_string(&value(key, text).unwrap())
    }

    #[test]
    fn values_have_the_type_of_their_parameter() {
        assert_eq!(json("num_ctx", "+4096"), "4096");
        assert_eq!(json("seed", "9007199254740993"), "9007199254740992");
        assert_eq!(json("temperature", "0.70000001"), "0.7");
        assert_eq!(json("top_p", "1"), "1");
        assert_eq!(json("min_p", "1e-7"), "1e-7");
        assert_eq!(json("use_mmap", "T"), "true");
        assert_eq!(json("stop", " <s> "), r#"[" \u003cs\u003e "]"#);
        assert_eq!(json("mirostat", "x"), "null");
    }

    #[test]
    fn typed_values_have_the_type_of_their_parameter() {
        use serde_json::json;
        for (key, value, stored) in [
            ("num_ctx", json!(4096), json!(4096)),
            ("seed", json!(-1.0), json!(-1.0)),
            ("temperature", json!(1), json!(1)),
            ("use_mmap", json!(false), json!(false)),
            ("stop", json!("</s>"), json!(["</s>"])),
            ("stop", json!(["a", "b"]), json!(["a", "b"])),
        ] {
            assert_eq!(typed(key, &value).unwrap(), Some(stored), "{key}");
        }
        assert_eq!(typed("mirostat", &json!(1)).unwrap(), None);
        for (key, value, text) in [
            (
                "temperature",
                json!("hot"),
                "parameter 'temperature' is a number, not \"hot\"",
            ),
            (
                "num_ctx",
                json!(1.5),
                "parameter 'num_ctx' is an integer, not 1.5",
            ),
            (
                "num_ctx",
                json!(null),
                "parameter 'num_ctx' is an integer, not null",
            ),
            (
                "use_mmap",
                json!(1),
                "parameter 'use_mmap' is true or false, not 1",
            ),
            (
                "stop",
                json!(["a", 1]),
                "parameter 'stop' is a list of texts, not [\"a\",1]",
            ),
            (
                "temprature",
                json!(1),
                "unknown parameter 'temprature'; did you mean temperature?",
            ),
        ] {
            let error = typed(key, &value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{key}");
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn other_texts_and_parameters_are_refused() {
        for (key, text) in [
            ("num_ctx", "1.5"),
            ("num_ctx", ""),
            ("temperature", "warm"),
            ("temperature", "inf"),
            ("use_mmap", "yes"),
            ("Stop", "x"),
            ("", "x"),
        ] {
            let error = value(key, text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{key} {text}");
        }
    }
}
