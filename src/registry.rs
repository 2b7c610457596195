//! How commands find a cluster: a private state file for each that runs, named after it, with a lock held as long as its
//! process lives. A file whose lock is free is a leftover, and is cleaned up by whoever meets it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::wire::control::NodeAddress;

/// The name of a cluster: 1 to 64 letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterName(String);

/// A name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cluster's name has 1 to 64 letters, digits, - and _")]
pub struct InvalidName;

impl ClusterName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ClusterName {
    fn default() -> ClusterName {
        ClusterName("default".to_owned())
    }
}

impl std::str::FromStr for ClusterName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<ClusterName, InvalidName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let fits = (1..=64).contains(&name.len()) && name.chars().all(allowed);
        fits.then(|| ClusterName(name.to_owned()))
            .ok_or(InvalidName)
    }
}

/// What a state file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateFile {
    /// The cluster's name.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// The version of its program.
    pub version: String,
    /// The control server's base URL.
    pub control: String,
    /// What allows changes.
    pub token: String,
    /// What the control server says too, if file and server belong together.
    pub nonce: String,
    /// When it started, RFC 3339 in UTC.
    pub started_at: String,
    /// Its nodes.
    pub nodes: Vec<NodeAddress>,
    /// Where its output goes, if it runs in the background.
    pub log: Option<PathBuf>,
}

/// Why the directory of state files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The name is taken.
    #[error("a cluster called {name} is running already{}", .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    Running {
        /// Which.
        name: String,
        /// Its process, if it has said so yet.
        pid: Option<u32>,
    },
    /// There is no place for it.
    #[error("no directory for state files: {path}: {source}")]
    Directory {
        /// The last one tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A state file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why no cluster was found.
#[derive(Debug, PartialEq, Eq)]
pub enum FindError {
    /// None runs, or none of that name.
    NotRunning {
        /// The name asked for.
        name: Option<String>,
        /// Those that do run.
        others: Vec<String>,
    },
    /// Several run, and none was named.
    Several(Vec<String>),
}

/// A name that is ours as long as this lives; then the state file goes.
#[derive(Debug)]
pub struct Claim {
    directory: PathBuf,
    name: String,
    _lock: File,
}

impl Claim {
    /// Lets others find the cluster.
    pub fn publish(&self, state: &StateFile) -> Result<(), RegistryError> {
        let (path, new) = (self.path("json"), self.path("json.new"));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(&serde_json::to_vec_pretty(state)?)?;
            // Whole or not at all: readers never see half a file.
            fs::rename(&new, &path)
        };
        write().map_err(|source| RegistryError::Write {
            path: path.clone(),
            source,
        })
    }

    /// Where the output of a cluster in the background goes.
    pub fn log_path(&self) -> PathBuf {
        self.path("log")
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.name))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // What cannot be removed is recognised as a leftover by the next reader.
        let _ = fs::remove_file(self.path("json"));
        let _ = fs::remove_file(self.path("lock"));
    }
}

/// Takes `name`, unless a running cluster has it.
pub fn claim(name: &ClusterName) -> Result<Claim, RegistryError> {
    let directory = own_directory()?;
    let lock_path = directory.join(format!("{}.lock", name.as_str()));
    match lock(&lock_path) {
        Ok(Some(lock)) => Ok(Claim {
            directory,
            name: name.as_str().to_owned(),
            _lock: lock,
        }),
        Ok(None) => {
            let state = read(&directory.join(format!("{}.json", name.as_str())));
            let pid = state.map(|state| state.pid);
            Err(RegistryError::Running {
                name: name.as_str().to_owned(),
                pid,
            })
        }
        Err(source) => Err(RegistryError::Write {
            path: lock_path,
            source,
        }),
    }
}

/// Where the log of a cluster in the background called `name` goes.
pub fn log_path(name: &ClusterName) -> Result<PathBuf, RegistryError> {
    Ok(own_directory()?.join(format!("{}.log", name.as_str())))
}

/// The clusters that run, by name.
pub fn list() -> Vec<StateFile> {
    let files = candidates()
        .into_iter()
        .filter_map(|directory| fs::read_dir(directory).ok());
    let paths = files.flatten().flatten().map(|file| file.path());
    let states = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut running: Vec<StateFile> = states.filter_map(|path| running(&path)).collect();
    running.sort_by(|a, b| a.name.cmp(&b.name));
    running
}

/// The cluster called `name`, or the only one that runs.
pub fn find(name: Option<&ClusterName>) -> Result<StateFile, FindError> {
    let mut states = list();
    let names = || list().into_iter().map(|state| state.name).collect();
    match name {
        Some(name) => states
            .into_iter()
            .find(|state| state.name == name.as_str())
            .ok_or_else(|| FindError::NotRunning {
                name: Some(name.as_str().to_owned()),
                others: names(),
            }),
        None if states.len() > 1 => Err(FindError::Several(names())),
        None => states.pop().ok_or(FindError::NotRunning {
            name: None,
            others: Vec::new(),
        }),
    }
}

/// The state in `path`, if its cluster runs; a leftover is removed.
fn running(path: &Path) -> Option<StateFile> {
    let lock_path = path.with_extension("lock");
    match lock(&lock_path) {
        Ok(Some(_lock)) => {
            let _ = fs::remove_file(path);
            let _ = fs::remove_file(&lock_path);
            None
        }
        Ok(None) => read(path),
        Err(_) => None,
    }
}

fn read(path: &Path) -> Option<StateFile> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The lock at `path`; `None` if somebody holds it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Whoever held it before may have removed the file that we locked.
        let is_current = fs::metadata(path).is_ok_and(|now| {
            file.metadata()
                .is_ok_and(|ours| (ours.dev(), ours.ino()) == (now.dev(), now.ino()))
        });
        if is_current {
            return Ok(Some(file));
        }
    }
}

/// Where state files may be, best first: the user's runtime directory, else a private one among the temporary files.
fn candidates() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty());
    let user = std::env::var("USER").unwrap_or_default();
    let user: String = user.chars().filter(char::is_ascii_alphanumeric).collect();
    let temporary = std::env::temp_dir().join(format!("cluster-{user}"));
    runtime
        .map(|path| Path::new(&path).join("cluster"))
        .into_iter()
        .chain([temporary])
        .collect()
}

fn own_directory() -> Result<PathBuf, RegistryError> {
    let mut failure = None;
    for path in candidates() {
        match make_private(&path) {
            Ok(()) => return Ok(path),
            Err(source) => failure = Some(RegistryError::Directory { path, source }),
        }
    }
    // There is always one candidate at least.
    Err(failure.unwrap_or(RegistryError::Directory {
        path: PathBuf::new(),
        source: io::ErrorKind::NotFound.into(),
    }))
}

/// Makes sure that `path` is a directory of this user's that nobody else can write to: tokens will lie there.
fn make_private(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let directory = fs::symlink_metadata(path)?;
    let probe_path = path.join(format!(".probe-{}", std::process::id()));
    let probe = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&probe_path)?;
    let owner = probe.metadata()?.uid();
    fs::remove_file(&probe_path)?;
    let is_private =
        directory.is_dir() && directory.uid() == owner && directory.mode() & 0o022 == 0;
    match is_private {
        true => Ok(()),
        false => Err(io::Error::other(
            "it belongs to somebody else, or others can write to it",
        )),
    }
}
