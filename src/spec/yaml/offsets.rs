//! From positions counted in characters, as libyaml gives them, to bytes.

/// One stored offset for so many characters.
const STEP: usize = 64;

/// Where each character of a text begins.
pub(super) struct Offsets<'text> {
    text: &'text str,
    /// Bytes before every `STEP`th character; empty when a character is a byte.
    stored: Vec<u32>,
}

impl<'text> Offsets<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        let stored = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STEP).map(|(at, _)| clamp(at)).collect()
        };
        Self { text, stored }
    }

    /// The byte at which a character begins; past the end means the end.
    pub(super) fn byte(&self, character: u64) -> u32 {
        let character = usize::try_from(character).unwrap_or(usize::MAX);
        if self.stored.is_empty() {
            return clamp(character.min(self.text.len()));
        }
        let Some(base) = self.stored.get(character / STEP) else { return clamp(self.text.len()) };
        let rest = self.text.get(*base as usize..).unwrap_or_default();
        rest.char_indices().nth(character % STEP).map_or(clamp(self.text.len()), |(at, _)| base + clamp(at))
    }
}

fn clamp(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_found_in_wide_text() {
        let text = "aé😀\n".repeat(50);
        let offsets = Offsets::new(&text);
        for (number, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(offsets.byte(number as u64) as usize, byte);
        }
        assert_eq!(offsets.byte(1000) as usize, text.len());
        assert_eq!(Offsets::new("abc").byte(9), 3);
    }
}
