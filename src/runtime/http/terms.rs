//! The terms of a write, from its headers: on which version (RFC 9110, §13.1), and under which name.

use std::sync::Arc;

use axum::response::Response;
use http::header::{self, HeaderName};
use http::{HeaderMap, StatusCode};

use crate::runtime::http::answer;
use crate::store::{Condition, Proviso, Token};
use crate::types::EntryId;

/// By which a client names a write.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The terms that `headers` set, or the answer to headers that cannot be understood.
pub(super) fn terms(headers: &HeaderMap) -> Result<Option<Arc<Proviso>>, Box<Response>> {
    let refuse = |why| Box::new(answer::error(StatusCode::BAD_REQUEST, why));
    let proviso = read(headers).map_err(refuse)?;
    Ok(proviso.map(Arc::new))
}

/// The terms that `headers` set, if any, or why they cannot be understood.
pub fn read(headers: &HeaderMap) -> Result<Option<Proviso>, &'static str> {
    let (condition, token) = (condition(headers)?, token(headers)?);
    let proviso = Proviso { condition, token };
    Ok((proviso != Proviso::default()).then_some(proviso))
}

fn condition(headers: &HeaderMap) -> Result<Option<Condition>, &'static str> {
    let tags = |name| tags(headers, name);
    match (tags(header::IF_MATCH)?, tags(header::IF_NONE_MATCH)?) {
        (None, None) => Ok(None),
        (Some(Tags::Any), None) => Ok(Some(Condition::Present)),
        (Some(Tags::These(versions)), None) => Ok(Some(Condition::Is(versions))),
        (None, Some(Tags::Any)) => Ok(Some(Condition::Absent)),
        (None, Some(Tags::These(versions))) => Ok(Some(Condition::IsNot(versions))),
        (Some(_), Some(_)) => Err("If-Match and If-None-Match together"),
    }
}

enum Tags {
    Any,
    /// Those that could be a version of ours; no other is ever matched.
    These(Vec<EntryId>),
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>, &'static str> {
    let mut versions = Vec::new();
    let mut given = false;
    for value in headers.get_all(name) {
        given = true;
        let text = value.to_str().map_err(|_| "Invalid ETag")?;
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        let tags = text.split(',').map(|tag| tag.trim().trim_matches('"'));
        versions.extend(tags.filter_map(EntryId::from_tag));
    }
    Ok(given.then_some(Tags::These(versions)))
}

fn token(headers: &HeaderMap) -> Result<Option<Token>, &'static str> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| "Invalid Idempotency-Key")?;
    let token = Token::new(text.trim().trim_matches('"'));
    token.map(Some).ok_or("Invalid Idempotency-Key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(HeaderName, &'static str)]) -> Result<Option<Proviso>, ()> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        let proviso = terms(&headers).map_err(|_| ())?;
        Ok(proviso.map(|proviso| proviso.as_ref().clone()))
    }

    fn on(condition: Condition) -> Result<Option<Proviso>, ()> {
        Ok(Some(Proviso {
            condition: Some(condition),
            token: None,
        }))
    }

    #[test]
    fn headers_set_the_terms_of_a_write() {
        let version = EntryId::from_tag("7.2.ab.node-1").unwrap();
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(header::IF_NONE_MATCH, "*")]), on(Condition::Absent));
        assert_eq!(read(&[(header::IF_MATCH, "*")]), on(Condition::Present));
        let tags = "\"other\", \"7.2.ab.node-1\"";
        assert_eq!(
            read(&[(header::IF_MATCH, tags)]),
            on(Condition::Is(vec![version.clone()]))
        );
        // A weak tag is never equal (RFC 9110, §8.8.3.2), and a foreign one never ours.
        assert_eq!(
            read(&[(header::IF_MATCH, "W/\"7.2.ab.node-1\"")]),
            on(Condition::Is(vec![]))
        );
        let both = [(header::IF_MATCH, "*"), (header::IF_NONE_MATCH, "*")];
        assert_eq!(read(&both), Err(()));
        let named = read(&[(IDEMPOTENCY_KEY, "\"a-1\"")]).unwrap().unwrap();
        assert_eq!(named.token, Token::new("a-1"));
        assert_eq!(read(&[(IDEMPOTENCY_KEY, "\"\"")]), Err(()));
    }
}
