//! The engine's multiplexed streams taken apart: frames of eight bytes of header and any bytes of output.

use bytes::{Buf, Bytes};

use crate::runtime::{Chunk, Output};

const HEADER: usize = 8;

/// Takes frames apart as bytes come in, in pieces of any size. Output is handed on at once, as a part of the piece that
/// came: nothing is copied, and frames are not kept whole.
#[derive(Default)]
pub(super) struct Frames {
    pending: Bytes,
    /// As much of a frame's header as has come.
    header: [u8; HEADER],
    known: usize,
    current: Option<Frame>,
}

struct Frame {
    kind: Kind,
    left: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Output(Output),
    /// The engine itself has something to say: it failed.
    Failure,
}

/// What a piece of the stream gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Output of the process.
    Output(Chunk),
    /// A failure in the engine's words, perhaps one of several parts.
    Failure(Bytes),
}

/// The bytes are no multiplexed stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFrames;

impl Frames {
    /// Adds bytes that came, once [`Self::next`] has nothing left.
    pub(super) fn push(&mut self, bytes: Bytes) {
        debug_assert!(self.pending.is_empty(), "a piece is taken apart before the next one comes");
        self.pending = bytes;
    }

    /// The next piece that is complete enough to hand on.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, NotFrames> {
        loop {
            if self.pending.is_empty() {
                return Ok(None);
            }
            let Some(frame) = &mut self.current else {
                let count = (HEADER - self.known).min(self.pending.len());
                self.pending.copy_to_slice(&mut self.header[self.known..self.known + count]);
                self.known += count;
                if self.known == HEADER {
                    self.known = 0;
                    self.current = self.begin()?;
                }
                continue;
            };
            let length = frame.left.min(self.pending.len());
            let bytes = self.pending.split_to(length);
            frame.left -= length;
            let kind = frame.kind;
            if frame.left == 0 {
                self.current = None;
            }
            return Ok(Some(match kind {
                Kind::Output(output) => Piece::Output(Chunk { output, bytes }),
                Kind::Failure => Piece::Failure(bytes),
            }));
        }
    }

    /// The frame of a whole header; `None` when it is empty.
    fn begin(&self) -> Result<Option<Frame>, NotFrames> {
        let [kind, _, _, _, length @ ..] = self.header;
        let kind = match kind {
            0 | 1 => Kind::Output(Output::Stdout),
            2 => Kind::Output(Output::Stderr),
            3 => Kind::Failure,
            _ => return Err(NotFrames),
        };
        let left = u32::from_be_bytes(length) as usize;
        Ok((left > 0).then_some(Frame { kind, left }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text);
        bytes
    }

    type Told = Vec<(Output, Vec<u8>)>;

    /// Output of the whole, neighbours of the same kind joined.
    fn read(stream: &[u8], size: usize) -> Result<Told, NotFrames> {
        let mut frames = Frames::default();
        let mut found = Told::new();
        for piece in stream.chunks(size) {
            frames.push(Bytes::copy_from_slice(piece));
            while let Some(piece) = frames.next()? {
                let Piece::Output(chunk) = piece else { continue };
                match found.last_mut() {
                    Some((output, text)) if *output == chunk.output => text.extend_from_slice(&chunk.bytes),
                    _ => found.push((chunk.output, chunk.bytes.to_vec())),
                }
            }
        }
        Ok(found)
    }

    #[test]
    fn cases() {
        let out = |text: &str| (Output::Stdout, text.as_bytes().to_vec());
        let err = |text: &str| (Output::Stderr, text.as_bytes().to_vec());
        let rows: Vec<(Vec<u8>, Told)> = vec![
            (vec![], vec![]),
            (frame(1, b""), vec![]),
            (frame(0, b"a"), vec![out("a")]),
            ([frame(1, b"a\n"), frame(2, b"b\n"), frame(1, b"c")].concat(), vec![out("a\n"), err("b\n"), out("c")]),
            // Text that looks like a header stays text.
            (frame(2, &frame(1, b"x")), vec![(Output::Stderr, frame(1, b"x"))]),
            // Cut short: what came is told.
            (frame(1, b"abc")[..9].to_vec(), vec![out("a")]),
        ];
        for (stream, expected) in rows {
            for size in 1..=stream.len().max(1) {
                assert_eq!(read(&stream, size).unwrap(), expected);
            }
        }
        assert_eq!(read(b"hello world", 3), Err(NotFrames));
    }

    #[test]
    fn output_is_handed_on_before_its_frame_is_complete() {
        let mut frames = Frames::default();
        frames.push(Bytes::from_static(&[1, 0, 0, 0, 255, 255, 255, 255, b'x']));
        let Ok(Some(Piece::Output(chunk))) = frames.next() else { panic!("nothing came") };
        assert_eq!(chunk.bytes, "x");
        assert_eq!(frames.next(), Ok(None));
    }

    #[test]
    fn the_engine_s_failures_are_told_apart() {
        let mut frames = Frames::default();
        frames.push(Bytes::from(frame(3, b"log driver broke")));
        assert_eq!(frames.next(), Ok(Some(Piece::Failure(Bytes::from_static(b"log driver broke")))));
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same(
            parts in prop::collection::vec((1u8..3, prop::collection::vec(any::<u8>(), 0..40)), 0..12),
            size in 1usize..50,
        ) {
            let stream: Vec<u8> = parts.iter().flat_map(|(kind, text)| frame(*kind, text)).collect();
            prop_assert_eq!(read(&stream, size).unwrap(), read(&stream, stream.len().max(1)).unwrap());
        }

        #[test]
        fn any_bytes_do_no_harm(stream in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..50) {
            let _ = read(&stream, size);
        }
    }
}
