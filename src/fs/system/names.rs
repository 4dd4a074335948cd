//! Names that a system cannot give to files.

/// Why no file of this system can have a name.
pub(crate) fn refusal(name: &str) -> Option<&'static str> {
    #[cfg(unix)]
    let refusal = unix(name);
    #[cfg(windows)]
    let refusal = windows(name);
    refusal
}

/// All but a slash and a NUL, which no part of a model's name has.
#[cfg(any(unix, test))]
fn unix(_name: &str) -> Option<&'static str> {
    None
}

// Microsoft Learn, "Naming Files, Paths, and Namespaces".
#[cfg(any(windows, test))]
fn windows(name: &str) -> Option<&'static str> {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    const NUMBERED: [&str; 2] = ["com", "lpt"];
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let stem = stem.trim_end().to_ascii_lowercase();
    let number = |device: &&str| {
        let number = stem.strip_prefix(*device);
        number
            .is_some_and(|n| matches!(n, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
    };
    if DEVICES.contains(&stem.as_str()) || NUMBERED.iter().any(number) {
        return Some("is the name of a device on Windows");
    }
    if name.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*']) {
        return Some("has a character that no file name has on Windows");
    }
    name.ends_with(['.', ' '])
        .then_some("ends with a character that Windows drops from file names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_has_no_files_of_some_names() {
        for name in [
            "con",
            "NUL",
            "aux.gguf",
            "Com1",
            "lpt9.x",
            "com0",
            "host:5000",
            "7b.",
            "conin$",
            "a\\b",
        ] {
            assert!(windows(name).is_some(), "{name}");
            assert!(unix(name).is_none(), "{name}");
        }
        for name in [
            "latest", "console", "com", "com10", "lpt", "a.nul", "0.5b", "xcon", "_",
        ] {
            assert!(windows(name).is_none(), "{name}");
        }
    }
}
