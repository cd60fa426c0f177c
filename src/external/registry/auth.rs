//! What a registry asks for before it answers: a password, or a token that somebody else gives for one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::resource::RegistryAuth;

/// What a `WWW-Authenticate` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token.
    Bearer {
        /// The address that gives it.
        realm: String,
        /// Whom it is for.
        service: Option<String>,
    },
}

/// The answer of whoever gives tokens.
#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Token {
    /// The header that shows it.
    pub(super) fn header(&self) -> Option<String> {
        let token = [&self.token, &self.access_token].into_iter().find(|token| !token.is_empty())?;
        // It becomes part of a header.
        token.chars().all(|c| c.is_ascii_graphic()).then(|| format!("Bearer {token}"))
    }
}

/// The header that shows name and password.
pub(super) fn basic(auth: &RegistryAuth) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", auth.username, auth.password)))
}

impl Challenge {
    /// Reads a header; of several challenges in it a token is preferred. `None` when no kind is known.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let lower = header.to_ascii_lowercase();
        if let Some(at) = lower.find("bearer ") {
            let parameters = parameters(header.get(at + "bearer ".len()..)?);
            let find = |wanted: &str| {
                parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
            };
            return Some(Self::Bearer { realm: find("realm")?, service: find("service") });
        }
        lower.trim_start().starts_with("basic").then_some(Self::Basic)
    }
}

/// `a="b,c", d=e` → pairs.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_owned();
        let value = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                rest = after;
                value
            }
            None => {
                let (value, after) = after.split_once(',').unwrap_or((after, ""));
                rest = after;
                value.trim()
            }
        };
        found.push((name, value.to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        for (header, expected) in [
            (r#"Bearer realm="https://auth.example/token",service="reg",scope="a:b:pull,push""#, {
                bearer("https://auth.example/token", Some("reg"))
            }),
            (r#"bearer service=reg, realm="https://a/t?x=y""#, bearer("https://a/t?x=y", Some("reg"))),
            (r#"Basic realm="x", Bearer realm="https://a""#, bearer("https://a", None)),
            (r#"Basic realm="Registry""#, Some(Challenge::Basic)),
            ("Negotiate", None),
            ("Bearer", None),
            ("Bearer realm", None),
            (r#"Bearer realm="open"#, bearer("open", None)),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expected, "{header}");
        }
    }

    #[test]
    fn tokens_come_under_two_names() {
        for (text, header) in [
            (r#"{"token": "a"}"#, Some("Bearer a")),
            (r#"{"access_token": "b", "expires_in": 60}"#, Some("Bearer b")),
            (r#"{"token": "a\r\nX: y"}"#, None),
            ("{}", None),
        ] {
            let token: Token = serde_json::from_str(text).unwrap();
            assert_eq!(token.header().as_deref(), header, "{text}");
        }
    }
}
