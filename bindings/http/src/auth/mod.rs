//! Who may ask: the passwords and tokens that a server admits, and what it asks of whoever has none.
//!
//! No secret is kept as it is written: a token as its [`Fingerprint`], a password as the hash of the
//! file, and as its fingerprint once it was right. None is logged, nor named by an error.

mod authorization;
mod fingerprint;
mod htpasswd;
mod tokens;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::header::{HeaderMap, HeaderValue};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;

use crate::limits::Limits;
use authorization::{Authorization, Login};
use fingerprint::{Fingerprint, Key};
use htpasswd::Users;
use tokens::Tokens;

/// The credentials that a server admits. Without a file of them it asks nobody who they are.
#[derive(Default)]
pub struct Credentials {
    users: Option<Arc<Users>>,
    tokens: Option<Tokens>,
}

impl Credentials {
    /// Admits the users of a file that `htpasswd -B` writes, by HTTP's basic authentication. The file
    /// is read once, here.
    ///
    /// # Errors
    /// Where it cannot be read, names nobody, or has a line that is none of bcrypt's.
    pub fn htpasswd(mut self, path: &Path) -> Result<Self, String> {
        let key = Key::random().map_err(|error| told(path, &error))?;
        let users = Users::parse(&read(path)?, key).map_err(|error| told(path, &error))?;
        self.users = Some(Arc::new(users));
        Ok(self)
    }

    /// Admits whoever brings a token of a file, one a line, as a bearer. The file is read once, here.
    ///
    /// # Errors
    /// Where it cannot be read, has no token, or a line that is none.
    pub fn token_file(mut self, path: &Path) -> Result<Self, String> {
        let key = Key::random().map_err(|error| told(path, &error))?;
        let tokens = Tokens::parse(&read(path)?, key).map_err(|error| told(path, &error))?;
        self.tokens = Some(tokens);
        Ok(self)
    }

    /// Returns what a client is asked for: the values of `WWW-Authenticate`.
    pub(crate) fn challenges(&self) -> impl Iterator<Item = HeaderValue> {
        let basic = self.users.as_ref().map(|_| r#"Basic realm="modelkeep""#);
        let bearer = self.tokens.as_ref().map(|_| "Bearer");
        basic
            .into_iter()
            .chain(bearer)
            .map(HeaderValue::from_static)
    }
}

/// Reads a file of credentials, whose lines end as those of any system do.
fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| told(path, &error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| told(path, "it is no UTF-8"))
}

fn told(path: &Path, what: &str) -> String {
    format!("reading credentials {}: {what}", path.display())
}

/// Returns the lines that say something, and their numbers: a `#` begins a comment.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim_end).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (index + 1, line))
}

/// Why a request is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It brings no credentials, or wrong ones.
    Unauthorized,
    /// Too many passwords are being compared.
    Busy,
}

/// Compares what requests bring with the credentials of a server.
///
/// To compare a password takes a processor for a tenth of a second, whoever sends it. So only few are
/// compared at once, on threads that may block, and few wait for that. Requests that bring the same
/// one at once wait for one comparison, and one that was right is known from then on: whoever guesses
/// delays nobody whose password was right before.
pub(crate) struct Authenticator {
    credentials: Credentials,
    /// For those that are compared, and for those that wait for it besides.
    turns: Arc<Semaphore>,
    places: Semaphore,
    /// For all who wait, so that those who send the same guess do not fill the server.
    waiters: Semaphore,
    comparisons: Mutex<HashMap<[u8; 32], Weak<OnceCell<bool>>>>,
}

impl Authenticator {
    pub(crate) fn new(credentials: Credentials, limits: &Limits) -> Self {
        let (turns, waiting) = (limits.passwords, limits.waiting_passwords);
        Authenticator {
            credentials,
            turns: Arc::new(Semaphore::new(turns)),
            places: Semaphore::new(turns.saturating_add(waiting)),
            waiters: Semaphore::new(limits.connections.div_ceil(2)),
            comparisons: Mutex::default(),
        }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Decides by the header `Authorization` alone.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Credentials { users, tokens } = &self.credentials;
        let is_right = match (Authorization::read(headers), users, tokens) {
            (_, None, None) => true,
            (Some(Authorization::Bearer(token)), _, Some(tokens)) => {
                tokens.contain(token.as_bytes())
            }
            (Some(Authorization::Basic(login)), Some(users), _) => self.knows(users, login).await?,
            _ => false,
        };
        is_right.then_some(()).ok_or(Refusal::Unauthorized)
    }

