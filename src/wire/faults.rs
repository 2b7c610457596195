//! Faults, as the control API takes and shows them: what is ordered (`POST /api/faults`), what is in force
//! (`GET /api/faults`), and what is to be undone (`POST /api/heal`).
//!
//! Times are in milliseconds, chances in percent. Whoever is meant is named, or meant by a role that is resolved when the
//! fault is set: [`Who`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Traffic};
use crate::types::NodeId;
use crate::wire::fault_fields;
use crate::wire::link_fault::LinkFault;
use crate::wire::units::millis;

/// Who is meant: a node's name, or `leader`, `follower`, `random`, `minority`, `majority`, `all`.
///
/// `follower` and `random` are one node that lives, `minority` and `majority` as many that live as make the largest
/// minority and the smallest majority of all nodes; chance chooses.
pub type Who = String;

/// What nodes are called that are not named.
pub const ROLES: [&str; 6] = [
    "leader", "follower", "random", "minority", "majority", "all",
];

/// `POST /api/faults`: one fault to set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultOrder {
    /// What it does.
    #[serde(flatten)]
    pub trouble: Trouble,
    /// It is undone by itself after so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// Who orders it, in free words; shown to whoever asks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Decides all chances, and whom roles choose; drawn if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl FaultOrder {
    /// Reads an order that somebody wrote by hand: what no fault has is a mistake, not a wish to be passed over.
    pub fn read(json: &[u8]) -> Result<FaultOrder, serde_json::Error> {
        let order: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json)?;
        let kind = order.get("kind").and_then(serde_json::Value::as_str);
        if let Some(kind) = kind
            && let Some(fields) = fault_fields::of(kind)
            && let Some(field) = order
                .keys()
                .find(|key| !fields.split(' ').any(|field| field == *key))
        {
            let fields = fields.replace(' ', ", ");
            let why = format!("{kind} has no {field:?}, only {fields}");
            return Err(serde::de::Error::custom(why));
        }
        serde_json::from_value(order.into())
    }

    /// An order for `trouble`, until it is undone.
    pub fn new(trouble: Trouble, by: &str) -> FaultOrder {
        FaultOrder {
            trouble,
            for_ms: None,
            by: by.to_owned(),
            seed: None,
        }
    }

    /// The same, undone by itself after `time`.
    pub fn lasting(self, time: Option<Duration>) -> FaultOrder {
        let for_ms = time.map(|time| (time.as_millis() as u64).max(1));
        FaultOrder { for_ms, ..self }
    }
}

/// What a fault does. In JSON: an object with `"kind"` beside its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Trouble {
    /// Messages from some nodes to others are cut, late, lost, doubled, overtaken or throttled.
    Links {
        /// Who says it.
        from: Vec<Who>,
        /// Who should hear it.
        to: Vec<Who>,
        /// What becomes of it.
        #[serde(flatten, with = "LinkFault")]
        fault: Fault,
        /// Only these kinds of messages; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        only: Vec<Traffic>,
        /// Only that direction; otherwise the way back fares alike.
        #[serde(default)]
        one_way: bool,
    },
    /// Nodes of different groups do not hear each other. Those named nowhere form one more group, who joins later included.
    Partition {
        /// The groups.
        groups: Vec<Vec<Who>>,
        /// Only what a group says to those after it is lost.
        #[serde(default)]
        one_way: bool,
    },
    /// A partition into two halves, drawn by chance; the larger one is a majority.
    Split {
        /// Only what the smaller half says is lost.
        #[serde(default)]
        one_way: bool,
    },
    /// Two halves that meet in one node only.
    Bridge {
        /// The node that hears all; none: drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Who>,
    },
    /// Each node hears a majority, itself included, and no two the same one.
    Ring,
    /// Each of these nodes is alone.
    Isolate {
        /// Which.
        nodes: Vec<Who>,
        /// Whether it still hears, or is still heard.
        #[serde(default)]
        way: Way,
    },
    /// Between clients and these nodes; between nodes nothing changes.
    Client {
        /// Which.
        nodes: Vec<Who>,
        /// What becomes of requests and answers: `cut`, `delayMs`, `jitterMs`, `loss` and `burst`.
        #[serde(flatten, with = "LinkFault")]
        fault: Fault,
    },
    /// They stand still, as under SIGSTOP or a long garbage collection: the port accepts and answers nothing.
    Pause {
        /// Which.
        nodes: Vec<Who>,
    },
    /// Their clocks run at so many millionths of the true speed.
    Skew {
        /// Which.
        nodes: Vec<Who>,
        /// 1,000,000 is true, 2,000,000 twice as fast.
        rate_ppm: u32,
    },
    /// Their clocks jump ahead, once. That cannot be undone: what nodes go by never goes back.
    Jump {
        /// Which.
        nodes: Vec<Who>,
        /// By how much.
        #[serde(rename = "byMs", with = "millis")]
        by: Duration,
    },
    /// Every synced write to their disks takes so much longer.
    SlowDisk {
        /// Which.
        nodes: Vec<Who>,
        /// By how much.
        #[serde(rename = "byMs", with = "millis")]
        by: Duration,
    },
    /// Their disks are full: the next write fails, and its node takes no part until that is undone, which starts it again.
    FullDisk {
        /// Which.
        nodes: Vec<Who>,
    },
    /// The next sync of their disks fails, once.
    FailSync {
        /// Which.
        nodes: Vec<Who>,
    },
    /// They are killed in the middle of a write: the end of the log is torn.
    CorruptTail {
        /// Which.
        nodes: Vec<Who>,
    },
}

