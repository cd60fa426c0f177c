//! Who may pull and push: docker's configuration file and the credential helpers that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::resource::RegistryAuth;

/// The key of Docker Hub in configuration files and helpers.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// How long a helper may take: it may ask the user for a password or a finger.
const HELPER_LIMIT: Duration = Duration::from_secs(120);

/// Where credentials for registries come from.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// What to show the registry of this image; `None` when nothing is known, then the pull is anonymous.
    async fn for_image(&self, reference: &str) -> Option<RegistryAuth>;
    /// Everything that is known, by registry as docker keys it.
    async fn all(&self) -> BTreeMap<String, RegistryAuth>;
    /// Why credentials could not be had, for the message of a pull that was denied. Never secrets.
    fn complaints(&self) -> Vec<String>;
}

/// Credentials of docker's `config.json`.
pub struct DockerCredentials {
    path: PathBuf,
    /// `DOCKER_AUTH_CONFIG`: the same JSON in a variable; it comes before the file.
    inline: Option<String>,
    config: OnceCell<ConfigFile>,
    /// One answer per registry, so that ten images do not start a helper ten times.
    known: Mutex<BTreeMap<String, Arc<OnceCell<Option<RegistryAuth>>>>>,
    complaints: Mutex<BTreeSet<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    #[serde(rename = "identitytoken")]
    identity_token: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

impl DockerCredentials {
    /// Credentials of the configuration in `directory` (`~/.docker`), and of `DOCKER_AUTH_CONFIG` if it is set.
    /// Nothing is read before somebody asks.
    pub fn new(directory: &Path, auth_config: Option<String>) -> Self {
        Self {
            path: directory.join("config.json"),
            inline: auth_config.filter(|text| !text.is_empty()),
            config: OnceCell::new(),
            known: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    async fn config(&self) -> &ConfigFile {
        self.config.get_or_init(|| async { self.read() }).await
    }

    fn read(&self) -> ConfigFile {
        let mut config = match std::fs::read(&self.path) {
            Ok(bytes) => self.parse(&bytes, &self.path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => ConfigFile::default(),
            Err(error) => {
                self.complain(format!("{} can not be read: {error}", self.path.display()));
                ConfigFile::default()
            }
        };
        if let Some(text) = &self.inline {
            let inline = self.parse(text.as_bytes(), "DOCKER_AUTH_CONFIG");
            for (server, entry) in inline.auths {
                // A helper for this registry would be asked first.
                config.helpers.remove(&server);
                config.auths.insert(server, entry);
            }
        }
        config
    }

    fn parse(&self, bytes: &[u8], place: &str) -> ConfigFile {
        serde_json::from_slice(bytes).unwrap_or_else(|error| {
            // The position only: serde's message may quote a value.
            let (line, column) = (error.line(), error.column());
            self.complain(format!("{place} is not understood, line {line}, column {column}"));
            ConfigFile::default()
        })
    }

    fn complain(&self, text: String) {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }

    async fn for_server(&self, server: &str) -> Option<RegistryAuth> {
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(server.to_owned()).or_default())
        };
        cell.get_or_init(|| self.look_up(server)).await.clone()
    }

    async fn look_up(&self, server: &str) -> Option<RegistryAuth> {
        let config = self.config().await;
        let inline = self.inline.is_some().then(|| config.find(server)).flatten();
        if let Some(auth) = inline {
            return Some(auth);
        }
        let helper = config.helpers.get(server).or(Some(&config.store)).filter(|name| !name.is_empty());
        match helper {
            Some(helper) => match ask_helper(helper, server).await {
                Ok(auth) => auth,
                Err(complaint) => {
                    self.complain(complaint);
                    None
                }
            },
            None => config.find(server),
        }
    }
}

#[async_trait]
impl Credentials for DockerCredentials {
    async fn for_image(&self, reference: &str) -> Option<RegistryAuth> {
        let host = registry_of(reference);
        self.for_server(if host == "docker.io" { DOCKER_HUB } else { host }).await
    }

