//! `.dockerignore`: which files of a directory do not count, with exactly docker's reading of the patterns.

/// Patterns of a `.dockerignore` file, the last one that matches decides.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// Begins with `!`: what it matches counts after all.
    exception: bool,
    tokens: Vec<Token>,
    /// The pattern's components, for exceptions below an ignored directory.
    components: Vec<Vec<Token>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `**` or `**/` before something: any directories, or none. The two are always neighbours: the first needs no
    /// character, the second eats directories up to a slash.
    Directories,
    InDirectories,
    /// `**` at the end, or before plain text at the very beginning: anything.
    Anything,
    /// `[a-z]`, `[^a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl IgnoreRules {
    /// Reads the text of a `.dockerignore` file. The error names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            // Only a `#` at the very beginning of a line begins a comment.
            if !line.starts_with('#') {
                patterns.push((number + 1, line));
            }
        }
        let mut rules = Vec::new();
        for (number, pattern) in patterns {
            let rule = Rule::parse(pattern).map_err(|error| format!("line {number}: {error}"))?;
            rules.extend(rule);
        }
        Ok(Self { rules })
    }

    /// Takes patterns one by one, as `develop.watch.ignore` lists them.
    pub fn from_patterns<S: AsRef<str>>(patterns: &[S]) -> Result<Self, String> {
        let mut rules = Vec::new();
        for pattern in patterns {
            rules.extend(Rule::parse(pattern.as_ref())?);
        }
        Ok(Self { rules })
    }

    /// Adds the rules of another, which then decide last.
    pub fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
    }

    /// Whether there is nothing to ignore.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a path does not count: relative to the directory, parts separated by `/`. A pattern that matches a
    /// directory matches all that is in it. The directory itself always counts.
    pub fn excludes(&self, path: &str) -> bool {
        if path.is_empty() || path == "." {
            return false;
        }
        let mut excluded = false;
        for rule in &self.rules {
            // Rules that could change nothing need not be tried.
            if rule.exception == excluded && matches_or_parent(&rule.tokens, path) {
                excluded = !rule.exception;
            }
        }
        excluded
    }

    /// Whether something below an ignored directory may count after all; if not, it need not be read.
    pub fn may_count_below(&self, directory: &str) -> bool {
        self.rules.iter().filter(|rule| rule.exception).any(|rule| {
            let mut components = rule.components.iter();
            for part in directory.split('/') {
                match components.next() {
                    Some(tokens)
                        if tokens.iter().any(|token| matches!(token, Token::Directories | Token::Anything)) =>
                    {
                        return true;
                    }
                    Some(tokens) if matches_or_parent(tokens, part) => {}
                    // The exception is about something else, or about a directory above, which was decided there.
                    _ => return false,
                }
            }
            true
        })
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let line = line.trim();
        let (exception, pattern) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if pattern.is_empty() {
            return if exception { Err("illegal exclusion pattern: \"!\"".to_owned()) } else { Ok(None) };
        }
        let cleaned = clean(pattern);
        let tokens = tokens(&cleaned)?;
        let components = cleaned.split('/').map(self::tokens).collect::<Result<_, _>>().unwrap_or_default();
        Ok(Some(Self { exception, tokens, components }))
    }
}

/// The path without `.`, `..` and doubled slashes, as far as that can be said, and without a leading slash.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = pattern.chars().peekable();
    let mut first = true;
    while let Some(char) = rest.next() {
        match char {
            '*' if rest.next_if_eq(&'*').is_some() => {
                let slash = rest.next_if_eq(&'/').is_some();
                let is_last = rest.peek().is_none();
                let plain = !pattern.get(2..).unwrap_or_default().contains(['*', '?', '[', ']', '\\']);
                let anything = is_last || (first && !slash && plain);
                if anything {
                    found.push(Token::Anything);
                } else {
                    found.extend([Token::Directories, Token::InDirectories]);
                }
            }
            '*' => found.push(Token::Star),
            '?' => found.push(Token::One),
            '[' => found.push(class(&mut rest).ok_or_else(|| format!("syntax error in pattern {pattern:?}"))?),
            '\\' => match rest.next() {
                Some(char) => found.push(Token::Char(char)),
                None => return Err(format!("syntax error in pattern {pattern:?}")),
            },
            char => found.push(Token::Char(char)),
        }
        first = false;
    }
    Ok(found)
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let from = match rest.next()? {
            ']' if !ranges.is_empty() => return Some(Token::Class { negated, ranges }),
            ']' => return None,
            '\\' => rest.next()?,
            char => char,
        };
        let to = if rest.next_if_eq(&'-').is_some() {
            match rest.next()? {
                '\\' => rest.next()?,
                ']' => return None,
                char => char,
            }
        } else {
            from
        };
        if to < from {
            return None;
        }
        ranges.push((from, to));
    }
}

