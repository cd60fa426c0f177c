//! The keys that leave a process alone: `ctrl-p,ctrl-q` unless somebody chose others.

use bytes::Bytes;

/// A sequence of bytes that is typed, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachKeys {
    keys: Vec<u8>,
    /// So many of them were typed and are held back.
    typed: usize,
}

impl Default for DetachKeys {
    fn default() -> Self {
        Self { keys: vec![16, 17], typed: 0 }
    }
}

impl DetachKeys {
    /// As docker writes them: characters and `ctrl-x`, with commas between. Nothing is the default.
    ///
    /// # Errors
    /// What is no key.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let keys: Result<Vec<u8>, String> = text.split(',').map(key).collect();
        Ok(Self { keys: keys?, typed: 0 })
    }

    /// What of the bytes goes on to the process, and whether the keys were typed: then the rest is for nobody.
    pub(super) fn take(&mut self, bytes: &Bytes) -> (Bytes, bool) {
        if self.typed == 0 && !self.keys.first().is_some_and(|first| bytes.contains(first)) {
            return (bytes.clone(), false);
        }
        let mut passed = Vec::with_capacity(bytes.len() + self.typed);
        for byte in bytes {
            while self.typed > 0 && self.keys.get(self.typed) != Some(byte) {
                // The longest beginning of the keys that the typed bytes still end with.
                let kept = (0..self.typed)
                    .rev()
                    .find(|kept| self.keys[..*kept] == self.keys[self.typed - kept..self.typed])
                    .unwrap_or(0);
                passed.extend_from_slice(&self.keys[..self.typed - kept]);
                self.typed = kept;
            }
            if self.keys.get(self.typed) == Some(byte) {
                self.typed += 1;
            } else {
                passed.push(*byte);
            }
            if self.typed == self.keys.len() {
                return (passed.into(), true);
            }
        }
        (passed.into(), false)
    }
}

fn key(word: &str) -> Result<u8, String> {
    let unknown =
        || format!("invalid detach keys: {word:?} is neither a character nor ctrl- and one of a-z @ [ \\ ] ^ _");
    let single = |text: &str| match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    };
    if let Some(byte) = single(word) {
        return Ok(byte);
    }
    if word == "DEL" {
        return Ok(127);
    }
    let control = word.strip_prefix("ctrl-").and_then(single).ok_or_else(unknown)?;
    match control {
        b'a'..=b'z' => Ok(control - b'a' + 1),
        b'@' => Ok(0),
        b'['..=b'_' => Ok(control - b'[' + 27),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (text, keys) in [
            ("", Ok(vec![16, 17])),
            ("ctrl-a", Ok(vec![1])),
            ("ctrl-@,ctrl-_,DEL,x", Ok(vec![0, 31, 127, b'x'])),
            ("ctrl-\\,ctrl-^", Ok(vec![28, 30])),
        ] {
            assert_eq!(DetachKeys::parse(text).map(|keys| keys.keys), keys, "{text}");
        }
        for text in ["ctrl-", "ctrl-A", "xy", "a,,b", "é"] {
            assert!(DetachKeys::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_found_in_any_pieces() {
        for (keys, pieces, passed, detached) in [
            ("ctrl-p,ctrl-q", &["a", "b"][..], "ab", false),
            ("ctrl-p,ctrl-q", &["a\x10\x11b"], "a", true),
            ("ctrl-p,ctrl-q", &["a\x10", "\x11"], "a", true),
            ("ctrl-p,ctrl-q", &["\x10", "x", "\x11"], "\x10x\x11", false),
            ("ctrl-p,ctrl-q", &["\x10\x10", "\x11"], "\x10", true),
            ("ctrl-p,ctrl-q", &["\x10"], "", false),
            ("a,a,b", &["aaa", "b"], "a", true),
            ("a,b,a,c", &["abab", "ac"], "ab", true),
            ("x", &["wxy"], "w", true),
        ] {
            let mut keys = DetachKeys::parse(keys).unwrap();
            let mut told = Vec::new();
            let mut found = false;
            for piece in pieces {
                let (bytes, detached) = keys.take(&Bytes::copy_from_slice(piece.as_bytes()));
                told.extend_from_slice(&bytes);
                found |= detached;
            }
            assert_eq!((String::from_utf8(told).unwrap().as_str(), found), (passed, detached), "{pieces:?}");
        }
    }
}
