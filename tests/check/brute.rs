//! A judge too simple to be wrong: it tries every order.

use cluster::check::history::{Call, End, Operation};

/// A key's value as JSON text; `null` if it is absent.
type Value = String;

/// What an order has to respect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Respect {
    /// What ended before something else began comes before it: linearizable.
    Time,
    /// What a client had the answer to comes before what it asked for later: sequential.
    Clients,
}

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

/// Whether some order explains `operations`, of one key. What is unknown may have happened, or not.
pub fn is_linearizable(operations: &[Operation]) -> bool {
    is_linearizable_with_free(operations, &[])
}

/// The same, where those of `free` may have happened at any time, any number of times.
pub fn is_linearizable_with_free(operations: &[Operation], free: &[Operation]) -> bool {
    Orders::new(operations, free, Respect::Time).any()
}

/// Whether some order that keeps each client's own explains `operations`, of however many keys; those of `free` may
/// have happened at any time, any number of times.
pub fn is_sequential_with_free(operations: &[Operation], free: &[Operation]) -> bool {
    Orders::new(operations, free, Respect::Clients).any()
}

struct Orders<'a> {
    left: Vec<&'a Operation>,
    values: Vec<Value>,
    /// What may be there of a sudden, of each key.
    free: Vec<Vec<Value>>,
    /// What may be added of a sudden.
    grow: Vec<&'a Operation>,
    /// Which keys hold sets, whose order means nothing.
    sets: Vec<bool>,
    respect: Respect,
}

