//! Where a value of a project comes from.

use crate::diagnostics::{SourceMap, Span};
use crate::spec::model::Project;
use crate::spec::tree::{Node, Origin, Value, VariableSource, VariableUse};

/// How a value came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Where it was written, or what it follows from when it was not.
    pub place: Span,
    /// Whether it was not written but is a default, or a name made from the project's.
    pub is_default: bool,
    /// Whether it was read from a file of variables or labels.
    pub from_file: bool,
    /// The variables that took part.
    pub variables: Vec<VariableUse>,
}

/// The node at a dotted path such as `services.web.environment.LOG_LEVEL`. Keys may have dots themselves, and items of
/// `key=value` lists count as keys.
pub fn find<'p>(project: &'p Project, path: &str) -> Option<&'p Node> {
    let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
    descend(&project.tree, &steps)
}

fn descend<'t>(node: &'t Node, steps: &[&str]) -> Option<&'t Node> {
    if steps.is_empty() {
        return Some(node);
    }
    // The shortest key that leads to the end wins; a key with dots takes several steps.
    (1..=steps.len()).find_map(|count| {
        let (first, rest) = steps.split_at(count);
        descend(child(node, &first.join("."))?, rest)
    })
}

fn child<'t>(node: &'t Node, key: &str) -> Option<&'t Node> {
    match &node.value {
        Value::Mapping(mapping) => mapping.get(key),
        Value::Sequence(items) => {
            let numbered = key.parse::<usize>().ok().and_then(|at| items.get(at));
            numbered.or_else(|| items.iter().find(|item| names(item, key)))
        }
        _ => None,
    }
}

fn names(item: &Node, key: &str) -> bool {
    item.as_str().is_some_and(|text| text.split_once('=').map_or(text, |(name, _)| name) == key)
}

/// How the value at a dotted path came to be; `None` when there is none.
pub fn trace(project: &Project, path: &str) -> Option<Trace> {
    let node = find(project, path)?;
    let mut trace = Trace { place: node.span, is_default: false, from_file: false, variables: Vec::new() };
    match node.origin.as_deref() {
        None => {}
        Some(Origin::Default) => trace.is_default = true,
        Some(Origin::FileOfVariables) => trace.from_file = true,
        Some(Origin::Interpolated(variables)) => trace.variables.clone_from(variables),
    }
    Some(trace)
}

impl Trace {
    /// The trace in lines for people: the place first, then each variable.
    pub fn lines(&self, sources: &SourceMap) -> Vec<String> {
        let place = sources.place(self.place);
        let mut lines = vec![if self.is_default { format!("follows from {place}") } else { place }];
        lines.extend(self.variables.iter().map(|variable| {
            let name = &variable.name;
            match &variable.from {
                VariableSource::Shell => format!("${name} from the shell"),
                VariableSource::EnvFile(span) => format!("${name} from {}", sources.place(*span)),
                VariableSource::Default => format!("${name} is not set: the default in the expression"),
                VariableSource::Unset => format!("${name} is not set: an empty text"),
                VariableSource::Compose => format!("${name} from compose itself"),
            }
        }));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::spec::files::MemoryFiles;
    use crate::spec::{Request, load};

    #[test]
    fn values_are_traced_to_lines_and_variables() {
        let files = MemoryFiles::default()
            .with(
                "/p/compose.yaml",
                "services:\n  web:\n    image: \"web:${TAG}\"\n    env_file: a.env\n    environment:\n      - B=2\n    labels:\n      a.b: c\n",
            )
            .with("/p/.env", "TAG=1\n")
            .with("/p/a.env", "A=1\n");
        let loaded = load(&Request { cwd: PathBuf::from("/p"), ..Request::default() }, &files);
        let project = loaded.project.unwrap();
        let lines = |path: &str| trace(&project, path).map(|trace| trace.lines(&loaded.sources).join("; "));
        assert_eq!(lines("services.web.image").unwrap(), "compose.yaml:3:12; $TAG from .env:1:1");
        assert_eq!(lines("services.web.environment.B").unwrap(), "compose.yaml:6:9");
        assert_eq!(lines("services.web.environment.A").unwrap(), "a.env:1:1");
        assert_eq!(lines("services.web.labels.a.b").unwrap(), "compose.yaml:8:12");
        assert_eq!(lines("networks.default.name").unwrap(), "follows from compose.yaml:1:1");
        assert_eq!(lines("services.web.nope"), None);
    }
}
