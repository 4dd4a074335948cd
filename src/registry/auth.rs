//! Who may have what: the header that goes with each request, and how a registry has one made.
//!
//! A registry refuses with a challenge. `Basic` is answered with a user and a password, `Bearer` with
//! a token that the server which the challenge names issues for them, or for nobody in particular.

use std::sync::{Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_auth::ChallengeRef;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::{HeaderValue, Method, Request, Uri};
use ureq::{Body, SendBody};

use crate::error::{Error, ErrorKind, Result};
use crate::sync::lock;

use super::address::is_loopback;
use super::agent::Agents;
use super::credentials;
use super::options::{Credentials, RegistryOptions, Secret};
use super::response::{read_whole, refusal};
use super::retry::Fault;

/// A token and what goes with it, in bytes.
const MOST_OF_A_TOKEN: u64 = 256 << 10;

/// What a client is called where it asks for a token by another one.
const CLIENT: &str = "modelkeep";

/// The right to what one call needs of a registry.
pub(super) struct Auth {
    host: String,
    scopes: Vec<String>,
    plain_http: bool,
    given: Option<Credentials>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is stored for the registry, once it was looked up.
    found: Option<Option<Credentials>>,
    header: Option<HeaderValue>,
}

impl Auth {
    /// `host` is that by which credentials are stored.
    pub(super) fn new(host: &str, scopes: Vec<String>, options: &RegistryOptions) -> Self {
        Auth {
            host: host.to_owned(),
            scopes,
            plain_http: options.plain_http,
            given: options.credentials.clone(),
            state: Mutex::default(),
        }
    }

    /// Returns the value of `Authorization`, where one is known.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        self.lock().header.clone()
    }

    /// Makes a header that answers challenges, where nobody has made another one than `used`, which
    /// was refused. Returns whether there is one that may be tried.
    pub(super) fn renew(
        &self,
        challenges: &[String],
        used: Option<&HeaderValue>,
        agents: &Agents,
    ) -> Result<bool, Fault> {
        let mut state = self.lock();
        if state.header.as_ref() != used {
            return Ok(true);
        }
        let credentials = self.credentials(&mut state)?;
        let read: Vec<ChallengeRef<'_>> = challenges
            .iter()
            .filter_map(|text| http_auth::parse_challenges(text).ok())
            .flatten()
            .collect();
        let of = |scheme: &str| {
            read.iter()
                .find(|it| it.scheme.eq_ignore_ascii_case(scheme))
        };
        // Without a realm a token may be brought, and none is issued: there another challenge counts.
        let realm = of("bearer").and_then(Realm::of);
        let header = match (realm, credentials) {
            (_, Some(Credentials::Token(token))) if of("bearer").is_some() => Some(bearer(&token)?),
            (Some(realm), credentials) => Some(self.token(&realm, credentials.as_ref(), agents)?),
            (None, Some(Credentials::Basic(user, password))) if of("basic").is_some() => {
                Some(basic(&user, &password)?)
            }
            _ => None,
        };
        // The very same again would be refused again.
        let is_new = header.is_some() && header.as_ref() != used;
        state.header = header;
        Ok(is_new)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn credentials(&self, state: &mut State) -> Result<Option<Credentials>> {
        if let Some(given) = &self.given {
            return Ok(Some(given.clone()));
        }
        if state.found.is_none() {
            state.found = Some(credentials::stored(&self.host)?);
        }
        Ok(state.found.clone().flatten())
    }

    /// Has a token issued.
    fn token(
        &self,
        realm: &Realm,
        credentials: Option<&Credentials>,
        agents: &Agents,
    ) -> Result<HeaderValue, Fault> {
        let target: Uri = realm.target.parse().map_err(|_| self.no_realm())?;
        let is_safe = target.scheme_str() == Some("https")
            || target.scheme_str() == Some("http")
                && (credentials.is_none()
                    || target.host().is_some_and(is_loopback)
                    || self.plain_http && agents.is_own(&target));
        if !is_safe {
            let text = format!(
                "the registry {} has its tokens issued over plain HTTP, where credentials could be \
                 read",
                self.host
            );
            return Err(Error::new(ErrorKind::PermissionDenied, text).into());
        }
        let doing = format!("asking for a token of {}", self.host);
        let response = match credentials {
            Some(Credentials::Identity(token)) => {
                agents.send(self.exchange(realm, target, token)?)?
            }
            credentials => agents.send(self.issue(realm, credentials)?)?,
        };
        if response.status().as_u16() != 200 {
            return Err(refusal(response, &doing));
        }
        #[derive(Deserialize)]
        struct Issued {
            token: Option<String>,
            access_token: Option<String>,
        }
        let text = read_whole(response, MOST_OF_A_TOKEN, "a token")?;
        let issued: Option<Issued> = serde_json::from_slice(&text).ok();
        let issued = issued.and_then(|it| it.token.or(it.access_token));
        match issued.filter(|token| !token.is_empty()) {
            Some(token) => Ok(bearer(&Secret(token))?),
            None => {
                let text = format!("{doing}: what was issued is no token");
                Err(Error::new(ErrorKind::Network, text).into())
            }
        }
    }

    /// Returns the request for a token, as whom the credentials say.
    fn issue(
        &self,
        realm: &Realm,
        credentials: Option<&Credentials>,
    ) -> Result<Request<SendBody<'static>>, Fault> {
        let mut target = realm.target.clone();
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&form(&self.fields(realm)));
        let mut request = Request::builder().method(Method::GET).uri(target);
        if let Some(Credentials::Basic(user, password)) = credentials {
            request = request.header("authorization", basic(user, password)?);
        }
        request.body(SendBody::none()).map_err(|_| self.no_realm())
    }

    /// Returns the request that makes a token of one that says who somebody is.
    fn exchange(
        &self,
        realm: &Realm,
        target: Uri,
        token: &Secret,
    ) -> Result<Request<SendBody<'static>>, Fault> {
        let mut fields = self.fields(realm);
        fields.push(("grant_type", "refresh_token"));
        fields.push(("client_id", CLIENT));
        fields.push(("refresh_token", &token.0));
        let text = form(&fields).into_bytes();
        let request = Request::builder()
            .method(Method::POST)
            .uri(target)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", text.len());
        let body = SendBody::from_owned_reader(std::io::Cursor::new(text));
        request.body(body).map_err(|_| self.no_realm())
    }

    fn fields<'f>(&'f self, realm: &'f Realm) -> Vec<(&'static str, &'f str)> {
        let mut fields = Vec::new();
        if let Some(service) = &realm.service {
            fields.push(("service", service.as_str()));
        }
        // What we know to need, and else what the registry names.
        let asked = realm.scope.iter().filter(|_| self.scopes.is_empty());
        fields.extend(
            self.scopes
                .iter()
                .chain(asked)
                .map(|scope| ("scope", scope.as_str())),
        );
        fields
    }

    fn no_realm(&self) -> Fault {
        let text = format!("the registry {} names no server of tokens", self.host);
        Error::new(ErrorKind::Network, text).into()
    }
}