/// Which way a node is isolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It neither hears nor is heard.
    #[default]
    Both,
    /// It hears, and is not heard.
    Out,
    /// It is heard, and hears nothing.
    In,
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultInForce {
    /// Its name, by which it is undone: `partition-1`. No two of a cluster's life share one.
    pub name: String,
    /// What it does in words, with the nodes that it struck.
    pub what: String,
    /// What one may expect to see, in words.
    pub expect: String,
    /// What it does, with the names of the nodes in place of roles.
    #[serde(flatten)]
    pub trouble: Trouble,
    /// The nodes it strikes, in order.
    pub struck: Vec<NodeId>,
    /// The links between nodes that it strikes, each in one direction. Empty if it strikes nodes themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whom the roles in the order turned out to mean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Meant>,
    /// Since when, RFC 3339 in UTC with milliseconds.
    pub since: String,
    /// When it is undone by itself; null: when somebody does.
    pub until: Option<String>,
    /// Who ordered it.
    pub by: String,
    /// What to type to undo it.
    pub undo: String,
    /// Whether it is in force now; otherwise it has done what it does (a clock that jumped, a log that is torn), and is
    /// not listed.
    pub lasts: bool,
}

/// A link, in one direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Who says it.
    pub from: NodeId,
    /// Who should hear it.
    pub to: NodeId,
}

/// Whom a role turned out to mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meant {
    /// The role: `leader`, …
    pub role: Who,
    /// The nodes.
    pub nodes: Vec<NodeId>,
}

/// The answer to `POST /api/faults`. Faults of nodes (a pause, a clock, a disk, a client's link) are set for each node
/// by a name of its own, faults of links by one name for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultsSet {
    /// What was set.
    pub set: Vec<FaultInForce>,
}

/// The answer to `GET /api/faults`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultList {
    /// What is in force, in the order in which it was set.
    pub faults: Vec<FaultInForce>,
}

/// `POST /api/heal`: what is to be undone. Nothing named: everything. Dead nodes stay dead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HealOrder {
    /// These faults, by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// Whatever is in force on the links between these two, both ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(Who, Who)>,
    /// Who orders it, in free words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// The answer to `POST /api/heal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Healed {
    /// What was undone, as it was before.
    pub undone: Vec<FaultInForce>,
    /// What is still in force, but on fewer links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eased: Vec<FaultInForce>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_trouble_is_read_as_it_was_written() {
        let nodes = || vec!["leader".to_owned()];
        let by = Duration::from_micros(1500);
        let fault = Fault {
            delay: by,
            loss: 105,
            burst: 1000,
            bandwidth: 7,
            ..Fault::default()
        };
        let links = Trouble::Links {
            from: nodes(),
            to: nodes(),
            fault,
            only: vec![Traffic::Replicate],
            one_way: true,
        };
        let groups = vec![nodes(), nodes()];
        let one_way = false;
        for trouble in [
            links,
            Trouble::Partition { groups, one_way },
            Trouble::Split { one_way },
            Trouble::Bridge { node: None },
            Trouble::Ring,
            Trouble::Isolate {
                nodes: nodes(),
                way: Way::In,
            },
            Trouble::Client {
                nodes: nodes(),
                fault,
            },
            Trouble::Pause { nodes: nodes() },
            Trouble::Skew {
                nodes: nodes(),
                rate_ppm: 5,
            },
            Trouble::Jump { nodes: nodes(), by },
            Trouble::SlowDisk { nodes: nodes(), by },
            Trouble::FullDisk { nodes: nodes() },
            Trouble::FailSync { nodes: nodes() },
            Trouble::CorruptTail { nodes: nodes() },
        ] {
            let shown = FaultInForce {
                name: "a-1".to_owned(),
                what: String::new(),
                expect: String::new(),
                trouble: trouble.clone(),
                struck: vec![NodeId::nth(1)],
                links: Vec::new(),
                roles: Vec::new(),
                since: String::new(),
                until: None,
                by: String::new(),
                undo: String::new(),
                lasts: true,
            };
            let json = serde_json::to_string(&shown).expect("JSON");
            let read: FaultInForce = serde_json::from_str(&json).expect(&json);
            assert_eq!(read, shown);
            let order = FaultOrder::new(trouble, "me").lasting(Some(by));
            let json = serde_json::to_string(&order).expect("JSON");
            let read = FaultOrder::read(json.as_bytes()).expect(&json);
            assert_eq!(read, order);
        }
    }

    #[test]
    fn an_order_is_as_short_as_a_person_would_write_it() {
        let order = r#"{"kind":"links","from":["leader"],"to":["all"],"delayMs":100,"loss":0.5}"#;
        let order: FaultOrder = serde_json::from_str(order).expect("an order");
        let Trouble::Links {
            fault,
            one_way: false,
            ..
        } = order.trouble
        else {
            panic!("{order:?}")
        };
        assert_eq!((fault.delay, fault.loss), (Duration::from_millis(100), 5));
        let wrong = r#"{"kind":"links","from":["a"],"to":["b"],"loss":101}"#;
        assert!(serde_json::from_str::<FaultOrder>(wrong).is_err());
    }
}
