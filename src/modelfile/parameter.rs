//! The parameters that a Modelfile may set, and their types.

use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// What a parameter holds.
enum Kind {
    Integer,
    Float,
    Boolean,
    /// Texts that add up over the lines.
    Texts,
    /// What older releases knew; it says nothing any more.
    Obsolete,
}

/// Returns the fields of Ollama's options (August 2026), by their names in JSON.
fn kind(key: &str) -> Option<Kind> {
    Some(match key {
        "num_ctx" | "num_batch" | "num_gpu" | "main_gpu" | "num_thread" | "draft_num_predict"
        | "num_keep" | "seed" | "num_predict" | "top_k" | "repeat_last_n" => Kind::Integer,
        "top_p" | "min_p" | "typical_p" | "temperature" | "repeat_penalty" | "presence_penalty"
        | "frequency_penalty" => Kind::Float,
        "use_mmap" => Kind::Boolean,
        "stop" => Kind::Texts,
        "penalize_newline" | "low_vram" | "f16_kv" | "logits_all" | "vocab_only" | "use_mlock"
        | "mirostat" | "mirostat_tau" | "mirostat_eta" => Kind::Obsolete,
        _ => return None,
    })
}

/// Returns the value of a parameter as Ollama stores it; `None` for one that says nothing any more.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for an unknown parameter and for a text that is
/// no value of its type.
pub(crate) fn value(key: &str, text: &str) -> Result<Option<Value>, Error> {
    let Some(kind) = kind(key) else {
        let text = format!("unknown parameter '{key}'");
        return Err(Error::new(ErrorKind::InvalidArgument, text));
    };
    let (value, what) = match kind {
        Kind::Integer => (integer(text), "an integer"),
        Kind::Float => (float(text), "a number"),
        Kind::Boolean => (boolean(text), "true or false"),
        Kind::Texts => (Some(Value::Array(vec![text.into()])), "a text"),
        Kind::Obsolete => return Ok(None),
    };
    if value.is_none() {
        let text = format!("parameter '{key}' is {what}, not {text:?}");
        return Err(Error::new(ErrorKind::InvalidArgument, text));
    }
    Ok(value)
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
