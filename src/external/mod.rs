//! Other programs, behind traits.

mod credentials;
mod provider;

pub use credentials::{Credentials, DockerCredentials, registry_of};
pub use provider::{ProviderPrograms, ProviderRequest, Providers};
