//! Where the lanes are: those of the clients on the left, then one for each node.

use crate::views::spacetime::chart::Chart;

/// Where times end, and where the first lane is.
pub(super) const AXIS: f64 = 78.0;
pub(super) const FIRST: f64 = 244.0;

/// How far the lanes of two clients are from each other.
const CLOSE: f64 = 46.0;

/// More clients than these share a lane.
const MANY: usize = 6;

/// Who asks when all is quiet: no client, but it has a lane as they do.
pub(super) const LAST: u16 = u16::MAX;

/// Who a message or an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Client(u16),
    /// The k of `node-k`.
    Node(usize),
}

/// All lanes.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// How far the lanes of two nodes are from each other.
    pub(super) pitch: f64,
    nodes: usize,
    /// Those that ask for something, in order; none if they share a lane.
    clients: Vec<u16>,
}

impl Lanes {
    pub(super) fn of(chart: &Chart) -> Lanes {
        let mut clients: Vec<u16> = chart.bars.iter().map(|bar| bar.client).collect();
        clients.sort_unstable();
        clients.dedup();
        if clients.len() > MANY {
            clients.clear();
        }
        let pitch = match chart.nodes {
            0..=3 => 190.0,
            4..=5 => 132.0,
            6..=7 => 112.0,
            _ => 96.0,
        };
        Lanes {
            pitch,
            nodes: chart.nodes,
            clients,
        }
    }

    /// The middle of a lane.
    pub(super) fn x(&self, lane: Lane) -> f64 {
        match lane {
            Lane::Client(client) => {
                let at = self.clients.iter().position(|known| *known == client);
                FIRST + at.unwrap_or(0) as f64 * CLOSE
            }
            Lane::Node(number) => {
                let clients = self.clients.len().saturating_sub(1) as f64 * CLOSE;
                FIRST + clients + number as f64 * self.pitch
            }
        }
    }

    /// Where the bar of an operation begins: beside others where clients share a lane.
    pub(super) fn bar(&self, client: u16) -> f64 {
        match self.clients.is_empty() {
            true => FIRST - 4.0 - f64::from(client % 5) * 5.0,
            false => self.x(Lane::Client(client)) - 2.0,
        }
    }

    /// Where what is asked is written, up to there.
    pub(super) fn wish(&self) -> f64 {
        match self.clients.is_empty() {
            true => FIRST - 32.0,
            false => FIRST - 10.0,
        }
    }

    pub(super) fn width(&self) -> f64 {
        self.x(Lane::Node(self.nodes)) + 112.0
    }

    /// The names above the lanes, and where they stand.
    pub(super) fn names(&self) -> Vec<(f64, String)> {
        let mut names: Vec<(f64, String)> = match &self.clients[..] {
            [] => vec![(FIRST, "clients".to_owned())],
            [LAST] => vec![(FIRST, "at rest".to_owned())],
            [one] => vec![(FIRST, format!("client {one}"))],
            several => several
                .iter()
                .map(|client| (self.x(Lane::Client(*client)), short(*client)))
                .collect(),
        };
        let node = |number| (self.x(Lane::Node(number)), format!("node-{number}"));
        names.extend((1..=self.nodes).map(node));
        names
    }

    /// The lanes of clients that have one each.
    pub(super) fn of_clients(&self) -> impl Iterator<Item = f64> {
        self.clients
            .iter()
            .map(|client| self.x(Lane::Client(*client)))
    }
}

fn short(client: u16) -> String {
    match client {
        LAST => "end".to_owned(),
        client => format!("c{client}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_in_the_end_has_a_lane_of_its_own() {
        let lanes = |clients: &[u16]| Lanes {
            pitch: 190.0,
            nodes: 0,
            clients: clients.to_vec(),
        };
        let names = |clients: &[u16]| -> Vec<String> {
            lanes(clients)
                .names()
                .into_iter()
                .map(|(_, name)| name)
                .collect()
        };
        assert_eq!(names(&[0, 3, LAST]), ["c0", "c3", "end"]);
        assert_eq!(names(&[LAST]), ["at rest"]);
    }
}
