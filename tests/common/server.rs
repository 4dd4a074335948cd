//! The server of Ollama, started on a store of a test's own.
// Each test program uses its own part of this file, and a failure here fails the test.
#![allow(dead_code, clippy::unwrap_used)]

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::skip::skip;

/// A running server, ended when dropped.
pub struct Server {
    process: Child,
    address: String,
    agent: ureq::Agent,
}

/// The server's program: `$MODELKEEP_OLLAMA`, then the shared one, then the one on the path.
pub fn program() -> Option<PathBuf> {
    let shared = env::var_os("MODELKEEP_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("ollama"))
        .collect::<Vec<_>>();
    env::var_os("MODELKEEP_OLLAMA")
        .map(PathBuf::from)
        .into_iter()
        .chain([shared.join("ref/ollama")])
        .chain(on_path)
        .find(|program| program.is_file())
}

/// The server's program, or `None` and a word on what is skipped without it.
pub fn required() -> Option<PathBuf> {
    let found = program();
    if found.is_none() {
        let why = "no ollama in $MODELKEEP_OLLAMA, ../shared/ref or $PATH";
        skip("the server of Ollama", why);
    }
    found
}

/// Where Ollama looks for its quantizer, under the directory that it runs in: a stand-in
/// that copies, which lies beside the shared server.
pub fn give_quantizer(home: &Path) {
    let Some(quantizer) = program().map(|program| program.with_file_name("llama-quantize")) else {
        return;
    };
    let place = home.join("build/lib/ollama");
    std::fs::create_dir_all(&place).unwrap();
    if quantizer.is_file() {
        std::fs::copy(quantizer, place.join("llama-quantize")).unwrap();
    }
}

impl Server {
    /// Starts the server on `models` and waits until it answers, or says why not and answers
    /// `None`.
    pub fn start(models: &Path, home: &Path) -> Option<Self> {
        let mut server = Server::launch(models, home)?;
        assert!(server.is_up(), "the server ended at its start");
        Some(server)
    }

    /// Starts the server on `models` and does not wait.
    pub fn launch(models: &Path, home: &Path) -> Option<Self> {
        let program = required()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new(program)
            .arg("serve")
            .current_dir(home)
            .env("HOME", home)
            .env("OLLAMA_MODELS", models)
            .env("OLLAMA_HOST", &address)
            .env("OLLAMA_NO_CLOUD", "1")
            .env_remove("OLLAMA_NOPRUNE")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Some(Server {
            process,
            address,
            agent: config.into(),
        })
    }

    /// Waits until the server answers; `false` where it ended instead.
    pub fn is_up(&mut self) -> bool {
        for _ in 0..5000 {
            if self.agent.get(self.url("/")).call().is_ok() {
                return true;
            }
            if !self.is_running() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("the server does not answer on {}", self.address);
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Lets Ollama's own command make a model; what it complains of is the error.
    pub fn create(&self, name: &str, modelfile: &Path) -> Result<(), String> {
        let output = Command::new(program().unwrap())
            .args(["create", name, "-f"])
            .arg(modelfile)
            .env("OLLAMA_HOST", &self.address)
            .env("HOME", modelfile.parent().unwrap())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// One request; answers the status and the body.
    pub fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(self.url(path))
            .body(body.to_owned())
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_string().unwrap(),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
