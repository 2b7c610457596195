//! What becomes of the messages of a link, as the control API says it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Permille};
use crate::wire::units::{millis, percent};

/// What becomes of the messages of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LinkFault {
    /// All are lost.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// All are late by this much …
    #[serde(
        rename = "delayMs",
        with = "millis",
        skip_serializing_if = "Duration::is_zero"
    )]
    pub delay: Duration,
    /// … and by up to this much more.
    #[serde(
        rename = "jitterMs",
        with = "millis",
        skip_serializing_if = "Duration::is_zero"
    )]
    pub jitter: Duration,
    /// So many are lost.
    #[serde(with = "percent", skip_serializing_if = "is_none")]
    pub loss: Permille,
    /// So many of those behind a lost one are lost too.
    #[serde(with = "percent", skip_serializing_if = "is_none")]
    pub burst: Permille,
    /// So many arrive twice.
    #[serde(with = "percent", skip_serializing_if = "is_none")]
    pub duplicate: Permille,
    /// So many are overtaken by those behind them.
    #[serde(with = "percent", skip_serializing_if = "is_none")]
    pub reorder: Permille,
    /// So many bytes a second fit through each link; 0: any number.
    #[serde(skip_serializing_if = "is_unlimited")]
    pub bytes_per_second: u64,
}

fn is_none(chance: &Permille) -> bool {
    *chance == 0
}

fn is_unlimited(bytes: &u64) -> bool {
    *bytes == 0
}

impl LinkFault {
    /// Nothing gets through.
    pub const CUT: LinkFault = LinkFault {
        cut: true,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: 0,
        burst: 0,
        duplicate: 0,
        reorder: 0,
        bytes_per_second: 0,
    };
}

impl From<LinkFault> for Fault {
    fn from(fault: LinkFault) -> Fault {
        Fault {
            cut: fault.cut,
            delay: fault.delay,
            jitter: fault.jitter,
            loss: fault.loss,
            burst: fault.burst,
            duplicate: fault.duplicate,
            reorder: fault.reorder,
            bandwidth: fault.bytes_per_second,
        }
    }
}

impl From<Fault> for LinkFault {
    fn from(fault: Fault) -> LinkFault {
        LinkFault {
            cut: fault.cut,
            delay: fault.delay,
            jitter: fault.jitter,
            loss: fault.loss,
            burst: fault.burst,
            duplicate: fault.duplicate,
            reorder: fault.reorder,
            bytes_per_second: fault.bandwidth,
        }
    }
}
