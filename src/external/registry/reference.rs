//! Names of things in registries, completed as docker completes them.

use std::fmt;

/// The registry of names that give none.
const DOCKER_HUB: &str = "docker.io";
/// Where Docker Hub answers.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";
const DEFAULT_TAG: &str = "latest";
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;

/// Where something lies: `example.com/shop:1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Host and port; `docker.io` when none is given.
    pub registry: String,
    /// The path in the registry: `library/alpine`.
    pub repository: String,
    /// What is meant in the repository.
    pub version: Version,
}

/// What is meant in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// A name that can come to mean something else.
    Tag(String),
    /// The content itself: `sha256:…`.
    Digest(String),
}

impl Reference {
    /// Reads a name. A tag beside a digest is dropped, and a name without either means `latest`.
    ///
    /// # Errors
    /// It is no such name; why.
    pub fn parse(written: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("invalid reference format: {why}: {written:?}");
        let (named, digest) = match written.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (written, None),
        };
        let (path, tag) = match named.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (named, None),
        };
        let (registry, repository) = match path.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => (DOCKER_HUB, path),
        };
        let registry = if registry == "index.docker.io" { DOCKER_HUB } else { registry };
        if !is_host(registry) {
            return Err(wrong("no host name"));
        }
        if repository.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(format!("invalid reference format: repository name ({repository}) must be lowercase"));
        }
        let repository = if registry == DOCKER_HUB && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        if repository.len() > LONGEST_NAME || !repository.split('/').all(is_part) {
            return Err(wrong("no repository name"));
        }
        let version = match (digest, tag) {
            (Some(digest), _) if is_digest(digest) => Version::Digest(digest.to_owned()),
            (Some(_), _) => return Err(wrong("no sha256 digest")),
            (None, Some(tag)) if is_tag(tag) => Version::Tag(tag.to_owned()),
            (None, Some(_)) => return Err(wrong("no tag")),
            (None, None) => Version::Tag(DEFAULT_TAG.to_owned()),
        };
        Ok(Self { registry: registry.to_owned(), repository, version })
    }

    /// Registry and repository without a version.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The host that is spoken to.
    pub fn host(&self) -> &str {
        if self.registry == DOCKER_HUB { DOCKER_HUB_HOST } else { &self.registry }
    }
}

impl Version {
    /// As it stands in addresses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Digest(text) => text,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if matches!(self.version, Version::Digest(_)) { '@' } else { ':' };
        write!(out, "{}/{}{mark}{}", self.registry, self.repository, self.version.as_str())
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let bare = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.chars().all(|c| c.is_ascii_hexdigit() || c == ':'),
        None => name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'),
    };
    !name.is_empty() && bare && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Small letters and digits, with single dots, one or two underscores or any dashes between them.
fn is_part(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(alphanumeric).filter(|between| !between.is_empty());
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators
            .into_iter()
            .all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    first
        && text.len() <= LONGEST_TAG
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// Whether a text is a digest of the one kind that is known: it also names directories.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    text.strip_prefix("sha256:").is_some_and(|rest| rest.len() == 64 && rest.chars().all(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_completes_them() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (written, whole, host) in [
            ("alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
            ("me/shop:1", "docker.io/me/shop:1", "registry-1.docker.io"),
            ("index.docker.io/me/shop", "docker.io/me/shop:latest", "registry-1.docker.io"),
            ("example.com/a/b__c/d-e.f:V_1", "example.com/a/b__c/d-e.f:V_1", "example.com"),
            ("localhost/x", "localhost/x:latest", "localhost"),
            ("127.0.0.1:5000/x", "127.0.0.1:5000/x:latest", "127.0.0.1:5000"),
            ("[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000"),
            (&format!("a/b:1@{digest}"), &format!("docker.io/a/b@{digest}"), "registry-1.docker.io"),
        ] {
            let reference = Reference::parse(written).unwrap();
            assert_eq!((reference.to_string().as_str(), reference.host()), (whole, host), "{written}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for written in [
            "",
            "a b",
            "Shop",
            "example.com/",
            "example.com/a//b",
            "example.com/../b",
            "example.com/a?x=1",
            "u:p@example.com/a",
            "exa mple.com/a",
            "a:",
            "a:-x",
            "a@sha256:1",
            "a@md5:00",
            "a___b",
            "-a",
            "a\n",
        ] {
            assert!(Reference::parse(written).is_err(), "{written:?}");
        }
    }
}
