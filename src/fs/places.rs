//! Where installations keep their models: what packages, services and running servers say.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fs::system::paths;

/// One system, as its files tell of it.
pub(crate) struct Places {
    /// `/`, but for tests; `None` where packages and services have no known places.
    system: Option<PathBuf>,
    home: Option<PathBuf>,
}

const VARIABLE: &str = "OLLAMA_MODELS";

/// The store of a home directory.
const OF_HOME: &str = ".ollama/models";

/// Where the installer and most packages put the store of the service.
const INSTALLED: [&str; 2] = ["usr/share/ollama/.ollama/models", "var/lib/ollama/models"];

/// Other packages: Arch, the snap, a server that runs as root.
const PACKAGED: [&str; 5] = [
    "var/lib/ollama",
    "var/lib/ollama/.ollama/models",
    "var/snap/ollama/common/models",
    "var/snap/ollama/common/.ollama/models",
    "root/.ollama/models",
];

/// Directories of volumes: of Docker, of its snap, of Podman.
const VOLUMES: [&str; 3] = [
    "var/lib/docker/volumes",
    "var/snap/docker/common/var-lib-docker/volumes",
    "var/lib/containers/storage/volumes",
];
const VOLUMES_OF_HOME: [&str; 2] = [
    ".local/share/docker/volumes",
    ".local/share/containers/storage/volumes",
];

/// Directories in which each entry is a home of its own: of flatpaks, and of Windows under WSL.
const HOMES: [&str; 1] = ["mnt/c/Users"];
const UNITS: [&str; 6] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "etc/systemd/user",
];
const UNITS_OF_HOME: &str = ".config/systemd/user";
/// Files of variables that services read.
const VARIABLES: [&str; 4] = [
    "etc/default/ollama",
    "etc/sysconfig/ollama",
    "etc/conf.d/ollama",
    "etc/environment",
];

impl Places {
    pub(crate) fn of_this_system(home: Option<PathBuf>) -> Self {
        Places {
            system: paths::root(),
            home: home.or_else(std::env::home_dir),
        }
    }

    /// Returns the places that somebody names: this user's, the service's, a running server's.
    pub(crate) fn known(&self) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = self.at_home(OF_HOME).into_iter().collect();
        places.extend(self.of_services());
        places.extend(self.of_servers());
        places.extend(self.of_system(&INSTALLED));
        places
    }

    /// Returns the places where packages and containers keep models, if they are there at all.
    pub(crate) fn likely(&self) -> Vec<PathBuf> {
        let mut places = self.of_system(&PACKAGED);
        let snaps = ["common", "current"].map(|part| format!("snap/ollama/{part}/{OF_HOME}"));
        places.extend(snaps.iter().filter_map(|path| self.at_home(path)));
        let apps = self.at_home(".var/app");
        for app in apps.iter().flat_map(|apps| entries(apps)) {
            places.extend([app.join("data").join(OF_HOME), app.join(OF_HOME)]);
        }
        for homes in self.of_system(&HOMES) {
            places.extend(entries(&homes).iter().map(|home| home.join(OF_HOME)));
        }
        let volumes = self.of_system(&VOLUMES).into_iter();
        for volumes in volumes.chain(VOLUMES_OF_HOME.iter().filter_map(|path| self.at_home(path))) {
            match fs::read_dir(&volumes) {
                // A directory that is closed is told as one.
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => places.push(volumes),
                _ => places.extend(
                    entries(&volumes)
                        .iter()
                        .flat_map(|volume| of_volume(volume)),
                ),
            }
        }
        places
    }

    fn of_system(&self, paths: &[&str]) -> Vec<PathBuf> {
        let system = self.system.iter();
        system
            .flat_map(|root| paths.iter().map(|path| root.join(path)))
            .collect()
    }

    fn at_home(&self, path: &str) -> Option<PathBuf> {
        let home = self.home.clone()?;
        Some(path.split('/').fold(home, |path, part| path.join(part)))
    }

    /// Returns what the files of services say of the variable.
    fn of_services(&self) -> Vec<PathBuf> {
        let units = self.of_system(&UNITS).into_iter();
        let mut files: Vec<PathBuf> = units
            .chain(self.at_home(UNITS_OF_HOME))
            .flat_map(|directory| entries(&directory))
            .filter(|path| is_of_ollama(path))
            .flat_map(|path| {
                if path.is_dir() {
                    entries(&path)
                } else {
                    vec![path]
                }
            })
            .collect();
        files.extend(self.of_system(&VARIABLES));
        let mut places = Vec::new();
        while let Some(file) = files.pop() {
            for line in fs::read_to_string(&file).unwrap_or_default().lines() {
                match Setting::of(line) {
                    Some(Setting::Store(path)) => places.push(path),
                    Some(Setting::File(path)) if path.is_absolute() && !files.contains(&path) => {
                        places.extend(self.of_variables(&path));
                    }
                    _ => {}
                }
            }
        }
        places
    }

    /// Returns what a file of variables says that a unit names.
    fn of_variables(&self, file: &Path) -> Vec<PathBuf> {
        let file = match (&self.system, file.strip_prefix("/")) {
            (Some(system), Ok(path)) => system.join(path),
            _ => file.to_owned(),
        };
        let text = fs::read_to_string(file).unwrap_or_default();
        let stores = text.lines().filter_map(|line| match Setting::of(line)? {
            Setting::Store(path) => Some(path),
            Setting::File(_) => None,
        });
        stores.collect()
    }

    /// Returns the stores of running servers, as far as their environment can be read. That of a
    /// server in a container is reached through its process.
    fn of_servers(&self) -> Vec<PathBuf> {
        let Some(proc) = self.system.as_ref().map(|system| system.join("proc")) else {
            return Vec::new();
        };
        let is_server = |process: &PathBuf| {
            fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "ollama")
        };
        let servers = entries(&proc).into_iter().filter(is_server);
        servers
            .filter_map(|process| of_server(&proc, &process))
            .collect()
    }
}

