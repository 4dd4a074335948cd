//! Registries are asked by the engine's client of them. Where that is not built in, `registry_absent`
//! stands in its place.

use engine::{PullOptions, Pulled, PushOptions, Pushed, Reference, RegistryOptions, Store};
use engine::{json, ls_remote_with};

use crate::boundary::{Fault, invalid, optional, path};
use crate::growing::options;
use crate::progress::{observer, watched};
use crate::registry_types::{
    mkeep_ls_remote_options, mkeep_pull_options, mkeep_pulled, mkeep_pulled_facts,
    mkeep_push_options, mkeep_pushed, mkeep_pushed_facts, mkeep_registry_options,
    mkeep_remote_list,
};
use crate::str::Strings;

pub(crate) const IS_THERE: bool = true;

impl mkeep_registry_options {
    /// # Safety
    /// `stated` is NULL or points to options, of which every pointer is NULL or a string.
    unsafe fn read(stated: *const Self) -> Result<RegistryOptions, Fault> {
        // SAFETY: by the contract.
        unsafe {
            let stated = self::options(stated)?;
            let options = RegistryOptions::new().plain_http(stated.plain_http != 0);
            let options = match stated.connections {
                0 => options,
                connections => options.connections(connections as usize),
            };
            stated.with_credentials(stated.with_certificates(options)?)
        }
    }

    /// # Safety
    /// As [`read`](Self::read).
    unsafe fn with_certificates(&self, options: RegistryOptions) -> Result<RegistryOptions, Fault> {
        // SAFETY: by the contract.
        unsafe {
            let options = match self.ca_file.is_null() {
                true => options,
                false => options.ca_file(path(self.ca_file, "the file of certificates")?),
            };
            match (self.client_certificate.is_null(), self.client_key.is_null()) {
                (true, true) => Ok(options),
                (false, false) => {
                    let certificate = path(self.client_certificate, "the certificate")?;
                    Ok(options.client_certificate(certificate, path(self.client_key, "its key")?))
                }
                _ => Err(invalid("a certificate and its key belong together")),
            }
        }
    }

    /// # Safety
    /// As [`read`](Self::read).
    unsafe fn with_credentials(&self, options: RegistryOptions) -> Result<RegistryOptions, Fault> {
        // SAFETY: by the contract.
        let given = unsafe {
            (
                optional(self.username, "the user")?,
                optional(self.password, "the password")?,
                optional(self.token, "the token")?,
            )
        };
        match given {
            (None, None, None) => Ok(options),
            (Some(user), Some(password), None) => Ok(options.username_password(user, password)),
            (None, None, Some(token)) => Ok(options.token(token)),
            _ => Err(invalid("either a user and a password, or a token")),
        }
    }
}

/// # Safety
/// `stated` holds pointers that are NULL or good for their use.
pub(crate) unsafe fn pull(
    store: &Store,
    reference: &str,
    name: Option<&str>,
    stated: &mkeep_pull_options,
) -> Result<mkeep_pulled, Fault> {
    // SAFETY: by the contract.
    unsafe {
        let mut options = PullOptions::new()
            .replace(stated.no_replace == 0)
            .registry(mkeep_registry_options::read(stated.registry)?);
        if let Some(name) = name {
            options = options.name(name);
        }
        let call = |store: &Store| store.pull(reference, &options);
        Ok(watched(store, stated.progress, stated.user, call)?.into())
    }
}

/// # Safety
/// As [`pull`].
pub(crate) unsafe fn push(
    store: &Store,
    name: &str,
    to: Option<&str>,
    stated: &mkeep_push_options,
) -> Result<mkeep_pushed, Fault> {
    let name: Reference = name.parse()?;
    // SAFETY: by the contract.
    unsafe {
        let mut options =
            PushOptions::new().registry(mkeep_registry_options::read(stated.registry)?);
        if let Some(to) = to {
            options = options.to(to);
        }
        let call = |store: &Store| store.push(name, &options);
        Ok(watched(store, stated.progress, stated.user, call)?.into())
    }
}

/// # Safety
/// As [`pull`].
pub(crate) unsafe fn ls_remote(
    what: &str,
    stated: &mkeep_ls_remote_options,
) -> Result<mkeep_remote_list, Fault> {
    // SAFETY: by the contract.
    let names = unsafe {
        let options = mkeep_registry_options::read(stated.registry)?;
        let mut observe = observer(stated.progress, stated.user);
        ls_remote_with(what, &options, &mut observe)?
    };
    let mut strings = Strings::default();
    Ok(mkeep_remote_list {
        json: json::to_string(&names),
        names: strings.displays(&names),
        _strings: strings,
    })
}

impl From<Pulled> for mkeep_pulled {
    fn from(pulled: Pulled) -> Self {
        let mut strings = Strings::default();
        mkeep_pulled {
            facts: mkeep_pulled_facts {
                size: size_of::<mkeep_pulled_facts>(),
                reference: strings.display(&pulled.reference),
                name: strings.display(&pulled.name),
                digest: strings.display(&pulled.digest),
                is_replacement: pulled.replaced,
                new_blobs: pulled.new_blobs,
                new_bytes: pulled.new_bytes,
                resumed_bytes: pulled.resumed_bytes,
                shared_blobs: pulled.shared_blobs,
            },
            json: pulled.to_json(),
            _strings: strings,
        }
    }
}

impl From<Pushed> for mkeep_pushed {
    fn from(pushed: Pushed) -> Self {
        let mut strings = Strings::default();
        mkeep_pushed {
            facts: mkeep_pushed_facts {
                size: size_of::<mkeep_pushed_facts>(),
                name: strings.display(&pushed.name),
                reference: strings.display(&pushed.reference),
                digest: strings.display(&pushed.digest),
                sent_blobs: pushed.sent_blobs,
                sent_bytes: pushed.sent_bytes,
                mounted_blobs: pushed.mounted_blobs,
                shared_blobs: pushed.shared_blobs,
            },
            json: pushed.to_json(),
            _strings: strings,
        }
    }
}
