//! Whether what people read is colored.

use std::env;
use std::ffi::{OsStr, OsString};

use clap::{ColorChoice, ValueEnum};
use console::Term;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Returns what is typed. It counts before the rest is understood, since the parser's own
    /// messages are colored as well.
    pub(crate) fn typed(words: &[OsString]) -> Self {
        let words = words.iter().take_while(|word| *word != "--");
        let words: Vec<&str> = words.filter_map(|word| word.to_str()).collect();
        let after = words
            .windows(2)
            .filter(|pair| pair.first() == Some(&"--color"));
        let after = after.filter_map(|pair| pair.get(1).copied());
        let joined = words
            .iter()
            .filter_map(|word| word.strip_prefix("--color="));
        let typed = joined.chain(after).last();
        let color = typed.and_then(|word| Color::from_str(word, false).ok());
        color.unwrap_or_default()
    }

    /// Colors both streams, or does not, and returns what the parser is to do.
    pub(crate) fn apply(self) -> ColorChoice {
        let on =
            |term: &Term| self.wants(term.features().colors_supported(), |name| env::var_os(name));
        console::set_colors_enabled(on(&Term::stdout()));
        console::set_colors_enabled_stderr(on(&Term::stderr()));
        match self {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }

    /// Returns whether a stream is colored, by what it is and by the environment: of two variables
    /// that contradict each other, the one that wants none counts.
    fn wants(self, is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let is_zero = |name| variable(name).as_deref() == Some(OsStr::new("0"));
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if is_set("NO_COLOR") => false,
            Color::Auto if is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE") => true,
            Color::Auto => is_terminal && !is_zero("CLICOLOR"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_where_nothing_is_typed() {
        let wants = |color: Color, is_terminal, set: &[(&str, &str)]| {
            color.wants(is_terminal, |name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| value.into())
            })
        };
        let auto = Color::Auto;
        assert!(wants(auto, true, &[]) && !wants(auto, false, &[]));
        assert!(!wants(auto, true, &[("NO_COLOR", "1")]));
        assert!(wants(auto, true, &[("NO_COLOR", "")]));
        assert!(wants(auto, false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!wants(auto, false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!wants(auto, true, &[("CLICOLOR", "0")]));
        assert!(!wants(
            auto,
            true,
            &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]
        ));
        assert!(wants(Color::Always, false, &[("NO_COLOR", "1")]));
        assert!(!wants(Color::Never, true, &[("CLICOLOR_FORCE", "1")]));
    }

    #[test]
    fn the_option_is_found_in_both_its_forms() {
        let typed = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            Color::typed(&words)
        };
        assert_eq!(typed(&["list", "--color", "never"]), Color::Never);
        assert_eq!(typed(&["--color=always", "list"]), Color::Always);
        assert_eq!(typed(&["rm", "--", "--color=always"]), Color::Auto);
        assert_eq!(typed(&["--color", "pink"]), Color::Auto);
        assert_eq!(typed(&["--color"]), Color::Auto);
    }
}
