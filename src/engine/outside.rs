//! What a run needs of the world outside the engine: credentials, providers, and whoever attaches before a start.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::external::{Credentials, ModelRequest, Models, ProviderRequest, Providers};
use crate::names::ContainerId;
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

/// Knows no provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProviders;

#[async_trait(?Send)]
impl Providers for NoProviders {
    async fn run(
        &self,
        request: &ProviderRequest,
        _say: &mut dyn FnMut(String),
    ) -> Result<Vec<(String, String)>, String> {
        Err(format!("provider `{}` can not be run here; providers are not supported", request.kind))
    }
}

/// Knows no models.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModels;

#[async_trait(?Send)]
impl Models for NoModels {
    async fn configure(&self, request: &ModelRequest, _say: &mut dyn FnMut(String)) -> Result<String, String> {
        Err(format!("model {} can not be made ready here; models are not supported", request.model))
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
