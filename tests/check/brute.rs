//! A judge too simple to be wrong: it tries every order.

use cluster::check::history::{Call, End, Operation};

/// A key's value as JSON text; `null` if it is absent.
type Value = String;

fn elements(value: &str) -> Option<Vec<String>> {
    match serde_json::from_str(value).ok()? {
        serde_json::Value::Null => Some(Vec::new()),
        serde_json::Value::Array(list) => {
            let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
            list.sort();
            list.dedup();
            Some(list)
        }
        _ => None,
    }
}

fn is_equal(a: &str, b: &str) -> bool {
    let as_sets = || Some(elements(a)? == elements(b)?);
    a == b || as_sets() == Some(true) && (a.starts_with('[') || b.starts_with('['))
}

/// What becomes of the value if the operation happens there and answers as it did.
pub fn happens(value: &str, operation: &Operation) -> Option<Value> {
    let sure = operation.end != End::Unknown;
    match (&operation.call, &operation.end) {
        (Call::Read, End::Ok(Some(seen))) => is_equal(value, seen).then(|| value.to_owned()),
        (Call::Read, _) => Some(value.to_owned()),
        (Call::Cas(expected, _), End::Fail) => (value != &**expected).then(|| value.to_owned()),
        (_, End::Fail) => Some(value.to_owned()),
        (Call::Write(new), _) => Some(new.to_string()),
        (Call::Delete, _) => Some("null".to_owned()),
        (Call::Cas(expected, new), _) if value == &**expected => Some(new.to_string()),
        (Call::Cas(..), _) => (!sure).then(|| value.to_owned()),
        (Call::Append(text), _) => {
            let text: String = serde_json::from_str(text).ok()?;
            let before = match value {
                "null" => String::new(),
                value => serde_json::from_str(value).ok()?,
            };
            serde_json::to_string(&(before + &text)).ok()
        }
        (Call::Add(element), _) => {
            let mut set = elements(value)?;
            set.push(element.to_string());
            set.sort();
            set.dedup();
            Some(format!("[{}]", set.join(",")))
        }
    }
}

/// Whether some order explains `operations`, of one key. What is unknown may have happened, or not.
pub fn is_linearizable(operations: &[Operation]) -> bool {
    is_linearizable_with_free(operations, &[])
}

/// The same, where those of `free` may have happened at any time, any number of times.
pub fn is_linearizable_with_free(operations: &[Operation], free: &[Operation]) -> bool {
    let mut left: Vec<&Operation> = operations.iter().collect();
    let mut values: Vec<Value> = Vec::new();
    for operation in free {
        // Whatever it found, it may have left this behind.
        match &operation.call {
            _ if operation.end == End::Fail => {}
            Call::Write(value) => values.push(value.to_string()),
            Call::Cas(expected, value) if expected != value => values.push(value.to_string()),
            Call::Delete => values.push("null".to_owned()),
            Call::Read | Call::Cas(..) | Call::Append(_) | Call::Add(_) => {}
        }
    }
    let grow: Vec<&Operation> = free
        .iter()
        .filter(|o| matches!(o.call, Call::Append(_) | Call::Add(_)) && o.end != End::Fail)
        .collect();
    values.sort();
    values.dedup();
    goes_on(&mut left, "null", &values, &grow)
}

fn goes_on(left: &mut Vec<&Operation>, value: &str, free: &[Value], grow: &[&Operation]) -> bool {
    if left.iter().all(|operation| operation.is_unknown()) {
        return true;
    }
    // With nothing free this is the only round; otherwise the value may first become any of those.
    let mut values = vec![value.to_owned()];
    values.extend(free.iter().cloned());
    if !grow.is_empty() {
        for value in values.clone() {
            values.extend(grown(left, &value, grow));
        }
        values.sort();
        values.dedup();
    }
    values
        .into_iter()
        .any(|value| one_happens(left, &value, free, grow))
}

/// What free `append`s and `add`s can make of a value, of which somebody may still see something.
fn grown(left: &[&Operation], value: &str, grow: &[&Operation]) -> Vec<Value> {
    let seen: Vec<&str> = left
        .iter()
        .filter_map(|operation| match (&operation.call, &operation.end) {
            (Call::Cas(expected, _), _) => Some(&**expected),
            (_, End::Ok(Some(seen))) => Some(&**seen),
            _ => None,
        })
        .collect();
    let useful = |value: &str| {
        seen.iter().any(|seen| {
            let inner = value.strip_suffix('"').unwrap_or(value);
            let is_part = value.starts_with('"') && seen.starts_with(inner);
            let is_subset = || {
                let (part, whole) = (elements(value)?, elements(seen)?);
                Some(part.iter().all(|element| whole.contains(element)))
            };
            is_part || (value.starts_with('[') && is_subset() == Some(true))
        })
    };
    // A refusal only says what the value was not: so many different ones are enough for all of them.
    let refused = |o: &&&Operation| matches!(o.call, Call::Cas(..)) && o.end == End::Fail;
    let refusals = left.iter().filter(refused).count();
    let mut found: Vec<Value> = Vec::new();
    let mut open = vec![(value.to_owned(), refusals)];
    while let Some((value, beyond)) = open.pop() {
        for operation in grow {
            let Some(next) = happens(&value, operation) else {
                continue;
            };
            let beyond = match useful(&next) {
                true => Some(refusals),
                false => beyond.checked_sub(1),
            };
            if let Some(beyond) = beyond
                && !found.contains(&next)
            {
                found.push(next.clone());
                open.push((next, beyond));
            }
        }
    }
    found
}

fn one_happens(
    left: &mut Vec<&Operation>,
    value: &str,
    free: &[Value],
    grow: &[&Operation],
) -> bool {
    let until = left
        .iter()
        .filter(|operation| !operation.is_unknown())
        .filter_map(|operation| operation.returned)
        .min()
        .unwrap_or(usize::MAX);
    for at in 0..left.len() {
        if left[at].invoked > until {
            continue;
        }
        if let Some(next) = happens(value, left[at]) {
            let taken = left.remove(at);
            let found = goes_on(left, &next, free, grow);
            left.insert(at, taken);
            if found {
                return true;
            }
        }
    }
    false
}
