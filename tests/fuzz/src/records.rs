//! Stored records: frames of bytes, and what they say.

use std::io::Cursor;
use std::path::Path;

use cluster::protocol::Ballot;
use cluster::storage::codec::{Reader, Stored, Writer};
use cluster::storage::frame::{Frames, HEAD, Next, frame};
use cluster::store::Piece;

use super::draw::Draw;
use super::make;

/// A byte that says how the others are taken.
pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 5 {
        0 => frames_in(rest),
        1 => damaged(rest),
        2 => records_in(rest),
        3 => pieces_in(rest),
        _ => records_of(&mut Draw::new(rest)),
    }
}

/// The contents of the frames, and whether the file ended as it should.
fn read(bytes: &[u8], may_be_torn: bool) -> Option<(Vec<Vec<u8>>, bool)> {
    let length = bytes.len() as u64;
    let mut frames = Frames::of(Path::new("log"), Cursor::new(bytes), length, may_be_torn);
    let mut contents = Vec::new();
    loop {
        match frames.read_next().ok()? {
            Next::Frame(content, _) => contents.push(content),
            Next::End => return Some((contents, true)),
            Next::Torn(at) => {
                assert!(may_be_torn && at < length);
                return Some((contents, false));
            }
        }
    }
}

/// Any file: what is read of it is what stands there, and no more than that.
fn frames_in(bytes: &[u8]) {
    if let Some((contents, is_whole)) = read(bytes, true) {
        let written: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
        assert!(bytes.starts_with(&written));
        assert_eq!(is_whole, written.len() == bytes.len());
        let strictly = read(bytes, false).map(|(contents, _)| contents);
        assert_eq!(strictly, is_whole.then_some(contents));
    }
}

/// Our own frames, of which one byte is another, or the end is missing: nothing is read that was not written.
fn damaged(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (place, change) = (draw.whole() as usize, draw.byte());
    let contents: Vec<Vec<u8>> = make::several(&mut draw, 4, |draw| draw.bytes(40).to_vec());
    let mut file: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
    assert_eq!(read(&file, false), Some((contents.clone(), true)));
    let Some(at) = place.checked_rem(file.len()) else {
        return;
    };
    match change {
        0 => file.truncate(at),
        change => file[at] ^= change,
    }
    let last = file.len().saturating_sub(HEAD + 40 + 1);
    match read(&file, true) {
        Some((read, is_whole)) => {
            assert!(contents.starts_with(&read));
            assert!(!is_whole || change == 0, "a changed byte was not seen");
            assert!(
                change == 0 || at >= last,
                "damage in the middle was cut off"
            );
        }
        None => assert_ne!(change, 0, "a torn end was refused"),
    }
}

/// What one frame of a log says; what can be read is read the same again.
fn records_in(bytes: &[u8]) {
    let mut reader = Reader::new(bytes, None);
    let mut all = Vec::new();
    while !reader.is_empty() {
        let Ok(stored) = reader.stored() else {
            break;
        };
        all.push(stored);
    }
    assert_eq!(written(&all), Ok(all));
}

fn written(all: &[Stored]) -> Result<Vec<Stored>, cluster::storage::codec::Nonsense> {
    let mut writer = Writer::default();
    all.iter().for_each(|stored| writer.stored(stored));
    let mut reader = Reader::new(&writer.0, None);
    let mut read = Vec::new();
    while !reader.is_empty() {
        read.push(reader.stored()?);
    }
    Ok(read)
}

/// What one frame of a snapshot says.
fn pieces_in(bytes: &[u8]) {
    let mut reader = Reader::new(bytes, None);
    let mut all: Vec<Piece> = Vec::new();
    while let Ok(piece) = reader.piece() {
        all.push(piece);
    }
    let mut writer = Writer::default();
    all.iter().for_each(|piece| writer.piece(piece));
    let mut reader = Reader::new(&writer.0, None);
    let read: Vec<Piece> = std::iter::from_fn(|| reader.piece().ok()).collect();
    assert_eq!(read, all);
}

/// Whatever a node keeps is found again.
fn records_of(draw: &mut Draw) {
    let all = make::several(draw, 5, |draw| match draw.byte() % 4 {
        0 => Stored::Ballot(Ballot {
            term: draw.number(),
            vote: make::some(draw, make::node),
        }),
        1 => Stored::Commit(draw.number()),
        2 => Stored::Recovering(draw.chance()),
        _ => {
            let prev = draw.number();
            Stored::Append(make::entries(draw, prev))
        }
    });
    assert_eq!(written(&all), Ok(all));
}
