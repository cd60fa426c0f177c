//! Speaks the OCI distribution protocol with one registry, for one repository.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body, SendBody};

use crate::external::registry::auth::{Challenge, Token, basic};
use crate::external::registry::reference::{Reference, Version};
use crate::external::registry::{Access, Descriptor, RegistryError};
use crate::resource::RegistryAuth;

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// How long a registry may be silent.
const SILENCE_LIMIT: Duration = Duration::from_secs(120);
/// Manifests are small; registries take none that is larger.
const LARGEST_MANIFEST: u64 = 4 * 1024 * 1024;
/// Errors and tokens are shorter.
const LARGEST_ANSWER: u64 = 64 * 1024;
/// What is told of an error's text.
const LONGEST_ERROR: usize = 300;
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

type Result<T> = std::result::Result<T, RegistryError>;

/// A repository of a registry. Every call blocks.
pub struct Registry {
    agent: Agent,
    /// Scheme and host.
    base: String,
    repository: String,
    /// What tokens shall allow, as registries write it.
    scopes: Vec<String>,
    auth: Option<RegistryAuth>,
    /// The header that the registry accepted last.
    authorization: Mutex<Option<String>>,
}

/// A manifest as it lies in a registry.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Of its bytes.
    pub digest: String,
    /// What the registry says that it is.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Head,
    Get,
    Post,
    Put,
}

