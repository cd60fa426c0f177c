//! What docker's plugin protocol asks of us, and everything else that is answered before anything is set up.

use std::ffi::OsString;

use futures::stream;
use serde_json::json;

use crate::cli::commands::version;
use crate::cli::global::Environment;
use crate::cli::terminal::{Io, Signal, Signals};
use crate::labels::COMPATIBLE_VERSION;

/// Answers words that need no project, no engine and no parser: docker runs the metadata call before every command.
pub fn answer_at_once(words: &[OsString], io: &Io) -> Option<u8> {
    let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or("\0")).collect();
    match words.as_slice() {
        ["docker-cli-plugin-metadata"] => {
            let metadata = json!({
                "SchemaVersion": "0.1.0",
                "Vendor": "compose",
                "Version": COMPATIBLE_VERSION,
                "ShortDescription": "Docker Compose",
            });
            io.stdout.line(&metadata.to_string());
            Some(0)
        }
        ["compose", "docker-cli-plugin-hooks", ..] => {
            io.stdout.line(r#"{"Type":0,"Template":""}"#);
            Some(0)
        }
        ["version" | "--version" | "-v"] | ["compose", "version" | "--version" | "-v"] => {
            version::print(false, None, io).ok().map(|()| 0)
        }
        ["version", "--short"] | ["compose", "version", "--short"] => version::print(true, None, io).ok().map(|()| 0),
        _ => None,
    }
}

/// Interrupts once when docker closes the connection that it keeps to its plugins: so it passes Ctrl-C on where there is
/// no terminal that does. Without such a connection nothing ever comes.
pub fn hang_up(environment: &Environment) -> Signals {
    match environment.get("DOCKER_CLI_PLUGIN_SOCKET").map(connection) {
        Some(Ok(connection)) => Box::pin(stream::once(closed(connection))),
        // docker compose goes on without it, too.
        Some(Err(_)) | None => Box::pin(stream::pending()),
    }
}

#[cfg(unix)]
fn connection(address: &str) -> std::io::Result<tokio::net::UnixStream> {
    use std::os::unix::net::{SocketAddr, UnixStream};
    let address = match address.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    let connection = UnixStream::connect_addr(&address)?;
    connection.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(connection)
}

#[cfg(unix)]
async fn closed(connection: tokio::net::UnixStream) -> Signal {
    let mut bytes = [0; 64];
    loop {
        // Nothing is ever said on it; an error ends it as well.
        if connection.readable().await.is_err() {
            return Signal::Interrupt;
        }
        match connection.try_read(&mut bytes) {
            Ok(0) => return Signal::Interrupt,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Signal::Interrupt,
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(not(unix))]
fn connection(_: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
async fn closed((): ()) -> Signal {
    std::future::pending().await
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    use futures::{FutureExt, StreamExt};

    use super::*;

    fn environment(address: &str) -> Environment {
        let variables = [("DOCKER_CLI_PLUGIN_SOCKET".to_owned(), address.to_owned())].into_iter().collect();
        Environment { variables, directory: "/".into() }
    }

    #[tokio::test]
    async fn a_closed_connection_is_an_interrupt() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plugin.sock");
        let name = format!("compose-plugin-test-{}", std::process::id());
        let by_name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let by_path = UnixListener::bind(&path).unwrap();
        for (listener, address) in [(by_name, format!("@{name}")), (by_path, path.display().to_string())] {
            let mut signals = hang_up(&environment(&address));
            let (docker, _) = listener.accept().unwrap();
            assert_eq!(signals.next().now_or_never(), None, "{address}");
            drop(docker);
            assert_eq!(signals.next().await, Some(Signal::Interrupt), "{address}");
        }
    }

    #[tokio::test]
    async fn without_a_connection_nothing_comes() {
        for environment in [Environment::default(), environment("@nobody-listens-here"), environment("/nope")] {
            assert_eq!(hang_up(&environment).next().now_or_never(), None);
        }
    }
}
