//! How a test says what it cannot do here: a line `skipped: WHAT: WHY` on its output and, as the
//! output of a test that passes is not shown, in the file that `MODELKEEP_SKIPS` names.

use std::env;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread;

/// Says that something is skipped for want of what an installation would bring. Fails the test
/// instead where `MODELKEEP_REQUIRE` is `all`.
pub fn skip(what: &str, why: &str) {
    let is_required = env::var_os("MODELKEEP_REQUIRE").is_some_and(|value| value == "all");
    assert!(
        !is_required,
        "MODELKEEP_REQUIRE is all, and this would be skipped: {what}: {why}"
    );
    not_here(what, why);
}

/// Says that something is skipped which nothing that is installed would bring to this machine: an
/// instruction of its processor, the rights of root, a second disk.
pub fn not_here(what: &str, why: &str) {
    let line = format!("skipped: {what}: {why}");
    println!("{line}");
    if let Some(path) = env::var_os("MODELKEEP_SKIPS").filter(|path| !path.is_empty()) {
        let recorded = record(Path::new(&path), &line);
        recorded.expect("a skip that is not counted would pass for a success");
    }
}

/// Appends the test and its line, in one write: other tests append as well.
fn record(path: &Path, line: &str) -> std::io::Result<()> {
    let program = env::current_exe()?;
    let program = program.file_stem().unwrap_or_default().to_string_lossy();
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(format!("{program}::{test}\t{line}\n").as_bytes())
}
