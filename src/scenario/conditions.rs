//! Whether a condition holds.

use crate::scenario::cast::Cast;
use crate::scenario::expected::{ConditionTable, TermIs};
use crate::scenario::ground::{Ground, State, View};
use crate::types::NodeId;
use crate::value::Key;

/// What of it does not hold, as seen in `view`; `None`: all holds.
pub(super) async fn unmet<G: Ground>(
    condition: &ConditionTable,
    view: &View,
    cast: &mut Cast,
    ground: &mut G,
) -> Option<String> {
    match seen(condition, view, cast) {
        Some(what) => Some(what),
        None => held(condition, view, cast, ground).await,
    }
}

fn seen(condition: &ConditionTable, view: &View, cast: &mut Cast) -> Option<String> {
    let leaders = view.claims().len();
    let but = |what: String| Some(format!("expected {what}, but {}", view.told()));
    if condition.settled && !view.is_settled() {
        return but("one leader that all obey".to_owned());
    }
    if let Some(wanted) = condition.leaders.filter(|wanted| *wanted != leaders) {
        return but(format!("{wanted} leading"));
    }
    if let Some(most) = condition.max_leaders.filter(|most| leaders > *most) {
        return but(format!("at most {most} leading"));
    }
    for (names, wanted) in [(&condition.leads, true), (&condition.not_leading, false)] {
        let Some(names) = names else { continue };
        let nodes = match cast.all(&names.0, view) {
            Ok(nodes) => nodes,
            Err(why) => return Some(why),
        };
        let leads = |id: &NodeId| view.nodes.iter().any(|seen| seen.id == *id && seen.leads);
        if let Some(other) = nodes.iter().find(|id| leads(id) != wanted) {
            return but(format!(
                "{other} {}",
                if wanted { "to lead" } else { "not to lead" }
            ));
        }
    }
    let before = cast.remembered.as_ref().map_or(0, |(_, term)| *term);
    let term = view.term();
    match condition.term {
        Some(TermIs::Number(wanted)) if term != wanted => return but(format!("term {wanted}")),
        Some(TermIs::Same) if term != before => return but(format!("term {before} as before")),
        Some(TermIs::Higher) if term <= before => return but(format!("a term above {before}")),
        _ => {}
    }
    let up = view.up().count();
    if let Some(wanted) = condition.up.filter(|wanted| *wanted != up) {
        return but(format!("{wanted} nodes up"));
    }
    if condition.equal && !(view.is_settled() && view.is_equal()) {
        return but("all that are up to hold the same".to_owned());
    }
    if let Some(wanted) = condition.lost.filter(|wanted| *wanted != view.lost) {
        return but(format!("{wanted} lost"));
    }
    if let Some(least) = condition.min_lost.filter(|least| view.lost < *least) {
        return but(format!("at least {least} lost"));
    }
    None
}

async fn held<G: Ground>(
    condition: &ConditionTable,
    view: &View,
    cast: &mut Cast,
    ground: &mut G,
) -> Option<String> {
    let name = condition.key.as_ref()?;
    let key = Key::new(name);
    let whom = condition
        .node
        .as_ref()
        .map_or(vec!["leader".to_owned()], |node| node.0.clone());
    let nodes = match cast.all(&whom, view) {
        Ok(nodes) => nodes,
        Err(why) => return Some(why),
    };
    let wanted = condition.value.as_ref().map(ToString::to_string);
    let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
    for node in nodes {
        let is_up = view
            .nodes
            .iter()
            .any(|seen| seen.id == node && seen.state == State::Up);
        let found = match is_up {
            true => ground.held(&node, &key).await,
            false => Err(()),
        };
        let Ok(found) = found else {
            return Some(format!("expected {name} at {node}, which does not answer"));
        };
        let found = found.map(|value| value.as_str().to_owned());
        if found != wanted {
            return Some(format!(
                "expected {name} at {node} to be {}, but it is {}",
                told(&wanted),
                told(&found)
            ));
        }
    }
    None
}
