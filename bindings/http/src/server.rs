//! The server: its sockets, its threads, and its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use modelkeep::{RegistryOptions, Store, Upstream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time;

use crate::address::Address;
use crate::auth::{Authenticator, Credentials};
use crate::budget::Budget;
use crate::connection::{self, Phase, Shared};
use crate::limits::Limits;
use crate::listener::Listener;
use crate::log::Log;
use crate::origin::Origins;
use crate::system::Interrupts;

/// How many questions to a registry are answered at once.
const REGISTRY_READS: usize = 64;

/// How long the end waits for refusals to be sent.
const FAREWELL: Duration = Duration::from_secs(1);

/// A server that listens. Connections wait until it runs.
pub struct Server {
    listeners: Vec<Listener>,
    shared: Shared,
    phase: watch::Sender<Phase>,
    runtime: Runtime,
}

impl Server {
    /// Makes a server that listens nowhere yet.
    ///
    /// # Errors
    /// Where its threads cannot be started.
    pub fn new(store: Store, origins: Origins, limits: Limits, log: Log) -> io::Result<Self> {
        let (phase, phases) = watch::channel(Phase::Serving);
        let shared = Shared {
            store,
            is_registry: false,
            upstream: None,
            is_read_only: false,
            authenticator: Authenticator::new(Credentials::default(), &limits),
            origins,
            log,
            budget: Budget::new(limits.connections, limits.memory),
            reads: Arc::new(Semaphore::new(limits.reads)),
            registry_reads: Arc::new(Semaphore::new(REGISTRY_READS)),
            changes: Arc::new(Semaphore::new(limits.changes)),
            phase: phases,
            limits,
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        Ok(Server {
            listeners: Vec::new(),
            shared,
            phase,
            runtime,
        })
    }

    /// Sets whether the models are served as a registry, too, below `/v2/`: to read, never to write.
    #[must_use]
    pub fn registry(mut self, is_registry: bool) -> Self {
        self.shared.is_registry = is_registry;
        self
    }

    /// Puts a registry behind the store: what clients of the registry ask for and is missing comes from
    /// there. The log says what came, and what did not.
    ///
    /// # Errors
    /// Where that is no registry, or nothing may be written to the store.
    pub fn upstream(mut self, registry: &str, options: RegistryOptions) -> modelkeep::Result<Self> {
        let log = self.shared.log.clone();
        let notice = move |line: &str| log.notice(line);
        let upstream = Upstream::new(&self.shared.store, registry, options, notice)?;
        self.shared.upstream = Some(upstream);
        Ok(self)
    }

    /// Sets whether copy and delete are refused, whatever the store admits.
    #[must_use]
    pub fn read_only(mut self, is_read_only: bool) -> Self {
        self.shared.is_read_only = is_read_only;
        self
    }

    /// Sets which credentials are asked for. Without them everybody is told that the server is there
    /// (`/`), and nothing else but what is no path of it.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.shared.authenticator = Authenticator::new(credentials, &self.shared.limits);
        self
    }

    /// Listens on an address, besides those before: on each that a host name stands for and this
    /// machine has.
    ///
    /// # Errors
    /// Where a name is unknown, or an address is taken or not of this machine.
    pub fn listen(&mut self, address: &Address) -> io::Result<()> {
        let _entered = self.runtime.enter();
        self.listeners.extend(Listener::bind(address)?);
        Ok(())
    }

    /// Returns the addresses as clients write them.
    ///
    /// # Errors
    /// Where the system does not name them.
    pub fn urls(&self) -> io::Result<Vec<String>> {
        self.listeners.iter().map(Listener::url).collect()
    }

    /// Returns the addresses that other machines can reach, as far as the network lets them.
    ///
    /// # Errors
    /// Where the system does not name them.
    pub fn public_urls(&self) -> io::Result<Vec<String>> {
        let public = self.listeners.iter().filter(|it| it.is_public());
        public.map(Listener::url).collect()
    }

    /// Catches SIGINT and SIGTERM from now on; resolves at the first of them.
    ///
    /// # Errors
    /// Where they cannot be caught.
    pub fn interrupted(&self) -> io::Result<impl Future<Output = ()> + use<>> {
        let _entered = self.runtime.enter();
        let interrupts = Interrupts::new()?;
        Ok(interrupts.first())
    }

    /// Serves until `end` is ready. Requests that are under way then have the grace to finish;
    /// whoever still waits is answered 503. Work that a call of the store cannot interrupt, as the
    /// wait for its lock, may outlive this function on a thread of its own.
    pub fn run(self, end: impl Future<Output = ()>) {
        let Server {
            listeners,
            shared,
            phase,
            runtime,
        } = self;
        let shared = Arc::new(shared);
        let log = shared.log.clone();
        runtime.block_on(async {
            let mut accepting = JoinSet::new();
            for listener in listeners {
                accepting.spawn(accept(shared.clone(), listener));
            }
            end.await;
            accepting.shutdown().await;
            let ended = shared.budget.emptied();
            tokio::pin!(ended);
            phase.send_replace(Phase::Ending);
            if time::timeout(shared.limits.grace, ended.as_mut())
                .await
                .is_err()
            {
                phase.send_replace(Phase::Over);
                let _ = time::timeout(FAREWELL, ended).await;
            }
        });
        runtime.shutdown_background();
        log.flush(FAREWELL);
    }
}

async fn accept(shared: Arc<Shared>, listener: Listener) {
    let checks_host = listener.checks_host();
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let place = shared.budget.place().await;
                tokio::spawn(connection::serve(
                    shared.clone(),
                    stream,
                    place,
                    checks_host,
                ));
            }
            Err(error) if is_of_one_connection(&error) => {}
            // Out of files, for instance: better to wait for one than to spin.
            Err(_) => {
                shared.budget.close_oldest();
                time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
    ];
    kinds.contains(&error.kind())
}
