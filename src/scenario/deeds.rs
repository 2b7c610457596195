//! What a step's words mean.

use std::time::Duration;

use crate::engine::Harm;
use crate::faults::Fault;
use crate::scenario::brief::{Names, Span, names};
use crate::scenario::expected::{Expected, Reply};
use crate::scenario::format::StepTable;
use crate::scenario::script::{Asking, Call, Deed, Mistake, Place};
use crate::scenario::tables::{
    ClientTable, DiskFate, DiskTable, IsolateTable, LinkTable, PartitionTable, ReadAs, SkewTable,
};
use crate::value::{Key, Value};
use crate::wire::data::Consistency;
use crate::wire::faults::{Trouble, Way, Who};

/// What is wrong, at which key.
type Wrong = (&'static str, String);

/// The one thing that a step does.
pub(super) fn of(place: &Place, table: &StepTable) -> Result<Deed, Mistake> {
    let wrong = |(key, what): Wrong| place.mistake(key, what);
    let found: Vec<(&str, Deed)> = [troubles(table), others(table), asks(table)]
        .into_iter()
        .collect::<Result<Vec<_>, Wrong>>()
        .map_err(wrong)?
        .concat();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (None, _) if table.at.is_some() || table.after.is_some() || table.remember => {
            Ok(Deed::Nothing)
        }
        (None, _) => Err(place
            .wrong("this step does nothing: expected a fault, an operation, eventually or always")),
        (Some((_, deed)), None) => Ok(deed),
        (Some((one, _)), Some((other, _))) => Err(place.mistake(
            other,
            format!(
                "a step does one thing, and this one has {one} already: begin another [[step]]"
            ),
        )),
    }
}

type Deeds = Result<Vec<(&'static str, Deed)>, Wrong>;

fn troubles(table: &StepTable) -> Deeds {
    let mut deeds = Vec::new();
    let mut add = |key, trouble| deeds.push((key, Deed::Trouble(trouble)));
    if let Some(partition) = &table.partition {
        add(
            "partition",
            parted(partition).map_err(|what| ("partition", what))?,
        );
    }
    if let Some(isolate) = &table.isolate {
        add(
            "isolate",
            isolated(isolate).map_err(|what| ("isolate", what))?,
        );
    }
    if let Some(cut) = &table.cut {
        let trouble = Trouble::Links {
            from: cut.from.0.clone(),
            to: cut.to.0.clone(),
            fault: Fault::CUT,
            only: Vec::new(),
            one_way: cut.one_way,
        };
        add("cut", trouble);
    }
    if let Some(link) = &table.link {
        add("link", linked(link).map_err(|what| ("link", what))?);
    }
    if let Some(client) = &table.client {
        add(
            "client",
            of_clients(client).map_err(|what| ("client", what))?,
        );
    }
    if let Some(Names(nodes)) = table.pause.clone() {
        add("pause", Trouble::Pause { nodes });
    }
    if let Some(skew) = &table.skew {
        add("skew", skewed(skew).map_err(|what| ("skew", what))?);
    }
    if let Some(disk) = &table.disk {
        add("disk", of_disks(disk).map_err(|what| ("disk", what))?);
    }
    Ok(deeds)
}

fn parted(table: &PartitionTable) -> Result<Trouble, String> {
    let one_way = table.one_way;
    let shapes = [
        table.groups.is_some(),
        table.random,
        table.bridge.is_some(),
        table.ring,
    ];
    if shapes.iter().filter(|is_meant| **is_meant).count() != 1 {
        return Err("expected one of groups, random, bridge and ring".to_owned());
    }
    if one_way && (table.bridge.is_some() || table.ring) {
        return Err("one-way is for groups and random".to_owned());
    }
    if table.random {
        return Ok(Trouble::Split { one_way });
    }
    if table.ring {
        return Ok(Trouble::Ring);
    }
    if let Some(node) = table.bridge.clone() {
        return Ok(Trouble::Bridge { node: Some(node) });
    }
    let written = table.groups.as_deref().unwrap_or_default();
    let groups: Vec<Vec<Who>> = written.split('/').map(names).collect();
    match groups.iter().any(Vec::is_empty) {
        true => Err("a group is empty: write it as \"node-1,node-2 / node-3\"".to_owned()),
        false => Ok(Trouble::Partition { groups, one_way }),
    }
}

fn isolated(table: &IsolateTable) -> Result<Trouble, String> {
    let way = match (table.mute, table.deaf) {
        (true, true) => return Err("expected mute or deaf, not both".to_owned()),
        (true, false) => Way::Out,
        (false, true) => Way::In,
        (false, false) => Way::Both,
    };
    let nodes = table.node.0.clone();
    Ok(Trouble::Isolate { nodes, way })
}

fn time(span: Option<Span>) -> Duration {
    span.map(|span| span.0).unwrap_or_default()
}

fn check_burst(fault: &Fault) -> Result<(), String> {
    match fault.burst > 0 && fault.loss == 0 {
        true => {
            Err("losses come in runs only where there are losses: expected loss, too".to_owned())
        }
        false => Ok(()),
    }
}

fn linked(table: &LinkTable) -> Result<Trouble, String> {
    let fault = Fault {
        delay: time(table.delay),
        jitter: time(table.jitter),
        loss: table.loss.0,
        burst: table.burst.0,
        duplicate: table.duplicate.0,
        reorder: table.reorder.0,
        bandwidth: table.bandwidth.map(|rate| rate.0).unwrap_or_default(),
        ..Fault::default()
    };
    if fault == Fault::default() {
        return Err("expected delay, jitter, loss, duplicate, reorder or bandwidth".to_owned());
    }
    check_burst(&fault)?;
    let all = || Names(vec!["all".to_owned()]);
    Ok(Trouble::Links {
        from: table.from.clone().unwrap_or_else(all).0,
        to: table.to.clone().unwrap_or_else(all).0,
        fault,
        only: table.only.clone(),
        one_way: !table.both_ways,
    })
}

fn of_clients(table: &ClientTable) -> Result<Trouble, String> {
    let late = Fault {
        delay: time(table.delay),
        jitter: time(table.jitter),
        loss: table.loss.0,
        burst: table.burst.0,
        ..Fault::default()
    };
    check_burst(&late)?;
    let fault = match (table.cut, late == Fault::default()) {
        (true, true) => Fault::CUT,
        (false, false) => late,
        _ => return Err("expected cut = true, or a delay, jitter or loss".to_owned()),
    };
    let nodes = table.node.0.clone();
    Ok(Trouble::Client { nodes, fault })
}

fn skewed(table: &SkewTable) -> Result<Trouble, String> {
    let nodes = table.node.0.clone();
    match (table.rate, table.jump) {
        (Some(1.0), None) => Err("a clock that runs at rate 1 is a true one".to_owned()),
        (Some(rate), None) if (0.1..=10.0).contains(&rate) => Ok(Trouble::Skew {
            nodes,
            rate_ppm: (rate * 1e6).round() as u32,
        }),
        (Some(_), None) => Err("expected a rate from 0.1 to 10".to_owned()),
        (None, Some(by)) => Ok(Trouble::Jump { nodes, by: by.0 }),
        _ => Err("expected a rate, or a jump".to_owned()),
    }
}

fn of_disks(table: &DiskTable) -> Result<Trouble, String> {
    let nodes = table.node.0.clone();
    match (table.slow, table.full, table.fail_fsync, table.corrupt_tail) {
        (Some(by), false, false, false) => Ok(Trouble::SlowDisk { nodes, by: by.0 }),
        (None, true, false, false) => Ok(Trouble::FullDisk { nodes }),
        (None, false, true, false) => Ok(Trouble::FailSync { nodes }),
        (None, false, false, true) => Ok(Trouble::CorruptTail { nodes }),
        _ => Err("expected one of slow, full, fail-fsync and corrupt-tail".to_owned()),
    }
}

fn others(table: &StepTable) -> Deeds {
    let mut deeds = Vec::new();
    let mut add = |key, deed: Option<Deed>| deeds.extend(deed.map(|deed| (key, deed)));
    let resume = table.resume.as_ref();
    add("resume", resume.map(|nodes| Deed::Resume(nodes.0.clone())));
    add("heal", table.heal.clone().map(|heal| Deed::Heal(heal.name)));
    let kill = table.kill.as_ref().map(|kill| {
        let harm = match kill.disk {
            DiskFate::Keep => Harm::None,
            DiskFate::LoseUnsynced => Harm::LoseUnsynced,
            DiskFate::Wipe => Harm::Wipe,
        };
        Deed::Kill(kill.node.0.clone(), harm)
    });
    add("kill", kill);
    let revive = table.revive.as_ref();
    add(
        "revive",
        revive.map(|revive| Deed::Revive(revive.node.0.clone(), revive.bootstrap)),
    );
    if table.add == Some(false) {
        return Err(("add", "false says nothing: leave the line out".to_owned()));
    }
    add("add", table.add.map(|_| Deed::Add));
    let one = |key, names: &Names| match names.0.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err((key, "expected one node or role".to_owned())),
    };
    let remove = table.remove.as_ref().map(|node| one("remove", node));
    add("remove", remove.transpose()?.map(Deed::Remove));
    let transfer = table.transfer.as_ref().map(|node| one("transfer", node));
    add("transfer", transfer.transpose()?.map(Deed::Transfer));
    add("eventually", table.eventually.clone().map(Deed::Eventually));
    add("always", table.always.clone().map(Deed::Always));
    Ok(deeds)
}

