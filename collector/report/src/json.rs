//! The model as it is, for programs.

use serde::Serialize;

/// Keys in the order of the model, two blanks of indent, a line feed at the end.
pub fn pretty(model: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(model).map(|text| text + "\n")
}
