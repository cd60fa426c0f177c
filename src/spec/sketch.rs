//! What can be said of files that have mistakes: which services and profiles they name. For completion, where somebody
//! is in the middle of writing and nothing has to be right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::spec::Request;
use crate::spec::files::Files;
use crate::spec::load::loader;
use crate::spec::loader::Loader;
use crate::spec::tree::{Mapping, Node};
use crate::spec::yaml;

/// Services and profiles, as far as they can be made out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Services with their images as written.
    pub services: BTreeMap<String, Option<String>>,
    /// Profiles of services.
    pub profiles: BTreeSet<String>,
}

/// Looks at the named or found files; what they include and extend is not looked at.
pub fn sketch(request: &Request, files: &dyn Files) -> Sketch {
    let mut sketch = Sketch::default();
    let mut loader = loader(request, files);
    let Some(settings) = loader.discover(request) else { return sketch };
    for path in &settings.files {
        match loader.read(path, None) {
            Some(parsed) => parsed.documents.iter().for_each(|document| of_tree(document, &mut sketch)),
            None => of_text(&text_of(&loader, path), &mut sketch),
        }
    }
    sketch
}

fn of_tree(document: &Node, sketch: &mut Sketch) {
    let services = document.get("services").and_then(Node::as_mapping);
    for (name, entry) in services.into_iter().flat_map(Mapping::iter) {
        let image = entry.node.get("image").and_then(Node::as_str).map(str::to_owned);
        let known = sketch.services.entry(name.to_owned()).or_default();
        *known = image.or_else(|| known.take());
        let profiles = entry.node.get("profiles").and_then(Node::as_sequence).unwrap_or_default();
        sketch.profiles.extend(profiles.iter().filter_map(Node::as_str).map(str::to_owned));
    }
}

fn text_of(loader: &Loader<'_>, path: &Path) -> String {
    // Standard input was read already and is gone.
    let bytes = if path == Path::new("-") { None } else { loader.files.read(path).ok() };
    bytes.and_then(|bytes| yaml::decode_text(&bytes).ok()).unwrap_or_default()
}

/// Of text that is no YAML: the keys one level below a line `services:`.
fn of_text(text: &str, sketch: &mut Sketch) {
    let mut within = false;
    let mut level = None;
    for line in text.lines() {
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - content.len();
        if indent == 0 {
            within = content.split('#').next().unwrap_or_default().trim_end() == "services:";
            level = None;
            continue;
        }
        if !within || *level.get_or_insert(indent) != indent {
            continue;
        }
        let Some((name, _)) = content.split_once(':') else { continue };
        let name = name.trim().trim_matches(['"', '\'']);
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !name.is_empty() && name.chars().all(allowed) {
            sketch.services.entry(name.to_owned()).or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::files::MemoryFiles;

    #[test]
    fn names_are_found_in_files_with_mistakes() {
        for (text, services, profiles) in [
            ("services:\n  web: {image: nginx, ports: nope}\n  db:\n", "db web=nginx", ""),
            ("services: {web: {profiles: [a, b]}, 'x y': 3}", "web x y", "a b"),
            ("servces: {web: {}}", "", ""),
            (
                "name: x\nservices: # all\n  web:\n    image: [\n  # no\n  'db':\n   ports:\n  - x\n a:\nvolumes:\n  v:\n",
                "db web",
                "",
            ),
            ("services:\n\tweb: {}\n", "", ""),
            ("services:\n  we", "", ""),
            ("\u{0}", "", ""),
        ] {
            let files = MemoryFiles::default().with("/p/compose.yaml", text);
            let sketch = sketch(&Request { cwd: "/p".into(), ..Request::default() }, &files);
            let shown: Vec<String> = sketch
                .services
                .iter()
                .map(|(name, image)| image.as_ref().map_or_else(|| name.clone(), |image| format!("{name}={image}")))
                .collect();
            assert_eq!(shown.join(" "), services, "{text}");
            assert_eq!(sketch.profiles.into_iter().collect::<Vec<_>>().join(" "), profiles, "{text}");
        }
    }
}
