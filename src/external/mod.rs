//! Other programs, behind traits.

mod buildx;
mod credentials;
mod git;
mod model;
mod plugin;
mod provider;
mod proxies;
pub mod registry;

pub use buildx::check_builds;
pub use credentials::{Credentials, DockerCredentials, registry_of};
pub use git::Git;
pub use model::{ModelPrograms, ModelRequest, Models};
pub use plugin::{find as find_plugin, plugin_directories};
pub use provider::{ProviderPrograms, ProviderRequest, Providers};
pub use proxies::proxies;
