//! Stands in the place of `registry_client` where the library is built without it.

use engine::{Error, ErrorKind, Store};

use crate::boundary::Fault;
use crate::registry_types::{
    mkeep_ls_remote_options, mkeep_pull_options, mkeep_pulled, mkeep_push_options, mkeep_pushed,
    mkeep_remote_list,
};

pub(crate) const IS_THERE: bool = false;

fn absent<T>(doing: &str, what: &str) -> Result<T, Fault> {
    let text = format!(
        "{doing} {what}: this library was built without the client of registries (with cmake, \
         MODELKEEP_REGISTRY=ON builds it)"
    );
    Err(Error::new(ErrorKind::Unsupported, text).into())
}

pub(crate) unsafe fn pull(
    _: &Store,
    reference: &str,
    _: Option<&str>,
    _: &mkeep_pull_options,
) -> Result<mkeep_pulled, Fault> {
    absent("pulling", reference)
}

pub(crate) unsafe fn push(
    _: &Store,
    name: &str,
    _: Option<&str>,
    _: &mkeep_push_options,
) -> Result<mkeep_pushed, Fault> {
    absent("pushing", name)
}

pub(crate) unsafe fn ls_remote(
    what: &str,
    _: &mkeep_ls_remote_options,
) -> Result<mkeep_remote_list, Fault> {
    absent("listing", what)
}
