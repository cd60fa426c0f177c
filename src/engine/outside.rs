//! What a run needs of the world outside the engine: credentials, providers, and whoever attaches before a start.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::external::Credentials;
use crate::names::{ContainerId, ServiceName};
use crate::resource::RegistryAuth;

/// No credentials at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anonymous;

#[async_trait]
impl Credentials for Anonymous {
    async fn for_image(&self, _reference: &str) -> Option<RegistryAuth> {
        None
    }
    async fn all(&self) -> BTreeMap<String, RegistryAuth> {
        BTreeMap::new()
    }
    fn complaints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What is asked of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRequest {
    /// The service that it provides.
    pub service: ServiceName,
    /// The program's type.
    pub kind: String,
    /// `up`, `down`, `stop`.
    pub verb: String,
    /// `--key=value`, in order.
    pub options: Vec<String>,
}

/// Who runs the external programs that provide services.
#[async_trait(?Send)]
pub trait Providers {
    /// Runs one to its end, telling what it says, and gives the variables it sets for dependents.
    ///
    /// # Errors
    /// What went wrong, in words for the user.
    async fn run(
        &self,
        request: &ProviderRequest,
        say: &mut dyn FnMut(String),
    ) -> std::result::Result<Vec<(String, String)>, String>;
}

/// Knows no provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProviders;

#[async_trait(?Send)]
impl Providers for NoProviders {
    async fn run(
        &self,
        request: &ProviderRequest,
        _say: &mut dyn FnMut(String),
    ) -> std::result::Result<Vec<(String, String)>, String> {
        Err(format!("provider `{}` can not be run here; providers are not supported", request.kind))
    }
}

/// What is done at certain moments of a run.
#[async_trait(?Send)]
pub trait Hooks {
    /// Just before a container is started; the start waits for it. Attaching here loses no output.
    async fn before_start(&self, container: &ContainerId);
}

/// Nothing is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

#[async_trait(?Send)]
impl Hooks for NoHooks {
    async fn before_start(&self, _container: &ContainerId) {}
}
