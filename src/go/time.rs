//! Times as list and show print them.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::error::{Error, ErrorKind};

/// The time of a file's last change, to the nanosecond.
///
/// Prints RFC 3339 in the local time zone: up to nine fractional digits without trailing zeros,
/// and `Z` where the offset is zero.
///
/// ```
/// use std::time::SystemTime;
///
/// use modelkeep::Timestamp;
///
/// let now = SystemTime::now();
/// assert_eq!(Timestamp::from(now).system_time(), now);
/// assert_eq!(Timestamp::from(now).to_string().parse::<Timestamp>()?.system_time(), now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(SystemTime);

impl Timestamp {
    /// Returns the time itself.
    pub const fn system_time(self) -> SystemTime {
        self.0
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Timestamp(time)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A time outside the years -9999 to 9999 cannot be printed; no file system stores one.
        let time = jiff::Timestamp::try_from(self.0).unwrap_or_default();
        let offset = TimeZone::system().to_offset(time);
        if offset.is_zero() {
            write!(f, "{time}")
        } else {
            write!(f, "{}", time.display_with_offset(offset))
        }
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads RFC 3339 in any time zone.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a malformed time.
    fn from_str(text: &str) -> Result<Self, Error> {
        let failed = |e| Error::caused(ErrorKind::InvalidArgument, "parsing time", e);
        let time: jiff::Timestamp = text.parse().map_err(failed)?;
        Ok(Timestamp(time.try_into().map_err(failed)?))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_read_back_from_what_it_prints(seconds in 0..253_000_000_000_u64, nanos in 0..1_000_000_000_u32) {
            let time = Timestamp::from(UNIX_EPOCH + Duration::new(seconds, nanos));
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }

    #[test]
    fn trailing_zeros_of_the_fraction_are_dropped() {
        let text = |nanoseconds| {
            let time = UNIX_EPOCH + Duration::from_nanos(nanoseconds);
            Timestamp::from(time).to_string()
        };
        assert!(text(1_748_779_200_000_000_000).contains(":00:00"));
        assert!(text(1_748_779_200_120_000_000).contains(":00:00.12"));
        // The clock of Windows counts units of 100 ns.
        let last = UNIX_EPOCH + Duration::from_nanos(789);
        let last = last.duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let expected = format!(":00:00.123456{last}");
        let expected = expected.trim_end_matches('0');
        assert!(text(1_748_779_200_123_456_789).contains(expected));
    }
}
