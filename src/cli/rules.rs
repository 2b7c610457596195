//! Under which rules nodes play: `--election`, `--replication`, `--raft`, and what can be taken away from it.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::args::duration;
use crate::cli::failure::Failure;
use crate::types::{Config, Election, Mode, Replication, Safeguards};

/// The mode, and what can be taken away from it.
#[derive(Args, Clone)]
pub(super) struct ModeFlags {
    /// How a leader is found [default: lowest-id; with --data-dir, as before]
    #[arg(long, value_enum, value_name = "HOW")]
    election: Option<Election>,
    /// When a write is answered [default: async; with --data-dir, as before]
    #[arg(long, value_enum, value_name = "WHEN")]
    replication: Option<Replication>,
    /// Short for --election raft --replication quorum
    #[arg(long, conflicts_with_all = ["election", "replication"])]
    raft: bool,
    /// raft without random timeouts: votes can be split again and again
    #[arg(long)]
    fixed_timeout: bool,
    /// raft without pre-vote: a node that was away deposes a healthy leader
    #[arg(long)]
    no_pre_vote: bool,
    /// raft without check-quorum: a leader that is cut off never notices
    #[arg(long)]
    no_check_quorum: bool,
}

#[derive(Args)]
pub(super) struct Rules {
    #[command(flatten)]
    mode: ModeFlags,
    /// How long a write waits for its acknowledgements
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(super) write_timeout: Duration,
    /// Entries between snapshots [default: a quarter of the log, which is as long as the store, at least 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    snapshot_every: Option<u32>,
}

impl ModeFlags {
    /// The mode that is asked for. If none is, that in which the data was `last` used: nobody should lose what raft keeps
    /// by forgetting a flag.
    pub(super) fn mode(&self, last: Option<Mode>) -> Mode {
        match (self.raft, self.election, self.replication) {
            (true, ..) => Mode::RAFT,
            (false, None, None) => last.unwrap_or_default(),
            (false, election, replication) => Mode {
                election: election.unwrap_or_default(),
                replication: replication.unwrap_or_default(),
            },
        }
    }

    /// What keeps raft elections calm; there is nothing to take away from others.
    pub(super) fn safeguards(&self, mode: Mode) -> Result<Safeguards, Failure> {
        let taken = [
            (self.fixed_timeout, "--fixed-timeout"),
            (self.no_pre_vote, "--no-pre-vote"),
            (self.no_check_quorum, "--no-check-quorum"),
        ];
        let flag = taken.iter().find(|(taken, _)| *taken);
        if let Some((_, flag)) = flag
            && mode.election != Election::Raft
        {
            return Err(Failure::usage(format!(
                "{flag} takes a safeguard away from raft elections; these are {mode}"
            ))
            .hint("add --raft"));
        }
        Ok(Safeguards {
            random_timeout: !self.fixed_timeout,
            pre_vote: !self.no_pre_vote,
            check_quorum: !self.no_check_quorum,
        })
    }

    /// What a user would type for it.
    pub(super) fn typed(mode: Mode, safeguards: Safeguards) -> String {
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or_else(String::new, |value| value.get_name().to_owned())
        };
        let mut typed = match mode {
            Mode::RAFT => "--raft".to_owned(),
            Mode {
                election,
                replication,
            } => format!(
                "--election {} --replication {}",
                name(election.to_possible_value()),
                name(replication.to_possible_value())
            ),
        };
        let taken = [
            (safeguards.random_timeout, " --fixed-timeout"),
            (safeguards.pre_vote, " --no-pre-vote"),
            (safeguards.check_quorum, " --no-check-quorum"),
        ];
        typed.extend(
            taken
                .iter()
                .filter(|(kept, _)| !kept)
                .map(|(_, flag)| *flag),
        );
        typed
    }
}

impl Rules {
    /// See [`ModeFlags::mode`].
    pub(super) fn mode(&self, last: Option<Mode>) -> Mode {
        self.mode.mode(last)
    }

    /// See [`ModeFlags::safeguards`].
    pub(super) fn safeguards(&self, mode: Mode) -> Result<Safeguards, Failure> {
        self.mode.safeguards(mode)
    }

    pub(super) fn snapshot_every(&self) -> Option<usize> {
        self.snapshot_every.map(|every| every as usize)
    }

    /// `config` under these rules.
    pub(super) fn apply(&self, config: Config, last: Option<Mode>) -> Result<Config, Failure> {
        let mode = self.mode(last);
        Ok(Config {
            mode,
            safeguards: self.safeguards(mode)?,
            write_timeout: self.write_timeout,
            snapshot_every: self.snapshot_every(),
            ..config
        })
    }
}
