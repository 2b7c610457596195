//! What a step does, as it is written: the words of the commands.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::faults::Traffic;
use crate::scenario::brief::{Brief, Chance, Names, Rate, Short, Span, names};
use crate::scenario::expected::Expected;
use crate::wire::data::Consistency;

/// `partition = "node-1,node-2 / node-3"`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PartitionTable {
    /// The groups: `"node-1,node-2 / node-3"`.
    pub groups: Option<String>,
    /// Only what a group says to those after it is lost.
    pub one_way: bool,
    /// Two halves, drawn by chance.
    pub random: bool,
    /// Two halves that meet in this node.
    pub bridge: Option<String>,
    /// Each hears only its neighbours.
    pub ring: bool,
}

impl Short for PartitionTable {
    const EXPECTED: &'static str = "groups, as in \"node-1,node-2 / node-3\", or a table";

    fn short(brief: Brief) -> Result<PartitionTable, String> {
        match brief {
            Brief::Text(text) => Ok(PartitionTable {
                groups: Some(text),
                ..PartitionTable::default()
            }),
            Brief::List(groups) => PartitionTable::short(Brief::Text(groups.join(" / "))),
            Brief::Yes | Brief::Number(_) => Err(format!("expected {}", Self::EXPECTED)),
        }
    }
}

/// `isolate = "leader"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IsolateTable {
    /// Which.
    pub node: Names,
    /// They hear, and are not heard.
    #[serde(default)]
    pub mute: bool,
    /// They are heard, and hear nobody.
    #[serde(default)]
    pub deaf: bool,
}

impl Short for IsolateTable {
    const EXPECTED: &'static str = "a node or role, a list of them, or a table";

    fn short(brief: Brief) -> Result<IsolateTable, String> {
        let node = Names::short(brief)?;
        let (mute, deaf) = (false, false);
        Ok(IsolateTable { node, mute, deaf })
    }
}

/// `cut = ["node-1", "node-2"]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CutTable {
    /// One end.
    pub from: Names,
    /// The other.
    pub to: Names,
    /// Only what the first end says is lost.
    #[serde(default)]
    pub one_way: bool,
}

impl Short for CutTable {
    const EXPECTED: &'static str =
        "the two ends of a link, as in [\"node-1\", \"node-2\"], or a table";

    fn short(brief: Brief) -> Result<CutTable, String> {
        match brief {
            Brief::List(ends) if ends.len() == 2 => Ok(CutTable {
                from: Names(names(&ends[0])),
                to: Names(names(&ends[1])),
                one_way: false,
            }),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }
}

/// `link = { from = "leader", delay = "100ms" }`; without ends all links.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LinkTable {
    /// Who says it; everybody.
    pub from: Option<Names>,
    /// Who should hear it; everybody.
    pub to: Option<Names>,
    /// The way back fares alike.
    pub both_ways: bool,
    /// All are late by this much …
    pub delay: Option<Span>,
    /// … and by up to this much more.
    pub jitter: Option<Span>,
    /// So many are lost.
    pub loss: Chance,
    /// So many of those behind a lost one are lost too.
    pub burst: Chance,
    /// So many arrive twice.
    pub duplicate: Chance,
    /// So many are overtaken.
    pub reorder: Chance,
    /// So much fits through each link a second.
    pub bandwidth: Option<Rate>,
    /// Only these kinds of messages.
    pub only: Vec<Traffic>,
}

/// `client = { node = "node-1", cut = true }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientTable {
    /// Which.
    pub node: Names,
    /// Nothing gets through.
    #[serde(default)]
    pub cut: bool,
    /// Requests and answers are late by this much …
    pub delay: Option<Span>,
    /// … and by up to this much more.
    pub jitter: Option<Span>,
    /// So many are lost.
    #[serde(default)]
    pub loss: Chance,
    /// So many of those behind a lost one are lost too.
    #[serde(default)]
    pub burst: Chance,
}

/// `skew = { node = "leader", rate = 1.2 }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SkewTable {
    /// Whose clock.
    pub node: Names,
    /// How fast it runs.
    pub rate: Option<f64>,
    /// By how much it jumps ahead.
    pub jump: Option<Span>,
}