    async fn all(&self) -> BTreeMap<String, RegistryAuth> {
        let config = self.config().await;
        let servers: BTreeSet<&String> = config.auths.keys().chain(config.helpers.keys()).collect();
        let mut found = BTreeMap::new();
        for server in servers {
            if let Some(auth) = self.for_server(server).await {
                found.insert(server.clone(), auth);
            }
        }
        found
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl ConfigFile {
    fn find(&self, server: &str) -> Option<RegistryAuth> {
        let exact = self.auths.get_key_value(server);
        // Older tools wrote URLs where now host names stand.
        let entry = exact.or_else(|| self.auths.iter().find(|(key, _)| host_of(key) == host_of(server)));
        let (_, entry) = entry?;
        let (mut username, mut password) = (entry.username.clone(), entry.password.clone());
        if let Some((user, secret)) = decode(&entry.auth) {
            (username, password) = (user, secret);
        }
        let identity_token = Some(entry.identity_token.clone()).filter(|token| !token.is_empty());
        if username.is_empty() && password.is_empty() && identity_token.is_none() {
            return None;
        }
        Some(RegistryAuth { server: server.to_owned(), username, password, identity_token })
    }
}

fn decode(auth: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    // Some tools pad with zero bytes.
    Some((user.to_owned(), password.trim_matches('\0').to_owned()))
}

/// Runs `docker-credential-<helper> get`. `Ok(None)` when it knows nothing of that registry.
async fn ask_helper(helper: &str, server: &str) -> Result<Option<RegistryAuth>, String> {
    let program = format!("docker-credential-{helper}");
    if helper.contains(['/', '\\']) {
        return Err(format!("{program:?} is no name of a credential helper"));
    }
    let run = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A helper that does not read its input tells more by how it ends.
            let _ = input.write_all(server.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(HELPER_LIMIT, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("the credential helper {program} is not installed, but docker's config.json names it"));
        }
        Ok(Err(error)) => return Err(format!("the credential helper {program} could not be run: {error}")),
        Err(_) => return Err(format!("the credential helper {program} did not answer within 120 s")),
    };
    understand(&program, server, output.status.success(), &output.stdout, &output.stderr)
}

fn understand(
    program: &str,
    server: &str,
    success: bool,
    stdout: &[u8],
    stderr: &[u8],
) -> Result<Option<RegistryAuth>, String> {
    if !success {
        // Helpers print their errors on standard output.
        let text = [stdout, stderr].concat();
        let text = String::from_utf8_lossy(&text);
        if text.contains("credentials not found") || text.contains("no credentials") {
            return Ok(None);
        }
        let first = text.lines().next().unwrap_or_default();
        return Err(format!("the credential helper {program} failed for {server}: {first}"));
    }
    let answer: Answer = serde_json::from_slice(stdout)
        .map_err(|_| format!("the credential helper {program} gave an answer that is not understood"))?;
    if answer.username.is_empty() && answer.secret.is_empty() {
        return Ok(None);
    }
    let is_token = answer.username == "<token>";
    Ok(Some(RegistryAuth {
        server: server.to_owned(),
        username: if is_token { String::new() } else { answer.username },
        password: if is_token { String::new() } else { answer.secret.clone() },
        identity_token: is_token.then_some(answer.secret),
    }))
}

/// The registry of an image reference: `docker.io` when it names none.
pub fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "index.docker.io" | "registry-1.docker.io" => "docker.io",
            host => host,
        },
        _ => "docker.io",
    }
}

