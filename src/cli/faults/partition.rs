//! `partition`: groups that do not hear each other.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, names, set_with_note};
use crate::cli::target;
use crate::wire::faults::{Trouble, Way, Who};

/// Part the nodes into groups that do not hear each other
///
/// Groups are separated by /, the nodes of one by commas; those that are not named form one more group, and so does who is
/// added later. Without a / all that are named are one group, against the rest. Clients still reach all of them. Roles mean
/// nodes too: leader, follower, minority, majority, random.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster partition node-1,node-2 / node-3,node-4,node-5
  cluster partition minority --for 10s      the rest is the other side
  cluster partition --isolate-leader --wait
  cluster partition --bridge node-3         two halves that meet in one node
  cluster partition leader / follower --one-way")]
pub(in crate::cli) struct Partition {
    /// The groups: A,B / C,D
    #[arg(value_name = "GROUP", add = ArgValueCandidates::new(target::candidates))]
    #[arg(required_unless_present_any = ["random", "isolate_leader", "bridge", "ring"])]
    groups: Vec<String>,
    /// Only what a group says to those after it is lost
    #[arg(long, conflicts_with_all = ["bridge", "ring"])]
    one_way: bool,
    /// Two halves, drawn by chance
    #[arg(long, group = "shape", conflicts_with = "groups")]
    random: bool,
    /// The leader alone, all others together
    #[arg(long, group = "shape", conflicts_with = "groups")]
    isolate_leader: bool,
    /// Two halves that meet in this node only
    #[arg(long, value_name = "NODE", group = "shape", conflicts_with = "groups")]
    bridge: Option<Who>,
    /// Each hears only its neighbours: a majority with it, and no two the same
    #[arg(long, group = "shape", conflicts_with = "groups")]
    ring: bool,
    #[command(flatten)]
    lasting: Lasting,
}

impl Partition {
    fn trouble(&self) -> Result<Trouble, Failure> {
        let one_way = self.one_way;
        if self.random {
            return Ok(Trouble::Split { one_way });
        }
        if self.isolate_leader {
            let way = if one_way { Way::Out } else { Way::Both };
            let nodes = vec!["leader".to_owned()];
            return Ok(Trouble::Isolate { nodes, way });
        }
        if self.ring {
            return Ok(Trouble::Ring);
        }
        if let Some(node) = self.bridge.clone() {
            return Ok(Trouble::Bridge { node: Some(node) });
        }
        let written = self.groups.join(",");
        let groups: Vec<Vec<Who>> = written.split('/').map(names).collect();
        match groups.iter().any(Vec::is_empty) {
            true => Err(Failure::usage("a group is empty")
                .hint("write it as: cluster partition node-1,node-2 / node-3")),
            false => Ok(Trouble::Partition { groups, one_way }),
        }
    }
}

impl Partition {
    /// Several names without a slash are one group: whoever meant to part them from each other is told how.
    fn note(&self) -> Option<String> {
        let written = self.groups.join(",");
        let names = names(&written);
        let is_one_group = names.len() > 1 && !written.contains('/');
        is_one_group.then(|| {
            format!(
                "{} are one group, against the rest; to part them from each other: cluster partition {}",
                names.join(" and "),
                names.join(" / ")
            )
        })
    }
}

pub(in crate::cli) async fn run(args: &Partition, common: &Common) -> Result<(), Failure> {
    let (trouble, note) = (args.trouble()?, args.note());
    set_with_note(trouble, "partition", note, &args.lasting, common).await
}
