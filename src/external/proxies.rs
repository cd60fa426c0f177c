//! The proxies of docker's configuration, which every container and build gets as variables.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Entry for engines that have none of their own.
const DEFAULT: &str = "default";

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    proxies: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
    all_proxy: String,
}

/// Variables for containers and builds of the engine at this address, in capitals and in small letters, as docker sets
/// them. `directory` is that of docker's configuration; one that can not be read sets nothing.
pub fn proxies(directory: &Path, engine: &str) -> BTreeMap<String, String> {
    let config = std::fs::read(directory.join("config.json")).unwrap_or_default();
    let config: ConfigFile = serde_json::from_slice(&config).unwrap_or_default();
    let Some(entry) = config.proxies.get(engine).or_else(|| config.proxies.get(DEFAULT)) else {
        return BTreeMap::new();
    };
    let Entry { http_proxy, https_proxy, no_proxy, ftp_proxy, all_proxy } = entry;
    let named = [
        ("HTTP_PROXY", http_proxy),
        ("HTTPS_PROXY", https_proxy),
        ("NO_PROXY", no_proxy),
        ("FTP_PROXY", ftp_proxy),
        ("ALL_PROXY", all_proxy),
    ];
    let given = named.into_iter().filter(|(_, value)| !value.is_empty());
    given.flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_lowercase(), value.clone())]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_has_its_own_proxies_or_the_default_ones() {
        let directory = tempfile::tempdir().unwrap();
        assert!(proxies(directory.path(), "unix:///x").is_empty());
        let config = r#"{"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "a"}, "tcp://far:1": {}}}"#;
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        let text = |engine: &str| {
            let found = proxies(directory.path(), engine).into_iter();
            found.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text("unix:///x"), "HTTP_PROXY=http://p:1 NO_PROXY=a http_proxy=http://p:1 no_proxy=a");
        assert_eq!(text("tcp://far:1"), "");
    }
}
