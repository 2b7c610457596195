//! `logs`: what `up` printed.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::cli::args::Common;
use crate::cli::failure::Failure;
use crate::cli::{target, watch};
use crate::wire::control::EventRecord;

/// Show what `up` printed, also after `up --detach`
#[derive(Args)]
#[command(after_help = "Examples:
  cluster logs
  cluster logs -f node-2")]
pub(super) struct Logs {
    /// Only this node's lines
    #[arg(value_name = "NODE", add = ArgValueCandidates::new(target::candidates))]
    node: Option<String>,
    /// Go on with what happens
    #[arg(short, long)]
    follow: bool,
}

pub(super) async fn run(args: &Logs, common: &Common) -> Result<(), Failure> {
    let running = target::running(common)?;
    if let Some(name) = &args.node
        && !running
            .state
            .nodes
            .iter()
            .any(|node| node.id.as_str() == name)
    {
        let ids: Vec<&str> = running
            .state
            .nodes
            .iter()
            .map(|node| node.id.as_str())
            .collect();
        let message = format!("no node is called {name}; there are {}", ids.join(", "));
        return Err(Failure::new("unknown-node", message));
    }
    let mut lines = watch::wording(&running).await?;
    let is_meant = |record: &EventRecord| {
        let of = record.node.as_ref().map(|node| node.as_str());
        args.node.is_none() || of == args.node.as_deref()
    };
    let mut show = |record: &EventRecord| match is_meant(record) {
        true => watch::show(record, &mut lines, common),
        false => Ok(()),
    };
    let past = running
        .control
        .events(0, false)
        .await
        .map_err(|error| running.failure(error))?;
    let past = past.collect().await;
    past.iter().try_for_each(&mut show)?;
    if args.follow {
        let seq = past.last().map_or(0, |record| record.seq);
        watch::follow(&running, seq, show).await?;
    }
    Ok(())
}
