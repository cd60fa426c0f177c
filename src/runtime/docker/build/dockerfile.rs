//! Which lines of a Dockerfile failed. The engine's build call names the step, not its place: it is looked for by its
//! number and its words.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::runtime::docker::build::located::{Located, LocatedDockerfile};

/// A longer one is not looked through.
const LONGEST: u64 = 1 << 20;

/// How many lines around a failed one are shown, in all.
const AROUND_ONE: usize = 4;
/// How many around several.
const AROUND_SEVERAL: usize = 2;

/// A Dockerfile that can be shown.
pub(super) enum Source {
    /// Given in the Compose file.
    Inline(Vec<u8>),
    /// A file.
    File(PathBuf),
}

impl Source {
    /// The Dockerfile of a build.
    pub(super) fn of(found: &Located) -> Self {
        match &found.dockerfile {
            LocatedDockerfile::Inline(text) => Self::Inline(text.clone()),
            LocatedDockerfile::File { written, .. } => Self::File(written.clone()),
        }
    }

    /// The failed lines and those around them. Reads the disk: not for an async thread.
    pub(super) fn excerpt(&self, failed: Option<&str>, error: &str) -> Option<String> {
        let (name, text) = match self {
            Self::Inline(text) => ("dockerfile_inline".to_owned(), text.clone()),
            Self::File(path) if std::fs::metadata(path).is_ok_and(|data| data.len() <= LONGEST) => {
                (path.display().to_string(), std::fs::read(path).ok()?)
            }
            Self::File(_) => return None,
        };
        let text = String::from_utf8_lossy(&text);
        Some(excerpt(&name, &text, failed_lines(&text, failed, error)?))
    }
}

/// An instruction with its first and last line, counted from 1.
struct Instruction {
    word: String,
    rest: String,
    first: usize,
    last: usize,
}

/// The lines that failed: of the step `failed`, or those that the error itself names.
pub(super) fn failed_lines(dockerfile: &str, failed: Option<&str>, error: &str) -> Option<(usize, usize)> {
    if let Some(line) = line_in(error) {
        return (1..=dockerfile.lines().count()).contains(&line).then_some((line, line));
    }
    let instructions = instructions(dockerfile);
    if let Some((base, _)) = error.strip_prefix("base name (").and_then(|rest| rest.split_once(") should not be blank"))
    {
        let from = instructions.iter().find(|one| one.word == "FROM" && one.rest.split_whitespace().any(|w| w == base));
        return from.map(|from| (from.first, from.last));
    }
    let step = failed?;
    let found = if let Some(image) = step.strip_prefix("[internal] load metadata for ") {
        instructions.iter().find(|one| one.word == "FROM" && is_base(&one.rest, image))
    } else if let Some(step) = step.strip_prefix("Step ") {
        // The classic builder counts all instructions.
        let (number, rest) = step.split_once('/')?;
        let (_, words) = rest.split_once(" : ")?;
        let place = number.parse::<usize>().ok()?.checked_sub(1)?;
        instructions.get(place).filter(|one| words.split_whitespace().next() == Some(one.word.as_str()))
    } else {
        numbered(&instructions, step)
    }?;
    Some((found.first, found.last))
}

