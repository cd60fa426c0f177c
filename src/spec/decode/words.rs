//! A command line as words, the way docker compose splits it: quotes and backslashes as in a shell, no shell.

/// The words of a line. It ends, silently, at an unquoted `;`, `&`, `|`, `<` or `>`.
///
/// # Errors
/// Quotes that do not close and unquoted parentheses.
pub(in crate::spec) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    const INVALID: &str = "invalid command line string";
    let mut words = Vec::new();
    let mut word = String::new();
    let mut in_word = false;
    let mut escaped = false;
    let (mut single, mut double, mut backtick, mut dollar) = (false, false, false, false);
    let mut previous = '\0';
    for character in line.chars() {
        if escaped {
            word.push(character);
            escaped = false;
            in_word = true;
            previous = character;
            continue;
        }
        match character {
            '\\' if !single => {
                escaped = true;
                continue;
            }
            ' ' | '\t' | '\r' | '\n' => {
                if single || double || backtick || dollar {
                    word.push(character);
                } else if in_word {
                    words.push(std::mem::take(&mut word));
                    in_word = false;
                }
                previous = character;
                continue;
            }
            '`' if !single && !double && !dollar => backtick = !backtick,
            ')' if !single && !double && !backtick => {
                if !dollar {
                    return Err(INVALID);
                }
                dollar = false;
            }
            '(' if !single && !double && !backtick => {
                if dollar || previous != '$' {
                    return Err(INVALID);
                }
                dollar = true;
            }
            '"' if !single && !dollar => {
                if double {
                    in_word = true;
                }
                double = !double;
                previous = character;
                continue;
            }
            '\'' if !double && !dollar => {
                if single {
                    in_word = true;
                }
                single = !single;
                previous = character;
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !(single || double || backtick || dollar) => {
                if character == '>'
                    && let Some(first) = word.chars().next()
                    && first.is_ascii_digit()
                {
                    in_word = false;
                }
                break;
            }
            _ => {}
        }
        in_word = true;
        word.push(character);
        previous = character;
    }
    if in_word {
        words.push(word);
    }
    if escaped || single || double || backtick || dollar {
        return Err(INVALID);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_without_a_shell() {
        for (line, words) in [
            ("echo a && echo b", Ok(vec!["echo", "a"])),
            ("sh -c 'a b' \"c d\"", Ok(vec!["sh", "-c", "a b", "c d"])),
            ("a\\ b", Ok(vec!["a b"])),
            ("echo $(date) `x y`", Ok(vec!["echo", "$(date)", "`x y`"])),
            ("", Ok(vec![])),
            ("''", Ok(vec![""])),
            ("a=b c", Ok(vec!["a=b", "c"])),
            ("echo (x)", Err("invalid command line string")),
            ("echo 'x", Err("invalid command line string")),
        ] {
            assert_eq!(split(line), words.map(|words| words.into_iter().map(str::to_owned).collect()), "{line}");
        }
    }
}