/// Who issues tokens, and for what.
struct Realm {
    target: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Realm {
    fn of(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let field = |name: &str| {
            let found = challenge
                .params
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        Some(Realm {
            target: field("realm")?,
            service: field("service"),
            scope: field("scope"),
        })
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let fields = fields
        .iter()
        .map(|(key, value)| format!("{key}={}", encode(value)));
    fields.collect::<Vec<_>>().join("&")
}

fn basic(user: &str, password: &Secret) -> Result<HeaderValue> {
    secret(format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{}", password.0))
    ))
}

fn bearer(token: &Secret) -> Result<HeaderValue> {
    secret(format!("Bearer {}", token.0))
}

/// A header that no log shows.
fn secret(text: String) -> Result<HeaderValue> {
    let header = HeaderValue::from_str(&text);
    let mut header = header.map_err(|_| {
        Error::new(
            ErrorKind::InvalidArgument,
            "a token has characters that no header may have",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Returns the challenges of a response.
pub(super) fn challenges(response: &ureq::http::Response<Body>) -> Vec<String> {
    let all = response.headers().get_all("www-authenticate").iter();
    all.filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const BEARER: &str = r#"Bearer realm="http://192.0.2.1/token""#;

    fn auth(given: Credentials, options: &RegistryOptions) -> (Auth, Agents) {
        let mut auth = Auth::new("h.x", Vec::new(), options);
        auth.given = Some(given);
        (auth, Agents::new("h.x", options).unwrap())
    }

    fn me() -> Credentials {
        Credentials::Basic("me".to_owned(), Secret("hunter2".to_owned()))
    }

    #[test]
    fn the_same_is_not_tried_twice_and_what_another_thread_made_is() {
        let (auth, agents) = auth(me(), &RegistryOptions::new());
        let renew = |challenge: &str, used: Option<&HeaderValue>| {
            let renewed = auth.renew(&[challenge.to_owned()], used, &agents);
            renewed.map_err(Fault::into_error).unwrap()
        };
        assert!(renew("Basic realm=\"x\"", None));
        let header = auth.header().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic bWU6aHVudGVyMg==");
        assert!(renew("Basic realm=\"x\"", None));
        assert!(!renew("Basic realm=\"x\"", Some(&header)));
        assert!(!renew("Digest realm=\"x\"", Some(&header)));
        assert!(auth.header().is_none());
        assert!(header.is_sensitive() && !format!("{header:?}").contains("bWU6"));
    }

    #[test]
    fn a_token_of_the_callers_goes_where_tokens_are_taken() {
        let token = Credentials::Token(Secret("tok".to_owned()));
        let (auth, agents) = auth(token, &RegistryOptions::new());
        let renew = |challenge: &str| {
            let renewed = auth.renew(&[challenge.to_owned()], None, &agents);
            renewed.map_err(Fault::into_error).unwrap()
        };
        assert!(!renew("Basic realm=\"x\""));
        assert!(renew("Bearer service=\"x\""));
        assert_eq!(auth.header().unwrap().to_str().unwrap(), "Bearer tok");
    }

    #[test]
    fn credentials_go_over_plain_http_to_a_registry_that_is_reached_so_alone() {
        let own = r#"Bearer realm="http://h.x/token""#;
        for (plain_http, challenge) in [(true, BEARER), (false, own), (false, BEARER)] {
            let (auth, agents) = auth(me(), &RegistryOptions::new().plain_http(plain_http));
            let renewed = auth.renew(&[challenge.to_owned()], None, &agents);
            let error = renewed.map_err(Fault::into_error).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        }
    }

    #[test]
    fn a_token_that_says_who_somebody_is_is_exchanged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let realm = format!("http://{}/token", listener.local_addr().unwrap());
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut text, mut piece) = (Vec::new(), [0; 4096]);
            while !text.ends_with(b"refresh_token=an%2Bid") {
                let read = stream.read(&mut piece).unwrap();
                assert!(read > 0, "{}", String::from_utf8_lossy(&text));
                text.extend_from_slice(&piece[..read]);
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{\"access_token\": \"new\"}";
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(text).unwrap()
        });
        let identity = Credentials::Identity(Secret("an+id".to_owned()));
        let (auth, agents) = auth(identity, &RegistryOptions::new());
        let challenge = format!(r#"Bearer realm="{realm}",service="s",scope="repository:a:pull""#);
        let renewed = auth.renew(&[challenge], None, &agents);
        assert!(renewed.map_err(Fault::into_error).unwrap());
        assert_eq!(auth.header().unwrap().to_str().unwrap(), "Bearer new");
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /token HTTP/1.1"), "{asked}");
        assert!(
            !asked.to_ascii_lowercase().contains("authorization:"),
            "{asked}"
        );
        let form = "service=s&scope=repository%3Aa%3Apull&grant_type=refresh%5Ftoken&client_id=";
        assert!(asked.contains(form), "{asked}");
    }
}
