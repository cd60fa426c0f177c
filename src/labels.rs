//! The labels by which compose finds its own things again; the only place that spells them.
//!
//! Names and values are docker compose's, so that stacks go from one tool to the other.

/// Project name; on containers, networks, volumes and built images.
pub const PROJECT: &str = "com.docker.compose.project";
/// Service key.
pub const SERVICE: &str = "com.docker.compose.service";
/// Version of the tool that wrote the labels.
pub const VERSION: &str = "com.docker.compose.version";
/// Absolute project directory.
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
/// Comma-joined absolute paths of the compose files.
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
/// Comma-joined absolute paths of the `--env-file`s; only when given.
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
/// `True` on containers of `run`, else `False`.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
/// Hash of the service, network or volume as docker compose computes it.
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// Number of the replica, from 1; absent on one-offs.
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `dep:condition:restart`, comma-joined; written even when empty.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
/// Id of the image that the container was made from.
pub const IMAGE: &str = "com.docker.compose.image";
/// On a container that took another's place: the name or `service-number` it replaced.
pub const REPLACE: &str = "com.docker.compose.replace";
/// Random name part of a one-off.
pub const SLUG: &str = "com.docker.compose.slug";
/// Key of a network.
pub const NETWORK: &str = "com.docker.compose.network";
/// Key of a volume.
pub const VOLUME: &str = "com.docker.compose.volume";
/// On the container of a `pre_start` hook.
pub const HOOK: &str = "com.docker.compose.hook";
/// `classic` on images of the classic builder.
pub const IMAGE_BUILDER: &str = "com.docker.compose.image.builder";
/// On a layer of a published project: name of the compose file.
pub const ARTIFACT_FILE: &str = "com.docker.compose.file";
/// On a layer of a published project: services are extended from it.
pub const ARTIFACT_EXTENDS: &str = "com.docker.compose.extends";
/// On a layer of a published project: name of the file of variables.
pub const ARTIFACT_ENV_FILE: &str = "com.docker.compose.envfile";
/// `transformation` on images that `bridge` runs.
pub const BRIDGE: &str = "com.docker.compose.bridge";
/// Ours: paths of the configuration's fields with short salted digests, to name what changed.
pub const FIELDS: &str = "dev.compose.fields";

/// Ours: why the container was made, in a phrase without values.
pub const REASON: &str = "dev.compose.reason";

/// Whether a label was written by compose itself, and not by a person.
pub fn is_ours(key: &str) -> bool {
    key.starts_with("com.docker.compose.") || key.starts_with("dev.compose.")
}

/// The version that is written to [`VERSION`] and told to tools that ask: that of the docker compose whose behaviour is kept.
pub const COMPATIBLE_VERSION: &str = "2.40.3";