/// What is sent: bytes can be sent again, a stream only once.
enum Content<'a> {
    None,
    Bytes(&'a [u8]),
    Stream(&'a mut dyn Read, u64),
}

impl Registry {
    /// The repository that a name means. `writes`: something will be put there. `also_reads` names repositories of the
    /// same registry that contents are taken over from.
    ///
    /// # Errors
    /// The registry can not be reached, or TLS can not be set up.
    pub fn open(reference: &Reference, access: &Access, writes: bool, also_reads: &[&str]) -> Result<Self> {
        let what = if writes { "pull,push" } else { "pull" };
        let mut scopes = vec![format!("repository:{}:{what}", reference.repository)];
        scopes.extend(also_reads.iter().map(|repository| format!("repository:{repository}:pull")));
        let mut registry = Self {
            agent: agent(false, reference.host())?,
            base: format!("https://{}", reference.host()),
            repository: reference.repository.clone(),
            scopes,
            auth: access.auth.clone(),
            authorization: Mutex::default(),
        };
        let plain = access.insecure || is_loopback(reference.host()) && registry.is_without_tls();
        if plain {
            registry.agent = agent(true, reference.host())?;
            registry.base = format!("http://{}", reference.host());
        }
        Ok(registry)
    }

    /// Whether a registry on this machine answers, but not with TLS.
    fn is_without_tls(&self) -> bool {
        let secure = self.agent.get(format!("{}/v2/", self.base)).call();
        let refused = |error: &ureq::Error| matches!(error, ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused);
        match secure {
            Ok(_) => false,
            Err(error) => !refused(&error) && !is_about_certificates(&error),
        }
    }

    /// A manifest.
    ///
    /// # Errors
    /// There is none, or it is not what its digest says.
    pub fn manifest(&self, version: &Version) -> Result<Manifest> {
        let path = format!("manifests/{}", version.as_str());
        let mut response =
            self.expect(Method::Get, &path, &[("Accept", MANIFESTS)], Content::None, &[StatusCode::OK])?;
        let media_type = header(&response, "content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = read(&mut response, LARGEST_MANIFEST).map_err(|error| self.failed(&path, &error))?;
        if bytes.len() as u64 > LARGEST_MANIFEST {
            return Err(RegistryError::text(format!("{}/{path} is larger than 4 MiB", self.base)));
        }
        let digest = digest_of(&bytes);
        if let Version::Digest(wanted) = version
            && *wanted != digest
        {
            return Err(RegistryError::text(format!("{} gave other content than {wanted}", self.base)));
        }
        Ok(Manifest { digest, media_type, bytes })
    }

    /// The content of a descriptor, checked against it.
    ///
    /// # Errors
    /// It is not there, larger than `most` bytes, or not what the descriptor says.
    pub fn blob(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>> {
        let Descriptor { digest, size, .. } = descriptor;
        if *size > most {
            return Err(RegistryError::text(format!("{digest} has {size} bytes, more than the {most} that are read")));
        }
        let path = format!("blobs/{digest}");
        let mut response = self.expect(Method::Get, &path, &[], Content::None, &[StatusCode::OK])?;
        let bytes = read(&mut response, *size).map_err(|error| self.failed(&path, &error))?;
        if bytes.len() as u64 != *size || digest_of(&bytes) != *digest {
            return Err(RegistryError::text(format!("{} gave other content than {digest}", self.base)));
        }
        Ok(bytes)
    }

    /// Whether content is there already.
    ///
    /// # Errors
    /// The registry does not say.
    pub fn has_blob(&self, digest: &str) -> Result<bool> {
        let known = [StatusCode::OK, StatusCode::NOT_FOUND];
        let response = self.expect(Method::Head, &format!("blobs/{digest}"), &[], Content::None, &known)?;
        Ok(response.status() == StatusCode::OK)
    }

    /// Puts content there unless it is there already.
    ///
    /// # Errors
    /// The registry does not take it.
    pub fn push_blob(&self, digest: &str, bytes: &[u8]) -> Result<()> {
        if self.has_blob(digest)? {
            return Ok(());
        }
        let accepted = [StatusCode::ACCEPTED];
        let response = self.expect(Method::Post, "blobs/uploads/", &[], Content::Bytes(&[]), &accepted)?;
        self.upload(&response, digest, Content::Bytes(bytes))
    }

    /// Takes content over from a repository, of the same registry without sending it.
    ///
    /// # Errors
    /// It is not there, or the registry does not take it.
    pub fn copy_blob(&self, from: &Self, descriptor: &Descriptor) -> Result<()> {
        let digest = &descriptor.digest;
        if self.has_blob(digest)? {
            return Ok(());
        }
        let mut start = "blobs/uploads/".to_owned();
        if from.base == self.base {
            let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            start += &format!("?mount={}&from={}", escaped(digest), escaped(&from.repository));
        }
        let known = [StatusCode::ACCEPTED, StatusCode::CREATED];
        let response = self.expect(Method::Post, &start, &[], Content::Bytes(&[]), &known)?;
        if response.status() == StatusCode::CREATED {
            return Ok(());
        }
        let path = format!("blobs/{digest}");
        let mut source = from.expect(Method::Get, &path, &[], Content::None, &[StatusCode::OK])?;
        // The registry checks the digest of what it gets.
        let mut stream = source.body_mut().as_reader().take(descriptor.size);
        self.upload(&response, digest, Content::Stream(&mut stream, descriptor.size))
    }

    /// Sends content to where the registry said that it wants it.
    fn upload(&self, started: &Response<Body>, digest: &str, content: Content<'_>) -> Result<()> {
        let location = header(started, "location")
            .ok_or_else(|| RegistryError::text(format!("{} does not say where to upload to", self.base)))?;
        let location = if location.starts_with('/') { format!("{}{location}", self.base) } else { location };
        let mark = if location.contains('?') { '&' } else { '?' };
        let address = format!("{location}{mark}digest={}", digest.replace(':', "%3A"));
        let headers = [("Content-Type", "application/octet-stream")];
        let response = self.request(Method::Put, &address, &headers, content)?;
        self.check(response, "blobs/uploads/", &[StatusCode::CREATED, StatusCode::NO_CONTENT]).map(drop)
    }

    /// Puts a manifest there, under a tag or its digest.
    ///
    /// # Errors
    /// The registry does not take it; [`RegistryError::status`] says whether it does not know its kind.
    pub fn push_manifest(&self, version: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let path = format!("manifests/{version}");
        let headers = [("Content-Type", media_type)];
        let good = [StatusCode::CREATED, StatusCode::OK];
        self.expect(Method::Put, &path, &headers, Content::Bytes(bytes), &good).map(drop)
    }

    fn expect(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        content: Content<'_>,
        good: &[StatusCode],
    ) -> Result<Response<Body>> {
        let address = format!("{}/v2/{}/{path}", self.base, self.repository);
        let response = self.request(method, &address, headers, content)?;
        self.check(response, path, good)
    }

    fn check(&self, mut response: Response<Body>, path: &str, good: &[StatusCode]) -> Result<Response<Body>> {
        let status = response.status();
        if good.contains(&status) {
            return Ok(response);
        }
        let said = errors_in(&read(&mut response, LARGEST_ANSWER).unwrap_or_default());
        let name = format!("{}/{}", self.base, self.repository);
        let text = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let who = match &self.auth {
                    Some(auth) if !auth.username.is_empty() => format!("as {}", auth.username),
                    Some(_) => "with a token".to_owned(),
                    None => "without credentials: run `docker login` first".to_owned(),
                };
                format!("{name} denies access {who}{said}")
            }
            StatusCode::NOT_FOUND => format!("{name}: not found ({path}){said}"),
            status => format!("{name} answers {} to {path}{said}", status.as_u16()),
        };
        Err(RegistryError { status: Some(status.as_u16()), text })
    }

    /// A request with what the registry wants to see; once more when it wants something else.
    fn request(
        &self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        mut content: Content<'_>,
    ) -> Result<Response<Body>> {
        let own = same_host(address, &self.base);
        let shown = self.authorization().filter(|_| own);
        let response = self.send(method, address, headers, &mut content, shown.as_deref())?;
        if response.status() != StatusCode::UNAUTHORIZED || !own {
            return Ok(response);
        }
        let challenge = header(&response, "www-authenticate").and_then(|header| Challenge::parse(&header));
        let Some(shown) = challenge.map(|challenge| self.answer(&challenge)).transpose()?.flatten() else {
            return Ok(response);
        };
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown.clone());
        if matches!(content, Content::Stream(..)) {
            // What was read of a stream can not be sent again; the request before it asked for the token already.
            return Ok(response);
        }
        self.send(method, address, headers, &mut content, Some(&shown))
    }

    fn send(
        &self,
        method: Method,
        address: &str,
        headers: &[(&str, &str)],
        content: &mut Content<'_>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>> {
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        all.extend(authorization.map(|value| ("Authorization", value)));
        let result = match method {
            Method::Head | Method::Get => {
                let request = if method == Method::Head { self.agent.head(address) } else { self.agent.get(address) };
                all.iter().fold(request, |request, (name, value)| request.header(*name, *value)).call()
            }
            Method::Post | Method::Put => {
                let request = if method == Method::Post { self.agent.post(address) } else { self.agent.put(address) };
                let request = all.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                match content {
                    Content::None => request.send_empty(),
                    Content::Bytes(bytes) => request.send(*bytes),
                    Content::Stream(stream, size) => {
                        request.header("Content-Length", size.to_string()).send(SendBody::from_reader(*stream))
                    }
                }
            }
        };
        result.map_err(|error| self.unreachable(address, &error))
    }

    /// The header that answers a challenge. `None` when there is nothing to show.
    fn answer(&self, challenge: &Challenge) -> Result<Option<String>> {
        let (realm, service) = match challenge {
            Challenge::Basic => return Ok(self.auth.as_ref().map(basic)),
            Challenge::Bearer { realm, service } => (realm, service),
        };
        let identity = self.auth.as_ref().and_then(|auth| auth.identity_token.as_deref());
        let result = if let Some(identity) = identity {
            let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", identity), ("client_id", "compose")];
            form.extend(service.as_deref().map(|service| ("service", service)));
            let scope = self.scopes.join(" ");
            form.push(("scope", &scope));
            self.agent.post(realm).send_form(form)
        } else {
            let mut request = self.agent.get(realm);
            request = service.iter().fold(request, |request, service| request.query("service", service));
            request = self.scopes.iter().fold(request, |request, scope| request.query("scope", scope));
            if let Some(auth) = &self.auth {
                request = request.header("Authorization", basic(auth));
            }
            request.call()
        };
        let mut response = result.map_err(|error| self.unreachable(realm, &error))?;
        if response.status() != StatusCode::OK {
            // The registry's own refusal says more.
            return Ok(None);
        }
        let bytes = read(&mut response, LARGEST_ANSWER).map_err(|error| self.unreachable(realm, &error.into()))?;
        let token = serde_json::from_slice::<Token>(&bytes).ok().and_then(|token| token.header());
        token.map(Some).ok_or_else(|| RegistryError::text(format!("{realm} gives no token that is understood")))
    }

    fn authorization(&self) -> Option<String> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, path: &str, error: &std::io::Error) -> RegistryError {
        RegistryError::text(format!("{}/{}/{path} breaks off: {error}", self.base, self.repository))
    }

    fn unreachable(&self, address: &str, error: &ureq::Error) -> RegistryError {
        let host = address.split('?').next().unwrap_or_default();
        let hint = if is_about_certificates(error) {
            ": trust its certificate with SSL_CERT_FILE or in the system's store"
        } else {
            ""
        };
        RegistryError::text(format!("failed to reach {host}: {error}{hint}"))
    }
}

