//! Models that come from registries and go there: `pull`, `push` and `ls-remote`.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args as Group;
use clap_complete::ArgValueCompleter;
use modelkeep::{
    ModelName, PullOptions, PushOptions, Reference, RegistryOptions, RegistryReference, Store,
    StoreOptions, human_size, json, ls_remote,
};

use crate::completions::models;
use crate::output::{Failure, Outcome, Output, counted, misuse};
use crate::progress::watched;

/// How a registry is reached.
#[derive(Debug, Group)]
pub(crate) struct RegistryArgs {
    /// Speak plain HTTP, which everybody on the way can read and change
    #[arg(long)]
    pub plain_http: bool,
    /// A file of certificates, as PEM, that the registry's is checked against
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A file with the certificate that the registry asks for, as PEM
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_cert: Option<PathBuf>,
    /// A file with the key of that certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// The user, in place of what `docker login` or `podman login` stored
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub username: Option<String>,
    /// Read the password, or without a user a token, from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// How many transfers run at a time
    #[arg(long, value_name = "N", default_value = "4")]
    pub connections: usize,
}

#[derive(Debug, Group)]
pub(crate) struct PullArgs {
    /// What to fetch: REGISTRY/REPOSITORY, with :TAG or @DIGEST; the tag is latest by default
    #[arg(value_name = "REFERENCE")]
    pub reference: RegistryReference,
    /// The name of the model here; by default that of the registry
    pub name: Option<ModelName>,
    /// Fail where another model has the name
    #[arg(long)]
    pub no_replace: bool,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

#[derive(Debug, Group)]
pub(crate) struct PushArgs {
    /// The name of a model, or its ID as list prints it
    #[arg(add = ArgValueCompleter::new(models))]
    pub name: Reference,
    /// Where to send it: REGISTRY/REPOSITORY, with :TAG or without; by default where its name says
    #[arg(value_name = "REFERENCE")]
    pub to: Option<RegistryReference>,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

#[derive(Debug, Group)]
pub(crate) struct LsRemoteArgs {
    /// REGISTRY/REPOSITORY for its tags, REGISTRY for its repositories
    #[arg(value_name = "REGISTRY[/REPOSITORY]")]
    pub what: String,
    #[command(flatten)]
    pub registry: RegistryArgs,
}

impl RegistryArgs {
    pub(crate) fn options(&self) -> Outcome<RegistryOptions> {
        let mut options = RegistryOptions::new()
            .plain_http(self.plain_http)
            .connections(self.connections);
        if let Some(file) = &self.ca_file {
            options = options.ca_file(file);
        }
        if let Some((certificate, key)) = self.client_cert.as_ref().zip(self.client_key.as_ref()) {
            options = options.client_certificate(certificate, key);
        }
        match (&self.username, self.password_stdin) {
            (Some(user), _) => Ok(options.username_password(user, secret()?)),
            (None, true) => Ok(options.token(secret()?)),
            (None, false) => Ok(options),
        }
    }
}

/// Reads a password from standard input; an argument would be seen by everybody.
fn secret() -> Outcome<String> {
    if io::stdin().is_terminal() {
        return Err(misuse(
            "standard input is a terminal, which would show the password: use a pipe",
        ));
    }
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.map_err(|error| Failure::Other(format!("reading the password: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) fn pull(options: StoreOptions, what: &PullArgs, output: &mut Output) -> Outcome {
    let mut how = PullOptions::new()
        .replace(!what.no_replace)
        .registry(what.registry.options()?);
    if let Some(name) = &what.name {
        how = how.name(name);
    }
    let store = Store::open_with(options.create(true))?;
    let pulled = watched(&store, !output.json, |store| {
        store.pull(&what.reference, &how)
    })?;
    if output.json {
        return output.line(pulled.to_json());
    }
    let replaced = if pulled.replaced { " (replaced)" } else { "" };
    output.line(format!("pulled {}{replaced}", pulled.name))?;
    let bytes = human_size(pulled.new_bytes);
    let new = counted(pulled.new_blobs, "blob");
    let resumed = match pulled.resumed_bytes {
        0 => String::new(),
        resumed => format!(", of which {} were here before", human_size(resumed)),
    };
    let shared = pulled.shared_blobs;
    output.line(format!(
        "fetched {bytes} in {new}{resumed}; {shared} stored already"
    ))
}

pub(crate) fn push(store: &Store, what: &PushArgs, output: &mut Output) -> Outcome {
    let mut how = PushOptions::new().registry(what.registry.options()?);
    if let Some(to) = &what.to {
        how = how.to(to);
    }
    let name = store.identify(&what.name)?;
    let pushed = watched(store, !output.json, |store| store.push(&name, &how))?;
    if output.json {
        return output.line(pushed.to_json());
    }
    output.line(format!("pushed {} to {}", pushed.name, pushed.reference))?;
    let bytes = human_size(pushed.sent_bytes);
    let sent = counted(pushed.sent_blobs, "blob");
    let there = pushed.shared_blobs + pushed.mounted_blobs;
    output.line(format!("sent {bytes} in {sent}; {there} there already"))
}

pub(crate) fn list(what: &LsRemoteArgs, output: &mut Output) -> Outcome {
    let found = ls_remote(&what.what, &what.registry.options()?)?;
    if output.json {
        return output.line(json::to_string(&found));
    }
    found.iter().try_for_each(|line| output.line(line))
}
