//! Files that lie elsewhere, and the walls around them: what a fetched file says is not obeyed where it leads out of
//! what was fetched.

use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, FileId, Span};
use crate::spec::codes;
use crate::spec::discover::FILE_NAMES;
use crate::spec::files::{Asker, Remote, RemoteKind};
use crate::spec::loader::{Loader, system_text};
use crate::spec::paths::{is_remote, is_remote_context, join, normal};
use crate::spec::place::Place;
use crate::spec::rules::{PathKind, Shape, TOP};
use crate::spec::tree::{Mapping, Node, Value};

impl Remote {
    /// Whether the name of a compose file means one that lies elsewhere.
    pub fn is_meant(written: &str) -> bool {
        is_remote(written)
    }
    /// A reference to a git repository as docker writes them: `https://host/x.git#ref:directory`, `git@host:x.git`,
    /// `ssh://`, `git://`, `github.com/owner/x`; `file://` too. Or one to a project in a registry: `oci://host/x:tag`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let plain = !written.contains(|c: char| c.is_control() || c == ' ');
        if let Some(name) = written.strip_prefix("oci://") {
            // What names in registries look like is known where they are fetched.
            if name.is_empty() || !plain {
                return Err(format!("invalid OCI reference {written:?}"));
            }
            let (kind, written) = (RemoteKind::Oci, written.to_owned());
            return Ok(Self { kind, repository: name.to_owned(), reference: None, directory: None, written });
        }
        let (repository, fragment) = written.split_once('#').unwrap_or((written, ""));
        let web = ["https://", "http://"].iter().any(|scheme| repository.starts_with(scheme));
        let known = ["ssh://", "git://", "file://", "git@", "github.com/"];
        if !(web && repository.ends_with(".git") || known.iter().any(|start| repository.starts_with(start))) {
            return Err(format!("{written} is no git repository"));
        }
        let (reference, directory) = fragment.split_once(':').unwrap_or((fragment, ""));
        // Git takes what begins with a dash for an option.
        if reference.starts_with('-') || !plain {
            return Err(format!("invalid git reference {written:?}"));
        }
        let whole =
            if repository.starts_with("github.com/") { format!("https://{repository}") } else { repository.to_owned() };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            kind: RemoteKind::Git,
            repository: whole,
            reference: some(reference),
            directory: some(directory),
            written: written.to_owned(),
        })
    }
}

impl Loader<'_> {
    /// The file on this machine that a reference to a repository means. `None` when there is none; why was said.
    pub(in crate::spec) fn fetched(&mut self, written: &str, asked_at: Option<Span>) -> Option<PathBuf> {
        let problem = match self.fetch(written, asked_at) {
            Ok(path) => return Some(path),
            Err(problem) => problem,
        };
        let finding = Diagnostic::error(codes::REMOTE_FILE, problem);
        self.findings.push(match asked_at {
            Some(span) => finding.at(span, "this file lies elsewhere"),
            None => finding,
        });
        None
    }

    fn fetch(&mut self, written: &str, asked_at: Option<Span>) -> Result<PathBuf, String> {
        let remote = Remote::parse(written)?;
        let jailed = asked_at.is_some_and(|span| self.checkout_of(span.file).is_some());
        if jailed && remote.repository.starts_with("file:") {
            return Err(format!("a fetched file may not ask for files of this machine: {written}"));
        }
        let place = asked_at.map(|span| self.sources.place(span));
        let asker = place.as_deref().map_or(Asker::User, Asker::File);
        let root = self.files.fetch(&remote, asker).map_err(|error| error.to_string())?;
        let real = |path: &Path| {
            self.files.canonical(path).map_err(|error| format!("stat {}: {}", path.display(), system_text(&error)))
        };
        let root = real(&root)?;
        let wanted = PathBuf::from(join(&root, remote.directory.as_deref().unwrap_or(".").trim_start_matches('/')));
        if !self.checkouts.contains(&root) {
            self.checkouts.push(root.clone());
        }
        if !self.files.exists(&wanted) {
            return Err(format!("stat {}: no such file or directory", wanted.display()));
        }
        let file = if self.files.is_dir(&wanted) {
            let found = FILE_NAMES.iter().map(|name| wanted.join(name)).find(|path| self.files.exists(path));
            found.ok_or_else(|| format!("there is no compose file in {written}"))?
        } else {
            wanted
        };
        if !self.is_inside(&file, &root) {
            return Err(format!("{written} leads out of its repository"));
        }
        Ok(file)
    }

    /// The checkout that a source belongs to.
    fn checkout_of(&self, file: FileId) -> Option<&Path> {
        let path = self.sources.get(file)?.path.as_deref()?;
        self.checkouts.iter().find(|root| path.starts_with(root)).map(PathBuf::as_path)
    }

    /// Whether a path that is named at a place may be read; says so when it may not.
    pub(in crate::spec) fn may_read(&mut self, path: &Path, named_at: Span) -> bool {
        let Some(root) = self.checkout_of(named_at.file) else { return true };
        if self.is_inside(path, root) {
            return true;
        }
        let message = format!("{} lies outside of the repository that asks for it", path.display());
        self.findings.push(
            Diagnostic::error(codes::OUTSIDE_REPOSITORY, message)
                .at(named_at, "a fetched file says so")
                .hint("say it in a file of your own (a later `-f`), or keep the file in the repository"),
        );
        false
    }

    /// Whether a path lies below a directory once links are followed; of what does not exist, its parents count.
    fn is_inside(&self, path: &Path, root: &Path) -> bool {
        let path = normal(path);
        if !path.starts_with(root) {
            return false;
        }
        let existing = path.ancestors().find(|path| self.files.exists(path) || self.files.is_symlink(path));
        // A link that leads nowhere cannot be followed now; later it might lead anywhere.
        existing.is_some_and(|path| self.files.canonical(path).is_ok_and(|real| real.starts_with(root)))
    }

    /// Refuses the paths of a complete tree that lead fetched files out of their checkouts: all that is read here or
    /// sent to an engine. What containers may do on the machine (bind mounts) is not limited by this.
    pub(in crate::spec) fn check_jails(&mut self, tree: &Node, directory: &Path) {
        if self.checkouts.is_empty() {
            return;
        }
        let mut named = Vec::new();
        paths(tree, &TOP, &Place::ROOT, &mut named);
        for (path, span) in named {
            self.may_read(Path::new(&join(directory, &path)), span);
        }
    }
}

