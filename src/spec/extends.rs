//! `extends`: a service that begins with what another one says.

use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::environment::Environment;
use crate::spec::loader::{Directory, Loader};
use crate::spec::merge::{Tags, merge, settle};
use crate::spec::paths;
use crate::spec::place::Place;
use crate::spec::rules::TOP;
use crate::spec::suggest;
use crate::spec::tree::{Mapping, Node, Value};

/// Services may extend each other so many times in a row.
const MAX_CHAIN: usize = 100;

/// Where a service stands that is looked at.
struct Context<'c> {
    file: &'c Path,
    directory: &'c Directory,
    environment: &'c Environment,
    /// The services that led here, each with its file.
    chain: Vec<(PathBuf, String)>,
}

impl Loader<'_> {
    /// Gives every service of a document what it extends.
    pub(in crate::spec) fn extends(
        &mut self,
        document: &mut Node,
        file: &Path,
        directory: &Directory,
        environment: &Environment,
    ) {
        let Some(Value::Mapping(services)) =
            document.as_mapping_mut().and_then(|top| top.get_mut("services")).map(|services| &mut services.value)
        else {
            return;
        };
        self.extend_all(services, file, directory, environment);
    }

    fn extend_all(&mut self, services: &mut Mapping, file: &Path, directory: &Directory, environment: &Environment) {
        let extending: Vec<String> = services
            .iter()
            .filter(|(_, entry)| entry.node.get("extends").is_some())
            .map(|(name, _)| name.to_owned())
            .collect();
        // What went wrong once is not said again for every service that depends on it.
        let mut broken: Vec<String> = Vec::new();
        for name in extending {
            if broken.contains(&name) {
                continue;
            }
            let mut context = Context { file, directory, environment, chain: Vec::new() };
            if self.extend(services, &name, &mut context).is_none() {
                broken.extend(context.chain.into_iter().map(|(_, service)| service));
            }
        }
    }

    /// Resolves one service in place. `None` when it cannot be; why was said.
    fn extend(&mut self, services: &mut Mapping, name: &str, context: &mut Context<'_>) -> Option<()> {
        let Some(reference) = services.get(name).and_then(|service| service.get("extends")) else { return Some(()) };
        let span = reference.span;
        let (wanted, other_file) = match &reference.value {
            Value::String(wanted) => (wanted.clone(), None),
            Value::Mapping(long) => {
                let text = |key: &str| long.get(key).and_then(Node::as_str).map(str::to_owned);
                let Some(wanted) = text("service") else {
                    if !long.contains_key("service") {
                        let message = format!("extends.{name}.service is required");
                        self.findings.push(Diagnostic::error(codes::INVALID_EXTENDS, message).at(span, ""));
                    }
                    return None;
                };
                (wanted, text("file"))
            }
            _ => return None,
        };
        let file = other_file.as_deref().map_or_else(|| context.file.to_owned(), PathBuf::from);
        self.enter(context, &file, name, span)?;
        let base = match &other_file {
            None => {
                if !services.contains_key(&wanted) {
                    let message = format!(
                        "cannot extend service \"{name}\" in {}: service \"{wanted}\" not found",
                        context.file.display()
                    );
                    let finding = Diagnostic::error(codes::INVALID_EXTENDS, message).at(span, "no such service");
                    let known = services.iter().map(|(known, _)| known).filter(|known| *known != name);
                    self.findings.push(suggest::did_you_mean(finding, &wanted, known));
                    return None;
                }
                self.extend(services, &wanted, context)?;
                services.get(&wanted)?.clone()
            }
            Some(other) => self.base_from(other, &wanted, name, span, context)?,
        };
        context.chain.pop();
        let service = services.get_mut(name)?;
        if base.is_null() {
            return Some(());
        }
        let mut base = base;
        settle(&mut base);
        let own_span = service.span;
        let mut own = std::mem::replace(service, Node::new(Value::Null, own_span));
        if let Value::Mapping(own) = &mut own.value {
            own.remove("extends");
        }
        let shape = TOP.field("services").and_then(|services| services.field(name));
        let root = Place::ROOT;
        let section = root.key("services");
        let mut merged = merge(base, own, shape, &section.key(name), Tags::Keep, &mut self.findings);
        merged.span = own_span;
        if let Some(slot) = services.get_mut(name) {
            *slot = merged;
        }
        Some(())
    }

    /// Notes that a service is looked at; says so when it is already.
    fn enter(&mut self, context: &mut Context<'_>, file: &Path, name: &str, span: Span) -> Option<()> {
        let entry = (file.to_owned(), name.to_owned());
        if context.chain.contains(&entry) || context.chain.len() > MAX_CHAIN {
            let mut message = "Circular reference:".to_owned();
            context.chain.push(entry);
            for (at, (file, service)) in context.chain.iter().enumerate() {
                let verb = if at == 0 { "" } else { "extends " };
                message.push_str(&format!("\n  {verb}{service} in {}", file.display()));
            }
            self.findings.push(
                Diagnostic::error(codes::INVALID_EXTENDS, message)
                    .at(span, "the circle closes here")
                    .hint("let one of the services stand on its own"),
            );
            return None;
        }
        context.chain.push(entry);
        Some(())
    }

    /// A service of another file, resolved there.
    fn base_from(
        &mut self,
        other: &str,
        wanted: &str,
        name: &str,
        span: Span,
        context: &mut Context<'_>,
    ) -> Option<Node> {
        let path = if paths::is_remote(other) {
            self.fetched(other, Some(span))?
        } else {
            let path = PathBuf::from(paths::join(&context.directory.real, other));
            if !self.may_read(&path, span) {
                return None;
            }
            path
        };
        let real = path.parent().unwrap_or(Path::new("/")).to_owned();
        let directory = self.directory(&real, context.directory);
        let mut services = match self.bases.remove(&path) {
            Some(services) => services,
            None => self.base_file(&path, &directory, (name, span), context)?,
        };
        let found = if services.contains_key(wanted) {
            let mut there = Context {
                file: &path,
                directory: &directory,
                environment: context.environment,
                chain: std::mem::take(&mut context.chain),
            };
            let done = self.extend(&mut services, wanted, &mut there);
            context.chain = there.chain;
            done.and_then(|()| services.get(wanted).cloned())
        } else {
            let message = format!(
                "cannot extend service \"{name}\" in {}: service \"{wanted}\" not found in {other}",
                context.file.display()
            );
            let finding = Diagnostic::error(codes::INVALID_EXTENDS, message).at(span, "no such service in that file");
            self.findings.push(suggest::did_you_mean(finding, wanted, services.iter().map(|(known, _)| known)));
            None
        };
        self.bases.insert(path, services);
        found
    }

    /// The services of a file that is extended, canonical and with paths of its own directory.
    fn base_file(
        &mut self,
        path: &Path,
        directory: &Directory,
        (name, span): (&str, Span),
        context: &Context<'_>,
    ) -> Option<Mapping> {
        let parsed = self.read(path, Some(span))?;
        let mut tree = Node::new(Value::Mapping(Mapping::default()), Span { file: parsed.id, start: 0, end: 0 });
        for mut document in parsed.documents {
            if let Value::Mapping(_) = document.value {
                self.interpolate(&mut document, context.environment);
                tree = self.join(tree, document, None);
            }
        }
        // A base's own bases are taken from the raw reference, so the path of `extends` stays as it is.
        let held = take_references(&mut tree);
        self.resolve_paths(&mut tree, directory);
        put_references(&mut tree, held);
        let services = match tree.value {
            Value::Mapping(mut top) => top.remove("services"),
            _ => None,
        };
        match services.map(|services| services.value) {
            Some(Value::Mapping(services)) => Some(services),
            _ => {
                let message = format!("cannot extend service \"{name}\" in {}: no services section", path.display());
                self.findings.push(Diagnostic::error(codes::INVALID_EXTENDS, message).at(span, ""));
                None
            }
        }
    }
}

fn take_references(tree: &mut Node) -> Vec<(String, Node)> {
    let mut held = Vec::new();
    crate::spec::defaults::for_each(tree, "services", |name, service| {
        if let Some(reference) = service.as_mapping_mut().and_then(|service| service.remove("extends")) {
            held.push((name.to_owned(), reference));
        }
    });
    held
}

fn put_references(tree: &mut Node, held: Vec<(String, Node)>) {
    let Some(services) = tree.as_mapping_mut().and_then(|top| top.get_mut("services")) else { return };
    for (name, reference) in held {
        if let Some(service) =
            services.as_mapping_mut().and_then(|services| services.get_mut(&name)).and_then(Node::as_mapping_mut)
        {
            let span = reference.span;
            service.insert("extends", span, reference);
        }
    }
}
