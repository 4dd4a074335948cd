//! The parsers of model output that are built into Ollama, by name.

/// What a parser makes of a model's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutputParser {
    pub tools: bool,
    pub thinking: bool,
}

/// Returns the parser that a config names, in exactly this spelling; one that is unknown can do
/// nothing.
///
/// As of August 2026 (model/parsers in Ollama).
pub(crate) fn named(name: &str) -> OutputParser {
    let (tools, thinking) = match name {
        "qwen3" | "qwen3-coder" | "qwen3-vl-instruct" | "ministral" | "olmo3" | "functiongemma"
        | "gemma4-no-thinking" | "glm-ocr" | "lfm2" => (true, false),
        "olmo3-think" => (false, true),
        "qwen3-thinking" | "qwen3.5" | "ornith" | "qwen3-vl-thinking" | "harmony" | "cogito"
        | "deepseek3" | "nemotron-3-nano" | "nemotron-3.5-nano" | "glm-4.7" | "gemma4"
        | "lfm2-thinking" | "laguna" | "poolside-v1" | "cohere" | "glimmer" => (true, true),
        _ => (false, false),
    };
    OutputParser { tools, thinking }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        assert_eq!(
            named("harmony"),
            OutputParser {
                tools: true,
                thinking: true
            }
        );
        for name in ["", "Harmony", "passthrough", "harmony "] {
            assert_eq!(named(name), OutputParser::default(), "{name:?}");
        }
    }
}
