//! `modelkeep serve`.

use std::io;

use modelkeep::Store;
use modelkeep_http::{Address, Limits, OriginPattern, Origins, Server};

use crate::output::{Failure, Outcome, say};

/// Serves until the process is told to end.
pub(crate) fn run(
    store: Store,
    mut addresses: Vec<Address>,
    mut origins: Vec<OriginPattern>,
) -> Outcome {
    let failed = |error: io::Error| Failure::Other(format!("serving: {error}"));
    origins.extend(Origins::from_env().map_err(Failure::Other)?);
    if addresses.is_empty() {
        addresses.push(Address::from_env());
    }
    let path = store.path().to_owned();
    let mut server =
        Server::new(store, Origins::new(origins), Limits::default()).map_err(failed)?;
    for address in &addresses {
        server
            .listen(address)
            .map_err(|error| Failure::Other(unbound(address, &error)))?;
    }
    let end = server.interrupted().map_err(failed)?;
    for url in server.urls().map_err(failed)? {
        say(format_args!("serving {} on {url}", path.display()));
    }
    server.run(end);
    Ok(())
}

/// Returns why nothing can listen there.
fn unbound(address: &Address, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "something already answers on {address}: an Ollama server, perhaps; \
             --addr takes another address"
        ),
        _ => format!("serving on {address}: {error}"),
    }
}
