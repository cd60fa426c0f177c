//! Failures of calls in our words: the only place that reads status codes and system errors.

use std::io;

use bollard::errors::Error as ClientError;

use crate::runtime::{Error, ErrorKind};

/// A failure that bollard or the connection told, of what was tried at the engine reached at `address`.
pub(super) fn from_client(what: &str, address: &str, error: ClientError) -> Error {
    match error {
        ClientError::DockerResponseServerError { status_code, message } => from_status(what, status_code, &message),
        ClientError::DockerStreamError { error } => from_stream(what, &error),
        ClientError::RequestTimeoutError => {
            Error::new(ErrorKind::TimedOut, what, format!("no answer from the engine at {address}"))
        }
        ClientError::IOError { err } => from_io(what, address, &err),
        ClientError::HyperLegacyError { err } => from_transport(what, address, &err),
        ClientError::HyperResponseError { err } => from_transport(what, address, &err),
        other => Error::new(ErrorKind::Other, what, other.to_string()),
    }
}

/// An answer that says no.
pub(super) fn from_status(what: &str, status: u16, message: &str) -> Error {
    let message = message.trim();
    let kind = match status {
        400 => ErrorKind::Invalid,
        // Networks that are in use answer 403.
        403 if message.contains("active endpoints") => ErrorKind::Conflict,
        401 | 403 => ErrorKind::Denied,
        404 if message == "page not found" => ErrorKind::Unsupported,
        404 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        409 => ErrorKind::Conflict,
        _ => kind_of_text(message),
    };
    let message = if message.is_empty() { format!("the engine answered with status {status}") } else { message.into() };
    Error::new(kind, what, message)
}

/// An error inside a stream of progress: only its text tells what it is.
pub(super) fn from_stream(what: &str, message: &str) -> Error {
    Error::new(kind_of_text(message), what, message.trim())
}

fn kind_of_text(message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&["is not running", "is not paused", "is already paused", "is already in use", "is already in progress"]) {
        ErrorKind::Conflict
    } else if has(&[
        "manifest unknown",
        "not found",
        "no such image",
        "repository does not exist",
        "no matching manifest",
    ]) {
        // "pull access denied for x, repository does not exist or may require 'docker login'" is one of these.
        ErrorKind::NotFound
    } else if has(&["denied", "unauthorized", "authentication required", "no basic auth credentials"]) {
        ErrorKind::Denied
    } else if has(&["does not support reading", "not supported"]) {
        ErrorKind::Unsupported
    } else {
        ErrorKind::Other
    }
}

/// A connection that could not be made or broke.
pub(super) fn from_transport(what: &str, address: &str, error: &(dyn std::error::Error + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            return from_io(what, address, error);
        }
        if let Some(error) = current.downcast_ref::<Error>() {
            return error.clone();
        }
        cause = current.source();
    }
    let mut detail = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        detail = format!("{detail}: {current}");
        cause = current.source();
    }
    Error::new(ErrorKind::Unavailable, what, format!("the connection to the engine at {address} broke: {detail}"))
}

/// A failed system call on the connection.
pub(super) fn from_io(what: &str, address: &str, error: &io::Error) -> Error {
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<Error>() {
            return error.clone();
        }
        // hyper's own errors travel inside io errors on upgraded connections.
        if let Some(source) = inner.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            return from_io(what, address, source);
        }
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::new(
            ErrorKind::Denied,
            what,
            format!(
                "permission denied while trying to connect to the Docker daemon socket at {address}; add yourself to the \
                 group that owns it (`sudo usermod -aG docker $USER`, then log in again), or run this with sudo"
            ),
        ),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Error::new(
            ErrorKind::Unavailable,
            what,
            format!("Cannot connect to the Docker daemon at {address}. Is the docker daemon running?"),
        ),
        io::ErrorKind::TimedOut => {
            Error::new(ErrorKind::TimedOut, what, format!("no answer from the engine at {address}: {error}"))
        }
        io::ErrorKind::InvalidData => Error::new(ErrorKind::Other, what, error.to_string()),
        _ => Error::new(
            ErrorKind::Unavailable,
            what,
            format!("the connection to the engine at {address} failed: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let rows = [
            (404, "No such container: x", ErrorKind::NotFound),
            (404, "page not found", ErrorKind::Unsupported),
            (409, "Conflict. The container name \"/a\" is already in use", ErrorKind::Conflict),
            (403, "error while removing network: network a has active endpoints", ErrorKind::Conflict),
            (403, "bridge is a pre-defined network and cannot be removed", ErrorKind::Denied),
            (400, "invalid reference format", ErrorKind::Invalid),
            (501, "configured logging driver does not support reading", ErrorKind::Unsupported),
            (500, "Container 12 is not paused", ErrorKind::Conflict),
            (500, "driver failed programming external connectivity", ErrorKind::Other),
            (500, "Head \"https://r/v2/\": unauthorized: authentication required", ErrorKind::Denied),
            (500, "manifest for busybox:nope not found: manifest unknown", ErrorKind::NotFound),
            (500, "", ErrorKind::Other),
        ];
        for (status, message, kind) in rows {
            assert_eq!(from_status("x", status, message).kind, kind, "{status} {message}");
        }
        let denied = "pull access denied for nope, repository does not exist or may require 'docker login': denied";
        assert_eq!(from_stream("x", denied).kind, ErrorKind::NotFound);
    }

    #[test]
    fn connections() {
        let rows = [
            (io::ErrorKind::NotFound, ErrorKind::Unavailable),
            (io::ErrorKind::ConnectionRefused, ErrorKind::Unavailable),
            (io::ErrorKind::PermissionDenied, ErrorKind::Denied),
            (io::ErrorKind::BrokenPipe, ErrorKind::Unavailable),
        ];
        for (found, kind) in rows {
            assert_eq!(from_io("x", "unix:///a", &io::Error::from(found)).kind, kind);
        }
        let inner = Error::new(ErrorKind::Unsupported, "connect", "no TLS");
        assert_eq!(from_io("x", "tcp://a", &io::Error::other(inner.clone())), inner);
    }
}
