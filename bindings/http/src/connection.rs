//! One connection: its requests, from their heads to their replies.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, http};
use hyper_util::rt::{TokioIo, TokioTimer};
use modelkeep::http_api::Basename;
use modelkeep::{Store, Upstream};
use tokio::sync::{Semaphore, watch};
use tokio::time;

use crate::auth::Authenticator;
use crate::budget::{Budget, Held, Place};
use crate::gate::{Call, Rules, Target, admit, authenticate, forbid_changes};
use crate::limits::Limits;
use crate::listener::Stream;
use crate::log::{Log, Peer};
use crate::origin::Origins;
use crate::payload::{Payload, Sent};
use crate::registry::Question;
use crate::reply::{Reply, json, refusal, whole};
use crate::router::Endpoint;

/// The largest head of a request, in bytes.
const HEAD: usize = 16 << 10;

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// Requests that are under way are finished.
    Ending,
    /// They are refused.
    Over,
}

/// What all connections share.
pub(crate) struct Shared {
    pub store: Store,
    /// Whether the models are served as a registry, too.
    pub is_registry: bool,
    /// The registry behind the store.
    pub upstream: Option<Upstream>,
    /// Whether copy and delete are refused, whatever the store admits.
    pub is_read_only: bool,
    pub authenticator: Authenticator,
    pub origins: Origins,
    pub limits: Limits,
    pub log: Log,
    pub budget: Arc<Budget>,
    pub reads: Arc<Semaphore>,
    /// Those of a registry may wait for the one behind it.
    pub registry_reads: Arc<Semaphore>,
    pub changes: Arc<Semaphore>,
    pub phase: watch::Receiver<Phase>,
}

impl Shared {
    /// Resolves when the server is as far as `phase`, or gone.
    async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.clone();
        let _ = phases.wait_for(|reached| *reached >= phase).await;
    }
}

