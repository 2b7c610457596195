//! How nodes live and die: a start on the disk that is there, a stand-still, a death with or without power.

use crate::protocol::{Node, Recovered};
use crate::sim::called::Called;
use crate::sim::clients::Asker;
use crate::sim::disk::count_frames;
use crate::sim::moment::What;
use crate::sim::plan::Place;
use crate::sim::queue::Nanos;
use crate::sim::seat::Writing;
use crate::sim::stats::Met;
use crate::sim::world::World;
use crate::storage::Disk;

impl World {
    /// Starts a node on the disk it has. One that cannot be read was destroyed, and is replaced.
    pub(super) fn start(&mut self, place: Place, bootstrap: bool) {
        if self.seat(place).is_up() || self.seat(place).is_gone {
            return;
        }
        let recovered = match self.seat_mut(place).disk.recover() {
            Ok(recovered) => recovered,
            Err(_) => self.replace_disk(place),
        };
        let seat = self.seat_mut(place);
        seat.life += 1;
        let salt = 0x5eed_0000 + u64::from(seat.life);
        let seed = self.draw(place, salt);
        let seat = self.seat_mut(place);
        (seat.has_failed, seat.is_paused, seat.wake_at) = (false, false, Nanos::MAX);
        seat.node = Some(Node::new(seat.config.clone(), recovered, seed));
        seat.before = None;
        self.watch_start(place);
        self.note(place, || What::Started);
        self.turn(place, Some(Called::Start { bootstrap }));
    }

    /// A disk that cannot be read gives way to an empty one.
    fn replace_disk(&mut self, place: Place) -> Recovered {
        let boot = self.draw(place, 0xb007 + u64::from(self.seat(place).life)) >> 11;
        let recovering = self.plan.mode.is_linearizable() && self.plan.nodes > 1;
        self.watch_wipe(place);
        let disk = &mut self.seat_mut(place).disk;
        // A disk of this kind is always emptied and read.
        let emptied = disk.wipe(boot, recovering).and_then(|()| disk.recover());
        self.stats.meet(Met::DiskLost);
        self.note(place, || What::DiskLost);
        emptied.unwrap_or_default()
    }

    /// A node dies: its port refuses from now on.
    pub(super) fn kill(&mut self, place: Place, power: bool) {
        let salt = 0x7ea5 + self.seat(place).writes;
        let drawn = self.draw(place, salt);
        let seat = self.seat_mut(place);
        if seat.node.is_none() {
            return;
        }
        if let Some(Writing { records, actions }) = seat.writing.take() {
            seat.shown = None;
            if power {
                // Anything from nothing to all of it may be there, and nobody was told.
                let frames = count_frames(&records) as u64;
                let kept = seat.disk.tear(&records, (drawn % (frames + 1)) as usize);
                self.stats.meet(Met::TornWrite);
                self.note(place, || What::Kept(records[..kept].to_vec()));
                self.watch_torn(place, &records);
            } else {
                self.finish(place, &records, actions);
            }
        }
        let seat = self.seat_mut(place);
        seat.node = None;
        seat.wake_at = Nanos::MAX;
        (seat.is_paused, seat.has_failed, seat.is_written) = (false, false, false);
        seat.dies_writing = false;
        if power {
            seat.disk.lose_unsynced();
        }
        self.forget_clients(place);
        self.stats
            .meet(if power { Met::PowerCut } else { Met::Killed });
        self.note(place, || What::Died { power });
    }

    /// Whoever waits for the node learns that it is not to be waited for.
    pub(super) fn forget_clients(&mut self, place: Place) {
        let seat = self.seat_mut(place);
        let askers: Vec<Asker> = std::mem::take(&mut seat.pending).into_values().collect();
        let inbox = std::mem::take(&mut seat.inbox);
        for asker in askers {
            self.broken(asker);
        }
        for called in inbox {
            self.refuse(called);
        }
    }

    /// A node goes on: what was held for it arrives first.
    pub(super) fn resume(&mut self, place: Place) {
        let seat = self.seat_mut(place);
        if !std::mem::take(&mut seat.is_paused) {
            return;
        }
        let life = seat.life;
        let is_written = std::mem::take(&mut seat.is_written);
        self.note(place, || What::Resumed);
        match is_written {
            true => self.written(place, life),
            false => self.turn(place, None),
        }
    }

    /// Its clock has changed: it is woken at another time.
    pub(super) fn rearm(&mut self, place: Place) {
        self.seat_mut(place).wake_at = Nanos::MAX;
        self.arm(place);
    }
}
