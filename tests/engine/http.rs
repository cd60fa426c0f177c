//! A few lines of HTTP, to ask what a project publishes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::patience::eventually;

/// Asks an HTTP server on this host once: the status and the body.
pub(crate) async fn http(port: u16, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
    let request =
        format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = timeout(Duration::from_secs(15), answer).await.map_err(|_| "no answer in 15 seconds".to_owned())?;
    let answer = String::from_utf8_lossy(&answer.map_err(|error| error.to_string())?).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("not HTTP: {answer:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("no status: {head:?}"))?, body.to_owned()))
}

/// The body that the server on this port answers to `GET /`, as soon as it does.
pub(crate) async fn page(port: u16) -> String {
    eventually(&format!("http://127.0.0.1:{port}/ answers"), async || match http(port, "GET", "/", "").await? {
        (200, body) => Ok(body),
        (status, body) => Err(format!("{status} {body}")),
    })
    .await
}