fn host_of(server: &str) -> &str {
    let rest = server.trim_start_matches("https://").trim_start_matches("http://");
    rest.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(config: &str, inline: Option<&str>) -> (tempfile::TempDir, DockerCredentials) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config.json"), config).unwrap();
        let credentials = DockerCredentials::new(directory.path(), inline.map(str::to_owned));
        (directory, credentials)
    }

    #[test]
    fn registries() {
        let rows = [
            ("busybox", "docker.io"),
            ("library/busybox:1", "docker.io"),
            ("index.docker.io/library/busybox", "docker.io"),
            ("localhost/a", "localhost"),
            ("localhost:5000/a", "localhost:5000"),
            ("ghcr.io/a/b@sha256:1", "ghcr.io"),
            ("user/image.with.dots", "docker.io"),
        ];
        for (reference, host) in rows {
            assert_eq!(registry_of(reference), host, "{reference}");
        }
    }

    #[tokio::test]
    async fn entries_of_the_file() {
        let (_directory, credentials) = with(
            r#"{"auths": {"https://index.docker.io/v1/": {"auth": "aHViOnA6dw=="}, "https://old.example/v1/": {"auth": "b2xkOnB3"},
            "token.example": {"identitytoken": "t"}, "empty.example": {}, "bad.example": {"auth": "%%%"}}}"#,
            None,
        );
        let rows = [
            ("busybox", Some(("hub", "p:w", None))),
            ("old.example/a", Some(("old", "pw", None))),
            ("token.example/a", Some(("", "", Some("t")))),
            ("empty.example/a", None),
            ("bad.example/a", None),
            ("other.example/a", None),
        ];
        for (reference, expected) in rows {
            let found = credentials.for_image(reference).await;
            let found =
                found.as_ref().map(|it| (it.username.as_str(), it.password.as_str(), it.identity_token.as_deref()));
            assert_eq!(found, expected, "{reference}");
        }
        assert_eq!(credentials.all().await.len(), 3);
        assert!(credentials.complaints().is_empty());
    }

    #[tokio::test]
    async fn a_variable_comes_before_the_file() {
        let config = r#"{"credsStore": "dkr-none", "auths": {"a.example": {}}}"#;
        let inline = r#"{"auths": {"a.example": {"auth": "dTpw"}}}"#;
        let (_directory, credentials) = with(config, Some(inline));
        assert_eq!(credentials.for_image("a.example/x").await.map(|auth| auth.username), Some("u".to_owned()));
    }

    #[tokio::test]
    async fn what_fails_is_told_without_secrets() {
        let (_directory, credentials) = with(r#"{"auths": {"a": {"auth": 5secret}}}"#, None);
        assert_eq!(credentials.for_image("a.example/x").await, None);
        assert!(credentials.complaints()[0].contains("is not understood, line 1"));
        let (_directory, credentials) = with(r#"{"credHelpers": {"a.example": "dkr-none"}}"#, None);
        assert_eq!(credentials.for_image("a.example/x").await, None);
        let complaint = &credentials.complaints()[0];
        assert_eq!(
            complaint,
            "the credential helper docker-credential-dkr-none is not installed, but docker's config.json names it"
        );
        let (_directory, credentials) = with(r#"{"credsStore": "../evil"}"#, None);
        assert_eq!(credentials.for_image("x").await, None);
        assert_eq!(credentials.complaints().len(), 1);
    }

    #[test]
    fn answers_of_helpers() {
        let auth = |username: &str, password: &str, token: Option<&str>| {
            let (username, password) = (username.to_owned(), password.to_owned());
            Ok(Some(RegistryAuth {
                server: "r".to_owned(),
                username,
                password,
                identity_token: token.map(str::to_owned),
            }))
        };
        let rows = [
            (true, r#"{"ServerURL": "r", "Username": "u", "Secret": "s"}"#, auth("u", "s", None)),
            (true, r#"{"Username": "<token>", "Secret": "s"}"#, auth("", "", Some("s"))),
            (true, r#"{"Username": "", "Secret": ""}"#, Ok(None)),
            (false, "credentials not found in native keychain\n", Ok(None)),
            (false, "locked\nmore", Err("the credential helper h failed for r: locked".to_owned())),
            (true, "s3cret", Err("the credential helper h gave an answer that is not understood".to_owned())),
        ];
        for (success, output, expected) in rows {
            assert_eq!(understand("h", "r", success, output.as_bytes(), b""), expected, "{output}");
        }
    }
}
