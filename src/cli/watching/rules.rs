//! From `develop.watch` to rules, with what builds ignore.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::engine::session::watch::{Action, Patterns, Rule};
use crate::names::ServiceName;
use crate::runtime::ignore::IgnoreRules;
use crate::spec::files::Files;
use crate::spec::model::{Hook, Project, Service, WatchRule};

/// The rules of a project, and for each what its command is.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Rules.
    pub(super) rules: Vec<Rule>,
    /// Commands, by the rules' numbers.
    pub(super) commands: Vec<Hook>,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
}

/// Gathers the rules of services (none named: all).
pub(super) fn rules(project: &Project, services: &[String], files: &dyn Files) -> Result<Rules, Failure> {
    let mut found = Rules::default();
    let mut configured = false;
    for (name, service) in &project.services {
        let wanted = services.is_empty() || services.iter().any(|wanted| wanted == name.as_str());
        let Some(develop) = service.develop.as_ref().filter(|_| wanted) else { continue };
        configured |= !develop.watch.is_empty();
        let ignored = build_ignores(service, files)?;
        for written in &develop.watch {
            let rule = rule(name, service, written, &ignored, files)?;
            if rule.action.syncs() && is_mounted(service, &rule.path) {
                let path = rule.path.display();
                let text = format!("path '{path}' also declared by a bind mount volume, this path won't be monitored!");
                found.warnings.push(text);
                continue;
            }
            found.rules.push(rule);
            found.commands.push(written.exec.clone());
        }
    }
    if !configured {
        return Err(Failure::Hinted {
            message: "none of the selected services is configured for watch, consider setting a 'develop' section"
                .to_owned(),
            hints: vec![
                "`develop: {watch: [{path: ./src, target: /app, action: sync}]}` copies ./src as you edit".to_owned(),
            ],
        });
    }
    Ok(found)
}

fn rule(
    name: &ServiceName,
    service: &Service,
    written: &WatchRule,
    ignored: &[Patterns],
    files: &dyn Files,
) -> Result<Rule, Failure> {
    let Some(action) = Action::of(&written.action) else {
        return Err(Failure::Message(format!("service \"{name}\": unknown watch action `{}`", written.action)));
    };
    if action == Action::Rebuild && service.build.is_none() {
        let text = format!("can't watch service \"{name}\" with action rebuild without a build context");
        return Err(Failure::Message(text));
    }
    let path = PathBuf::from(&written.path);
    let is_file = files.exists(&path) && !files.is_dir(&path);
    let root = || if is_file { path.parent().unwrap_or(&path).to_owned() } else { path.clone() };
    let patterns = |list: &[String], key: &str| {
        let rules = IgnoreRules::from_patterns(list)
            .map_err(|error| Failure::Message(format!("service \"{name}\": develop.watch.{key}: {error}")))?;
        Ok::<_, Failure>(Patterns { root: root(), rules })
    };
    let mut ignore = ignored.to_vec();
    ignore.push(patterns(&written.ignore, "ignore")?);
    ignore.push(Patterns::ephemeral(&root()));
    let include = if written.include.is_empty() { None } else { Some(patterns(&written.include, "include")?) };
    Ok(Rule {
        service: name.clone(),
        is_file,
        action,
        target: written.target.clone().unwrap_or_default(),
        include,
        ignore,
        initial_sync: written.initial_sync,
        path,
    })
}

/// The `.dockerignore` that the service's build reads.
fn build_ignores(service: &Service, files: &dyn Files) -> Result<Vec<Patterns>, Failure> {
    let Some(context) = service.build.as_ref().and_then(|build| build.context.as_deref()) else {
        return Ok(Vec::new());
    };
    let root = PathBuf::from(context);
    if !files.is_dir(&root) {
        return Ok(Vec::new());
    }
    let dockerfile = service.build.as_ref().and_then(|build| build.dockerfile.as_deref()).unwrap_or("Dockerfile");
    let own = root.join(format!("{dockerfile}.dockerignore"));
    for path in [own, root.join(".dockerignore")] {
        if !files.exists(&path) {
            continue;
        }
        let told = |error: &str| Failure::Message(format!("can not read {}: {error}", path.display()));
        let text = files.read(&path).map_err(|error| told(&error.to_string()))?;
        let rules = IgnoreRules::parse(&String::from_utf8_lossy(&text)).map_err(|error| told(&error))?;
        return Ok(vec![Patterns { root, rules }]);
    }
    Ok(Vec::new())
}

/// Whether containers see the path itself already.
fn is_mounted(service: &Service, path: &Path) -> bool {
    let binds = service.volumes.iter().filter(|mount| mount.kind == "bind");
    binds.filter_map(|mount| mount.source.as_deref()).any(|source| path.starts_with(source))
}
