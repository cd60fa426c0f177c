//! Yes or no.

/// What a question looks like: with the marks of a form on a terminal, else bare.
pub fn question(text: &str, terminal: bool) -> String {
    if terminal { format!("? {text} (y/N) ") } else { text.to_owned() }
}

/// Whether an answer means yes. Everything else, and no answer, means no: questions are about losing something.
pub fn is_yes(answer: &str) -> bool {
    let word = answer.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    matches!(word.as_str(), "y" | "yes" | "true" | "t" | "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, yes) in [
            ("y\n", true),
            ("Y", true),
            ("yes", true),
            ("1", true),
            ("t x", true),
            ("", false),
            ("n", false),
            ("yup", false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