/// Returns the store of the server that is a process among those of `proc`.
fn of_server(proc: &Path, process: &Path) -> Option<PathBuf> {
    let environment = fs::read(process.join("environ")).ok()?;
    let value = |name: &str| {
        let mut variables = environment.split(|byte| *byte == 0);
        let value = variables
            .find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        let path = paths::path_of_bytes(value).map(Path::to_owned);
        path.filter(|_| !value.is_empty())
    };
    let path = match value(VARIABLE) {
        Some(path) if path.is_absolute() => path,
        Some(path) => fs::read_link(process.join("cwd")).ok()?.join(path),
        None => value("HOME")?.join(OF_HOME),
    };
    let namespace = |process: &Path| fs::read_link(process.join("ns/mnt")).ok();
    let ours = namespace(&proc.join("self"));
    match namespace(process) {
        Some(theirs) if ours.is_some_and(|ours| ours != theirs) => {
            Some(process.join("root").join(path.strip_prefix("/").ok()?))
        }
        _ => Some(path),
    }
}

/// A line of a unit or of a file of variables that says where models are.
#[derive(Debug, PartialEq)]
enum Setting {
    Store(PathBuf),
    /// A file that says more.
    File(PathBuf),
}

impl Setting {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if let Some(file) = line.strip_prefix("EnvironmentFile=") {
            let file = file.trim_start_matches('-').trim();
            return Some(Setting::File(PathBuf::from(file)));
        }
        let line = line.strip_prefix("Environment=").unwrap_or(line);
        let line = line.strip_prefix("export ").unwrap_or(line);
        let mut stores = words(line).into_iter().filter_map(|word| {
            let value = word.strip_prefix(VARIABLE)?.strip_prefix('=')?;
            let value = value.trim_matches(['"', '\'']);
            (!value.is_empty()).then(|| PathBuf::from(value))
        });
        stores.next_back().map(Setting::Store)
    }
}

/// Splits a line at blanks outside quotes; the quotes go.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words
}

fn is_of_ollama(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.contains("ollama"))
}

/// Returns where a store is in a volume, which is mounted at the store, at its parent or at a home.
fn of_volume(volume: &Path) -> [PathBuf; 3] {
    let data = volume.join("_data");
    [data.join("models"), data.join(OF_HOME), data]
}