/// A body, of a longer one one byte more than `most`.
fn read(response: &mut Response<Body>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    response.body_mut().as_reader().take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn header(response: &Response<Body>, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// `sha256:…` of bytes.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// What a registry says is wrong, on one line.
fn errors_in(bytes: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<Problem>,
    }
    #[derive(Deserialize)]
    struct Problem {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let answer = serde_json::from_slice::<Answer>(bytes).ok();
    let Some(problem) = answer.and_then(|answer| answer.errors.into_iter().next()) else { return String::new() };
    let text = if problem.message.is_empty() { problem.code } else { problem.message };
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_ERROR).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

fn same_host(address: &str, base: &str) -> bool {
    let host = |text: &str| {
        text.parse::<Uri>()
            .ok()
            .map(|uri| (uri.scheme_str().map(str::to_owned), uri.authority().map(ToString::to_string)))
    };
    host(address).is_some() && host(address) == host(base)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn agent(plain: bool, host: &str) -> Result<Agent> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(!plain)
        .user_agent(concat!("compose/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT_LIMIT))
        .timeout_recv_response(Some(SILENCE_LIMIT))
        .timeout_per_read(Some(SILENCE_LIMIT))
        .timeout_per_write(Some(SILENCE_LIMIT));
    // What lies on this machine is not asked for through a proxy.
    let config = if is_loopback(host) { config.proxy(None) } else { config };
    #[cfg(feature = "tls")]
    let config = config.tls_config(crate::external::registry::tls::config(host));
    Ok(config.build().new_agent())
}

#[cfg(feature = "tls")]
fn is_about_certificates(error: &ureq::Error) -> bool {
    crate::external::registry::tls::is_about_certificates(error)
}

#[cfg(not(feature = "tls"))]
fn is_about_certificates(_: &ureq::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_goes_without_tls() {
        for (host, loopback) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.8.8.8", true),
            ("[::1]:5000", true),
            ("127.0.0.1.example.com", false),
            ("localhost.example.com:1", false),
            ("10.0.0.1", false),
            ("example.com", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }

    #[test]
    fn credentials_stay_with_their_host() {
        for (address, same) in [
            ("https://r.example/v2/x", true),
            ("https://r.example:444/v2/x", false),
            ("http://r.example/v2/x", false),
            ("https://r.example.evil/v2", false),
            ("https://other/v2", false),
            ("nonsense", false),
        ] {
            assert_eq!(same_host(address, "https://r.example"), same, "{address}");
        }
    }

    #[test]
    fn errors_of_registries_are_told_on_one_line() {
        for (bytes, text) in [
            (r#"{"errors": [{"code": "DENIED", "message": "no\nway"}]}"#, ": noway"),
            (r#"{"errors": [{"code": "UNKNOWN"}]}"#, ": UNKNOWN"),
            (r#"{"errors": []}"#, ""),
            ("<html>", ""),
        ] {
            assert_eq!(errors_in(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn digests() {
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest_of(b"{}"), empty);
    }
}