/// Whether the pattern matches the whole path or one of the directories it is in: all states at once, so that the time
/// is bounded by the product of the lengths.
fn matches_or_parent(tokens: &[Token], path: &str) -> bool {
    let mut states = vec![false; tokens.len() + 1];
    let mut next = states.clone();
    states[0] = true;
    close(tokens, &mut states);
    for char in path.chars() {
        // A directory on the way matched: then all that is in it matches.
        if char == '/' && states[tokens.len()] {
            return true;
        }
        next.fill(false);
        for (index, token) in tokens.iter().enumerate() {
            if !states[index] {
                continue;
            }
            match token {
                Token::Char(wanted) => next[index + 1] |= *wanted == char,
                Token::One => next[index + 1] |= char != '/',
                Token::Star => next[index] |= char != '/',
                Token::Anything => next[index] = true,
                Token::Directories => {}
                Token::InDirectories => {
                    next[index] = true;
                    next[index + 1] |= char == '/';
                }
                Token::Class { negated, ranges } => {
                    let inside = ranges.iter().any(|(from, to)| (*from..=*to).contains(&char));
                    next[index + 1] |= inside != *negated;
                }
            }
        }
        std::mem::swap(&mut states, &mut next);
        close(tokens, &mut states);
    }
    states[tokens.len()]
}

/// Moves that need no character.
fn close(tokens: &[Token], states: &mut [bool]) {
    for (index, token) in tokens.iter().enumerate() {
        if !states[index] {
            continue;
        }
        match token {
            Token::Star | Token::Anything => states[index + 1] = true,
            Token::Directories => {
                states[index + 1] = true;
                if let Some(after) = states.get_mut(index + 2) {
                    *after = true;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(text: &str) -> IgnoreRules {
        IgnoreRules::parse(text).unwrap()
    }

    #[test]
    fn patterns() {
        // pattern, path, whether it is ignored
        let rows = [
            ("a", "a", true),
            ("a", "a/b/c", true),
            ("a", "b/a", false),
            ("/a", "a", true),
            ("./a/", "a", true),
            ("a/../b", "b", true),
            ("a//b", "a/b", true),
            ("../a", "a", false),
            ("*", "a", true),
            ("*", "a/b", true),
            ("*.go", "x.go", true),
            ("*.go", "d/x.go", false),
            ("*/b", "a/b", true),
            ("*/b", "a/c/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("**", "a/b", true),
            ("**/a", "a", true),
            ("**/a", "b/a", true),
            ("**/a", "b/c/a/d", true),
            ("**/a", "ba", false),
            ("**a", "ba", true),
            ("**a", "x/ba", true),
            ("**/*.go", "x.go", true),
            ("**/*.go", "a/b/x.go", true),
            ("**/*.go", "a/b/x.goo", false),
            ("a/**", "a/b", true),
            ("a/**", "a", false),
            ("a/**", "ab", false),
            ("a**", "ab/c", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a**/b", "ab", true),
            ("a**/b", "ax/b", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[!a]x", "!x", true),
            ("a[]]", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a.b", "aXb", false),
            ("a+(b)|{c}$", "a+(b)|{c}$", true),
            ("é?", "éü", true),
            (" a ", "a", true),
            ("#a", "#a", false),
            (" #a", "#a", true),
            (".", "a", false),
            ("**/.git", ".git/config", true),
            ("**/node_modules/", "x/node_modules/y", true),
        ];
        for (pattern, path, expected) in rows {
            let found = IgnoreRules::parse(pattern).map(|rules| rules.excludes(path));
            assert_eq!(found.unwrap_or(false), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn the_last_match_decides() {
        let all_but = rules("*\n!src\nsrc/tmp\n!src/tmp/keep\n");
        let rows = [("a", true), ("src", false), ("src/x", false), ("src/tmp/x", true), ("src/tmp/keep/x", false)];
        for (path, expected) in rows {
            assert_eq!(all_but.excludes(path), expected, "{path}");
        }
        assert!(!all_but.excludes("."));
        assert!(!rules("!a\n").excludes("a"));
        assert!(rules("!a\na\n").excludes("a"));
        assert!(rules("\u{feff}a\r\n").excludes("a"));
    }

    #[test]
    fn what_need_not_be_read() {
        let rows = [
            ("a", "a", false),
            ("a\n!a/b", "a", true),
            ("a\n!a/b/c", "a/b", true),
            ("a\n!a/b/c", "a/x", false),
            ("a\n!b/c", "a", false),
            ("a\n!**/c", "a/x/y", true),
            ("a\n!*/b", "a", true),
            ("a\n!a/*/c", "a/x", true),
            ("a\n!a/**/c", "a/x/y", true),
        ];
        for (text, directory, expected) in rows {
            assert_eq!(rules(text).may_count_below(directory), expected, "{text:?} {directory}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        let rows = [
            ("a\n[b\n", "line 2: syntax error in pattern \"[b\""),
            ("!", "line 1: illegal exclusion pattern: \"!\""),
            ("[b-a]", "line 1: syntax error in pattern \"[b-a]\""),
            ("a\\", "line 1: syntax error in pattern \"a\\\\\""),
        ];
        for (text, expected) in rows {
            assert_eq!(IgnoreRules::parse(text).unwrap_err(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_does_no_harm(text in "[a-c/*?!\\[\\]\\\\.\n^-]{0,30}", path in "[a-c/.]{0,20}") {
            if let Ok(rules) = IgnoreRules::parse(&text) {
                rules.excludes(&path);
                rules.may_count_below(&path);
            }
        }

        /// A directory that is ignored as a whole needs no look inside.
        #[test]
        fn nothing_counts_below_what_is_cut(text in "[ab/*!\n]{0,24}", path in "[ab]/[ab]/[ab]") {
            if let Ok(rules) = IgnoreRules::parse(&text) {
                let directory = &path[..3];
                if rules.excludes(directory) && !rules.may_count_below(directory) {
                    prop_assert!(rules.excludes(&path), "{text:?} {path}");
                }
            }
        }
    }
}
