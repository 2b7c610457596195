//! The key in a path: everything after `/key/`, percent-decoded once.

use crate::value::{Key, MAX_KEY};

/// Why a path names no key.
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    Encoding,
    /// Longer than [`MAX_KEY`].
    TooLong,
}

/// The key that `path` names: what stands behind `/key/`.
pub fn decode(path: &str) -> Result<Key, InvalidKey> {
    let raw = path.strip_prefix("/key/").unwrap_or_default();
    if !raw.contains('%') {
        return sized(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (code, tail) = rest.split_at_checked(2).ok_or(InvalidKey::Encoding)?;
        bytes.push(hex(code[0])? << 4 | hex(code[1])?);
        rest = tail;
    }
    let key = std::str::from_utf8(&bytes).map_err(|_| InvalidKey::Encoding)?;
    sized(key)
}

fn sized(key: &str) -> Result<Key, InvalidKey> {
    match key.len() <= MAX_KEY {
        true => Ok(Key::new(key)),
        false => Err(InvalidKey::TooLong),
    }
}

fn hex(digit: u8) -> Result<u8, InvalidKey> {
    let value = char::from(digit).to_digit(16).ok_or(InvalidKey::Encoding)?;
    Ok(value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_everything_after_the_prefix_decoded_once() {
        for (path, key) in [
            ("/key/", ""),
            ("/key/a/b", "a/b"),
            ("/key/x/", "x/"),
            ("/key/../y", "../y"),
            ("/key/a%20b", "a b"),
            ("/key/%2525", "%25"),
            ("/key/%C3%A9%e2%98%83", "é☃"),
            ("/key/a+b", "a+b"),
        ] {
            assert_eq!(decode(path), Ok(Key::new(key)), "{path}");
        }
    }

    #[test]
    fn bad_encodings_and_long_keys_are_refused() {
        for path in ["/key/%", "/key/%2", "/key/%zz", "/key/%ff", "/key/%+1"] {
            assert_eq!(decode(path), Err(InvalidKey::Encoding), "{path}");
        }
        assert!(decode(&format!("/key/{}", "x".repeat(4095))).is_ok());
        assert!(decode(&format!("/key/{}", "%20".repeat(4095))).is_ok());
        assert_eq!(
            decode(&format!("/key/{}", "x".repeat(4096))),
            Err(InvalidKey::TooLong)
        );
    }
}
