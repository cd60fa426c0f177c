//! Which engine is meant: flags, environment, docker contexts and docker's configuration file, in docker's order.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::runtime::{Error, ErrorKind, Result};

/// Where docker's engine listens when nothing else is said.
#[cfg(unix)]
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
#[cfg(not(unix))]
const DEFAULT_HOST: &str = "npipe:////./pipe/docker_engine";

/// What was said about the engine to use.
#[derive(Clone, Copy, Debug)]
pub struct EndpointChoice<'a> {
    /// `-H`.
    pub host: Option<&'a str>,
    /// `--context`.
    pub context: Option<&'a str>,
    /// The process environment: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `HOME`, …
    pub environment: &'a BTreeMap<String, String>,
}

/// An engine's address and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEndpoint {
    /// The context it comes from; `default` without one.
    pub context: String,
    /// The address as it was written: `unix:///var/run/docker.sock`.
    pub address: String,
    /// The same, taken apart.
    pub transport: Transport,
    /// The API version to speak instead of the negotiated one (`DOCKER_API_VERSION`).
    pub api_version: Option<(u32, u32)>,
    /// Sent with every request (`HttpHeaders` of the configuration, `DOCKER_CUSTOM_HEADERS`).
    pub headers: Vec<(String, String)>,
    /// What was wrong with the configuration but does not keep us from going on.
    pub warnings: Vec<String>,
}

/// How an engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A unix socket.
    Unix(PathBuf),
    /// A named pipe of Windows.
    NamedPipe(String),
    /// TCP, plain or with TLS.
    Tcp {
        /// `host:port`.
        authority: String,
        /// Where the certificates lie, when TLS is wanted.
        tls: Option<TlsFiles>,
    },
    /// `docker system dial-stdio` on another machine, through the `ssh` program.
    Ssh {
        /// Arguments of `ssh`, the remote command included.
        arguments: Vec<String>,
    },
}

/// Certificates for a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Directory with `ca.pem`, `cert.pem` and `key.pem`.
    pub directory: PathBuf,
    /// Whether the engine's certificate is checked.
    pub verify: bool,
}

/// Directory of docker's configuration: `DOCKER_CONFIG` or `~/.docker`.
pub fn config_directory(environment: &BTreeMap<String, String>) -> PathBuf {
    match text(environment, "DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => {
            let home = text(environment, "HOME").or_else(|| text(environment, "USERPROFILE")).unwrap_or("/");
            Path::new(home).join(".docker")
        }
    }
}

/// The engine that is meant: `-H`, else `--context`, else `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the
/// configuration's `currentContext`, else the local default. `Invalid` for addresses and contexts that can not be used.
pub fn resolve_endpoint(choice: &EndpointChoice<'_>) -> Result<EngineEndpoint> {
    let directory = config_directory(choice.environment);
    resolve(choice, &directory, &|path| std::fs::read(path))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: String,
    #[serde(rename = "HttpHeaders")]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, MetaEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetaEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

type Read<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

fn resolve(choice: &EndpointChoice<'_>, directory: &Path, read: Read<'_>) -> Result<EngineEndpoint> {
    let environment = choice.environment;
    let mut warnings = Vec::new();
    let path = directory.join("config.json");
    let config = match read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            warnings.push(format!("{} is ignored: {error}", path.display()));
            ConfigFile::default()
        }),
        Err(_) => ConfigFile::default(),
    };
    if choice.host.is_some() && choice.context.is_some() {
        return Err(invalid("conflicting options: --host and --context can not both be given"));
    }
    let (context, host) = match (choice.host, choice.context) {
        (Some(host), _) => ("default", Some(host)),
        (None, Some(context)) => (context, text(environment, "DOCKER_HOST").filter(|_| context == "default")),
        (None, None) => match (text(environment, "DOCKER_HOST"), text(environment, "DOCKER_CONTEXT")) {
            (Some(host), _) => ("default", Some(host)),
            (None, Some(context)) => (context, None),
            (None, None) if config.current_context.is_empty() => ("default", None),
            (None, None) => (config.current_context.as_str(), None),
        },
    };
    let (address, tls) = if context == "default" {
        (host.unwrap_or(DEFAULT_HOST).to_owned(), tls_of_environment(environment, directory))
    } else {
        from_context(context, directory, read)?
    };
    let mut headers: Vec<_> = config.headers.into_iter().collect();
    for pair in text(environment, "DOCKER_CUSTOM_HEADERS").into_iter().flat_map(|list| list.split(',')) {
        if let Some((name, value)) = pair.split_once('=') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    Ok(EngineEndpoint {
        context: context.to_owned(),
        transport: parse_address(&address, tls)?,
        address,
        api_version: text(environment, "DOCKER_API_VERSION").and_then(parse_version),
        headers,
        warnings,
    })
}

