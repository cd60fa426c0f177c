//! `[SOURCE:]TARGET[:OPTION,…]`

use crate::spec::tree::{Mapping, Node, Tag, Value};

/// What a short mount says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::spec) struct ShortMount {
    /// A path or the name of a volume.
    pub(in crate::spec) source: Option<String>,
    /// Where it is mounted.
    pub(in crate::spec) target: Option<String>,
    read_only: bool,
    propagation: Option<String>,
    selinux: Option<String>,
    nocopy: bool,
}

impl ShortMount {
    /// The long form, at the place of the short one.
    pub(super) fn into_node(self, from: &Node) -> Node {
        let make = |value: Value| Node { value, tag: Tag::None, span: from.span, origin: from.origin.clone() };
        let text = |text: &str| make(Value::String(text.to_owned()));
        let span = from.span;
        let bind = self.source.as_deref().is_some_and(is_path);
        let mut long = Mapping::default();
        long.insert(
            "type",
            span,
            Node::default_at(Value::String(if bind { "bind" } else { "volume" }.to_owned()), span),
        );
        if let Some(source) = &self.source {
            long.insert("source", span, text(source));
        }
        if let Some(target) = &self.target {
            long.insert("target", span, text(&clean(target)));
        }
        if self.read_only {
            long.insert("read_only", span, make(Value::Bool(true)));
        }
        let mut options = Mapping::default();
        if let Some(selinux) = &self.selinux {
            options.insert("selinux", span, text(selinux));
        }
        if let Some(propagation) = &self.propagation {
            options.insert("propagation", span, text(propagation));
        }
        if bind {
            options.insert("create_host_path", span, Node::default_at(Value::Bool(true), span));
        }
        if bind || !options.is_empty() {
            long.insert("bind", span, make(Value::Mapping(options)));
        }
        if !bind || self.nocopy {
            let mut options = Mapping::default();
            if self.nocopy {
                options.insert("nocopy", span, make(Value::Bool(true)));
            }
            // One or two characters are taken as a target without looking further; such a mount has no options.
            if self.nocopy || self.target.as_ref().is_none_or(|target| target.len() > 2 || self.source.is_some()) {
                long.insert("volume", span, make(Value::Mapping(options)));
            }
        }
        make(Value::Mapping(long))
    }
}

/// Reads a short form.
pub(in crate::spec) fn parse(spec: &str) -> Result<ShortMount, String> {
    let mut mount = ShortMount::default();
    match spec.len() {
        0 => return Err("invalid empty volume spec".to_owned()),
        1 | 2 => {
            mount.target = Some(spec.to_owned());
            return Ok(mount);
        }
        _ => {}
    }
    let mut part = String::new();
    let mut depth = 0_u32;
    let mut characters = spec.chars().peekable();
    while let Some(character) = characters.next() {
        let is_drive = || part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
        match character {
            '$' if characters.peek() == Some(&'{') => {
                depth += 1;
                part.push(character);
            }
            '}' if depth > 0 => {
                depth -= 1;
                part.push(character);
            }
            ':' if depth == 0 && !is_drive() => take(&mut mount, &std::mem::take(&mut part), false)?,
            _ => part.push(character),
        }
    }
    take(&mut mount, &part, true)?;
    Ok(mount)
}

fn take(mount: &mut ShortMount, part: &str, last: bool) -> Result<(), String> {
    if part.is_empty() {
        return Err("empty section between colons".to_owned());
    }
    if mount.source.is_none() {
        if last {
            mount.target = Some(part.to_owned());
        } else {
            mount.source = Some(part.to_owned());
        }
        return Ok(());
    }
    if mount.target.is_none() {
        mount.target = Some(part.to_owned());
        return Ok(());
    }
    if !last {
        return Err("too many colons".to_owned());
    }
    for option in part.split(',') {
        match option {
            "ro" => mount.read_only = true,
            "rw" => mount.read_only = false,
            "nocopy" => mount.nocopy = true,
            "z" | "Z" => mount.selinux = Some(option.to_owned()),
            "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                mount.propagation = Some(option.to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a source is a path rather than the name of a volume.
fn is_path(source: &str) -> bool {
    let mut characters = source.chars();
    match characters.next() {
        Some('.' | '/' | '~' | '\\') => true,
        Some(first) => first.is_alphabetic() && characters.next() == Some(':'),
        None => false,
    }
}

/// A path in a container without `.`, `..` and doubled slashes.
pub(in crate::spec) fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_mounts_are_split_as_docker_compose_splits_them() {
        for (spec, source, target) in [
            ("/t", None, Some("/t")),
            ("/target", None, Some("/target")),
            ("v:/v", None, Some("v:/v")),
            ("data:/d", Some("data"), Some("/d")),
            ("./a:/b:ro", Some("./a"), Some("/b")),
            ("C:\\x:/y", Some("C:\\x"), Some("/y")),
            ("${A:-b}:/c", Some("${A:-b}"), Some("/c")),
        ] {
            let mount = parse(spec).unwrap();
            assert_eq!((mount.source.as_deref(), mount.target.as_deref()), (source, target), "{spec}");
        }
        assert_eq!(parse("aa:/b:ro:x").unwrap_err(), "too many colons");
        assert_eq!(parse("aa::/b").unwrap_err(), "empty section between colons");
        assert_eq!(parse("").unwrap_err(), "invalid empty volume spec");
    }

    #[test]
    fn targets_are_cleaned() {
        for (path, clean_path) in
            [("/a/../b/", "/b"), ("//a//b", "/a/b"), ("/..", "/"), ("a/..", "."), ("../x", "../x")]
        {
            assert_eq!(clean(path), clean_path);
        }
    }
}