/// Every text of a tree that is a path to be read, and where it was written.
fn paths(node: &Node, shape: &'static Shape, place: &Place<'_>, named: &mut Vec<(String, Span)>) {
    if let Value::String(text) = &node.value {
        let path = match shape.path {
            PathKind::Local | PathKind::Watched | PathKind::Extends => Some(text.as_str()),
            PathKind::Context if !is_remote_context(text) => Some(text.as_str()),
            PathKind::Ssh => text.split_once('=').map(|(_, path)| path),
            PathKind::Context | PathKind::None | PathKind::Mount | PathKind::Volume => None,
        };
        named.extend(path.filter(|path| !path.is_empty()).map(|path| (path.to_owned(), node.span)));
    }
    match &node.value {
        Value::Mapping(mapping) => {
            for (key, entry) in mapping.iter() {
                if let Some(field) = shape.field(key) {
                    paths(&entry.node, field, &place.key(key), named);
                }
            }
            beside(mapping, named);
        }
        Value::Sequence(items) => {
            for node in items {
                if let Some(item) = shape.items {
                    paths(node, item, place, named);
                }
            }
        }
        _ => {}
    }
}

/// Paths that the table of rules does not resolve: they are relative to something else, or part of a longer text.
fn beside(mapping: &Mapping, named: &mut Vec<(String, Span)>) {
    let text = |key: &str| mapping.get(key).and_then(|node| Some((node.as_str()?, node.span)));
    if let (Some((context, _)), Some((dockerfile, span))) = (text("context"), text("dockerfile"))
        && !is_remote_context(context)
    {
        named.push((join(Path::new(context), dockerfile), span));
    }
    for option in mapping.get("security_opt").and_then(Node::as_sequence).into_iter().flatten() {
        let profile = option
            .as_str()
            .and_then(|text| text.strip_prefix("seccomp"))
            .and_then(|rest| rest.strip_prefix(['=', ':']));
        if let Some(path) = profile.filter(|path| !matches!(*path, "unconfined" | "builtin")) {
            named.push((path.to_owned(), option.span));
        }
    }
    if let Some((file, span)) = mapping
        .get("credential_spec")
        .and_then(|spec| spec.get("file"))
        .and_then(|node| Some((node.as_str()?, node.span)))
    {
        named.push((file.to_owned(), span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_docker_reads_them() {
        for (written, repository, reference, directory) in [
            ("https://host/x.git", "https://host/x.git", None, None),
            ("https://host/x.git#v1:sub/dir", "https://host/x.git", Some("v1"), Some("sub/dir")),
            ("git@host:x/y.git#:sub", "git@host:x/y.git", None, Some("sub")),
            ("github.com/a/b", "https://github.com/a/b", None, None),
            ("file:///r.git#main", "file:///r.git", Some("main"), None),
        ] {
            let remote = Remote::parse(written).unwrap();
            assert_eq!(remote.repository, repository);
            assert_eq!((remote.reference.as_deref(), remote.directory.as_deref()), (reference, directory));
        }
        let oci = Remote::parse("oci://host:5000/x:1").unwrap();
        assert_eq!((oci.kind, oci.repository.as_str()), (RemoteKind::Oci, "host:5000/x:1"));
        for bad in [
            "https://host/x.yaml",
            "oci://",
            "oci://a b",
            "ext::sh -c id://",
            "git@host:x#--upload-pack=id",
            "ssh://a\nb",
        ] {
            assert!(Remote::parse(bad).is_err(), "{bad}");
        }
    }
}
