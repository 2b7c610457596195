//! What becomes of the messages of a link, as the control API writes it: times in milliseconds, chances in percent, and left out
//! what is nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Permille};
use crate::wire::units::{millis, percent};

/// How a [`Fault`] is written: its fields, by name.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Fault", rename_all = "camelCase")]
pub(super) struct LinkFault {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(
        default,
        rename = "delayMs",
        with = "millis",
        skip_serializing_if = "Duration::is_zero"
    )]
    delay: Duration,
    #[serde(
        default,
        rename = "jitterMs",
        with = "millis",
        skip_serializing_if = "Duration::is_zero"
    )]
    jitter: Duration,
    #[serde(default, with = "percent", skip_serializing_if = "is_none")]
    loss: Permille,
    #[serde(default, with = "percent", skip_serializing_if = "is_none")]
    burst: Permille,
    #[serde(default, with = "percent", skip_serializing_if = "is_none")]
    duplicate: Permille,
    #[serde(default, with = "percent", skip_serializing_if = "is_none")]
    reorder: Permille,
    #[serde(
        default,
        rename = "bytesPerSecond",
        skip_serializing_if = "is_unlimited"
    )]
    bandwidth: u64,
}

fn is_none(chance: &Permille) -> bool {
    *chance == 0
}

fn is_unlimited(bytes: &u64) -> bool {
    *bytes == 0
}