/// `dockerfile parse error on line 3: …`
fn line_in(error: &str) -> Option<usize> {
    let (_, rest) = error.split_once("parse error on line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether `FROM rest` is the image that BuildKit calls by its full name.
fn is_base(rest: &str, image: &str) -> bool {
    let Some(base) = rest.split_whitespace().find(|word| !word.starts_with("--")) else { return false };
    let name = base.rsplit('/').next().unwrap_or(base);
    let tagged = if name.contains([':', '@']) { base.to_owned() } else { format!("{base}:latest") };
    image.strip_suffix(tagged.as_str()).is_some_and(|host| host.is_empty() || host.ends_with('/'))
}

/// `[stage 2/3] RUN make`: the second of three steps of this stage.
fn numbered<'a>(instructions: &'a [Instruction], step: &str) -> Option<&'a Instruction> {
    let (head, words) = step.strip_prefix('[')?.split_once("] ")?;
    let mut head = head.rsplit(' ');
    let (number, count) = head.next()?.split_once('/')?;
    let (number, count): (usize, usize) = (number.parse().ok()?, count.parse().ok()?);
    let stage = head.next();
    let word = words.split_whitespace().next()?.to_ascii_uppercase();
    let mut stages: Vec<(String, Vec<&Instruction>)> = Vec::new();
    for one in instructions {
        if one.word == "FROM" {
            let mut words = one.rest.split_whitespace().rev();
            let (name, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let named = before.eq_ignore_ascii_case("as");
            stages.push((if named { name.to_lowercase() } else { format!("stage-{}", stages.len()) }, vec![one]));
        } else if let Some((_, steps)) = stages.last_mut()
            && matches!(one.word.as_str(), "RUN" | "COPY" | "ADD" | "WORKDIR")
        {
            steps.push(one);
        }
    }
    let same =
        |one: &Instruction| one.word == word && squeezed(&format!("{} {}", one.word, one.rest)) == squeezed(words);
    let mut candidates = stages.iter().filter(|(name, _)| stage.is_none_or(|stage| *name == stage.to_lowercase()));
    // Counted from the end: whether FROM counts hangs on what it takes.
    let place = |steps: &Vec<&'a Instruction>| steps.len().checked_sub(count.checked_sub(number)? + 1);
    let counted = candidates.clone().find_map(|(_, steps)| steps.get(place(steps)?).copied().filter(|one| same(one)));
    counted.or_else(|| {
        // Variables in its words are expanded: then its number alone says which.
        let (_, steps) = candidates.next().filter(|_| stage.is_some() || stages.len() == 1)?;
        steps.get(place(steps)?).copied().filter(|one| one.word == word)
    })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let escape = dockerfile
        .lines()
        .map_while(|line| line.trim().strip_prefix('#')?.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("escape"))
        .and_then(|(_, value)| value.trim().chars().next())
        .unwrap_or('\\');
    let mut found: Vec<Instruction> = Vec::new();
    let mut lines = dockerfile.lines().zip(1..);
    while let Some((line, first)) = lines.next() {
        let mut text = line.trim().to_owned();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let mut last = first;
        while let Some(begun) = text.strip_suffix(escape) {
            let begun = begun.to_owned();
            let Some((line, number)) = lines.find(|(line, _)| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with('#')
            }) else {
                text = begun;
                break;
            };
            last = number;
            text = format!("{begun} {}", line.trim());
        }
        for end in documents(&text) {
            for (line, number) in lines.by_ref() {
                last = number;
                if line.trim_start_matches('\t') == end {
                    break;
                }
            }
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
        found.push(Instruction { word: word.to_ascii_uppercase(), rest: rest.trim().to_owned(), first, last });
    }
    found
}

/// The words that end the here-documents of an instruction.
fn documents(text: &str) -> Vec<String> {
    if !["RUN", "COPY", "ADD"].iter().any(|word| text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word)))
    {
        return Vec::new();
    }
    let after = text.split("<<").skip(1);
    let words = after.filter_map(|rest| {
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let rest = quote.and_then(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.get(..end).filter(|word| !word.is_empty()).map(str::to_owned)
    });
    words.collect()
}

