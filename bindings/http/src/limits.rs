//! The bounds of a server: for each connection, and for all of them together.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// The bounds of a server. The default is what `modelkeep serve` uses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of connections at once.
    pub connections: usize,
    /// The maximum size of a request's body, in bytes.
    pub body: usize,
    /// The maximum number of bytes that the bodies and replies of all connections hold.
    pub memory: usize,
    /// The maximum number of requests that read the store at once.
    pub reads: usize,
    /// The maximum number of requests that change the store, or wait for its lock, at once.
    pub changes: usize,
    /// The maximum number of passwords that are compared with their hashes at once.
    pub passwords: usize,
    /// The maximum number of requests that wait for that besides.
    pub waiting_passwords: usize,
    /// How long a client may take to send the head of a request, or to send none.
    pub head_patience: Duration,
    /// How long a client may take to send a body.
    pub body_patience: Duration,
    /// How long a client may take to read a reply.
    pub reply_patience: Duration,
    /// How long the end waits for requests that are under way before they are refused.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 512,
            body: 64 << 10,
            memory: 64 << 20,
            reads: 16,
            changes: 4,
            // Half of the processors stay with those who are admitted.
            passwords: (available_parallelism().map_or(1, NonZero::get) / 2).max(1),
            waiting_passwords: 32,
            head_patience: Duration::from_secs(15),
            body_patience: Duration::from_secs(30),
            reply_patience: Duration::from_secs(600),
            grace: Duration::from_secs(4),
        }
    }
}

impl Limits {
    /// Sets the maximum number of connections.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets the bytes that all bodies and replies hold together.
    #[must_use]
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }

    /// Sets how many passwords are compared at once, and how many requests wait for that besides.
    #[must_use]
    pub fn passwords(mut self, passwords: usize, waiting: usize) -> Self {
        self.passwords = passwords;
        self.waiting_passwords = waiting;
        self
    }

    /// Sets how long a client may take to send the head of a request.
    #[must_use]
    pub fn head_patience(mut self, patience: Duration) -> Self {
        self.head_patience = patience;
        self
    }

    /// Sets how long a client may take to send a body.
    #[must_use]
    pub fn body_patience(mut self, patience: Duration) -> Self {
        self.body_patience = patience;
        self
    }

    /// Sets how long the end waits for requests that are under way.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}
