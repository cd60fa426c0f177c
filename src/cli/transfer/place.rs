//! Where a copy goes: the rules of `docker cp` about directories, files and slashes at the end.

use std::fmt;

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its path as it was written.
    pub path: &'a str,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Where it is copied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// Its absolute path, with the slash or dot at its end that was written.
    pub path: &'a str,
    /// What is there: whether it is a directory, `None` for nothing.
    pub is_directory: Option<bool>,
}

/// Why a copy has no place to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A directory can not take the place of a file.
    DirectoryOverFile,
    /// The path ends like a directory, and there is none.
    NoDirectory,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::DirectoryOverFile => "cannot copy directory",
            Self::NoDirectory => "no such directory",
        })
    }
}

/// The directory to unpack in, and the name that what is copied has there; no name means that the content of the
/// source goes into the directory itself.
///
/// # Errors
/// There is no such place.
pub fn place(source: Source<'_>, destination: Destination<'_>) -> Result<(String, Option<String>), Mistake> {
    let Destination { path, is_directory } = destination;
    let (directory, name) = parent_and_name(path);
    match is_directory {
        Some(true) => {
            let name = if is_content(source.path) { None } else { parent_and_name(source.path).1 };
            Ok((clean(path), name))
        }
        Some(false) if source.is_directory => Err(Mistake::DirectoryOverFile),
        None if !source.is_directory && asserts_directory(path) => Err(Mistake::NoDirectory),
        // The copy of a directory that is not there yet gets the destination's name, and so does a file.
        Some(false) | None => Ok((directory, name)),
    }
}

/// Whether a path means what is in the directory: it ends with a dot, or is the root.
fn is_content(path: &str) -> bool {
    path == "." || path.ends_with("/.") || clean(path) == "/"
}

fn asserts_directory(path: &str) -> bool {
    path.ends_with('/') || path == "." || path.ends_with("/.")
}

/// A path without doubled slashes, dots and, as far as they can be resolved in the text, `..`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            _ => parts.push(part),
        }
    }
    let text = parts.join("/");
    match (path.starts_with('/'), text.is_empty()) {
        (true, _) => format!("/{text}"),
        (false, true) => ".".to_owned(),
        (false, false) => text,
    }
}

/// The directory that a path lies in, and its name there; the root and `.` have none.
pub fn parent_and_name(path: &str) -> (String, Option<String>) {
    let path = clean(path);
    match path.rsplit_once('/') {
        Some(("", "")) => ("/".to_owned(), None),
        Some(("", name)) => ("/".to_owned(), Some(name.to_owned())),
        Some((parent, name)) => (parent.to_owned(), Some(name.to_owned())),
        None if path == "." || path == ".." => (path, None),
        None => (".".to_owned(), Some(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_where_docker_puts_them() {
        let (file, directory) = (Some(false), Some(true));
        for (source, source_is_directory, path, is_directory, expected) in [
            // A file: into a directory, over a file, under a new name, and nowhere.
            ("/d/f", false, "/out", directory, Ok(("/out", Some("f")))),
            ("/d/f", false, "/out/", directory, Ok(("/out", Some("f")))),
            ("/d/f", false, "/x/out", file, Ok(("/x", Some("out")))),
            ("/d/f", false, "/x/new", None, Ok(("/x", Some("new")))),
            ("/d/f", false, "/x/new/", None, Err(Mistake::NoDirectory)),
            // A directory: below a directory that is there, else as the destination itself.
            ("/d", true, "/out", directory, Ok(("/out", Some("d")))),
            ("/d/", true, "/out", directory, Ok(("/out", Some("d")))),
            ("/d/.", true, "/out", directory, Ok(("/out", None))),
            (".", true, "/out", directory, Ok(("/out", None))),
            ("/", true, "/out", directory, Ok(("/out", None))),
            ("/d", true, "/x/new", None, Ok(("/x", Some("new")))),
            ("/d/.", true, "/x/new/", None, Ok(("/x", Some("new")))),
            ("/d", true, "/out", file, Err(Mistake::DirectoryOverFile)),
            ("/d/..", true, "/out", directory, Ok(("/out", None))),
        ] {
            let source_words = Source { path: source, is_directory: source_is_directory };
            let found = place(source_words, Destination { path, is_directory });
            let expected = expected.map(|(directory, name)| (directory.to_owned(), name.map(str::to_owned)));
            assert_eq!(found, expected, "{source} to {path}");
        }
    }

    #[test]
    fn paths_are_cleaned() {
        for (path, cleaned) in [
            ("/a//b/./c/", "/a/b/c"),
            ("/a/../b", "/b"),
            ("/../..", "/"),
            ("../x", "../x"),
            ("a/..", "."),
            ("a/../../b", "../b"),
            ("", "."),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }
}
