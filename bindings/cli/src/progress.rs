//! A bar while long work is done, and the signals that end it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use modelkeep::{Progress, Store};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::output::{Failure, Outcome};

/// Makes a call that may take long, with a bar where one is wanted. An interrupt ends it in order:
/// what was staged is gone, what was moved aside is at home. A second one ends the program at once.
pub(crate) fn watched<T: Send>(
    store: &Store,
    is_wanted: bool,
    call: impl FnOnce(&Store) -> modelkeep::Result<T> + Send,
) -> Outcome<T> {
    let mut bar = Bar::new(is_wanted)?;
    Ok(store.watch(&mut |progress| bar.observe(progress), call)?)
}

/// The units are those of every other size: powers of ten.
const TEMPLATE: &str = "{wide_bar} {percent:>3}%  {decimal_bytes} of {decimal_total_bytes}  \
    {decimal_bytes_per_sec}  {eta} left{msg}";

/// What is done by then shows no bar.
const SOON: Duration = Duration::from_millis(250);

/// A bar on standard error, where that is a terminal; as wide as that is.
pub(crate) struct Bar {
    bar: ProgressBar,
    /// Until when it is hidden, where it is to be seen at all.
    shown: Option<Instant>,
    interrupted: Arc<AtomicBool>,
}

impl Bar {
    pub(crate) fn new(is_wanted: bool) -> Outcome<Self> {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let shown = Instant::now().checked_add(SOON).filter(|_| is_wanted);
        // The template is checked by a test.
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let failed = |error| Failure::Other(format!("waiting for signals: {error}"));
            flag::register_conditional_default(signal, interrupted.clone()).map_err(failed)?;
            flag::register(signal, interrupted.clone()).map_err(failed)?;
        }
        Ok(Bar {
            bar,
            shown,
            interrupted,
        })
    }

    pub(crate) fn observe(&mut self, progress: &Progress) -> ControlFlow<()> {
        if self
            .shown
            .take_if(|shown| *shown <= Instant::now())
            .is_some()
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(progress.total_bytes);
        self.bar.set_position(progress.bytes);
        self.bar.set_message(format!(
            "  {}/{} files",
            progress.files, progress.total_files
        ));
        match self.interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn a_bar_counts_in_the_units_of_everything_else() {
        let terminal = InMemoryTerm::new(4, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = ProgressBar::with_draw_target(Some(2_000_000), target);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap());
        bar.set_position(1_000_000);
        bar.tick();
        let line = terminal.contents();
        assert!(line.contains(" 50%  1.00 MB of 2.00 MB  "), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.contains("iB"), "{line}");
    }
}
