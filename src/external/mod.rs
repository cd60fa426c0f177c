//! Other programs, behind traits.

mod credentials;
mod git;
mod model;
mod plugin;
mod provider;
mod proxies;

pub use credentials::{Credentials, DockerCredentials, registry_of};
pub use git::Git;
pub use model::{ModelPrograms, ModelRequest, Models};
pub use plugin::plugin_directories;
pub use provider::{ProviderPrograms, ProviderRequest, Providers};
pub use proxies::proxies;
