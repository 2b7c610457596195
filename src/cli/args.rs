//! What every command takes.

use std::time::Duration;

use anstream::ColorChoice;
use clap::{Args, ValueEnum};

use crate::cli::failure::Failure;
use crate::registry::ClusterName;

/// Flags that stand anywhere.
#[derive(Args, Clone, Default)]
pub(super) struct Common {
    /// Which cluster, if several run
    #[arg(long, global = true, value_name = "NAME", env = "CLUSTER_NAME")]
    pub(super) cluster: Option<ClusterName>,
    /// Print JSON; errors too, on stderr
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Print no notes, only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(super) color: Colour,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(super) enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

impl Common {
    pub(super) fn choose_colour(&self) {
        match self.color {
            // NO_COLOR and terminals are looked at by the printer.
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        }
        .write_global();
    }
}

/// A duration above zero, as in `50ms` or `2s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("it must be above zero".to_owned()),
        Ok(duration) if duration > Duration::from_secs(24 * 3600) => {
            Err("it must be at most a day".to_owned())
        }
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write it as 50ms or 2s")),
    }
}

/// A number of bytes, as in `65536`, `64KiB` or `1MiB`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    const LIMIT: usize = 32 << 20;
    let units = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: usize = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor)
    });
    match parsed {
        Some(size) if (1..=LIMIT).contains(&size) => Ok(size),
        Some(_) => Err("it must be between 1 byte and 32MiB".to_owned()),
        None => Err("write it as 65536, 64KiB or 1MiB".to_owned()),
    }
}

/// The heartbeat and the election timeout.
#[derive(Args)]
pub(super) struct Timing {
    /// How often a leader shows that it lives [default: 50ms, or 1ms a node if that is more]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    heartbeat: Option<Duration>,
    /// How long a follower waits for a leader before an election [default: six heartbeats]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    election_timeout: Option<Duration>,
    /// The chapter's timing (2s and 6s) and its log lines, to the letter
    #[arg(long)]
    pub(super) course: bool,
    /// The language of the log lines
    #[arg(long, value_enum, default_value_t)]
    pub(super) lang: crate::views::lines::Lang,
}

impl Timing {
    /// Heartbeat and election timeout for `nodes` nodes.
    pub(super) fn resolve(&self, nodes: usize) -> Result<(Duration, Duration), Failure> {
        let default = match self.course {
            true => Duration::from_secs(2),
            false => crate::types::Config::default_heartbeat(nodes),
        };
        let heartbeat = self.heartbeat.unwrap_or(default);
        let chapter = self.course && self.heartbeat.is_none();
        let default = match chapter {
            true => Duration::from_secs(6),
            false => crate::types::Config::default_election_timeout(heartbeat),
        };
        let timeout = self.election_timeout.unwrap_or(default);
        if timeout <= heartbeat {
            let (timeout, beat) = (
                humantime::format_duration(timeout),
                humantime::format_duration(heartbeat),
            );
            return Err(Failure::usage(format!(
                "an election timeout of {timeout} is not above the heartbeat of {beat}: followers would stand against a living leader"
            ))
            .hint("make --election-timeout a few times --heartbeat"));
        }
        Ok((heartbeat, timeout))
    }

    /// The language's name.
    pub(super) fn lang_name(&self) -> String {
        match self.lang {
            crate::views::lines::Lang::En => "en".to_owned(),
            crate::views::lines::Lang::Fr => "fr".to_owned(),
        }
    }
}
