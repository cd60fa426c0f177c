//! Seccomp profiles that services name: engines take the profile itself, not a path.

use std::collections::BTreeMap;

use crate::spec::files::Files;
use crate::spec::model::Project;

/// The profiles that can be read, as compact JSON, by the name they are written with. One that can not be read is left
/// out: only creating a container needs it, and says so.
pub(super) fn profiles(project: &Project, files: &dyn Files) -> BTreeMap<String, String> {
    let options = project.services.values().flat_map(|service| &service.security_opt);
    let named = options.filter_map(|option| {
        let (key, value) = option.split_once('=').or_else(|| option.split_once(':'))?;
        (key == "seccomp" && !matches!(value, "unconfined" | "builtin")).then_some(value)
    });
    named
        .filter_map(|name| {
            let text = files.read(&project.working_dir.join(name)).ok()?;
            let profile: serde_json::Value = serde_json::from_slice(&text).ok()?;
            Some((name.to_owned(), profile.to_string()))
        })
        .collect()
}
