//! Frames: what files are made of. Each is its length, a checksum of its content, a checksum of these two, and the
//! content.
//!
//! One frame is written and synced before the next one is, so only the last can be torn by a crash: it was promised to
//! nobody and is cut off. What is damaged anywhere else was promised, and no program should decide alone to do without
//! it.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use crate::storage::DiskError;
use crate::storage::io::failed;

/// The length of what stands before a frame's content.
pub const HEAD: usize = 12;

/// The longest content. A batch of records is far below; more is damage.
const LONGEST: u32 = 1 << 30;

/// A frame around `content`.
pub fn frame(content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD + content.len());
    frame.extend((content.len() as u32).to_le_bytes());
    frame.extend(crc32fast::hash(content).to_le_bytes());
    frame.extend(crc32fast::hash(&frame[..8]).to_le_bytes());
    frame.extend(content);
    frame
}

/// Reads the frames of one file, in order.
#[derive(Debug)]
pub struct Frames<F> {
    path: PathBuf,
    file: F,
    position: u64,
    length: u64,
    /// Whether the last frame may be torn: then it ends the file.
    may_be_torn: bool,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The content of a frame, and where it began.
    Frame(Vec<u8>, u64),
    /// The file ends here, as it should.
    End,
    /// The file ends in a frame that was never completed; it begins here.
    Torn(u64),
}

impl Frames<BufReader<File>> {
    /// The frames of the file at `path`.
    pub fn open(path: &Path, may_be_torn: bool) -> Result<Self, DiskError> {
        let file = File::open(path).map_err(failed("open", path))?;
        let length = file.metadata().map_err(failed("look at", path))?.len();
        let file = BufReader::with_capacity(1 << 20, file);
        Ok(Frames::of(path, file, length, may_be_torn))
    }
}

impl<F: Read + Seek> Frames<F> {
    /// The frames of a file of `length` bytes that is called `path` in errors.
    pub fn of(path: &Path, file: F, length: u64, may_be_torn: bool) -> Frames<F> {
        Frames {
            path: path.to_owned(),
            file,
            position: 0,
            length,
            may_be_torn,
        }
    }

    /// The next one.
    pub fn read_next(&mut self) -> Result<Next, DiskError> {
        let rest = self.length - self.position;
        if rest == 0 {
            return Ok(Next::End);
        }
        if rest < HEAD as u64 {
            return self.torn("it ends within a frame's head");
        }
        let mut head = [0; HEAD];
        self.fill(&mut head)?;
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (length, content_sum, head_sum) = (number(0), number(4), number(8));
        // A file can have grown before what was to be written in it was.
        if head == [0; HEAD] && self.is_zero_from_here()? {
            return self.torn("it ends in zeros");
        }
        if crc32fast::hash(&head[..8]) != head_sum || length > LONGEST {
            let what = "a frame's head has the wrong checksum";
            // The pages of a last write reach the device in any order: its head may be the one that did not.
            return match self.is_followed()? {
                true => Err(self.damaged(what)),
                false => self.torn(what),
            };
        }
        if u64::from(length) > rest - HEAD as u64 {
            return self.torn("it ends within a frame");
        }
        let mut content = vec![0; length as usize];
        self.fill(&mut content)?;
        let end = self.position + HEAD as u64 + u64::from(length);
        if crc32fast::hash(&content) != content_sum {
            let what = "a frame's content has the wrong checksum";
            return match end == self.length {
                true => self.torn(what),
                false => Err(self.damaged(what)),
            };
        }
        let began = self.position;
        self.position = end;
        Ok(Next::Frame(content, began))
    }

    fn torn(&self, what: &'static str) -> Result<Next, DiskError> {
        match self.may_be_torn {
            true => Ok(Next::Torn(self.position)),
            false => Err(self.damaged(what)),
        }
    }

    /// Damage in the frame that begins here.
    pub fn damaged(&self, what: &'static str) -> DiskError {
        DiskError::Damaged {
            path: self.path.clone(),
            position: self.position,
            what,
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), DiskError> {
        self.file
            .read_exact(buffer)
            .map_err(|error: Error| match error.kind() {
                ErrorKind::UnexpectedEof => self.damaged("it is shorter than it was"),
                _ => failed("read", &self.path)(error),
            })
    }

    /// Whether a whole frame stands anywhere behind the beginning of this one.
    fn is_followed(&mut self) -> Result<bool, DiskError> {
        let mut rest = Vec::new();
        let from = std::io::SeekFrom::Start(self.position + 1);
        let read = self
            .file
            .seek(from)
            .and_then(|_| self.file.read_to_end(&mut rest));
        read.map_err(failed("read", &self.path))?;
        let is_frame = |at: usize| {
            let head = rest.get(at..at + HEAD)?;
            let number = |at: usize| {
                u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
            };
            if crc32fast::hash(&head[..8]) != number(8) {
                return None;
            }
            let content = rest.get(at + HEAD..at + HEAD + number(0) as usize)?;
            (crc32fast::hash(content) == number(4)).then_some(())
        };
        Ok((0..rest.len()).any(|at| is_frame(at).is_some()))
    }

    fn is_zero_from_here(&mut self) -> Result<bool, DiskError> {
        let mut buffer = [0; 4096];
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(read) if buffer[..read].iter().all(|byte| *byte == 0) => {}
                Ok(_) => return Ok(false),
                Err(error) => return Err(failed("read", &self.path)(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Option<u64>), DiskError> {
        let file = std::io::Cursor::new(bytes);
        let mut frames = Frames::of(Path::new("file"), file, bytes.len() as u64, true);
        let mut all = Vec::new();
        loop {
            match frames.read_next()? {
                Next::Frame(content, _) => all.push(content),
                Next::End => return Ok((all, None)),
                Next::Torn(at) => return Ok((all, Some(at))),
            }
        }
    }

    #[test]
    fn a_torn_tail_is_cut_wherever_it_was_torn() {
        let (first, second) = (frame(b"one"), frame(b"two and more"));
        let whole = [first.clone(), second.clone()].concat();
        assert_eq!(
            read_all(&whole).unwrap(),
            (vec![b"one".to_vec(), b"two and more".to_vec()], None)
        );
        for length in first.len() + 1..whole.len() {
            let (frames, torn) = read_all(&whole[..length]).unwrap();
            assert_eq!(
                (frames.len(), torn),
                (1, Some(first.len() as u64)),
                "{length}"
            );
        }
        let zeros = [first.clone(), vec![0; 5000]].concat();
        assert_eq!(read_all(&zeros).unwrap().1, Some(first.len() as u64));
    }

    #[test]
    fn a_damaged_middle_is_refused_with_its_position_whatever_bit_it_is() {
        let (first, second) = (frame(b"one"), frame(b"two"));
        let whole = [first.clone(), second].concat();
        for bit in 0..first.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match read_all(&damaged) {
                Err(DiskError::Damaged { position: 0, .. }) => {}
                other => panic!("bit {bit}: {other:?}"),
            }
        }
    }
}
