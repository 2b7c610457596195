//! Whether a run that shows nothing wrong proves anything: something must have struck, and the cluster must have served.

use crate::chaos::measures::{Measures, Outside};
use crate::chaos::recording::Recording;

/// Why a run proves nothing, if it does not.
pub(super) fn too_little(recording: &Recording, measures: &Measures) -> Option<String> {
    let took_effect = recording.struck.iter().any(|struck| struck.void.is_none());
    if !took_effect {
        return Some("no fault took effect: there was nothing to survive".to_owned());
    }
    let Outside {
        due,
        answered,
        left_out,
    } = measures.outside_faults;
    if 2 * answered < due {
        let never = match left_out {
            0 => String::new(),
            n => format!(" ({n} were never asked, since their client was still waiting)"),
        };
        return Some(format!(
            "outside faults {answered} of {due} operations were answered{never}: too few to prove anything"
        ));
    }
    (measures.acknowledged == 0).then(|| "no write was acknowledged: none could be lost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::measures::measure;
    use crate::chaos::recording::{Asked, Planned, Struck};
    use crate::check::history::{Call, End};
    use crate::sim::plan::Micros;

    /// A run of a second with a fault in its last half.
    fn struck() -> Recording {
        Recording {
            until: 1_000_000,
            struck: vec![Struck {
                number: 1,
                planned: Planned::Step("a fault".to_owned()),
                whom: Vec::new(),
                what: "a fault".to_owned(),
                from: 500_000,
                until: Some(900_000),
                void: None,
            }],
            keys: vec!["k0".to_owned()],
            ..Recording::default()
        }
    }

    fn written(at: Micros) -> Asked {
        Asked {
            process: 0,
            key: 0,
            call: Call::Write(at.to_string().into()),
            reading: None,
            end: End::Ok(None),
            is_void: false,
            invoked: at as usize,
            returned: Some(at as usize + 1),
            due_at: at,
            invoked_at: at,
            returned_at: at + 1,
            entry: None,
            is_final: false,
        }
    }

    fn too_little(recording: &Recording) -> Option<String> {
        super::too_little(recording, &measure(recording))
    }

    #[test]
    fn a_store_that_hangs_is_not_judged_by_the_few_operations_that_came_back() {
        let mut recording = struck();
        recording.asked = (0..10).map(|n| written(10_000 * n)).collect();
        assert_eq!(too_little(&recording), None);
        // What was due while the fault was in force proves nothing.
        recording.left_out = (0..30).map(|n| 500_000 + 10_000 * n).collect();
        assert_eq!(too_little(&recording), None);
        recording.left_out.extend((0..11).map(|n| 100_000 + n));
        let why = too_little(&recording);
        assert_eq!(
            why.as_deref(),
            Some(
                "outside faults 10 of 21 operations were answered (11 were never asked, since their client was still waiting): \
             too few to prove anything"
            )
        );
    }

    #[test]
    fn where_no_write_is_acknowledged_nothing_is_proved() {
        let why = too_little(&struck());
        assert_eq!(
            why.as_deref(),
            Some("no write was acknowledged: none could be lost")
        );
    }
}
