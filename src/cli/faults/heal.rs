//! `heal`: faults are undone.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Waiting, refusal, rest};
use crate::cli::{out, target};
use crate::wire::faults::{FaultInForce, HealOrder, Healed, ROLES};

/// Undo faults: all, those on the link between two nodes, or those named
///
/// Dead nodes stay dead: cluster revive brings them back. If a name is unknown, nothing is undone, and the names that there
/// are are told.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster heal --wait                       returns when all follow one leader and hold the same data
  cluster heal delay-1 pause-2              these; none, if one is not in force
  cluster heal node-1 node-2                whatever lies between them")]
pub(in crate::cli) struct Heal {
    /// Faults by their names, or two nodes [default: all that are in force]
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(target::candidates))]
    names: Vec<String>,
    #[command(flatten)]
    waiting: Waiting,
}

/// Whether a node is meant: by a name such as ours are, or by a role.
fn is_node(name: &str) -> bool {
    name.starts_with("node-") || ROLES.contains(&name)
}

impl Heal {
    /// What is meant: names of faults, or two ends of a link.
    fn order(&self, in_force: &[FaultInForce]) -> HealOrder {
        let is_fault = |name: &String| in_force.iter().any(|fault| fault.name == *name);
        let is_link =
            |a: &String, b: &String| !is_fault(a) && !is_fault(b) && (is_node(a) || is_node(b));
        let by = "cluster heal".to_owned();
        match self.names.as_slice() {
            [] => HealOrder {
                by,
                ..HealOrder::default()
            },
            [a, b] if is_link(a, b) => HealOrder {
                between: Some((a.clone(), b.clone())),
                by,
                ..HealOrder::default()
            },
            names => HealOrder {
                names: Some(names.to_vec()),
                by,
                ..HealOrder::default()
            },
        }
    }
}

pub(in crate::cli) async fn run(args: &Heal, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    let in_force = running.control.faults().await;
    let in_force = in_force.map_err(|error| running.failure(error))?;
    let order = args.order(&in_force);
    let healed = running.control.heal(&order).await;
    let healed = healed.map_err(|error| refusal(&running, error))?;
    match common.json {
        true => out::print_json(&healed)?,
        false => tell(&healed, args)?,
    }
    rest::after_mending(&running, &args.waiting, common).await
}

fn tell(healed: &Healed, args: &Heal) -> Result<(), Failure> {
    for fault in &healed.undone {
        out::print(&format!("{} is undone: {}", fault.name, fault.what))?;
    }
    for fault in &healed.eased {
        out::print(&format!("{} is eased: {}", fault.name, fault.what))?;
    }
    match (
        healed.undone.len() + healed.eased.len(),
        args.names.as_slice(),
    ) {
        (0, [a, b]) => out::print(&format!("no fault lies between {a} and {b}")),
        (0, _) => out::print("no fault was in force"),
        _ => Ok(()),
    }
}
