//! Events in words, in English and in French.

use crate::event::{Event, Loss};
use crate::types::NodeId;
use crate::views::lines::clean;

pub(super) fn english(event: &Event) -> String {
    match event {
        Event::Listening { url } => format!("listens on {}", clean(url)),
        Event::Election { term } => format!("hears no leader (term {term}): election"),
        Event::Waiting { leader } => format!("waits for {leader} to lead"),
        Event::Leader { term } => format!("👑 LEADS term {term}"),
        Event::Following { leader, term } => format!("follows {leader} (term {term})"),
        Event::SteppedDown {
            term,
            leader: Some(leader),
        } => {
            format!("steps down: {leader} leads term {term}")
        }
        Event::SteppedDown { term, leader: None } => format!("steps down, in term {term}"),
        Event::Replicated { entries: 1, from } => format!("replicated 1 entry from {from}"),
        Event::Replicated { entries, from } => format!("replicated {entries} entries from {from}"),
        Event::Snapshot { from, keys, index } => {
            format!("took a snapshot from {from}: {keys} keys, log position {index}")
        }
        Event::Merged { from, keys } => format!("merged the whole map of {from}: {keys} keys"),
        Event::Lost(loss) => {
            let writes = if loss.count == 1 { "write" } else { "writes" };
            let why = match &loss.to {
                Some(to) => format!("{to}'s history replaced them"),
                None => "only this disk held them".to_owned(),
            };
            format!(
                "✗ LOST {} acknowledged {writes}: {} ({why})",
                loss.count,
                keys(loss)
            )
        }
        Event::NoQuorum { term, heard, of } => {
            format!("steps down: in term {term} it hears {heard} of {of} voters, no majority")
        }
        Event::Discarded { entries: 1, to } => {
            format!("took back 1 entry that was never promised, for {to}'s")
        }
        Event::Discarded { entries, to } => {
            format!("took back {entries} entries that were never promised, for {to}'s")
        }
        Event::Restored { by: Some(leader) } => {
            format!("has all that {leader} had committed, and votes again")
        }
        Event::Restored { by: None } => {
            "votes again, though its disk was lost: somebody took the risk".to_owned()
        }
        Event::MembersChanged { voters } => format!("the members are now {}", list(voters)),
        Event::DiskFailed { why } => {
            format!(
                "✗ its disk failed, it takes no part any more: {}",
                clean(why)
            )
        }
        Event::Wiped => "✗ its disk was destroyed".to_owned(),
        Event::OtherMode { was, is } => {
            format!(
                "its disk was last used in {}, now in {}",
                clean(was),
                clean(is)
            )
        }
        Event::Removed => "is no member any more, and was ended".to_owned(),
        Event::Set { key, value } => format!("SET {} = {}", clean(key.as_str()), clean(value)),
        Event::Get { key, value } => {
            format!(
                "GET {} => {}",
                clean(key.as_str()),
                clean(value.as_deref().unwrap_or("null"))
            )
        }
        Event::Delete { key, existed } => {
            format!(
                "DELETE {} => {}",
                clean(key.as_str()),
                if *existed { "success" } else { "not found" }
            )
        }
        Event::Refused { peer, why } => format!("refuses {peer}: {}", clean(why)),
        Event::Killed => "✗ killed: its port refuses".to_owned(),
        Event::Revived => "revived, with what is on its disk".to_owned(),
        Event::FaultSet {
            name, what, until, ..
        } => {
            let until = until.as_deref().map(|at| format!(", until {}", clean(at)));
            format!("⚡ {name}: {}{}", clean(what), until.unwrap_or_default())
        }
        Event::FaultUndone { name, by, .. } if by.is_empty() => format!("✓ {name} is undone"),
        Event::FaultUndone { name, by, .. } => format!("✓ {name} is undone: {}", clean(by)),
        Event::Stopping => "going down".to_owned(),
    }
}