/// Returns the paths in a directory, in byte order; none where it cannot be read.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn system(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Places) {
        let directory = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let places = Places {
            system: Some(directory.path().to_owned()),
            home: Some(directory.path().join("home/me")),
        };
        (directory, places)
    }

    #[test]
    fn a_unit_and_what_is_beside_it_say_where_the_store_is() {
        for (path, text, store) in [
            (
                "etc/systemd/system/ollama.service",
                "Environment=OLLAMA_MODELS=/a/b",
                "/a/b",
            ),
            (
                "etc/systemd/system/ollama.service.d/override.conf",
                "[Service]\nEnvironment=\"X=1\" \"OLLAMA_MODELS=/a b\"",
                "/a b",
            ),
            (
                "usr/lib/systemd/system/ollama@.service",
                "Environment='OLLAMA_MODELS=/q'",
                "/q",
            ),
            (
                "home/me/.config/systemd/user/ollama.service",
                "Environment=OLLAMA_MODELS=/u",
                "/u",
            ),
            ("etc/default/ollama", "export OLLAMA_MODELS=\"/d\"", "/d"),
            ("etc/conf.d/ollama", "OLLAMA_MODELS='/c'", "/c"),
        ] {
            let (_directory, places) = system(&[(path, text.as_bytes())]);
            assert!(places.known().contains(&PathBuf::from(store)), "{path}");
        }
    }

    #[test]
    fn a_file_of_variables_is_found_through_its_unit() {
        let (_directory, places) = system(&[
            (
                "lib/systemd/system/ollama.service",
                b"EnvironmentFile=-/etc/own.env",
            ),
            ("etc/own.env", b"# models\nOLLAMA_MODELS=/from/file\n"),
        ]);
        assert!(places.known().contains(&PathBuf::from("/from/file")));
    }

    #[test]
    fn another_service_and_a_comment_say_nothing() {
        let (_directory, places) = system(&[
            (
                "etc/systemd/system/other.service",
                b"Environment=OLLAMA_MODELS=/x",
            ),
            (
                "etc/systemd/system/ollama.service",
                b"#Environment=OLLAMA_MODELS=/y",
            ),
            (
                "etc/environment",
                b"OLLAMA_MODELS_OLD=/z\nMY_OLLAMA_MODELS=/z",
            ),
        ]);
        let known = places.known();
        for path in ["/x", "/y", "/z"] {
            assert!(!known.contains(&PathBuf::from(path)), "{path}");
        }
    }

    #[test]
    fn a_running_server_says_where_its_store_is() {
        let (directory, places) = system(&[
            ("proc/7/comm", b"ollama\n"),
            ("proc/7/environ", b"A=1\0OLLAMA_MODELS=/run/store\0"),
            ("proc/8/comm", b"ollama\n"),
            ("proc/8/environ", b"HOME=/srv\0"),
            ("proc/9/comm", b"other\n"),
            ("proc/9/environ", b"OLLAMA_MODELS=/not\0"),
            ("proc/10/comm", b"ollama\n"),
            ("proc/10/environ", b"OLLAMA_MODELS=/in\0"),
            ("proc/10/ns/x", b""),
            ("proc/self/ns/x", b""),
        ]);
        let proc = directory.path().join("proc");
        symlink("mnt:[1]", proc.join("self/ns/mnt")).unwrap();
        symlink("mnt:[2]", proc.join("10/ns/mnt")).unwrap();
        let known = places.known();
        for path in ["/run/store", "/srv/.ollama/models"] {
            assert!(known.contains(&PathBuf::from(path)), "{path}");
        }
        assert!(known.contains(&proc.join("10/root/in")));
        assert!(!known.contains(&PathBuf::from("/not")) && !known.contains(&PathBuf::from("/in")));
    }

    #[test]
    fn packages_and_containers_have_their_places() {
        for store in [
            "var/lib/ollama",
            "var/lib/ollama/.ollama/models",
            "var/snap/ollama/common/models",
            "home/me/snap/ollama/common/.ollama/models",
            "home/me/.var/app/com.jeffser.Alpaca/data/.ollama/models",
            "var/lib/docker/volumes/ollama/_data/models",
            "home/me/.local/share/containers/storage/volumes/v/_data/models",
            "mnt/c/Users/me/.ollama/models",
        ] {
            let (directory, places) = system(&[(&format!("{store}/manifests/x"), b"")]);
            assert!(
                places.likely().contains(&directory.path().join(store)),
                "{store}"
            );
        }
    }
}
