//! Other programs, behind traits.

mod credentials;

pub use credentials::{Credentials, DockerCredentials, registry_of};
