//! Files of users and hashed passwords, as `htpasswd -B` writes them.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use bcrypt::HashParts;

use super::authorization::Login;
use super::fingerprint::{Fingerprint, Key};
use super::lines;

/// The costs that `htpasswd -B -C COST` takes; one more takes twice the time.
const COSTS: RangeInclusive<u32> = 4..=17;

/// The users of a file.
pub(super) struct Users {
    key: Key,
    users: HashMap<Vec<u8>, Password>,
    /// What the password of nobody is compared with: the dearest hash, so that it takes no less time.
    decoy: String,
}

struct Password {
    hash: String,
    /// That of a login which was right.
    known: OnceLock<Fingerprint>,
}

impl Users {
    /// Reads a file.
    ///
    /// # Errors
    /// The number of a line that is none of bcrypt's, and why.
    pub(super) fn parse(text: &str, key: Key) -> Result<Self, String> {
        let mut users = HashMap::new();
        let mut decoy = None;
        for (number, line) in lines(text) {
            let told = |fault: String| format!("line {number}{fault}");
            let (user, hash) = line
                .split_once(':')
                .filter(|(user, _)| !user.is_empty())
                .ok_or_else(|| told(" is no user and hash with a colon between them".to_owned()))?;
            let cost = cost(hash).map_err(|fault| told(format!(", user {user:?}: {fault}")))?;
            let password = Password {
                hash: hash.to_owned(),
                known: OnceLock::new(),
            };
            if users.insert(user.as_bytes().to_owned(), password).is_some() {
                return Err(told(format!(": user {user:?} is there twice")));
            }
            decoy = decoy.max(Some((cost, hash)));
        }
        let (_, decoy) = decoy.ok_or("it names no user")?;
        Ok(Users {
            key,
            users,
            decoy: decoy.to_owned(),
        })
    }

    pub(super) fn fingerprint(&self, login: &Login) -> Fingerprint {
        self.key.fingerprint(login.as_bytes())
    }

    /// Returns whether a login was right before.
    pub(super) fn know(&self, login: &Login, fingerprint: &Fingerprint) -> bool {
        let user = self.users.get(login.user());
        let known = user.and_then(|user| user.known.get());
        known.is_some_and(|known| known == fingerprint)
    }

    /// Compares the password of a login with the hash of its user, and remembers one that is right.
    /// Takes as long as the cost of the hash says, also for a user that is not there.
    pub(super) fn verify(&self, login: &Login, fingerprint: Fingerprint) -> bool {
        let user = self.users.get(login.user());
        let hash = user.map_or(&self.decoy, |user| &user.hash);
        let password = login.password();
        let is_right = bcrypt::verify(password, hash).unwrap_or(false);
        // A password ends with a NUL, and bcrypt repeats it: to it, "a" and "a\0a" are one.
        match user.filter(|_| is_right && !password.contains(&0)) {
            Some(user) => {
                user.known.get_or_init(|| fingerprint);
                true
            }
            None => false,
        }
    }
}

/// Returns the cost of a hash.
///
/// # Errors
/// What it is instead of one of bcrypt's. The hash itself is not told: it may be a password.
fn cost(hash: &str) -> Result<u32, String> {
    let is_bcrypt = ["$2y$", "$2b$", "$2a$"]
        .iter()
        .any(|form| hash.starts_with(form));
    if !is_bcrypt {
        return Err(format!(
            "{} is not read, only bcrypt: `htpasswd -B FILE USER` writes it",
            form(hash)
        ));
    }
    let parts: HashParts = hash
        .parse()
        .map_err(|error| format!("its hash is none of bcrypt's: {error}"))?;
    match parts.get_cost() {
        cost if COSTS.contains(&cost) => Ok(cost),
        cost => Err(format!(
            "the cost {cost} of its hash is not within {} to {}",
            COSTS.start(),
            COSTS.end()
        )),
    }
}

/// Returns the name of a form of htpasswd that is not bcrypt's.
fn form(hash: &str) -> &'static str {
    let forms = [
        ("$apr1$", "Apache's MD5"),
        ("$1$", "MD5"),
        ("{SHA}", "SHA-1"),
        ("$5$", "SHA-256"),
        ("$6$", "SHA-512"),
        ("$2x$", "the faulty bcrypt of $2x$"),
        ("$argon2", "Argon2"),
        ("$y$", "yescrypt"),
    ];
    let known = forms.iter().find(|(start, _)| hash.starts_with(start));
    known.map_or("DES or plain text", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    // By `htpasswd -nbB -C 4`: the passwords are "password" and "other".
    const BOB: &str = "bob:$2y$04$nIuIq8D8e51ERsrG7Vr.jOZP4sYsGuEGRtVaAAIT/FZ8gGtwPXFlO";
    const EVE: &str = "eve:$2y$05$6OlHhdFXz7yyZKbExBrbmOJxkxVzqUi6RbHxErFkkJ2zEqWRQWgam";

    fn parsed(text: &str) -> Result<Users, String> {
        Users::parse(text, Key::random().unwrap())
    }

    fn verified(users: &Users, user: &str, password: &str) -> bool {
        let login = Login::of(user, password);
        users.verify(&login, users.fingerprint(&login))
    }

    fn known(users: &Users, user: &str, password: &str) -> bool {
        let login = Login::of(user, password);
        users.know(&login, &users.fingerprint(&login))
    }

    #[test]
    fn a_password_that_was_right_is_known_from_then_on() {
        let users = parsed(&format!("# all\n{BOB}\r\n\n{EVE}\n")).unwrap();
        assert!(!known(&users, "bob", "password"));
        assert!(verified(&users, "bob", "password") && known(&users, "bob", "password"));
        assert!(verified(&users, "eve", "other") && !known(&users, "eve", "password"));
        assert!(verified(&users, "bob", "password"));
    }

    #[test]
    fn what_is_wrong_is_not_remembered() {
        let users = parsed(BOB).unwrap();
        for (user, password) in [
            ("bob", "Password"),
            ("bob", ""),
            ("bob", "password\0"),
            ("bob", "password\0password"),
            ("Bob", "password"),
            ("nobody", "password"),
            ("", "password"),
        ] {
            assert!(!verified(&users, user, password), "{user}");
            assert!(!known(&users, user, password), "{user}");
        }
    }

    #[test]
    fn what_is_none_of_bcrypts_is_refused_by_its_line_and_not_told() {
        let other = |hash: &str| format!("{BOB}\neve:{hash}");
        let dear = BOB.replace("$04$", "$18$");
        let cases = [
            ("# none\n".to_owned(), "names no user"),
            ("secret".to_owned(), "line 1 is no user and hash"),
            (":secret".to_owned(), "line 1 is no user and hash"),
            (
                other("$apr1$secret"),
                "line 2, user \"eve\": Apache's MD5 is not read",
            ),
            (other("{SHA}secret"), "SHA-1"),
            (other("$6$secret"), "SHA-512"),
            (other("secret"), "DES or plain text"),
            (other("$2y$05$secret"), "none of bcrypt's"),
            (other("$2x$05$secret"), "faulty"),
            (dear, "the cost 18"),
            (format!("{BOB}:secret"), "none of bcrypt's"),
            (
                format!("{BOB}\n{BOB}"),
                "line 2: user \"bob\" is there twice",
            ),
        ];
        for (text, expected) in cases {
            let error = parsed(&text).err().unwrap();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
