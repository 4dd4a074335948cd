//! What passes and what does not: which failures are tried again, when, and how often.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// A request is tried so often where nothing came of it in between.
const ATTEMPTS: u32 = 6;

/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A registry that asks for a longer pause is not waited for: that is told.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How soon a pause notices that it is to end.
const STEP: Duration = Duration::from_millis(20);

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It would fail again.
    Final(Error),
    /// It may pass; after how long, where the registry said so.
    Passing(Error, Option<Duration>),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Final(error)
    }
}

impl Fault {
    /// Reads the failure of a connection. One that was never there does not come back by waiting.
    pub(super) fn of_transport(host: &str, error: ureq::Error, may_pass: bool) -> Self {
        // What is no TLS, or a certificate that nobody vouches for, comes as invalid data.
        let is_tls = match &error {
            ureq::Error::Rustls(_) | ureq::Error::Tls(_) => true,
            ureq::Error::Io(e) => e.kind() == std::io::ErrorKind::InvalidData,
            _ => false,
        };
        let advice = match is_tls {
            true => {
                "; a registry without TLS is reached by the option plain_http (--plain-http), one \
                 with a certificate of your own by ca_file (--ca-file)"
            }
            false => "",
        };
        let passes = !is_tls
            && matches!(
                &error,
                ureq::Error::Io(_)
                    | ureq::Error::Timeout(_)
                    | ureq::Error::ConnectionFailed
                    | ureq::Error::HostNotFound
                    | ureq::Error::BodyStalled
            );
        let text = format!("asking {host}: {error}{advice}");
        let error = Error::new(ErrorKind::Network, text);
        match may_pass && passes {
            true => Fault::Passing(error, None),
            false => Fault::Final(error),
        }
    }

    /// Returns the failure of a body that broke off, or that did not go through.
    pub(crate) fn cut(text: String) -> Self {
        Fault::Passing(Error::new(ErrorKind::Network, text), None)
    }

    pub(crate) fn into_error(self) -> Error {
        match self {
            Fault::Final(error) | Fault::Passing(error, _) => error,
        }
    }
}

/// The pauses between attempts, which end when all work is to end.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    stopped: AtomicBool,
}

impl Pauses {
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// [`Cancelled`](ErrorKind::Cancelled) where all work is to end.
    pub(crate) fn check(&self) -> Result<()> {
        match self.stopped.load(Ordering::Relaxed) {
            true => Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")),
            false => Ok(()),
        }
    }

    /// Waits, unless all work is to end.
    pub(crate) fn pause(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(STEP));
        }
    }

    /// Makes a call until it succeeds or fails for good. `progress` grows where something came of a
    /// call that failed: the count of attempts begins anew then.
    pub(crate) fn patiently<T>(
        &self,
        progress: impl Fn() -> u64,
        mut call: impl FnMut() -> Result<T, Fault>,
    ) -> Result<T> {
        let (mut attempts, mut reached) = (0, progress());
        loop {
            self.check()?;
            let (error, asked) = match call() {
                Ok(value) => return Ok(value),
                Err(fault) => {
                    // What was broken off by the end of all work is no failure of its own.
                    self.check()?;
                    match fault {
                        Fault::Final(error) => return Err(error),
                        Fault::Passing(error, asked) => (error, asked),
                    }
                }
            };
            let now = progress();
            attempts = match now > reached {
                true => 1,
                false => attempts + 1,
            };
            reached = now;
            let pause = asked.unwrap_or_else(|| backoff(attempts));
            if attempts >= ATTEMPTS || pause > LONGEST_PAUSE {
                return Err(given_up(error, attempts, asked));
            }
            self.pause(pause)?;
        }
    }
}

/// Clients that failed together come back apart: a part of the pause is by chance.
fn backoff(attempts: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let nanoseconds = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.subsec_nanos());
    whole.mul_f64(0.75 + f64::from(nanoseconds % 1000) / 2000.0)
}

