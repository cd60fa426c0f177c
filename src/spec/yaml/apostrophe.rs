//! `\'` in double quotes.

/// yaml.v3 reads `\'` in double quotes, libyaml does not: it is replaced by a character of the same length that the text
/// does not have, so that places stay what they are, and comes back when the scalar is read.
#[derive(Default)]
pub(super) struct Apostrophes {
    pub(super) stand_in: Option<char>,
    patched: Option<String>,
}

impl Apostrophes {
    pub(super) fn text<'a>(&'a self, text: &'a str) -> &'a str {
        self.patched.as_deref().unwrap_or(text)
    }

    /// Replaces every `\'` from `at` to the end of the double-quoted scalar.
    pub(super) fn replace(&mut self, text: &str, at: u32) {
        let stand_in = self.stand_in.get_or_insert_with(|| {
            ('\u{100}'..='\u{7FF}').find(|candidate| !text.contains(*candidate)).unwrap_or('\u{7FF}')
        });
        let current = self.patched.as_deref().unwrap_or(text);
        let (before, scalar) = current.split_at_checked(at as usize).unwrap_or((current, ""));
        let mut patched = String::with_capacity(text.len());
        patched.push_str(before);
        let mut rest = scalar.chars();
        while let Some(character) = rest.next() {
            match character {
                '"' => {
                    patched.push(character);
                    break;
                }
                '\\' => match rest.next() {
                    Some('\'') => patched.push(*stand_in),
                    other => patched.extend(std::iter::once(character).chain(other)),
                },
                _ => patched.push(character),
            }
        }
        patched.push_str(rest.as_str());
        self.patched = Some(patched);
    }
}
