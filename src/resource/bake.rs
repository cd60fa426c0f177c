//! Builds in the words of `docker buildx bake`: for `build --print`, and for what only buildx can do.

use serde_json::{Map, Value, json};

use crate::resource::image::{BuildContext, BuildRequest, BuildSecretSource, Dockerfile};

/// A bake file of builds by name; `default` are those that are built when nothing is named.
pub fn bake_file<'a>(builds: impl IntoIterator<Item = (String, &'a BuildRequest)>) -> Value {
    let builds: Vec<(String, &BuildRequest)> = builds.into_iter().collect();
    let mut targets = Map::new();
    for (name, request) in &builds {
        // What one build makes and another begins with is a target, not yet an image.
        let made_by = |image: &str| {
            let other = builds.iter().find(|(_, other)| other.tags.iter().any(|tag| tag == image));
            other.map(|(name, _)| format!("target:{}", target_name(name)))
        };
        targets.insert(target_name(name), target(request, &made_by));
    }
    let names: Vec<String> = builds.iter().map(|(name, _)| target_name(name)).collect();
    json!({ "group": { "default": { "targets": names } }, "target": targets })
}

/// Bake allows no dots in names.
fn target_name(name: &str) -> String {
    name.replace('.', "_")
}

/// One build. Keys stand in the order of docker compose.
fn target(request: &BuildRequest, made_by: &dyn Fn(&str) -> Option<String>) -> Value {
    let BuildRequest {
        context,
        dockerfile,
        tags,
        args,
        labels,
        target,
        no_cache,
        pull,
        cache_from,
        network,
        extra_hosts,
        shm_size,
        ulimits,
        platform,
        // For the classic builder and Windows.
        memory: _,
        isolation: _,
        secrets,
        ssh,
        additional_contexts,
        privileged,
        extras,
    } = request;
    let mut keys = Map::new();
    let mut set = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Bool(true) | Value::Number(_) => false,
        };
        if !is_empty {
            keys.insert(key.to_owned(), value);
        }
    };
    let directory = match context {
        BuildContext::Directory(path) => {
            set("context", path.display().to_string().into());
            Some(path)
        }
        BuildContext::Remote(url) => {
            set("context", url.as_str().into());
            None
        }
    };
    let contexts: Map<String, Value> = additional_contexts
        .iter()
        .map(|(name, from)| {
            let target = from.strip_prefix("docker-image://").and_then(made_by);
            (name.clone(), target.unwrap_or_else(|| from.clone()).into())
        })
        .collect();
    set("contexts", contexts.into());
    match (dockerfile, directory) {
        (Dockerfile::Path(path), Some(directory)) => {
            set("dockerfile", directory.join(path).display().to_string().into());
        }
        (Dockerfile::Path(path), None) => set("dockerfile", path.as_str().into()),
        (Dockerfile::Inline(text), _) => set("dockerfile-inline", escaped(text).into()),
    }
    set("args", args.iter().map(|(key, value)| (key.clone(), escaped(value).into())).collect::<Map<_, _>>().into());
    set("labels", labels.iter().map(|(key, value)| (key.clone(), escaped(value).into())).collect::<Map<_, _>>().into());
    // The service's own name comes last.
    set("tags", tags.iter().skip(1).chain(tags.first()).map(String::as_str).collect::<Vec<_>>().into());
    set("cache-from", cache_from.as_slice().into());
    set("cache-to", extras.cache_to.as_slice().into());
    set("target", target.as_deref().unwrap_or_default().into());
    let secrets = secrets.iter().map(|secret| match &secret.source {
        BuildSecretSource::Variable(name) => format!("id={},type=env,env={name}", secret.id),
        BuildSecretSource::File(path) => format!("id={},type=file,src={}", secret.id, path.display()),
    });
    set("secret", secrets.collect::<Vec<_>>().into());
    set(
        "ssh",
        ssh.iter().map(|(id, path)| format!("{id}={}", path.as_deref().unwrap_or_default())).collect::<Vec<_>>().into(),
    );
    let platforms =
        if extras.platforms.is_empty() { platform.iter().cloned().collect() } else { extras.platforms.clone() };
    let several = platforms.len() > 1;
    set("platforms", platforms.into());
    set("pull", (*pull).into());
    set("no-cache", (*no_cache).into());
    set("no-cache-filter", extras.no_cache_filter.as_slice().into());
    set("network", network.as_deref().unwrap_or_default().into());
    set("shm-size", shm_size.map(|size| size.to_string()).unwrap_or_default().into());
    let limits = ulimits.iter().map(|limit| {
        if limit.soft == limit.hard {
            format!("{}={}", limit.name, limit.soft)
        } else {
            format!("{}={}:{}", limit.name, limit.soft, limit.hard)
        }
    });
    set("ulimits", limits.collect::<Vec<_>>().into());
    let mut entitlements = extras.entitlements.clone();
    if *privileged && !entitlements.iter().any(|other| other == INSECURE) {
        entitlements.push(INSECURE.to_owned());
    }
    set("entitlements", entitlements.into());
    let mut hosts: Map<String, Value> = Map::new();
    for (host, address) in extra_hosts.iter().filter_map(|entry| entry.split_once([':', '='])) {
        let known = hosts.get(host).and_then(Value::as_str).map(|known| format!("{known},{address}"));
        hosts.insert(host.to_owned(), known.unwrap_or_else(|| address.to_owned()).into());
    }
    set("extra-hosts", hosts.into());
    let output = match (several, extras.push) {
        (true, push) => format!("type=image,push={push}"),
        (false, true) => "type=registry".to_owned(),
        (false, false) => "type=docker".to_owned(),
    };
    set("output", json!([output]));
    set("attest", extras.attest.as_slice().into());
    keys.into()
}

/// The right that `privileged` asks for.
const INSECURE: &str = "security.insecure";

/// bake expands `${…}` itself.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// What bake must be allowed by name: files outside its own directory, and rights of builds.
pub fn bake_allows(request: &BuildRequest) -> Vec<String> {
    let mut allows = Vec::new();
    if let BuildContext::Directory(path) = &request.context {
        allows.push(format!("fs.read={}", path.display()));
        if let Dockerfile::Path(dockerfile) = &request.dockerfile
            && let Some(directory) = path.join(dockerfile).parent()
        {
            allows.push(format!("fs.read={}", directory.display()));
        }
    }
    let contexts = request.additional_contexts.values();
    let contexts = contexts.map(|context| context.strip_prefix("oci-layout://").unwrap_or(context));
    let paths = contexts.filter(|context| context.starts_with('/'));
    // A layout may be named with a tag or a digest.
    let paths = paths.map(|path| path.split_once(['@', ':']).map_or(path, |(path, _)| path));
    allows.extend(paths.map(|path| format!("fs.read={path}")));
    for secret in &request.secrets {
        if let BuildSecretSource::File(path) = &secret.source {
            allows.push(format!("fs.read={}", path.display()));
        }
    }
    allows.extend(request.ssh.values().flatten().map(|path| format!("fs.read={path}")));
    for (entries, word, key) in [(&request.cache_from, "read", "src="), (&request.extras.cache_to, "write", "dest=")] {
        let places = entries.iter().flat_map(|entry| entry.split(',')).filter_map(|part| part.strip_prefix(key));
        allows.extend(places.map(|path| format!("fs.{word}={path}")));
    }
    allows.extend(request.extras.entitlements.iter().cloned());
    if request.privileged {
        allows.push(INSECURE.to_owned());
    }
    allows.sort();
    allows.dedup();
    allows
}