/// The lines with some around them, as BuildKit shows them.
pub(super) fn excerpt(name: &str, dockerfile: &str, (first, last): (usize, usize)) -> String {
    let lines: Vec<&str> = dockerfile.lines().collect();
    let (mut start, mut end) = (first, last.min(lines.len()));
    let most = if first == last { AROUND_ONE } else { AROUND_SEVERAL };
    let mut shown = 0;
    while shown < most && (start > 1 || end < lines.len()) {
        if start > 1 {
            start -= 1;
            shown += 1;
        }
        if end < lines.len() {
            end += 1;
            shown += 1;
        }
    }
    let rule = "-".repeat(20);
    let mut out = format!("{name}:{first}\n{rule}\n");
    for (line, number) in lines.iter().zip(1..).skip(start.saturating_sub(1)).take(end + 1 - start.max(1)) {
        let mark = if (first..=last).contains(&number) { ">>>" } else { "   " };
        let _ = writeln!(out, "{}", format!(" {number:3} | {mark} {line}").trim_end());
    }
    out + &rule
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# syntax=docker/dockerfile:1
ARG BASE=alpine:3
FROM ${BASE} AS Tools
RUN first \\
    # a remark

    && second
COPY <<EOF <<-'END' /etc/
FROM no
EOF
\tRUN no
\tEND
WORKDIR /src
FROM tools
ENV A=b
RUN echo $A
COPY $A /x
FROM registry.test:5000/team/base
RUN last
";

    #[test]
    fn steps_are_found() {
        let cases = [
            ("[tools 2/4] RUN first     && second", Some((4, 7))),
            ("[tools 3/4] COPY <<EOF <<-'END' /etc/", Some((8, 12))),
            ("[tools 4/4] WORKDIR /src", Some((13, 13))),
            ("[stage-1 1/2] RUN echo $A", Some((16, 16))),
            ("[stage-1 2/2] COPY b /x", Some((17, 17))),
            ("[linux/arm64 stage-2 2/2] RUN last", Some((19, 19))),
            ("[stage-1 9/2] RUN echo $A", None),
            ("[stage-1 1/2] COPY $A /x", None),
            ("[other 1/2] RUN echo $A", None),
            ("[internal] load metadata for registry.test:5000/team/base:latest", Some((18, 18))),
            ("[internal] load metadata for docker.io/library/alpine:3", None),
            ("exporting to image", None),
            ("Step 3/11 : RUN first     && second", Some((4, 7))),
            ("Step 3/11 : LABEL a=b", None),
            ("Step 0/11 : RUN", None),
        ];
        for (step, expected) in cases {
            assert_eq!(failed_lines(FILE, Some(step), "exit code: 1"), expected, "{step}");
        }
        let error = "dockerfile parse error on line 3: unknown instruction: RUNN";
        assert_eq!(failed_lines(FILE, None, error), Some((3, 3)));
        assert_eq!(failed_lines("FROM x", None, error), None);
        let error = "base name (${BASE}) should not be blank";
        assert_eq!(failed_lines(FILE, None, error), Some((3, 3)));
    }

    #[test]
    fn names_of_images() {
        for (from, image, same) in [
            ("alpine", "docker.io/library/alpine:latest", true),
            ("--platform=linux/amd64 alpine:3 AS x", "docker.io/library/alpine:3", true),
            ("pine", "docker.io/library/alpine:latest", false),
            ("localhost:5000/a", "localhost:5000/a:latest", true),
            ("", "docker.io/library/alpine:latest", false),
        ] {
            assert_eq!(is_base(from, image), same, "{from}");
        }
    }

    #[test]
    fn another_escape_and_broken_files() {
        let file = "# escape=`\nFROM x\nRUN a `\n b\nRUN c \\\nRUN d `";
        let found: Vec<(String, usize, usize)> =
            instructions(file).into_iter().map(|one| (one.word, one.first, one.last)).collect();
        let run = |first, last| ("RUN".to_owned(), first, last);
        assert_eq!(found, [("FROM".to_owned(), 2, 2), run(3, 4), run(5, 5), run(6, 6)]);
        for text in ["", "\\", "RUN <<", "RUN <<EOF\nx", "FROM\n\u{0}", "RUN <<E\u{fc}\n"] {
            let _ = failed_lines(text, Some("[1/1] RUN <<EOF"), "x");
        }
    }

    #[test]
    fn lines_around() {
        insta::assert_snapshot!(excerpt("app/Dockerfile", FILE, (4, 7)), @r"
        app/Dockerfile:4
        --------------------
           3 |     FROM ${BASE} AS Tools
           4 | >>> RUN first \
           5 | >>>     # a remark
           6 | >>>
           7 | >>>     && second
           8 |     COPY <<EOF <<-'END' /etc/
        --------------------
        ");
        insta::assert_snapshot!(excerpt("Dockerfile", "FROM a", (1, 1)), @r"
        Dockerfile:1
        --------------------
           1 | >>> FROM a
        --------------------
        ");
    }
}