fn asks(table: &StepTable) -> Deeds {
    let ask = |key: &str, node: &Option<String>, call: Call, expect: &Option<Expected>| {
        let done = || match call {
            Call::Read(_) => Vec::new(),
            _ => vec![Reply::Done],
        };
        Deed::Ask(Asking {
            key: Key::new(key),
            node: node.clone().unwrap_or_else(|| "leader".to_owned()),
            expect: expect.as_ref().map_or_else(done, |expect| expect.0.clone()),
            call,
        })
    };
    let mut deeds = Vec::new();
    if let Some(put) = &table.put {
        let call = Call::Put(value(&put.value).ok_or_else(|| unwritable("put"))?);
        deeds.push(("put", ask(&put.key, &put.node, call, &put.expect)));
    }
    if let Some(get) = &table.get {
        let consistency = get.consistency.unwrap_or(ReadAs::Local);
        let call = Call::Read(Consistency::from(consistency));
        deeds.push(("get", ask(&get.key, &get.node, call, &get.expect)));
    }
    if let Some(delete) = &table.delete {
        deeds.push((
            "delete",
            ask(&delete.key, &delete.node, Call::Delete, &delete.expect),
        ));
    }
    if let Some(cas) = &table.cas {
        let from = cas
            .from
            .as_ref()
            .map(|from| value(from).ok_or_else(|| unwritable("cas")));
        let to = value(&cas.value).ok_or_else(|| unwritable("cas"))?;
        let call = Call::Cas(from.transpose()?, to);
        deeds.push(("cas", ask(&cas.key, &cas.node, call, &cas.expect)));
    }
    Ok(deeds)
}

fn value(json: &serde_json::Value) -> Option<Value> {
    Value::stored(&json.to_string())
}

fn unwritable(key: &'static str) -> Wrong {
    (key, "expected a value that JSON can hold".to_owned())
}
