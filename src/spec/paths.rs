//! Relative paths made absolute, where the table of rules says that a text is a path.

use std::path::{Component, Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::spec::codes;
use crate::spec::files::Files;
use crate::spec::rules::{PathKind, Shape, TOP};
use crate::spec::tree::{Node, Value};

/// What paths are relative to.
pub(in crate::spec) struct Base<'a> {
    /// The directory that relative paths are joined to.
    pub(in crate::spec) directory: &'a Path,
    /// What `~` stands for.
    pub(in crate::spec) home: Option<&'a str>,
    /// Follows symbolic links of watched paths.
    pub(in crate::spec) files: &'a dyn Files,
}

/// Makes every relative path of a canonical file absolute.
pub(in crate::spec) fn resolve(tree: &mut Node, base: &Base<'_>, findings: &mut Vec<Diagnostic>) {
    walk(tree, &TOP, base, findings);
}

fn walk(node: &mut Node, shape: &'static Shape, base: &Base<'_>, findings: &mut Vec<Diagnostic>) {
    match shape.path {
        PathKind::None => {}
        PathKind::Mount => mount(node, base, findings),
        PathKind::Volume => volume(node, base),
        kind => text(node, kind, base),
    }
    match &mut node.value {
        Value::Mapping(mapping) => {
            for (key, entry) in mapping.iter_mut() {
                if let Some(field) = shape.field(key) {
                    walk(&mut entry.node, field, base, findings);
                }
            }
        }
        Value::Sequence(items) => {
            if let Some(item) = shape.items {
                for node in items {
                    walk(node, item, base, findings);
                }
            }
        }
        _ => {}
    }
}

fn text(node: &mut Node, kind: PathKind, base: &Base<'_>) {
    let Value::String(path) = &mut node.value else { return };
    match kind {
        PathKind::Context if is_remote_context(path) => {}
        PathKind::Extends if is_remote(path) => {}
        PathKind::Watched => {
            let absolute = base.absolute(path);
            *path =
                base.files.canonical(Path::new(&absolute)).map_or(absolute, |real| real.to_string_lossy().into_owned());
        }
        _ => *path = base.absolute(path),
    }
}

fn mount(node: &mut Node, base: &Base<'_>, findings: &mut Vec<Diagnostic>) {
    let span = node.span;
    let Value::Mapping(mount) = &mut node.value else { return };
    if mount.get("type").and_then(Node::as_str) != Some("bind") {
        return;
    }
    match mount.get_mut("source").map(|source| &mut source.value) {
        Some(Value::String(source)) => *source = base.mount_source(source),
        Some(_) => {}
        None => findings.push(
            Diagnostic::error(
                codes::MISSING_KEY,
                "invalid mount config for type \"bind\": field Source must not be empty",
            )
            .at(span, "`source` is missing here"),
        ),
    }
}

fn volume(node: &mut Node, base: &Base<'_>) {
    let Value::Mapping(volume) = &mut node.value else { return };
    if volume.get("driver").and_then(Node::as_str) != Some("local") {
        return;
    }
    let Some(Value::Mapping(options)) = volume.get_mut("driver_opts").map(|options| &mut options.value) else {
        return;
    };
    if options.get("o").and_then(Node::as_str) != Some("bind") {
        return;
    }
    if let Some(Value::String(device)) = options.get_mut("device").map(|device| &mut device.value) {
        *device = base.mount_source(device);
    }
}

impl Base<'_> {
    /// A path of the project, absolute.
    pub(in crate::spec) fn absolute(&self, path: &str) -> String {
        let path = self.without_tilde(path);
        if path.is_empty() || path.starts_with('/') {
            return path;
        }
        join(self.directory, &path)
    }
    fn mount_source(&self, path: &str) -> String {
        let path = self.without_tilde(path);
        if path.starts_with('/') || is_windows_path(&path) {
            return path;
        }
        join(self.directory, &path)
    }
    fn without_tilde(&self, path: &str) -> String {
        match (path.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => join(Path::new(home), rest.trim_start_matches('/')),
            _ => path.to_owned(),
        }
    }
}

/// Two paths as one, without `.` and `..`.
pub(in crate::spec) fn join(directory: &Path, path: &str) -> String {
    normal(&directory.join(path)).to_string_lossy().into_owned()
}

/// A path without `.`, `..` and doubled slashes, as text: links are not looked at.
pub(in crate::spec) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}

/// The way from a directory to another, both absolute.
pub(in crate::spec) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(left, right)| left == right).count();
    let mut out = PathBuf::new();
    for _ in from.components().skip(shared) {
        out.push("..");
    }
    out.extend(to.components().skip(shared));
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

/// Whether a path is absolute on Windows: `C:\x`, `\\host\share`.
fn is_windows_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive =
        bytes.len() >= 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && matches!(bytes[2], b'\\' | b'/');
    drive || path.starts_with("\\\\")
}

/// Whether a build context is none of this machine's directories.
pub(in crate::spec) fn is_remote_context(context: &str) -> bool {
    context.contains("://")
        || ["service:", "https://", "http://", "git://", "ssh://", "github.com/", "git@"]
            .iter()
            .any(|prefix| context.starts_with(prefix))
}

/// Whether a compose file lies elsewhere: in a git repository or a registry.
pub(in crate::spec) fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::files::MemoryFiles;

    #[test]
    fn paths_become_absolute_unless_they_are_no_paths() {
        let files = MemoryFiles::default();
        let base = Base { directory: Path::new("/p"), home: Some("/home/me"), files: &files };
        for (path, absolute) in
            [("./a", "/p/a"), ("../a", "/a"), ("/x//y", "/x//y"), ("~/a", "/home/me/a"), ("~", "/home/me"), ("", "")]
        {
            assert_eq!(base.absolute(path), absolute, "{path}");
        }
        assert_eq!(base.mount_source("C:\\x"), "C:\\x");
        assert!(is_remote_context("https://x/y.git"));
        assert!(!is_remote_context("./github.com/x"));
    }
}
