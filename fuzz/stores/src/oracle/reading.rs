//! What a manifest names, whatever its form.

use std::collections::BTreeSet;

use serde_json::{Deserializer, Map, Value};

/// What was read of a manifest.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The digits of each digest that stands anywhere in it.
    pub named: BTreeSet<String>,
    /// Those that layers and the config name in the usual spellings.
    pub plain: BTreeSet<String>,
    /// Those of other manifests, which an index names and which lie among the blobs.
    pub indexed: BTreeSet<String>,
    /// Whether it decodes as a manifest does.
    pub decodes: bool,
    /// Whether a layer or the config has a digest that names nothing that can be understood.
    pub is_obscure: bool,
    /// Whether something need not be understood: a digest in another spelling, or all of it, as it is
    /// too large.
    pub is_odd: bool,
}

/// The largest manifest that is read.
const LARGEST: usize = 16 << 20;

/// Reads the bytes of a manifest.
pub fn read(bytes: &[u8]) -> Reading {
    if bytes.len() > LARGEST {
        return Reading {
            is_odd: true,
            ..Reading::default()
        };
    }
    let mut values = Deserializer::from_slice(bytes).into_iter::<Value>();
    let Some(Ok(value)) = values.next() else {
        return Reading::default();
    };
    let first = bytes.get(..values.byte_offset()).unwrap_or(bytes);
    // The text itself shows what a duplicate key hides; the value, what an escape does.
    let mut named = runs(&String::from_utf8_lossy(first));
    collect(&value, &mut named);
    let entries = entries(&value);
    let obscure = |entry: &Map<String, Value>| {
        let digest = field(entry, "digest").and_then(Value::as_str).unwrap_or("");
        !digest.is_empty() && runs(digest).is_empty()
    };
    let mut indexed = BTreeSet::new();
    if let Some(manifests) = value
        .as_object()
        .and_then(|fields| field(fields, "manifests"))
    {
        collect(manifests, &mut indexed);
    }
    let plain = |entry: &Map<String, Value>| {
        let digest = field(entry, "digest")?.as_str()?;
        let hex = digest.strip_prefix("sha256")?.strip_prefix([':', '-'])?;
        (hex.len() == 64 && runs(hex).len() == 1).then(|| hex.to_lowercase())
    };
    Reading {
        plain: entries.iter().flatten().filter_map(plain).collect(),
        is_odd: entries.iter().flatten().any(|entry| {
            let digest = field(entry, "digest").and_then(Value::as_str).unwrap_or("");
            !digest.is_empty() && plain(entry).is_none()
        }),
        named,
        indexed,
        is_obscure: entries.iter().flatten().any(obscure),
        decodes: entries.is_some(),
    }
}

/// Returns each run of exactly 64 hexadecimal digits, in lower case.
pub fn runs(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_hexdigit())
        .filter(|run| run.len() == 64)
        .map(str::to_lowercase)
        .collect()
}

fn collect(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => named.extend(runs(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, named)),
        Value::Object(fields) => fields.values().for_each(|item| collect(item, named)),
        _ => {}
    }
}

fn field<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let mut equal = fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(key));
    equal
        .next_back()
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// Returns the layers and the config; `None` where a type is wrong.
fn entries(value: &Value) -> Option<Vec<Map<String, Value>>> {
    let fields = match value {
        Value::Null => return Some(Vec::new()),
        value => value.as_object()?,
    };
    let mut entries = Vec::new();
    if let Some(layers) = field(fields, "layers") {
        for layer in layers.as_array()? {
            entries.push(if layer.is_null() {
                Map::new()
            } else {
                layer.as_object()?.clone()
            });
        }
    }
    if let Some(config) = field(fields, "config") {
        entries.push(config.as_object()?.clone());
    }
    let number = |fields, key| field(fields, key).is_none_or(|value| value.as_i64().is_some());
    let text = |fields, key| field(fields, key).is_none_or(Value::is_string);
    let sound = number(fields, "schemaVersion") && text(fields, "mediaType");
    let all = entries.iter().all(|entry| {
        number(entry, "size")
            && ["digest", "mediaType", "from", "name"]
                .iter()
                .all(|key| text(entry, key))
    });
    (sound && all).then_some(entries)
}
