//! What a Jinja chat template can do, told from the words in it.

use crate::template::Template;

/// Returns whether the template of a GGUF file renders tools.
pub(crate) fn has_tools(chat: &str) -> bool {
    contains_any(chat, &["tools", "tool_call"])
}

/// Returns whether it renders, or cuts away, what a model thought.
pub(crate) fn has_thinking(chat: &str) -> bool {
    let tagged = chat.contains("<think>") && chat.contains("</think>");
    let split = contains_any(
        chat,
        &["content.split('</think>')", r#"content.split("</think>")"#],
    );
    tagged || (split && !contains_any(chat, &["reasoning_content", "<SPECIAL_12>"]))
}

/// Returns whether a chat template renders better than the Go template of the same model: where it
/// can do more, or the same and alone brings a tool's answer back to the model.
pub(crate) fn is_preferred(chat: &str, go: &Template) -> bool {
    let of_chat = [has_tools(chat), false, has_thinking(chat)];
    let of_go = [
        go.uses("tools"),
        go.uses("suffix"),
        go.thinking_tags().is_some(),
    ];
    let count = |abilities: [bool; 3]| abilities.into_iter().filter(|able| *able).count();
    if count(of_chat) > count(of_go) {
        return !go_returns_tool_answers(go) || returns_tool_answers(chat);
    }
    let same_with_tools = of_chat == of_go && has_tools(chat);
    same_with_tools && returns_tool_answers(chat) && !go_returns_tool_answers(go)
}

fn returns_tool_answers(chat: &str) -> bool {
    let answers = [
        "tool_response",
        "tool_results",
        "role'] == 'tool'",
        r#"role'] == "tool""#,
        r#"role"] == 'tool'"#,
        r#"role"] == "tool""#,
        "message.role == 'tool'",
        r#"message.role == "tool""#,
        "ipython",
    ];
    has_tools(chat)
        && contains_any(chat, &["tool_calls", "assistant_tool_call"])
        && contains_any(chat, &answers)
}

fn go_returns_tool_answers(go: &Template) -> bool {
    go.uses("tools")
        && go.uses("toolcalls")
        && contains_any(
            go.text(),
            &[r#"eq .Role "tool""#, "tool_response", "TOOL_RESULTS"],
        )
}

fn contains_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_tools_and_thinking() {
        let cases = [
            ("{% if tools %}", true, false),
            ("message.tool_calls", true, false),
            ("<think>{{ x }}</think>", false, true),
            ("<think>", false, false),
            ("content.split('</think>')[-1]", false, true),
            ("content.split(\"</think>\")[-1]", false, true),
            (
                "content.split('</think>')[-1] reasoning_content",
                false,
                false,
            ),
            ("content.split('</think>')[-1] <SPECIAL_12>", false, false),
            ("tool", false, false),
        ];
        for (chat, tools, thinking) in cases {
            assert_eq!(
                (has_tools(chat), has_thinking(chat)),
                (tools, thinking),
                "{chat}"
            );
        }
    }

    #[test]
    fn the_abler_template_is_preferred() {
        let one_way = "{{ .Tools }}";
        let both_ways = "{{ .Tools }}{{ .ToolCalls }}{{ if eq .Role \"tool\" }}{{ end }}";
        let chat_both_ways = "tools tool_calls message.role == 'tool'";
        let cases = [
            ("tools", "{{ .Prompt }}", true),
            ("tools <think></think>", one_way, true),
            ("tools <think></think>", both_ways, false),
            ("tool_calls ipython <think></think>", both_ways, true),
            (chat_both_ways, one_way, true),
            (chat_both_ways, both_ways, false),
            ("tools", one_way, false),
            ("<think></think>", one_way, false),
            ("", "{{ .Prompt }}", false),
            ("tools", "{{ .Suffix }}", false),
        ];
        for (chat, go, expected) in cases {
            assert_eq!(
                is_preferred(chat, &Template::parse(go).unwrap()),
                expected,
                "{chat} | {go}"
            );
        }
    }
}
