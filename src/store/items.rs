//! The results that are first of all lists: iterating over one gives what it is a list of.

use crate::name::ModelName;
use crate::store::diagnosis::{Diagnosis, Issue};
use crate::store::link::{CheckedLink, Link, LinkReport, Linked};
use crate::store::list::{Listing, Summary};
use crate::store::names::Names;
use crate::store::usage::{ModelUsage, Usage};
use crate::store::verify::{Finding, Report};
use crate::store::which::{Use, Uses};

macro_rules! items {
    ($($answer:ty: $field:ident of $item:ty;)+) => {$(
        impl IntoIterator for $answer {
            type Item = $item;
            type IntoIter = std::vec::IntoIter<$item>;

            fn into_iter(self) -> Self::IntoIter {
                self.$field.into_iter()
            }
        }

        impl<'a> IntoIterator for &'a $answer {
            type Item = &'a $item;
            type IntoIter = std::slice::Iter<'a, $item>;

            fn into_iter(self) -> Self::IntoIter {
                self.$field.iter()
            }
        }
    )+};
}

items! {
    Diagnosis: issues of Issue;
    LinkReport: links of CheckedLink;
    Linked: links of Link;
    Listing: models of Summary;
    Names: names of ModelName;
    Report: blobs of Finding;
    Usage: models of ModelUsage;
    Uses: uses of Use;
}
