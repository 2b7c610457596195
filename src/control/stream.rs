//! Events as they happen: server-sent, numbered, resumable.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderValue, Uri};

use crate::control::Shared;
use crate::engine::Engine;
use crate::event::Event;
use crate::wire::control::{EventRecord, VERSION_HEADER};

/// How many events are taken from the log at a time.
const PAGE: usize = 500;

/// How often a quiet stream shows that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

struct Reader<E> {
    shared: Arc<Shared<E>>,
    seq: u64,
    page: VecDeque<EventRecord>,
    follow: bool,
    ended: bool,
}

pub(super) async fn events<E: Engine>(
    State(shared): State<Arc<Shared<E>>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    // A browser that reconnects says where it was.
    let resumed = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let asked = value("from").and_then(|from| from.parse().ok());
    let seq = resumed.or(asked).unwrap_or(0);
    let follow = value("follow") != Some("no");
    let reader = Reader {
        shared,
        seq,
        page: VecDeque::new(),
        follow,
        ended: false,
    };
    let mut response = Sse::new(records(reader))
        .keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE))
        .into_response();
    let version = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
    response.headers_mut().insert(VERSION_HEADER, version);
    response
}

fn records<E: Engine>(
    reader: Reader<E>,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + use<E> {
    stream::unfold(reader, |mut reader| async move {
        let record = reader.next().await?;
        let json = serde_json::to_string(&record).expect("events are always JSON");
        let event = sse::Event::default().id(record.seq.to_string()).data(json);
        Some((Ok(event), reader))
    })
}

impl<E: Engine> Reader<E> {
    async fn next(&mut self) -> Option<EventRecord> {
        while self.page.is_empty() {
            if self.ended {
                return None;
            }
            self.page = self.shared.engine.events_after(self.seq, PAGE).into();
            if self.page.is_empty() {
                if !self.follow {
                    return None;
                }
                tokio::select! {
                    () = self.shared.engine.event_after(self.seq) => {}
                    () = self.shared.stop.cancelled() => return None,
                }
            }
        }
        let record = self.page.pop_front()?;
        self.seq = record.seq;
        // Nothing follows the end.
        self.ended = record.event == Event::Stopping;
        Some(record)
    }
}
