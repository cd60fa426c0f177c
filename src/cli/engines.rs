//! Which engine flags and environment mean, and whose credentials are used with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;

use crate::cli::context::Engines;
use crate::cli::global::{DockerArgs, Environment};
use crate::external::{Credentials, DockerCredentials, find_plugin, plugin_directories};
use crate::runtime::docker::{AuthSource, Buildx, DockerRuntime, EndpointChoice, config_directory, resolve_endpoint};
use crate::runtime::{Result, Runtime};

/// Engines that speak docker's API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Docker;

#[async_trait(?Send)]
impl Engines for Docker {
    async fn connect(&self, flags: &DockerArgs, environment: &Environment) -> Result<Arc<dyn Runtime>> {
        let credentials = self.credentials(flags, environment);
        let environment = with_flags(flags, environment);
        let endpoint = resolve_endpoint(&EndpointChoice {
            host: flags.host.as_deref(),
            context: flags.context.as_deref(),
            environment: &environment.variables,
        })?;
        // Builds ask by registry, the store answers by image: any image of that registry will do.
        let auth: AuthSource = Arc::new(move |registry: String| {
            let credentials = Arc::clone(&credentials);
            async move { credentials.for_image(&format!("{registry}/image")).await }.boxed()
        });
        let directory = config_directory(&environment.variables);
        let find = Arc::new(move || find_plugin(&plugin_directories(&directory), "buildx"));
        let buildx = Buildx { find, environment: own_variables(flags, &environment) };
        Ok(Arc::new(DockerRuntime::new(endpoint).with_auth(auth).with_buildx(buildx)))
    }

    fn credentials(&self, flags: &DockerArgs, environment: &Environment) -> Arc<dyn Credentials> {
        let environment = with_flags(flags, environment);
        let directory = config_directory(&environment.variables);
        let inline = environment.get("DOCKER_AUTH_CONFIG").map(str::to_owned);
        Arc::new(DockerCredentials::new(&directory, inline))
    }
}

/// What other programs of docker's must know of our flags.
fn own_variables(flags: &DockerArgs, environment: &Environment) -> BTreeMap<String, String> {
    let mut variables = environment.variables.clone();
    for (key, flag) in [("DOCKER_HOST", &flags.host), ("DOCKER_CONTEXT", &flags.context)] {
        variables.extend(flag.iter().map(|value| (key.to_owned(), value.clone())));
    }
    variables
}

/// docker's own flags are its variables by another name.
fn with_flags(flags: &DockerArgs, environment: &Environment) -> Environment {
    let DockerArgs { config, context: _, debug: _, host: _, log_level: _, tls, tlscacert, tlscert, tlskey, tlsverify } =
        flags;
    let mut environment = environment.clone();
    let mut set = |name: &str, value: String| environment.variables.insert(name.to_owned(), value);
    if let Some(directory) = config {
        set("DOCKER_CONFIG", directory.clone());
    }
    if *tls {
        set("DOCKER_TLS", "1".to_owned());
    }
    if *tlsverify {
        set("DOCKER_TLS_VERIFY", "1".to_owned());
    }
    // The three files lie in one directory under fixed names, as everywhere in docker.
    let directory = [tlscacert, tlscert, tlskey].into_iter().flatten().find_map(|file| Path::new(file).parent());
    if let Some(directory) = directory {
        set("DOCKER_CERT_PATH", directory.display().to_string());
    }
    environment
}