fn from_context(name: &str, directory: &Path, read: Read<'_>) -> Result<(String, Option<TlsFiles>)> {
    let digest: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = directory.join("contexts/meta").join(&digest).join("meta.json");
    let bytes = read(&path).map_err(|error| {
        let hint = "list contexts with `docker context ls`, choose one with `docker context use NAME`";
        invalid(&format!("context {name:?}: not found: {}: {error}; {hint}", path.display()))
    })?;
    let meta: Meta = serde_json::from_slice(&bytes)
        .map_err(|error| invalid(&format!("context {name:?}: {} is not readable: {error}", path.display())))?;
    let endpoint = meta
        .endpoints
        .get("docker")
        .filter(|endpoint| !endpoint.host.is_empty())
        .ok_or_else(|| invalid(&format!("context {name:?}: no docker endpoint in {}", path.display())))?;
    let certificates = directory.join("contexts/tls").join(&digest).join("docker");
    let tls = ["ca.pem", "cert.pem"]
        .iter()
        .any(|file| read(&certificates.join(file)).is_ok())
        .then_some(TlsFiles { directory: certificates, verify: !endpoint.skip_tls_verify });
    Ok((endpoint.host.clone(), tls))
}

fn tls_of_environment(environment: &BTreeMap<String, String>, directory: &Path) -> Option<TlsFiles> {
    let verify = text(environment, "DOCKER_TLS_VERIFY").is_some();
    if !verify && text(environment, "DOCKER_TLS").is_none() {
        return None;
    }
    let certificates = text(environment, "DOCKER_CERT_PATH").map_or_else(|| directory.to_owned(), PathBuf::from);
    Some(TlsFiles { directory: certificates, verify })
}

fn parse_address(address: &str, tls: Option<TlsFiles>) -> Result<Transport> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("tcp", address));
    match scheme {
        "unix" if rest.is_empty() => Err(bad_address(address, "no path")),
        "unix" => Ok(Transport::Unix(PathBuf::from(rest))),
        "npipe" => Ok(Transport::NamedPipe(rest.replace('/', "\\"))),
        "tcp" | "http" | "https" => {
            let authority = rest.split('/').next().unwrap_or_default();
            if authority.is_empty() || authority.chars().any(char::is_whitespace) {
                return Err(bad_address(address, "no host"));
            }
            let port = if tls.is_some() || scheme == "https" { 2376 } else { 2375 };
            let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            let authority = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
            let tls = match scheme {
                "https" => tls.or(Some(TlsFiles { directory: PathBuf::new(), verify: true })),
                _ => tls,
            };
            Ok(Transport::Tcp { authority, tls })
        }
        "ssh" => parse_ssh(address, rest),
        _ => Err(bad_address(address, "the scheme must be unix, tcp, ssh or npipe")),
    }
}

