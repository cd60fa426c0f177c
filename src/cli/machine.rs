//! What of this machine goes into containers: the proxies of docker's configuration and, for services that use the
//! engine's socket, credentials.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::external;
use crate::resource::Texts;
use crate::runtime::Runtime;
use crate::runtime::docker::config_directory;
use crate::spec::model::{Config, FileReference, Mount, Project};

/// Where the engine listens, on its own host.
const SOCKET: &str = "/var/run/docker.sock";
/// Key of the config that holds the credentials; docker compose's, because it is part of the service's hash.
const CREDENTIALS: &str = "#apisocket";
/// Where docker looks for them inside.
const DIRECTORY: &str = "/run/secrets/docker";

/// A project with what the machine adds.
#[derive(Clone, Debug)]
pub struct Equipped<'a> {
    /// The project.
    pub project: Cow<'a, Project>,
    /// Variables for all containers and builds; no part of what is compared.
    pub proxies: Texts,
}

/// Adds what the machine has.
///
/// # Errors
/// The engine does not answer, or has no socket that a container could use.
pub async fn equip<'a>(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    project: &'a Project,
) -> Result<Equipped<'a>, Failure> {
    let facts = runtime.facts().await?;
    let mut environment = context.environment.variables.clone();
    environment.extend(context.global.docker.config.iter().map(|value| ("DOCKER_CONFIG".to_owned(), value.clone())));
    let proxies = external::proxies(&config_directory(&environment), &facts.endpoint);
    if !project.services.values().any(|service| service.use_api_socket) {
        return Ok(Equipped { project: Cow::Borrowed(project), proxies });
    }
    if facts.os == "windows" {
        return Err(Failure::message("use_api_socket can't be used with a Windows Docker Engine"));
    }
    let known = context.engines.credentials(&context.global.docker, &context.environment).all().await;
    let auths: serde_json::Map<String, serde_json::Value> = known
        .into_iter()
        .map(|(server, auth)| {
            let mut entry = serde_json::Map::new();
            if !auth.username.is_empty() || !auth.password.is_empty() {
                let basic = STANDARD.encode(format!("{}:{}", auth.username, auth.password));
                entry.insert("auth".to_owned(), basic.into());
            }
            entry.extend(auth.identity_token.map(|token| ("identitytoken".to_owned(), token.into())));
            (server, entry.into())
        })
        .collect();
    let content = json!({ "auths": auths }).to_string();
    Ok(Equipped { project: Cow::Owned(with_socket(project, &content)), proxies })
}

/// The project with socket and credentials for the services that ask for them. One that has its own `DOCKER_CONFIG`
/// knows what it does and gets the socket only.
fn with_socket(project: &Project, credentials: &str) -> Project {
    let mut project = project.clone();
    let config = Config { content: Some(credentials.to_owned()), ..Config::default() };
    project.configs.insert(CREDENTIALS.to_owned(), config);
    for service in project.services.values_mut().filter(|service| service.use_api_socket) {
        service.volumes.push(Mount {
            kind: "bind".to_owned(),
            source: Some(SOCKET.to_owned()),
            target: Some(SOCKET.to_owned()),
            ..Mount::default()
        });
        if !service.environment.contains_key("DOCKER_CONFIG") {
            service.environment.insert("DOCKER_CONFIG".to_owned(), Some(DIRECTORY.to_owned()));
            service.configs.push(FileReference {
                source: CREDENTIALS.to_owned(),
                target: Some(format!("{DIRECTORY}/config.json")),
                ..FileReference::default()
            });
        }
    }
    project
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::ServiceName;
    use crate::spec::files::MemoryFiles;
    use crate::spec::{Request, hash, load};

    #[test]
    fn a_service_with_the_socket_has_docker_composes_hash() {
        let compose = "
name: cvgproxy
services:
  web: {image: busybox, command: sleep 1000, environment: {HTTP_PROXY: own}, use_api_socket: true}
";
        let files = MemoryFiles::default().with("/shop/compose.yaml", compose);
        let request = Request { cwd: "/shop".into(), ..Request::default() };
        let project = with_socket(&load(&request, &files).project.unwrap(), "{}");
        let hash = hash::accepted(&project.services[&ServiceName::from("web")], &|_| None)[0].clone();
        // As docker compose 2.40.3 wrote it.
        assert_eq!(hash, "4ccb7134245ab5453ca1c6c56853bc9572e6cfcea7eae577118c501b59ce5b66");
    }
}
