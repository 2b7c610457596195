//! `skew`: clocks that run wrong.

use std::time::Duration;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::{Common, duration};
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, names, set};
use crate::cli::target;
use crate::wire::faults::Trouble;

/// Make clocks run fast or slow, or jump ahead
///
/// What nodes go by never goes back, so a jump cannot be undone.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster skew node-2 --rate 1.2
  cluster skew follower --rate 3 --for 10s
  cluster skew leader --jump 3s")]
pub(in crate::cli) struct Skew {
    /// Nodes by name, or leader, follower, minority, majority, random, all
    #[arg(required = true, value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    nodes: Vec<String>,
    /// So many times as fast as it should: 1.2, 0.5
    #[arg(long, value_name = "TIMES", value_parser = rate, required_unless_present = "jump")]
    rate: Option<u32>,
    /// It jumps ahead by this much, once
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with_all = ["rate", "time"])]
    jump: Option<Duration>,
    #[command(flatten)]
    lasting: Lasting,
}

/// How fast a clock runs, in millionths of the true speed.
fn rate(text: &str) -> Result<u32, String> {
    match text.parse::<f64>() {
        Ok(1.0) => Err("a clock that runs at rate 1 is a true one: cluster heal".to_owned()),
        Ok(rate) if (0.001..=1000.0).contains(&rate) => Ok((rate * 1e6).round() as u32),
        Ok(_) => Err("it is between 0.001 and 1000".to_owned()),
        Err(_) => Err("write it as 1.2 or 0.5".to_owned()),
    }
}

pub(in crate::cli) async fn run(args: &Skew, common: &Common) -> Result<(), Failure> {
    let nodes = args.nodes.iter().flat_map(|name| names(name)).collect();
    let trouble = match (args.rate, args.jump) {
        (Some(rate_ppm), _) => Trouble::Skew { nodes, rate_ppm },
        (None, by) => Trouble::Jump {
            nodes,
            by: by.unwrap_or_default(),
        },
    };
    set(trouble, "skew", &args.lasting, common).await
}
