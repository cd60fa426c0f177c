//! Connections to an engine: unix socket, named pipe, TCP, or the `ssh` program; nothing here knows of HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::runtime::docker::endpoint::Transport;
use crate::runtime::{Error, ErrorKind};

/// How long making a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Makes connections for the HTTP client, whatever the URL says.
#[derive(Clone)]
pub(super) struct Connector(pub(super) Arc<Transport>);

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Link>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Link>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let transport = Arc::clone(&self.0);
        Box::pin(async move {
            let link = tokio::time::timeout(CONNECT_LIMIT, connect(&transport))
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connecting took longer than 30 s"))??;
            Ok(TokioIo::new(link))
        })
    }
}

async fn connect(transport: &Transport) -> io::Result<Link> {
    match transport {
        #[cfg(unix)]
        Transport::Unix(path) => Ok(Link(Box::new(tokio::net::UnixStream::connect(path).await?))),
        #[cfg(not(unix))]
        Transport::Unix(_) => Err(unsupported("unix sockets are not available on this system")),
        #[cfg(windows)]
        Transport::NamedPipe(name) => {
            Ok(Link(Box::new(tokio::net::windows::named_pipe::ClientOptions::new().open(name)?)))
        }
        #[cfg(not(windows))]
        Transport::NamedPipe(_) => Err(unsupported("named pipes are only available on Windows")),
        Transport::Tcp { authority, tls: None } => {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            Ok(Link(Box::new(stream)))
        }
        #[cfg(feature = "tls")]
        Transport::Tcp { authority, tls: Some(files) } => {
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            Ok(Link(Box::new(crate::runtime::docker::tls::secure(stream, authority, files).await?)))
        }
        #[cfg(not(feature = "tls"))]
        Transport::Tcp { tls: Some(_), .. } => Err(unsupported(
            "this build speaks no TLS (cargo feature `tls`); use ssh://user@host, or forward the engine's socket with \
             `ssh -L /tmp/docker.sock:/var/run/docker.sock host` and set DOCKER_HOST=unix:///tmp/docker.sock",
        )),
        Transport::Ssh { arguments } => Ok(Link(Box::new(Dialled::start(arguments)?))),
    }
}

/// Whether the process behind a socket lives in our own process namespace: the engine beside us in a container, and not
/// the engine that runs our container and lent us its socket.
#[cfg(target_os = "linux")]
pub(super) async fn peer_is_here(path: &std::path::Path) -> bool {
    let Ok(stream) = tokio::net::UnixStream::connect(path).await else { return false };
    stream.peer_cred().is_ok_and(|peer| peer.pid().is_some_and(|pid| pid != 0))
}

#[cfg(not(target_os = "linux"))]
pub(super) async fn peer_is_here(_: &std::path::Path) -> bool {
    true
}

pub(super) fn unsupported(detail: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, Error::new(ErrorKind::Unsupported, "reach the engine", detail))
}

/// Bytes both ways.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open connection.
pub(super) struct Link(Box<dyn Duplex>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bytes)
    }
    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

/// A connection through a program's standard input and output.
struct Dialled {
    reads: ChildStdout,
    writes: Option<ChildStdin>,
    // Kept: dropping it ends the program.
    _child: Child,
}

impl Dialled {
    fn start(arguments: &[String]) -> io::Result<Self> {
        let mut child = Command::new("ssh")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => unsupported("the program `ssh` is needed for ssh:// addresses; install it"),
                _ => error,
            })?;
        let (Some(reads), Some(writes)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(io::Error::other("ssh was started without pipes"));
        };
        Ok(Self { reads, writes: Some(writes), _child: child })
    }
}

impl AsyncRead for Dialled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reads).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.writes {
            Some(writes) => Pin::new(writes).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::Error::from(io::ErrorKind::BrokenPipe))),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.writes {
            Some(writes) => Pin::new(writes).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Closing the pipe is what tells the other side that no more input comes.
        self.writes = None;
        Poll::Ready(Ok(()))
    }
}