impl<'a> Orders<'a> {
    fn new(operations: &'a [Operation], free: &'a [Operation], respect: Respect) -> Orders<'a> {
        let all = || operations.iter().chain(free);
        let keys = all().map(|operation| operation.key + 1).max().unwrap_or(0);
        let mut values: Vec<Vec<Value>> = vec![Vec::new(); keys];
        for operation in free {
            // Whatever it found, it may have left this behind.
            match &operation.call {
                _ if operation.end == End::Fail => {}
                Call::Write(value) => values[operation.key].push(value.to_string()),
                Call::Cas(expected, value) if expected != value => {
                    values[operation.key].push(value.to_string());
                }
                Call::Delete => values[operation.key].push("null".to_owned()),
                Call::Read | Call::Cas(..) | Call::Append(_) | Call::Add(_) => {}
            }
        }
        let grows = |o: &&Operation| matches!(o.call, Call::Append(_) | Call::Add(_));
        let adds = |o: &Operation| matches!(o.call, Call::Add(_));
        // What is only read may be a set to which nothing was added yet.
        let sets = (0..keys).map(|key| {
            let mut those = all().filter(|o| o.key == key);
            those.clone().any(adds) || those.all(|o| o.call == Call::Read)
        });
        Orders {
            left: operations.iter().collect(),
            values: vec!["null".to_owned(); keys],
            free: values,
            grow: free
                .iter()
                .filter(grows)
                .filter(|o| o.end != End::Fail)
                .collect(),
            sets: sets.collect(),
            respect,
        }
    }

    fn is_equal(&self, key: usize, a: &str, b: &str) -> bool {
        let as_sets = || Some(elements(a)? == elements(b)?);
        a == b || (self.sets[key] && as_sets() == Some(true))
    }

    /// What becomes of the value if the operation happens there and answers as it did.
    fn happens(&self, value: &str, operation: &Operation) -> Option<Value> {
        let sure = operation.end != End::Unknown;
        let is = |other: &str| self.is_equal(operation.key, value, other);
        match (&operation.call, &operation.end) {
            (Call::Read, End::Ok(Some(seen))) => is(seen).then(|| value.to_owned()),
            (Call::Read, _) => Some(value.to_owned()),
            (Call::Cas(expected, _), End::Fail) => (!is(expected)).then(|| value.to_owned()),
            (_, End::Fail) => Some(value.to_owned()),
            (Call::Write(new), _) => Some(new.to_string()),
            (Call::Delete, _) => Some("null".to_owned()),
            (Call::Cas(expected, new), _) if is(expected) => Some(new.to_string()),
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

    fn any(&mut self) -> bool {
        if self.left.iter().all(|operation| operation.is_unknown()) {
            return true;
        }
        (0..self.left.len()).any(|at| self.may_be_next(at) && self.goes_on_with(at))
    }

    /// With what is there, or with anything that something free may have left there.
    fn goes_on_with(&mut self, at: usize) -> bool {
        let operation = self.left.remove(at);
        let key = operation.key;
        let before = self.values[key].clone();
        let mut found = false;
        for value in self.possible(key, operation) {
            if let Some(next) = self.happens(&value, operation) {
                self.values[key] = next;
                found = found || self.any();
            }
        }
        self.values[key] = before;
        self.left.insert(at, operation);
        found
    }

    fn may_be_next(&self, at: usize) -> bool {
        let candidate = self.left[at];
        let mut sure = self.left.iter().filter(|o| !o.is_unknown());
        match self.respect {
            Respect::Time => sure.all(|o| o.returned >= Some(candidate.invoked)),
            Respect::Clients => {
                !sure.any(|o| o.process == candidate.process && o.invoked < candidate.invoked)
            }
        }
    }

    /// With nothing free there is only what is there; otherwise the value may first become any of those.
    fn possible(&self, key: usize, next: &Operation) -> Vec<Value> {
        let mut values = vec![self.values[key].clone()];
        values.extend(self.free[key].iter().cloned());
        let grow = self.grow.iter().copied().filter(|o| o.key == key);
        let grow: Vec<&Operation> = grow.collect();
        if !grow.is_empty() {
            for value in values.clone() {
                values.extend(self.grown(key, next, &value, &grow));
            }
        }
        values.sort();
        values.dedup();
        values
    }

    /// What free `append`s and `add`s can make of a value, of which somebody may still see something, or see that it is
    /// not there.
    fn grown(&self, key: usize, next: &Operation, value: &str, grow: &[&Operation]) -> Vec<Value> {
        let left = self.left.iter().copied().chain([next]);
        let of_key: Vec<&Operation> = left.filter(|o| o.key == key).collect();
        let seen = of_key.iter().filter_map(|o| match (&o.call, &o.end) {
            (Call::Read, End::Ok(Some(value))) => Some(&**value),
            (Call::Cas(expected, _), _) => Some(&**expected),
            _ => None,
        });
        let seen: Vec<&str> = seen.collect();
        let longest = seen.iter().map(|seen| seen.len()).max().unwrap_or(0);
        let is_refused = of_key.iter().any(|o| o.end == End::Fail);
        let useful = |value: &str| {
            let is_part = |seen: &&str| {
                let inner = value.strip_suffix('"').unwrap_or(value);
                let subset = || {
                    let (part, whole) = (elements(value)?, elements(seen)?);
                    Some(part.iter().all(|element| whole.contains(element)))
                };
                match value.starts_with('"') {
                    true => seen.starts_with(inner),
                    false => subset() == Some(true),
                }
            };
            // One that is longer than all that was expected is as good as any longer one.
            seen.iter().any(is_part) || (is_refused && value.len() <= longest + 4)
        };
        let mut found: Vec<Value> = Vec::new();
        let mut open = vec![value.to_owned()];
        while let Some(value) = open.pop() {
            for operation in grow {
                if let Some(next) = self.happens(&value, operation)
                    && useful(&next)
                    && !found.contains(&next)
                {
                    found.push(next.clone());
                    open.push(next);
                }
            }
        }
        found
    }
}

/// Whether one store that carries out those of `order`, in it, gives the same answers.
pub fn is_explained_by(operations: &[Operation], order: &[usize]) -> bool {
    let mut orders = Orders::new(operations, &[], Respect::Time);
    order
        .iter()
        .map(|number| &operations[*number])
        .all(
            |operation| match orders.happens(&orders.values[operation.key], operation) {
                Some(next) => {
                    orders.values[operation.key] = next;
                    true
                }
                None => false,
            },
        )
}
