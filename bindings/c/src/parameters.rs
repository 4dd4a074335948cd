//! The parameters of a model, in and out.

use engine::{ParameterValue, Parameters};
use serde_json::{Map, Value};

use crate::boundary::{Fault, invalid};
use crate::growing::growing;
use crate::str::{Strings, mkeep_str};

/// The type of a parameter's value. More may come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mkeep_parameter_type {
    /// Null, or a list or an object inside a list.
    Other = 0,
    /// True or false.
    Bool = 1,
    /// A number.
    Number = 2,
    /// A string.
    String = 3,
}

/// A parameter; of one that is a list, an element.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct mkeep_parameter {
    /// `sizeof(mkeep_parameter)`.
    pub size: usize,
    /// An mkeep_parameter_type.
    pub r#type: u32,
    /// The key, as in `temperature`.
    pub key: mkeep_str,
    /// The value as a Modelfile has it, whatever its type; of a string, the string.
    pub text: mkeep_str,
    /// The value of a number; of a truth 0 or 1.
    pub number: f64,
}

growing!(mkeep_parameter: number);

impl mkeep_parameter {
    pub(crate) fn all(strings: &mut Strings, parameters: &Parameters) -> Vec<Self> {
        let values = parameters.values();
        values
            .map(|(key, value)| mkeep_parameter::new(strings, key, &value))
            .collect()
    }

    fn new(strings: &mut Strings, key: &str, value: &ParameterValue<'_>) -> Self {
        let (kind, number) = match value {
            ParameterValue::Bool(value) => (mkeep_parameter_type::Bool, f64::from(*value)),
            ParameterValue::Number(number) => (mkeep_parameter_type::Number, *number),
            ParameterValue::Text(_) => (mkeep_parameter_type::String, 0.0),
            _ => (mkeep_parameter_type::Other, 0.0),
        };
        mkeep_parameter {
            size: size_of::<Self>(),
            key: strings.add(key),
            text: strings.display(value),
            number,
            r#type: kind as u32,
        }
    }
}

/// Parses parameters that come in.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, Fault> {
    let object = serde_json::from_str(text);
    object.map_err(|e| invalid(format!("the parameters are not a JSON object: {e}")))
}
