//! Units as people write them: in JSON milliseconds and percent, elsewhere rates.

/// A rate, as in `64KiB/s`: bytes a second.
///
/// # Errors
///
/// What is no rate, for whoever wrote it: with how to write one.
pub fn rate(text: &str) -> Result<u64, String> {
    const LIMIT: u64 = 1 << 40;
    let size = text.strip_suffix("/s").unwrap_or(text).trim();
    let units = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1)];
    let parsed = units.iter().find_map(|(unit, factor)| {
        let number: u64 = size.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor)
    });
    match parsed {
        Some(rate) if (1..=LIMIT).contains(&rate) => Ok(rate),
        Some(_) => Err("it must be above zero, and below 1TiB/s".to_owned()),
        None => Err("write it as 1MiB/s, 64KiB/s or 500B/s".to_owned()),
    }
}

/// A time in milliseconds, with what fractions it has.
pub(super) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Nothing is ordered for longer.
    const LONGEST_MS: f64 = 86_400_000.0;

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = time.as_micros() as u64;
        match micros % 1000 {
            0 => serializer.serialize_u64(micros / 1000),
            _ => serializer.serialize_f64(micros as f64 / 1000.0),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let millis = f64::deserialize(deserializer)?;
        match (0.0..=LONGEST_MS).contains(&millis) {
            true => Ok(Duration::from_micros((millis * 1000.0).round() as u64)),
            false => Err(D::Error::custom(
                "a time must be between 0 and 86400000 milliseconds",
            )),
        }
    }
}

/// A chance in percent, with one decimal.
pub(super) mod percent {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::faults::Permille;

    pub fn serialize<S: Serializer>(chance: &Permille, serializer: S) -> Result<S::Ok, S::Error> {
        match chance % 10 {
            0 => serializer.serialize_u16(chance / 10),
            _ => serializer.serialize_f64(f64::from(*chance) / 10.0),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Permille, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        match (0.0..=100.0).contains(&percent) {
            true => Ok((percent * 10.0).round() as Permille),
            false => Err(D::Error::custom(
                "a chance must be between 0 and 100 percent",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_nonsense_refused() {
        assert_eq!(rate("1MiB/s"), Ok(1 << 20));
        assert_eq!(rate("500B/s"), Ok(500));
        for wrong in ["0/s", "fast", "1MB/s", "-1"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