pub(super) fn french(event: &Event) -> String {
    match event {
        Event::Listening { url } => format!("écoute sur {}", clean(url)),
        Event::Election { term } => format!("n'entend aucun leader (terme {term}) : élection"),
        Event::Waiting { leader } => format!("attend que {leader} devienne leader"),
        Event::Leader { term } => format!("👑 LEADER pour le terme {term}"),
        Event::Following { leader, term } => format!("suit {leader} (terme {term})"),
        Event::SteppedDown {
            term,
            leader: Some(leader),
        } => {
            format!("se retire : {leader} est leader du terme {term}")
        }
        Event::SteppedDown { term, leader: None } => {
            format!("se retire, au terme {term}")
        }
        Event::Replicated { entries: 1, from } => format!("1 entrée répliquée depuis {from}"),
        Event::Replicated { entries, from } => {
            format!("{entries} entrées répliquées depuis {from}")
        }
        Event::Snapshot { from, keys, index } => {
            format!("instantané reçu de {from} : {keys} clés, position {index}")
        }
        Event::Merged { from, keys } => format!("table entière de {from} fusionnée : {keys} clés"),
        Event::Lost(loss) => {
            let why = match &loss.to {
                Some(to) => format!("remplacées par l'histoire de {to}"),
                None => "seul ce disque les avait".to_owned(),
            };
            format!(
                "✗ PERDU : {} écritures confirmées : {} ({why})",
                loss.count,
                keys(loss)
            )
        }
        Event::NoQuorum { term, heard, of } => format!(
            "se retire : au terme {term} il n'entend que {heard} votants sur {of}, pas de majorité"
        ),
        Event::Discarded { entries, to } => {
            format!("retire {entries} entrées jamais promises, pour celles de {to}")
        }
        Event::Restored { by: Some(leader) } => {
            format!("a tout ce que {leader} avait validé, et vote à nouveau")
        }
        Event::Restored { by: None } => {
            "vote à nouveau malgré son disque perdu : quelqu'un a pris le risque".to_owned()
        }
        Event::MembersChanged { voters } => format!("les membres sont désormais {}", list(voters)),
        Event::DiskFailed { why } => {
            format!(
                "✗ son disque a échoué, il ne participe plus : {}",
                clean(why)
            )
        }
        Event::Wiped => "✗ son disque est détruit".to_owned(),
        Event::OtherMode { was, is } => {
            format!(
                "son disque a servi en {}, maintenant en {}",
                clean(was),
                clean(is)
            )
        }
        Event::Removed => "n'est plus membre, et s'arrête".to_owned(),
        Event::Refused { peer, why } => format!("refuse {peer} : {}", clean(why)),
        Event::Killed => "✗ tué : son port refuse".to_owned(),
        Event::Revived => "ranimé, avec ce que son disque contient".to_owned(),
        Event::FaultSet {
            name, what, until, ..
        } => {
            let until = until
                .as_deref()
                .map(|at| format!(", jusqu'à {}", clean(at)));
            format!("⚡ {name} : {}{}", clean(what), until.unwrap_or_default())
        }
        Event::FaultUndone { name, by, .. } if by.is_empty() => format!("✓ {name} est levée"),
        Event::FaultUndone { name, by, .. } => format!("✓ {name} est levée : {}", clean(by)),
        Event::Stopping => "arrêt".to_owned(),
        Event::Set { .. } | Event::Get { .. } | Event::Delete { .. } => english(event),
    }
}

fn list(ids: &[NodeId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| clean(id.as_str())).collect();
    ids.join(", ")
}

/// The first few keys of a loss.
fn keys(loss: &Loss) -> String {
    const SHOWN: usize = 5;
    let keys: Vec<String> = loss
        .writes
        .iter()
        .take(SHOWN)
        .map(|write| clean(write.key.as_str()))
        .collect();
    let more = loss.count.saturating_sub(keys.len() as u64);
    let rest = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    keys.join(", ") + &rest
}