fn parse_ssh(address: &str, rest: &str) -> Result<Transport> {
    let (place, path) = rest.split_once('/').map_or((rest, ""), |(place, path)| (place, path));
    let (user, place) = place.rsplit_once('@').map_or((None, place), |(user, place)| (Some(user), place));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, Some(port)),
        _ => (place, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.starts_with('-') || user.is_some_and(|user| user.contains(':') || user.starts_with('-'))
    {
        return Err(bad_address(address, "it must be ssh://[user@]host[:port]"));
    }
    let mut arguments = vec!["-o".to_owned(), "ConnectTimeout=30".to_owned(), "-T".to_owned()];
    for (flag, value) in [("-l", user), ("-p", port)] {
        if let Some(value) = value {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    arguments.extend(["--".to_owned(), host.to_owned(), "docker".to_owned()]);
    if !path.is_empty() {
        // The remote shell sees this word: quote it.
        let quoted = shlex::try_quote(path).map_err(|_| bad_address(address, "the path can not be quoted"))?;
        arguments.extend(["--host".to_owned(), format!("unix:///{quoted}")]);
    }
    arguments.extend(["system".to_owned(), "dial-stdio".to_owned()]);
    Ok(Transport::Ssh { arguments })
}

/// `1.44` as numbers; a leading `v` is allowed.
pub(super) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn text<'a>(environment: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    environment.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

fn bad_address(address: &str, why: &str) -> Error {
    invalid(&format!("unable to parse docker host {address:?}: {why}"))
}

fn invalid(detail: &str) -> Error {
    Error::new(ErrorKind::Invalid, "choose the engine", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn files(path: &Path) -> io::Result<Vec<u8>> {
        let name: String = Sha256::digest(b"far").iter().map(|byte| format!("{byte:02x}")).collect();
        if path == Path::new("/c/config.json") {
            Ok(br#"{"currentContext": "far", "HttpHeaders": {"X-A": "1"}}"#.to_vec())
        } else if path == Path::new(&format!("/c/contexts/meta/{name}/meta.json")) {
            Ok(br#"{"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:2375"}}}"#.to_vec())
        } else {
            Err(io::Error::from(io::ErrorKind::NotFound))
        }
    }

    #[test]
    fn precedence() {
        type Pairs = &'static [(&'static str, &'static str)];
        let rows: [(Option<&str>, Option<&str>, Pairs, &str); 7] = [
            (None, None, &[], "tcp://far:2375"),
            (None, None, &[("DOCKER_CONTEXT", "default")], DEFAULT_HOST),
            (None, None, &[("DOCKER_HOST", "unix:///x"), ("DOCKER_CONTEXT", "far")], "unix:///x"),
            (None, None, &[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "far")], "tcp://far:2375"),
            (None, Some("far"), &[("DOCKER_HOST", "unix:///x")], "tcp://far:2375"),
            (None, Some("default"), &[("DOCKER_HOST", "unix:///x")], "unix:///x"),
            (Some("unix:///y"), None, &[("DOCKER_HOST", "unix:///x")], "unix:///y"),
        ];
        for (host, context, pairs, expected) in rows {
            let environment = environment(pairs);
            let choice = EndpointChoice { host, context, environment: &environment };
            let found = resolve(&choice, Path::new("/c"), &files).unwrap();
            assert_eq!(found.address, expected, "{host:?} {context:?} {pairs:?}");
            assert_eq!(found.headers, [("X-A".to_owned(), "1".to_owned())]);
        }
        let environment = environment(&[("DOCKER_CONTEXT", "gone")]);
        let choice = EndpointChoice { host: None, context: None, environment: &environment };
        let error = resolve(&choice, Path::new("/c"), &files).unwrap_err();
        assert!(error.detail.starts_with("context \"gone\": not found"), "{error}");
    }

    #[test]
    fn addresses() {
        let tcp = |authority: &str| Transport::Tcp { authority: authority.to_owned(), tls: None };
        let rows = [
            ("unix:///a/b.sock", Ok(Transport::Unix(PathBuf::from("/a/b.sock")))),
            ("tcp://h", Ok(tcp("h:2375"))),
            ("tcp://[::1]", Ok(tcp("[::1]:2375"))),
            ("tcp://h:99/path", Ok(tcp("h:99"))),
            ("127.0.0.1:2375", Ok(tcp("127.0.0.1:2375"))),
            ("tcp://", Err(())),
            ("unix://", Err(())),
            ("fd://", Err(())),
            ("ssh://", Err(())),
            ("ssh://-oProxyCommand=x", Err(())),
            ("ssh://u:secret@h", Err(())),
        ];
        for (address, expected) in rows {
            assert_eq!(parse_address(address, None).map_err(|_| ()), expected, "{address}");
        }
        let Transport::Ssh { arguments } = parse_address("ssh://me@h:2222/run/d.sock", None).unwrap() else {
            panic!("not ssh")
        };
        assert_eq!(
            arguments.join(" "),
            "-o ConnectTimeout=30 -T -l me -p 2222 -- h docker --host unix:///run/d.sock system dial-stdio"
        );
    }

    #[test]
    fn tls_comes_from_the_environment() {
        let environment = environment(&[
            ("DOCKER_HOST", "tcp://h"),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_CERT_PATH", "/certs"),
            ("DOCKER_API_VERSION", "1.44"),
        ]);
        let choice = EndpointChoice { host: None, context: None, environment: &environment };
        let found = resolve(&choice, Path::new("/none"), &files).unwrap();
        let tls = Some(TlsFiles { directory: PathBuf::from("/certs"), verify: true });
        assert_eq!(found.transport, Transport::Tcp { authority: "h:2376".to_owned(), tls });
        assert_eq!(found.api_version, Some((1, 44)));
    }
}
