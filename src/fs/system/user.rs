//! For whom this process acts.

/// Returns the number of the user; `None` where users have none.
pub(crate) fn effective() -> Option<u32> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw());
    #[cfg(windows)]
    None
}
