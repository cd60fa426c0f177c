//! Short forms as command lines take them: the same rules as in a file.

use std::path::Path;

use crate::diagnostics::{SourceMap, Span};
use crate::spec::canonical;
use crate::spec::decode::Decoder;
use crate::spec::model::{Mount, Port, Service};
use crate::spec::place::Place;
use crate::spec::tree::{Mapping, Node, Value};

/// The ports of `-p` flags: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, ranges made single ports.
///
/// # Errors
/// What about the first wrong one is wrong.
pub fn ports(texts: &[String]) -> Result<Vec<Port>, String> {
    service("ports", texts).map(|service| service.ports)
}

/// The mounts of `-v` flags: `[SOURCE:]TARGET[:OPTIONS]`, paths made absolute from `directory`.
///
/// # Errors
/// What about the first wrong one is wrong.
pub fn mounts(texts: &[String], directory: &Path, home: Option<&Path>) -> Result<Vec<Mount>, String> {
    let mut mounts = Vec::with_capacity(texts.len());
    for text in texts {
        let read = service("volumes", std::slice::from_ref(text))?.volumes;
        if read.is_empty() {
            return Err(format!("invalid mount {text:?}: it is written [SOURCE:]TARGET[:OPTIONS]"));
        }
        mounts.extend(read);
    }
    for mount in mounts.iter_mut().filter(|mount| mount.kind == "bind") {
        let Some(source) = &mount.source else { continue };
        let path = match (source.strip_prefix('~'), home) {
            (Some(""), Some(home)) => home.to_owned(),
            (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
            _ => directory.join(source),
        };
        mount.source = Some(clean(&path));
    }
    Ok(mounts)
}

/// A path without `.` and `..`.
fn clean(path: &Path) -> String {
    use std::path::{Component, PathBuf};
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.display().to_string()
}

/// A service that has only this attribute, read as one in a file.
fn service(attribute: &str, texts: &[String]) -> Result<Service, String> {
    let file = SourceMap::default().add(attribute, None, "");
    let span = Span { file, start: 0, end: 0 };
    let items = texts.iter().map(|text| Node::new(Value::String(text.clone()), span)).collect();
    let mut tree = Node::new(Value::Sequence(items), span);
    for key in [attribute, "run", "services"] {
        let mut mapping = Mapping::default();
        mapping.insert(key, span, tree);
        tree = Node::new(Value::Mapping(mapping), span);
    }
    let mut findings = Vec::new();
    canonical::expand(&mut tree, false, &mut findings);
    let mut decoder = Decoder::default();
    let service = tree.at(["services", "run"]).map(|node| decoder.service("run", node, &Place::ROOT));
    let finding = findings.into_iter().chain(decoder.findings).find(crate::diagnostics::Diagnostic::is_error);
    match finding {
        Some(finding) => Err(finding.message),
        None => Ok(service.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn ports_are_read_as_in_a_file() {
        let ports = ports(&words(&["127.0.0.1:8080:80/udp", "90-91"])).unwrap();
        let told: Vec<_> = ports.iter().map(|port| (port.published.as_deref(), port.target)).collect();
        assert_eq!(told, [(Some("8080"), 80), (None, 90), (None, 91)]);
        assert_eq!(super::ports(&words(&["abc"])).unwrap_err(), "Invalid containerPort: abc");
    }

    #[test]
    fn mounts_are_read_from_the_current_directory() {
        let home = Path::new("/root");
        let mounts = mounts(&words(&["../a/./b:/x:ro", "data:/y", "/z", "~/h:/h"]), Path::new("/srv/shop"), Some(home));
        let mounts = mounts.unwrap();
        let told: Vec<_> = mounts.iter().map(|mount| (mount.kind.as_str(), mount.source.as_deref())).collect();
        let expected =
            [("bind", Some("/srv/a/b")), ("volume", Some("data")), ("volume", None), ("bind", Some("/root/h"))];
        assert_eq!(told, expected);
        assert!(super::mounts(&words(&["aa:bb:cc:dd"]), Path::new("/"), None).is_err());
    }
}
