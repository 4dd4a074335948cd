//! Times as list and show print them.

use std::fmt;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

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

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

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
