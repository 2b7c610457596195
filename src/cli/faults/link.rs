//! `link`: messages that are late, lost, doubled, overtaken, or wait their turn.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::faults::{Lasting, Lateness, names, percent, set};
use crate::cli::target;
use crate::faults::Fault;
use crate::faults::{Permille, Traffic};
use crate::wire::faults::{Trouble, Who};
use crate::wire::units::rate;

/// Make links between nodes slow, lossy or narrow
///
/// LINK is two nodes, `all`, `from NODE` or `to NODE`. Between two nodes both ways are struck, so a question and its answer
/// are late twice; the others are one direction.
#[derive(Args)]
#[command(after_help = "Examples:
  cluster link from leader --only replicate --delay 100ms     the chapter's exercise 2
  cluster link node-1 node-2 --loss 10% --burst 75%
  cluster link all --delay 20ms --jitter 10ms --for 30s
  cluster link to node-3 --bandwidth 1MiB/s")]
pub(in crate::cli) struct Link {
    /// Which: A B, all, from A, to A
    #[arg(required = true, num_args = 1..=2, value_name = "LINK", add = ArgValueCandidates::new(target::candidates))]
    link: Vec<String>,
    #[command(flatten)]
    lateness: Lateness,
    /// So many arrive twice
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    duplicate: Option<Permille>,
    /// So many are overtaken by those behind them
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    reorder: Option<Permille>,
    /// So much fits through each link a second: 1MiB/s
    #[arg(long, value_name = "RATE", value_parser = rate)]
    bandwidth: Option<u64>,
    /// Only what A says to B, not the way back
    #[arg(long)]
    one_way: bool,
    /// Only these kinds of messages
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    only: Vec<Traffic>,
    #[command(flatten)]
    lasting: Lasting,
}

impl Link {
    /// Who says it, who should hear it, and whether that is one direction.
    fn ends(&self) -> Result<(Vec<Who>, Vec<Who>, bool), Failure> {
        let all = || vec!["all".to_owned()];
        let words: Vec<&str> = self.link.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["all"] => Ok((all(), all(), true)),
            ["from", node] => Ok((names(node), all(), true)),
            ["to", node] => Ok((all(), names(node), true)),
            [a, b] => Ok((names(a), names(b), self.one_way)),
            _ => Err(Failure::usage("a link has two ends")
                .hint("name both, or: all, from NODE, to NODE")),
        }
    }
}

pub(in crate::cli) async fn run(args: &Link, common: &Common) -> Result<(), Failure> {
    let (from, to, one_way) = args.ends()?;
    let fault = Fault {
        duplicate: args.duplicate.unwrap_or_default(),
        reorder: args.reorder.unwrap_or_default(),
        bandwidth: args.bandwidth.unwrap_or_default(),
        ..args.lateness.fault()
    };
    if fault == Fault::default() {
        return Err(Failure::usage("nothing is to become of the messages")
            .hint("say --delay, --jitter, --loss, --duplicate, --reorder or --bandwidth"));
    }
    let trouble = Trouble::Links {
        from,
        to,
        fault,
        only: args.only.clone(),
        one_way,
    };
    set(trouble, "link", &args.lasting, common).await
}
