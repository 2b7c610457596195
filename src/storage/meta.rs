//! What a directory of [`files`](crate::storage::files) says of itself, and who may open it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::storage::DiskError;
use crate::storage::io::{Io, failed};
use crate::types::{Boot, NodeId, TERM_LIMIT};

/// The version of what is written. A program refuses what a later one wrote.
pub const FORMAT: u32 = 1;

/// What a disk says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The version of what is written.
    pub format: u32,
    /// Whose disk it is.
    pub id: NodeId,
    /// The members of the cluster when it was new.
    pub members: Vec<NodeId>,
    /// The life of the disk.
    pub boot: Boot,
    /// The mode it was last used in.
    pub mode: String,
    /// Where no log says otherwise: whether its node must not vote, because an earlier disk of its was lost.
    #[serde(default)]
    pub recovering: bool,
    /// What is beside it is being destroyed: whoever opens it next goes on with that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wiping: bool,
}

/// Holds the directory for this process.
pub(super) fn lock(directory: &Path) -> Result<File, DiskError> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(failed("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DiskError::InUse {
            path: directory.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// Whether there is no such thing, or only a file where a directory would be.
fn is_none(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// What the disk in `directory` says of itself; `None` if there is none.
pub fn read_meta(directory: &Path) -> Result<Option<Meta>, DiskError> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let path = directory.join("meta.json");
    let text = match fs::read(&path) {
        Err(error) if is_none(&error) => return Ok(None),
        text => text.map_err(failed("read", &path))?,
    };
    let damaged = |what| DiskError::Damaged {
        path: path.clone(),
        position: 0,
        what,
    };
    let version: Version =
        serde_json::from_slice(&text).map_err(|_| damaged("it names no format"))?;
    if version.format > FORMAT {
        return Err(DiskError::TooNew {
            path: directory.to_owned(),
            format: version.format,
            known: FORMAT,
        });
    }
    let meta: Meta = serde_json::from_slice(&text).map_err(|_| damaged("it is incomplete"))?;
    match meta.boot < TERM_LIMIT {
        true => Ok(Some(meta)),
        false => Err(damaged("it names a life that no disk had")),
    }
}

/// Says it, all or nothing.
pub(super) fn write_meta(io: &Io, directory: &Path, meta: &Meta) -> Result<(), DiskError> {
    let json = serde_json::to_vec_pretty(meta).expect("what is stored is always JSON");
    write_whole(io, directory, "meta", &json)
}

/// What is in a directory of several nodes' disks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The nodes whose disks are there, in order.
    pub nodes: Vec<NodeId>,
    /// Nodes that were removed, and their disks set aside.
    pub removed: Vec<NodeId>,
    /// Whom any of the disks calls a member.
    pub members: BTreeSet<NodeId>,
    /// What the launcher wrote down: it knows of nodes whose disks are gone.
    pub census: Option<Census>,
    /// The mode that the disks were last used in, if they agree.
    pub mode: Option<String>,
}

/// Who there is, as the launcher of all of them knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// The nodes, those included that are only becoming members.
    pub nodes: Vec<NodeId>,
    /// The highest number that a node's name ever had.
    pub highest: usize,
}

/// Writes it down beside the nodes' directories, all or nothing.
pub fn write_census(directory: &Path, census: &Census) -> Result<(), DiskError> {
    let io = Io::default();
    io.create_directory(directory)?;
    let json = serde_json::to_vec_pretty(census).expect("what is stored is always JSON");
    write_whole(&io, directory, "nodes", &json)
}

fn read_census(directory: &Path) -> Result<Option<Census>, DiskError> {
    let path = directory.join("nodes.json");
    let text = match fs::read(&path) {
        Err(error) if is_none(&error) => return Ok(None),
        text => text.map_err(failed("read", &path))?,
    };
    let census = serde_json::from_slice(&text);
    census.map(Some).map_err(|_| DiskError::Damaged {
        path,
        position: 0,
        what: "it lists no nodes",
    })
}

fn write_whole(io: &Io, directory: &Path, name: &str, json: &[u8]) -> Result<(), DiskError> {
    let path = directory.join(format!("{name}.json"));
    let preliminary = directory.join(format!("{name}.part"));
    let mut file = io.create(&preliminary)?;
    io.write(&mut file, &preliminary, json)?;
    io.sync(&file, &preliminary)?;
    io.rename(&preliminary, &path)?;
    io.sync_directory(directory)
}

/// What a directory that bears this name is for, if it is of a node that was removed.
const REMOVED: &str = ".removed-";

/// Looks for disks in `directory`. What is none of ours is left alone.
pub fn nodes_in(directory: &Path) -> Result<Found, DiskError> {
    let mut found = Found::default();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(failed("read", directory))?,
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((id, _)) = name.split_once(REMOVED) {
            found.removed.extend(NodeId::new(id));
        } else if let Some(meta) = read_meta(&entry.path())?
            && meta.id.as_str() == name
        {
            found.mode = match found.nodes.is_empty() {
                true => Some(meta.mode),
                false => found.mode.filter(|mode| *mode == meta.mode),
            };
            found.nodes.push(meta.id);
            found.members.extend(meta.members);
        }
    }
    found.census = read_census(directory)?;
    found.nodes.sort();
    found.removed.sort();
    Ok(found)
}

/// Sets the disk of a removed node aside: it is no member when the cluster starts again. `when` makes its name its own.
pub fn set_aside(directory: &Path, id: &NodeId, when: &str) -> std::io::Result<()> {
    fs::rename(
        directory.join(id.as_str()),
        directory.join(format!("{id}{REMOVED}{when}")),
    )
}
