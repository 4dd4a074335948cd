//! A bar while blobs are hashed.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};
use modelkeep::Progress;

/// A bar on standard error, where that is a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(is_wanted: bool) -> Self {
        let bar = if is_wanted {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        let template =
            "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left{msg}";
        // The template is checked by a test.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    pub(crate) fn observe(&self, progress: &Progress) -> ControlFlow<()> {
        self.0.set_length(progress.total_bytes);
        self.0.set_position(progress.bytes);
        self.0.set_message(format!(
            "  {}/{} files",
            progress.files, progress.total_files
        ));
        ControlFlow::Continue(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
