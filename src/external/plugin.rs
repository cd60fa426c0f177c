//! Where docker's plugins lie.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Where packages put plugins for everybody.
const OF_THE_SYSTEM: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    #[serde(rename = "cliPluginsExtraDirs")]
    extra: Vec<PathBuf>,
}

/// The directories in docker's order: those that the configuration (in `directory`) names, the user's, the system's.
pub fn plugin_directories(directory: &Path) -> Vec<PathBuf> {
    let config = std::fs::read(directory.join("config.json")).unwrap_or_default();
    let config: ConfigFile = serde_json::from_slice(&config).unwrap_or_default();
    let own = [directory.join("cli-plugins")];
    config.extra.into_iter().chain(own).chain(OF_THE_SYSTEM.iter().map(PathBuf::from)).collect()
}

/// The program of a plugin, if there is one.
pub fn find(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    let program = format!("docker-{name}{}", std::env::consts::EXE_SUFFIX);
    directories.iter().map(|directory| directory.join(&program)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directories_of_the_configuration_come_first() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("cli-plugins");
        assert_eq!(plugin_directories(directory.path()).first(), Some(&own));
        std::fs::write(directory.path().join("config.json"), r#"{"cliPluginsExtraDirs": ["/opt/x"], "a": 1}"#).unwrap();
        assert_eq!(plugin_directories(directory.path())[..2], [PathBuf::from("/opt/x"), own]);
    }
}
