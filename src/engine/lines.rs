//! Makes lines of raw output: pieces come as they come, lines go out whole.

use bytes::{Bytes, BytesMut};

/// A line longer than this goes out in pieces, so that a program that never ends its line does not eat the memory.
pub const LONGEST_LINE: usize = 256 * 1024;

/// Holds the beginning of a line until its end comes.
#[derive(Debug, Default)]
pub struct Lines {
    held: BytesMut,
    /// Of the held bytes, so many are known to hold no line end.
    searched: usize,
}

impl Lines {
    /// Takes a piece of output.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }
    /// The next whole line, without its line end.
    pub fn next_line(&mut self) -> Option<Bytes> {
        let rest = self.held.get(self.searched..).unwrap_or_default();
        if let Some(position) = rest.iter().position(|byte| *byte == b'\n') {
            let mut line = self.held.split_to(self.searched + position + 1);
            self.searched = 0;
            line.truncate(line.len() - 1);
            return Some(line.freeze());
        }
        self.searched = self.held.len();
        if self.held.len() < LONGEST_LINE {
            return None;
        }
        self.searched = 0;
        Some(self.held.split_to(LONGEST_LINE).freeze())
    }
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
    /// What was written after the last line end; the output is over.
    pub fn finish(&mut self) -> Option<Bytes> {
        self.searched = 0;
        let rest = self.held.split();
        (!rest.is_empty()).then(|| rest.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.next_line() {
                out.push(line.to_vec());
            }
        }
        out.extend(lines.finish().map(|line| line.to_vec()));
        out
    }

    #[test]
    fn lines_come_out_whole_however_they_come_in() {
        assert!(all(&[]).is_empty());
        assert_eq!(all(&[b"a\nb\n"]), [b"a", b"b"]);
        assert_eq!(all(&[b"a", b"b", b"\nc"]), [b"ab".to_vec(), b"c".to_vec()]);
        assert_eq!(all(&[b"\n\n"]), [b"", b""]);
        assert_eq!(all(&[b"a\r\n"]), [b"a\r"]);
        assert_eq!(all(&[b"\xff\xfe\n"]), [b"\xff\xfe"]);
        assert_eq!(all(&[b"", b"x", b""]), [b"x"]);
    }

    #[test]
    fn a_line_without_end_goes_out_in_pieces() {
        let endless = vec![b'x'; LONGEST_LINE * 2 + 5];
        let lengths: Vec<usize> = all(&[&endless, b"y\n"]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LONGEST_LINE, LONGEST_LINE, 6]);
    }
}
