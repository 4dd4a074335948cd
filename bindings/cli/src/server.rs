//! `modelkeep serve`.

use std::io;
use std::path::PathBuf;

use clap::Args;
use modelkeep::Store;
use modelkeep_http::{Address, Credentials, Limits, Log, OriginPattern, Origins, Server};

use crate::output::{Failure, Outcome, say};
use crate::registry::RegistryArgs;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen, any number of times: HOST, HOST:PORT, unix:/PATH
    /// [default: $OLLAMA_HOST, else 127.0.0.1:11434]
    #[arg(long = "addr", value_name = "ADDRESS")]
    addresses: Vec<Address>,
    /// An origin whose pages may ask, besides those in $OLLAMA_ORIGINS; may hold one `*`
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<OriginPattern>,
    /// Serve the models as a registry, too: other machines pull them by `ollama pull --insecure
    /// HOST:PORT/library/NAME`, or as any client of OCI registries does. Nothing can be pushed,
    /// copied or deleted
    #[arg(long)]
    registry: bool,
    /// Put a registry behind this one: REGISTRY, or REGISTRY/PREFIX where its repositories are below one.
    /// What is asked for and missing is fetched from there once, handed on while it comes, verified and
    /// kept
    #[arg(long, value_name = "REGISTRY", requires = "registry")]
    upstream: Option<String>,
    #[command(flatten, next_help_heading = "The registry behind")]
    behind: RegistryArgs,
    /// Admit copy and delete, although it is a registry
    #[arg(long, requires = "registry")]
    allow_changes: bool,
    /// Admit only the users of FILE, which `htpasswd -B` writes: passwords hashed by bcrypt
    #[arg(long, value_name = "FILE")]
    htpasswd: Option<PathBuf>,
    /// Admit whoever has a token of FILE, one a line, and sends it as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Do not log requests: each is a line on standard error, with the time, the peer, the method,
    /// the path, the status, the bytes of the body and the duration
    #[arg(long, short)]
    quiet: bool,
}

impl ServeArgs {
    fn credentials(&self) -> Result<Credentials, String> {
        let mut credentials = Credentials::default();
        if let Some(file) = &self.htpasswd {
            credentials = credentials.htpasswd(file)?;
        }
        match &self.token_file {
            Some(file) => credentials.token_file(file),
            None => Ok(credentials),
        }
    }
}

/// Serves until the process is told to end.
pub(crate) fn run(store: Store, how: ServeArgs, is_read_only: bool) -> Outcome {
    let credentials = how.credentials().map_err(Failure::Other)?;
    let asks_who = how.htpasswd.is_some() || how.token_file.is_some();
    let ServeArgs {
        mut addresses,
        mut origins,
        registry,
        upstream,
        behind,
        allow_changes,
        quiet,
        ..
    } = how;
    let refuses_changes = registry && !allow_changes;
    let failed = |error: io::Error| Failure::Other(format!("serving: {error}"));
    origins.extend(Origins::from_env().map_err(Failure::Other)?);
    if addresses.is_empty() {
        addresses.push(Address::from_env());
    }
    let path = store.path().to_owned();
    let log = Log::new(io::stderr()).map_err(failed)?.requests(!quiet);
    let origins = Origins::new(origins);
    let server = Server::new(store, origins, Limits::default(), log).map_err(failed)?;
    let mut server = server
        .registry(registry)
        .read_only(refuses_changes)
        .credentials(credentials);
    if let Some(registry) = &upstream {
        server = server.upstream(registry, behind.options()?)?;
    }
    for address in &addresses {
        server
            .listen(address)
            .map_err(|error| Failure::Other(unbound(address, &error)))?;
    }
    let end = server.interrupted().map_err(failed)?;
    for url in server.urls().map_err(failed)? {
        say(format_args!("serving {} on {url}", path.display()));
        if let Some(host) = url.strip_prefix("http://").filter(|_| registry) {
            say(format_args!(
                "as a registry: `ollama pull --insecure {host}/library/NAME`"
            ));
        }
    }
    for url in server.public_urls().map_err(failed)? {
        say(exposed(&url, asks_who, is_read_only || refuses_changes));
    }
    server.run(end);
    Ok(())
}

/// Returns what it means to listen beyond this machine.
fn exposed(url: &str, asks_who: bool, is_read_only: bool) -> String {
    let (may, advice) = match is_read_only {
        true => ("read", ""),
        false => ("read, copy and delete", "--read-only refuses changes, "),
    };
    match asks_who {
        true => format!(
            "warning: nothing on the way to {url} is encrypted: whoever reads it along has the \
             credentials, and may {may} the models; a proxy with TLS in front helps"
        ),
        false => format!(
            "warning: every machine that reaches {url} may {may} the models; {advice}--htpasswd \
             and --token-file ask who it is, --addr localhost keeps to this one"
        ),
    }
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
