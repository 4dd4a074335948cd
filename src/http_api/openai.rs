//! The models as clients of the OpenAI API list them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::go::time::Timestamp;
use crate::store::{ShowOptions, Store};

use super::response::words;
use super::{Api, Response, shown};

/// A model, as that API has it.
#[derive(Serialize)]
struct Card<'a> {
    id: &'a str,
    object: &'static str,
    /// Seconds since 1970.
    created: i64,
    owned_by: &'a str,
}

impl<'a> Card<'a> {
    fn new(id: &'a str, modified: Timestamp, owned_by: &'a str) -> Self {
        Card {
            id,
            object: "model",
            created: seconds(modified.system_time()),
            owned_by,
        }
    }
}

/// Returns the whole seconds since 1970; those of an earlier time are rounded down.
fn seconds(time: SystemTime) -> i64 {
    let whole = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since.as_secs()),
        Err(error) => {
            let before = error.duration();
            let started = u64::from(before.subsec_nanos() > 0);
            -whole(before.as_secs().saturating_add(started))
        }
    }
}

/// Handles `GET /v1/models`: the list, as the OpenAI API has it.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// let response = modelkeep::http_api::models(&store);
/// assert!(response.body.starts_with(r#"{"object":"list","data":[{"id":"tiny:latest""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn models(store: &Store) -> Response {
    #[derive(Serialize)]
    struct Cards<'a> {
        object: &'static str,
        /// Ollama prints `null` where there is none (Aug 2026).
        data: Option<Vec<Card<'a>>>,
    }
    let listing = match store.list() {
        Ok(listing) => listing,
        Err(error) => return refused(words(&error)),
    };
    let names: Vec<String> = listing
        .models
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    let lines = names.iter().zip(&listing.models);
    let cards = lines.map(|(id, line)| Card::new(id, line.modified_at, line.name.namespace()));
    let cards = Cards {
        object: "list",
        data: Some(cards.collect::<Vec<_>>()).filter(|cards| !cards.is_empty()),
    };
    Response {
        problems: listing.problems,
        ..Response::line(200, &cards)
    }
}

/// Handles `GET /v1/models/NAME`: one model, under the name that was asked for.
///
/// ```
/// # let (directory, store) =
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scene/store.rs"));
/// use modelkeep::http_api;
///
/// assert!(http_api::model(&store, "tiny").body.starts_with(r#"{"id":"tiny","object":"model""#));
/// assert_eq!(http_api::model(&store, "other").status, 404);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn model(store: &Store, name: &str) -> Response {
    let show = match shown(store, name, &ShowOptions::new()) {
        Ok(show) => show,
        Err(refusal) => return refused(refusal),
    };
    match store.resolve(name) {
        Ok(stored) => {
            let card = Card::new(name, show.modified_at, stored.namespace());
            Response::line(200, &card)
        }
        Err(error) => refused(words(&error)),
    }
}

fn refused((status, text): (u16, String)) -> Response {
    Response::refusal_of(Api::OpenAi, status, &text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_that_has_begun_before_1970_counts_as_go_counts_it() {
        let before = |milliseconds| UNIX_EPOCH - Duration::from_millis(milliseconds);
        assert_eq!(seconds(UNIX_EPOCH + Duration::from_millis(1999)), 1);
        assert_eq!((seconds(before(0)), seconds(before(1))), (0, -1));
        assert_eq!((seconds(before(1000)), seconds(before(1001))), (-1, -2));
    }
}
