//! `modelkeep serve`.

use std::io;
use std::net::SocketAddr;

use modelkeep::Store;
use modelkeep_http::{Guard, serve};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::output::{Failure, Outcome, say};

/// Serves until the process is told to end.
pub(crate) fn run(store: Store, address: SocketAddr, origins: Vec<String>) -> Outcome {
    let failed = |error: io::Error| Failure::Other(format!("serving on {address}: {error}"));
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.map_err(failed)?.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::AddrInUse => Failure::Other(format!(
                    "something already answers on {address}: an Ollama server, perhaps; \
                 --addr takes another address"
                )),
                _ => failed(error),
            })?;
        let address = listener.local_addr().map_err(failed)?;
        let place = store.path().display();
        say(format_args!("serving {place} on http://{address}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let end = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        serve(store, listener, Guard::new(address, origins), end)
            .await
            .map_err(failed)
    })
}