    async fn knows(&self, users: &Arc<Users>, login: Login) -> Result<bool, Refusal> {
        let fingerprint = users.fingerprint(&login);
        if users.know(&login, &fingerprint) {
            return Ok(true);
        }
        let _waits = self.waiters.try_acquire().map_err(|_| Refusal::Busy)?;
        let comparison = self.comparison(&fingerprint);
        let compared = comparison.get_or_try_init(|| self.compare(users, login, fingerprint));
        compared.await.copied()
    }

    /// Returns the comparison of a login that is under way, or begins one.
    fn comparison(&self, fingerprint: &Fingerprint) -> Arc<OnceCell<bool>> {
        let mut comparisons = self
            .comparisons
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        comparisons.retain(|_, comparison| comparison.strong_count() > 0);
        let known = comparisons
            .entry(fingerprint.as_bytes().to_owned().into())
            .or_default();
        known.upgrade().unwrap_or_else(|| {
            let begun = Arc::default();
            *known = Arc::downgrade(&begun);
            begun
        })
    }

    async fn compare(
        &self,
        users: &Arc<Users>,
        login: Login,
        fingerprint: Fingerprint,
    ) -> Result<bool, Refusal> {
        let _place = self.places.try_acquire().map_err(|_| Refusal::Busy)?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Refusal::Busy)?;
        let users = users.clone();
        let compared = spawn_blocking(move || {
            let _turn = turn;
            users.verify(&login, fingerprint)
        });
        compared.await.map_err(|_| Refusal::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::AUTHORIZATION;

    // By `htpasswd -nbB -C 4 bob password`.
    const BOB: &str = "bob:$2y$04$JV2yNGvMQXiLN8ro7DFOeurQ0gaaH7LQZSmBw..VG2YKfET7knt4q";
    const RIGHT: &str = "Basic Ym9iOnBhc3N3b3Jk";
    const WRONG: &str = "Basic Ym9iOnBhc3N3b3Jl";

    fn run(turns: usize, waiting: usize, test: impl AsyncFnOnce(Authenticator)) {
        let users = Users::parse(BOB, Key::random().unwrap()).unwrap();
        let credentials = Credentials {
            users: Some(Arc::new(users)),
            tokens: None,
        };
        let limits = Limits::default().connections(4).passwords(turns, waiting);
        let authenticator = Authenticator::new(credentials, &limits);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(test(authenticator));
    }

    async fn asked(authenticator: &Authenticator, authorization: &str) -> Result<(), Refusal> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())]);
        authenticator.authenticate(&headers).await
    }

    #[test]
    fn who_was_admitted_is_admitted_while_others_guess() {
        run(1, 0, async |authenticator| {
            assert_eq!(asked(&authenticator, RIGHT).await, Ok(()));
            assert_eq!(
                asked(&authenticator, WRONG).await,
                Err(Refusal::Unauthorized)
            );
            let _guess = authenticator.places.try_acquire().unwrap();
            assert_eq!(asked(&authenticator, RIGHT).await, Ok(()));
            assert_eq!(asked(&authenticator, WRONG).await, Err(Refusal::Busy));
        });
    }

    #[test]
    fn who_asks_while_others_are_compared_waits() {
        run(1, 1, async |authenticator| {
            let turn = authenticator.turns.clone().try_acquire_owned().unwrap();
            let place = authenticator.places.try_acquire().unwrap();
            let (first, second, ()) = tokio::join!(
                asked(&authenticator, RIGHT),
                asked(&authenticator, WRONG),
                async { drop((turn, place)) }
            );
            assert_eq!((first, second), (Ok(()), Err(Refusal::Busy)));
        });
    }

    #[test]
    fn those_with_the_same_password_need_one_comparison_and_do_not_fill_the_server() {
        run(1, 0, async |authenticator| {
            let asked_thrice = tokio::join!(
                asked(&authenticator, RIGHT),
                asked(&authenticator, RIGHT),
                asked(&authenticator, RIGHT),
            );
            assert_eq!(asked_thrice, (Ok(()), Ok(()), Err(Refusal::Busy)));
            assert_eq!(
                asked(&authenticator, WRONG).await,
                Err(Refusal::Unauthorized)
            );
            assert_eq!(authenticator.comparisons.lock().unwrap().len(), 1);
        });
    }

    #[test]
    fn without_a_file_nobody_is_asked() {
        let open = Authenticator::new(Credentials::default(), &Limits::default().passwords(0, 0));
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let asked = runtime.unwrap().block_on(asked(&open, WRONG));
        assert_eq!(asked, Ok(()));
    }
}
