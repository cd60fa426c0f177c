//! Bytes of a file to text: UTF-8, or UTF-16 with a byte order mark.

use std::fmt;

/// More than any compose file; above it a file is refused before it costs memory.
pub const MAX_BYTES: usize = 32 << 20;

/// Why bytes are no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodingError {
    /// The file is larger than [`MAX_BYTES`].
    TooLarge {
        /// How large it is, in bytes.
        bytes: usize,
    },
    /// Not UTF-8 from this byte on.
    Utf8 {
        /// Offset of the first wrong byte in the file.
        at: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// Begins with a UTF-16 byte order mark, but is not UTF-16.
    Utf16 {
        /// Offset of the first wrong byte in the file.
        at: usize,
    },
}

impl fmt::Display for EncodingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(out, "the file is too large to be a compose file: {bytes} bytes, the limit is {MAX_BYTES}")
            }
            Self::Utf8 { at, line } => write!(out, "invalid UTF-8 on line {line}, at byte {at}"),
            Self::Utf16 { at } => write!(out, "invalid UTF-16 at byte {at}"),
        }
    }
}

impl std::error::Error for EncodingError {}

/// The text of a file without its byte order mark. Spans count bytes of this text.
pub fn decode_text(bytes: &[u8]) -> Result<String, EncodingError> {
    if bytes.len() > MAX_BYTES {
        return Err(EncodingError::TooLarge { bytes: bytes.len() });
    }
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        _ => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], skipped: usize) -> Result<String, EncodingError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let at = error.valid_up_to();
        let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
        EncodingError::Utf8 { at: at + skipped, line }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, EncodingError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut at = 2;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = decoded.map_err(|_| EncodingError::Utf16 { at })?;
        at += character.len_utf16() * 2;
        text.push(character);
    }
    if rest.is_empty() { Ok(text) } else { Err(EncodingError::Utf16 { at }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_text() {
        for (bytes, expected) in [
            (&b"a: b"[..], "a: b"),
            (b"\xEF\xBB\xBFa: \xC3\xA9", "a: é"),
            (b"\xFF\xFEa\0:\0=\xD8\x00\xDE", "a:😀"),
            (b"\xFE\xFF\0a\0:", "a:"),
            (b"", ""),
        ] {
            assert_eq!(decode_text(bytes).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_text_says_where() {
        for (bytes, expected) in [
            (&b"a: 1\nb: \xFF"[..], "invalid UTF-8 on line 2, at byte 8"),
            (b"a: \xED\xA0\x80", "invalid UTF-8 on line 1, at byte 3"),
            (b"\xFF\xFE\x00\xD8a\0", "invalid UTF-16 at byte 2"),
            (b"\xFF\xFEa\0:", "invalid UTF-16 at byte 4"),
        ] {
            assert_eq!(decode_text(bytes).unwrap_err().to_string(), expected);
        }
        assert!(matches!(decode_text(&vec![b'a'; MAX_BYTES + 1]), Err(EncodingError::TooLarge { .. })));
    }
}