fn given_up(error: Error, attempts: u32, asked: Option<Duration>) -> Error {
    let text = match asked.filter(|asked| *asked > LONGEST_PAUSE) {
        Some(asked) => format!("the registry asks for a pause of {} s", asked.as_secs()),
        None => format!("given up after {attempts} attempts"),
    };
    Error::caused(error.kind(), text, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut() -> Fault {
        Fault::Passing(Error::new(ErrorKind::Network, "cut"), Some(Duration::ZERO))
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let pauses = Pauses::default();
        let mut left = 3;
        let passed = pauses.patiently(
            || 0,
            || {
                left -= 1;
                match left {
                    0 => Ok(7),
                    _ => Err(cut()),
                }
            },
        );
        assert_eq!(passed.ok(), Some(7));
        let mut calls = 0;
        let failed = pauses.patiently(
            || 0,
            || {
                calls += 1;
                Err::<(), _>(Fault::Final(Error::new(ErrorKind::NotFound, "gone")))
            },
        );
        assert_eq!(failed.map_err(|e| e.kind()), Err(ErrorKind::NotFound));
        assert_eq!(calls, 1);
    }

    #[test]
    fn attempts_are_counted_from_the_last_progress() {
        let pauses = Pauses::default();
        let (calls, bytes) = (std::cell::Cell::new(0_u64), std::cell::Cell::new(0));
        let failed = pauses.patiently(
            || bytes.get(),
            || {
                calls.set(calls.get() + 1);
                if calls.get() <= 20 {
                    bytes.set(bytes.get() + 1);
                }
                Err::<(), _>(cut())
            },
        );
        let error = failed.expect_err("it never passes");
        assert_eq!(calls.get(), 20 + u64::from(ATTEMPTS) - 1, "{error}");
        assert!(error.to_string().contains("attempts: cut"), "{error}");
    }

    #[test]
    fn only_what_was_there_and_is_no_tls_comes_back() {
        let io = |kind: std::io::ErrorKind| ureq::Error::Io(kind.into());
        let reset = std::io::ErrorKind::ConnectionReset;
        let no_tls = std::io::ErrorKind::InvalidData;
        for (error, may_pass, passes, is_tls) in [
            (io(reset), true, true, false),
            (io(reset), false, false, false),
            (io(no_tls), true, false, true),
            (ureq::Error::Tls("none"), true, false, true),
            (ureq::Error::TooManyRedirects, true, false, false),
        ] {
            let fault = Fault::of_transport("h.x", error, may_pass);
            assert_eq!(matches!(fault, Fault::Passing(..)), passes, "{fault:?}");
            let text = fault.into_error().to_string();
            assert_eq!(text.contains("--plain-http"), is_tls, "{text}");
        }
    }

    #[test]
    fn after_the_end_nothing_begins_and_what_it_broke_is_no_failure() {
        let pauses = Pauses::default();
        let broken = pauses.patiently(
            || 0,
            || {
                pauses.stop();
                Err::<(), _>(Fault::Final(Error::new(ErrorKind::Network, "shut down")))
            },
        );
        assert_eq!(broken.map_err(|e| e.kind()), Err(ErrorKind::Cancelled));
        let begun = pauses.patiently(|| 0, || Ok::<_, Fault>(()));
        assert_eq!(begun.map_err(|e| e.kind()), Err(ErrorKind::Cancelled));
    }

    #[test]
    fn pauses_grow_and_the_longest_is_still_waited_for() {
        for (attempts, whole) in [(1, FIRST_PAUSE), (2, FIRST_PAUSE * 2), (4, FIRST_PAUSE * 8)] {
            let pause = backoff(attempts);
            assert!(pause >= whole.mul_f64(0.75) && pause <= whole.mul_f64(1.25));
        }
        let failed = |asked| {
            let error = Error::new(ErrorKind::Busy, "busy");
            given_up(error, 6, Some(asked)).to_string()
        };
        assert!(failed(LONGEST_PAUSE).contains("given up after 6 attempts"));
        assert!(failed(LONGEST_PAUSE * 2).contains("a pause of 240 s"));
    }

    #[test]
    fn a_pause_ends_when_all_work_does_and_a_long_one_is_refused() {
        let pauses = Pauses::default();
        let asked = || {
            Err::<(), _>(Fault::Passing(
                Error::new(ErrorKind::Busy, "busy"),
                Some(Duration::from_secs(3600)),
            ))
        };
        let error = pauses.patiently(|| 0, asked).expect_err("it is too long");
        assert!(error.to_string().contains("a pause of 3600 s"), "{error}");
        pauses.stop();
        let stopped = pauses.pause(Duration::from_secs(3600));
        assert_eq!(stopped.map_err(|e| e.kind()), Err(ErrorKind::Cancelled));
    }
}