/// `disk = { node = "leader", slow = "50ms" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiskTable {
    /// Whose.
    pub node: Names,
    /// Every synced write takes so much longer.
    pub slow: Option<Span>,
    /// No space is left.
    #[serde(default)]
    pub full: bool,
    /// The next sync fails.
    #[serde(default)]
    pub fail_fsync: bool,
    /// The node is killed within a write.
    #[serde(default)]
    pub corrupt_tail: bool,
}

/// `heal = true`, `heal = "its name"`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealWhat {
    /// A fault's name; none: everything.
    pub name: Option<String>,
}

impl Short for HealWhat {
    const EXPECTED: &'static str = "true, or the name of a fault";

    fn short(brief: Brief) -> Result<HealWhat, String> {
        match brief {
            Brief::Yes => Ok(HealWhat { name: None }),
            Brief::Text(name) => Ok(HealWhat { name: Some(name) }),
            Brief::List(_) | Brief::Number(_) => Err(format!("expected {}", Self::EXPECTED)),
        }
    }
}

/// What becomes of the disk of a node that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskFate {
    /// It keeps what was written.
    #[default]
    Keep,
    /// It loses what was not synced.
    LoseUnsynced,
    /// It is destroyed.
    Wipe,
}

/// `kill = "leader"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KillTable {
    /// Which.
    pub node: Names,
    /// What becomes of its disk.
    #[serde(default)]
    pub disk: DiskFate,
}

impl Short for KillTable {
    const EXPECTED: &'static str = IsolateTable::EXPECTED;

    fn short(brief: Brief) -> Result<KillTable, String> {
        let (node, disk) = (Names::short(brief)?, DiskFate::Keep);
        Ok(KillTable { node, disk })
    }
}

/// `revive = "node-1"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReviveTable {
    /// Which.
    pub node: Names,
    /// It votes even if its disk was lost.
    #[serde(default)]
    pub bootstrap: bool,
}

impl Short for ReviveTable {
    const EXPECTED: &'static str = IsolateTable::EXPECTED;

    fn short(brief: Brief) -> Result<ReviveTable, String> {
        let (node, bootstrap) = (Names::short(brief)?, false);
        Ok(ReviveTable { node, bootstrap })
    }
}

/// `put = { key = "name", value = "Alice" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PutTable {
    /// Which key.
    pub key: String,
    /// What it is to hold.
    pub value: Json,
    /// Who is asked; the leader.
    pub node: Option<String>,
    /// What is answered; that it is done.
    pub expect: Option<Expected>,
}

/// `get = { key = "name", node = "node-2", expect = { value = "Alice" } }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GetTable {
    /// Which key.
    pub key: String,
    /// Who is asked; the leader.
    pub node: Option<String>,
    /// What the answer must be: `local`, `leader`, `linearizable`.
    pub consistency: Option<ReadAs>,
    /// What is answered; anything.
    pub expect: Option<Expected>,
}

/// `delete = { key = "name" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DeleteTable {
    /// Which key.
    pub key: String,
    /// Who is asked; the leader.
    pub node: Option<String>,
    /// What is answered; that it is done.
    pub expect: Option<Expected>,
}

/// `cas = { key = "name", from = "Alice", value = "Bob" }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CasTable {
    /// Which key.
    pub key: String,
    /// What it must hold; nothing, if that is left out.
    pub from: Option<Json>,
    /// What it is to hold.
    pub value: Json,
    /// Who is asked; the leader.
    pub node: Option<String>,
    /// What is answered; that it is done.
    pub expect: Option<Expected>,
}

/// `consistency = "linearizable"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadAs {
    /// What the node holds.
    Local,
    /// What a node holds that believes it leads.
    Leader,
    /// At least what was committed before.
    Linearizable,
}

impl From<ReadAs> for Consistency {
    fn from(read: ReadAs) -> Consistency {
        match read {
            ReadAs::Local => Consistency::Local,
            ReadAs::Leader => Consistency::Leader,
            ReadAs::Linearizable => Consistency::Linearizable,
        }
    }
}