/// Serves one connection. How it ends is its client's affair.
pub(crate) async fn serve(shared: Arc<Shared>, stream: Stream, place: Place, checks_host: bool) {
    let place = Arc::new(place);
    let peer = stream.peer();
    let exchange = Exchange {
        shared: shared.clone(),
        place: place.clone(),
        peer,
        checks_host,
    };
    let service = service_fn(move |request| {
        let exchange = exchange.clone();
        async move { Ok::<_, Infallible>(exchange.respond(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head_patience)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut lost = pin!(place.lost(shared.limits.reply_patience));
    let ended = |result: hyper::Result<()>| match result {
        Err(error) if error.is_parse_too_large() => shared.log.malformed(peer, 431),
        Err(error) if error.is_parse() => shared.log.malformed(peer, 400),
        _ => {}
    };
    tokio::select! {
        result = connection.as_mut() => return ended(result),
        () = lost.as_mut() => return,
        () = shared.reached(Phase::Ending) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        result = connection => ended(result),
        () = lost => {}
    }
}

/// A request and its reply, on a connection.
#[derive(Clone)]
struct Exchange {
    shared: Arc<Shared>,
    place: Arc<Place>,
    peer: Peer,
    checks_host: bool,
}

impl Exchange {
    async fn respond(self, request: Request<Incoming>) -> http::Response<Sent> {
        let (head, body) = request.into_parts();
        let mut entry = self.shared.log.request(self.peer, &head);
        let reply = tokio::select! {
            reply = self.answer(&head, body) => reply,
            () = self.shared.reached(Phase::Over) => whole(self.ending()),
        };
        entry.answered(reply.status(), reply.body().len());
        let busy = self.place.busy();
        let held = tokio::select! {
            held = self.place.hold(reply.body().in_memory()) => Some(held),
            () = self.shared.reached(Phase::Over) => None,
        };
        drop(busy);
        reply.map(|payload| payload.sent(self.place, held))
    }

    fn ending(&self) -> Reply {
        refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is ending: try again",
        )
    }

    async fn answer(&self, head: &Parts, body: Incoming) -> http::Response<Payload> {
        let rules = Rules {
            origins: &self.shared.origins,
            checks_host: self.checks_host,
            is_registry: self.shared.is_registry,
        };
        let call = match admit(head, &rules) {
            Ok(call) => call,
            Err(reply) => return whole(*reply),
        };
        let page = call.page;
        let reply = match self.authorize(head, &call.target).await {
            Ok(()) => self.answer_admitted(head, call, body).await,
            Err(reply) => *reply,
        };
        page.mark(reply)
    }

    /// Decides who asks, and whether that may be asked here.
    async fn authorize(
        &self,
        head: &Parts,
        target: &Target,
    ) -> Result<(), Box<http::Response<Payload>>> {
        let _busy = self.place.busy();
        authenticate(head, target, &self.shared.authenticator).await?;
        match self.shared.is_read_only {
            true => forbid_changes(target),
            false => Ok(()),
        }
    }

    async fn answer_admitted(
        &self,
        head: &Parts,
        call: Call<'_>,
        body: Incoming,
    ) -> http::Response<Payload> {
        match call.target {
            Target::Registry(path) => {
                let question = Question::new(head, path);
                let asked = self.in_turn(&self.shared.registry_reads, move |shared| {
                    question.answer(&shared.store, shared.upstream.as_ref())
                });
                asked.await.unwrap_or_else(|| whole(failed()))
            }
            Target::Endpoint(endpoint, segment) => {
                let asked = match self.receive(endpoint, body).await {
                    Ok(received) => self.ask(endpoint, segment, call.basename, received).await,
                    Err(reply) => *reply,
                };
                whole(asked)
            }
        }
    }

    /// Takes in the body of a call that has one, within its bounds of size, memory and time.
    async fn receive(&self, endpoint: Endpoint, body: Incoming) -> Result<Received, Box<Reply>> {
        if !matches!(endpoint, Endpoint::Show | Endpoint::Copy | Endpoint::Delete) {
            return Ok(Received::default());
        }
        let limits = &self.shared.limits;
        let size = body.size_hint();
        let most = size.upper().and_then(|size| usize::try_from(size).ok());
        if size.lower() > limits.body as u64 {
            return Err(self.too_large().into());
        }
        let busy = self.place.busy();
        let held = self.place.hold(most.unwrap_or(limits.body)).await;
        drop(busy);
        let body = Limited::new(body, limits.body).collect();
        let refused = |status, text| Err(refusal(status, text).into());
        match time::timeout(limits.body_patience, body).await {
            Ok(Ok(body)) => Ok(Received {
                body: body.to_bytes(),
                held: Some(held),
            }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(self.too_large().into()),
            Ok(Err(_)) => refused(StatusCode::BAD_REQUEST, "the request broke off"),
            Err(_) => refused(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
        }
    }

    fn too_large(&self) -> Reply {
        let text = format!(
            "the request is larger than {} bytes",
            self.shared.limits.body
        );
        refusal(StatusCode::PAYLOAD_TOO_LARGE, &text)
    }

    /// Asks the store. What a request holds is given back when the store is done with it, even where
    /// its client has left.
    async fn ask(
        &self,
        endpoint: Endpoint,
        segment: String,
        basename: Basename,
        received: Received,
    ) -> Reply {
        let places = match endpoint {
            Endpoint::Copy | Endpoint::Delete => &self.shared.changes,
            _ => &self.shared.reads,
        };
        let asked = self.in_turn(places, move |shared| {
            let Received { body, held: _held } = received;
            perform(shared, endpoint, &segment, &body, basename)
        });
        asked.await.unwrap_or_else(failed)
    }

    /// Does what may block, on a thread that may, when there is a place for it; `None` where it
    /// failed. A place that is taken is given back when the work is done, even where the client has
    /// left.
    async fn in_turn<T: Send + 'static>(
        &self,
        places: &Arc<Semaphore>,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Option<T> {
        let _busy = self.place.busy();
        let turn = places.clone().acquire_owned().await.ok()?;
        let shared = self.shared.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&shared)
        });
        work.await.ok()
    }
}

/// A body that has arrived, and what it holds of the budget.
#[derive(Default)]
struct Received {
    body: Bytes,
    held: Option<Held>,
}

fn perform(
    shared: &Shared,
    endpoint: Endpoint,
    segment: &str,
    body: &[u8],
    basename: Basename,
) -> Reply {
    let response = endpoint.respond(&shared.store, segment, body, basename);
    shared.log.problems(&response.problems);
    json(response)
}

fn failed() -> Reply {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "the request failed")
}
