//! The network: connections, their bounds, and the end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode, http};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use modelkeep::Store;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

use crate::answer::{Reply, Request, answer, refusal};
use crate::guard::Guard;

/// The most connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 512;
/// How long a client may take to send the head of a request, or to send none.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long a client may take to send a body.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// The longest life of a connection: a client that never reads its replies ends here.
const LIFE: Duration = Duration::from_secs(600);
/// How long the end waits for replies that are under way.
const GRACE: Duration = Duration::from_secs(5);
/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 4 << 20;

/// Serves a store until `end` is ready; replies that are under way are then finished.
///
/// # Errors
/// Where connections cannot be accepted at all.
pub async fn serve(
    store: Store,
    listener: TcpListener,
    guard: Guard,
    end: impl Future<Output = ()>,
) -> io::Result<()> {
    let door = Arc::new(Door { store, guard });
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut end = pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = connection(door.clone(), stream);
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    // How a connection ends is its client's affair.
                    let _ = time::timeout(LIFE, connection).await;
                    drop(place);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            // Out of files, for instance: better to wait than to spin.
            Err(_) => time::sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    let _ = time::timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = places
        .clone()
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
    ];
    kinds.contains(&error.kind())
}

fn connection(
    door: Arc<Door>,
    stream: TcpStream,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request| {
        let door = door.clone();
        async move { Ok::<_, std::convert::Infallible>(door.reply(request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
}

struct Door {
    store: Store,
    guard: Guard,
}

impl Door {
    async fn reply(self: Arc<Self>, request: http::Request<Incoming>) -> Response<Full<Bytes>> {
        let reply = match receive(request).await {
            Ok(request) => self.respond(request).await,
            Err(reply) => reply,
        };
        reply.map(|body| Full::new(Bytes::from(body)))
    }

    async fn respond(self: Arc<Self>, request: Request) -> Reply {
        if let Some(refused) = self.guard.check(&request) {
            return refused;
        }
        let work = tokio::task::spawn_blocking(move || {
            let reply = answer(&self.store, &request);
            self.guard.mark(reply, &request)
        });
        let failed = |_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the request failed");
        work.await.unwrap_or_else(failed)
    }
}

/// Takes in the body, within its bounds of size and time.
async fn receive(request: http::Request<Incoming>) -> Result<Request, Reply> {
    let (head, body) = request.into_parts();
    let too_large = || refusal(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    // What is announced as too large is not waited for.
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, LARGEST_BODY).collect();
    match time::timeout(BODY_PATIENCE, body).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body.to_bytes().to_vec())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(refusal(StatusCode::BAD_REQUEST, "the request broke off")),
        Err(_) => Err(refusal(
            StatusCode::REQUEST_TIMEOUT,
            "the request took too long",
        )),
    }
}
