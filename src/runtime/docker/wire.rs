//! Calls to an engine over HTTP: what bollard's client does not offer (headers, raw bodies, upgraded connections).

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http_body_util::{BodyExt, BodyStream, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Method, Request, Response, Version};
use hyper_util::client::legacy::{Client, Error as TransportError};
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::runtime::docker::connection::Connector;
use crate::runtime::docker::endpoint::EngineEndpoint;
use crate::runtime::docker::failure;
use crate::runtime::{Error, ErrorKind, Result, ResultStream};

/// A request's body; the same type as bollard's, whose requests go through the same client.
pub(super) type Body = Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>>;

/// Longest line of JSON that a stream of progress or events may have.
const LONGEST_LINE: usize = 64 << 20;
/// Longest error message that is read.
const LONGEST_MESSAGE: usize = 1 << 20;

/// What must be written as `%XX` inside one segment of a path.
const SEGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'/');
/// The same, but slashes stay: image references.
const REFERENCE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');

/// A name as a segment of a path.
pub(super) fn segment(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, SEGMENT)
}

/// An image reference as part of a path.
pub(super) fn reference(name: &str) -> impl std::fmt::Display {
    utf8_percent_encode(name, REFERENCE)
}

/// A request before it is sent.
pub(super) struct Call {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Body,
    version: Version,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let (query, headers, body) = (String::new(), HeaderMap::new(), Either::Left(Full::default()));
        Self { method, path: path.into(), query, headers, body, version: Version::HTTP_11 }
    }
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }
    pub(super) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }
    pub(super) fn head(path: impl Into<String>) -> Self {
        Self::new(Method::HEAD, path)
    }
    pub(super) fn query(mut self, key: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(key);
        self.query.push('=');
        self.query.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        self
    }
    pub(super) fn query_some(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }
    /// Path and query, for tests.
    #[cfg(test)]
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.path, self.query)
    }
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
    /// One more value of a header that may have several.
    pub(super) fn append(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }
    /// Asks for an answer that ends with its connection: HTTP/1.0. Otherwise the engine makes a piece of its own of
    /// every line of a log, which costs more than the line.
    pub(super) fn whole_connection(mut self) -> Self {
        self.version = Version::HTTP_10;
        self
    }
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        // Plain structs with text keys always become JSON.
        let bytes = serde_json::to_vec(body).unwrap_or_default();
        self.body = Either::Left(Full::new(Bytes::from(bytes)));
        self.header("content-type", "application/json")
    }
    pub(super) fn stream(mut self, body: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        self.body = Either::Right(StreamBody::new(Box::pin(body.map_ok(Frame::data))));
        self.header("content-type", "application/x-tar")
    }
}

/// The engine's end of the wire: one pool of connections for all calls.
pub(super) struct Wire {
    client: Client<Connector, Body>,
    headers: HeaderMap,
    /// The address, for messages.
    pub(super) address: String,
}

impl Wire {
    pub(super) fn new(endpoint: &EngineEndpoint) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("docker"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("compose/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in &endpoint.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        let connector = Connector(Arc::new(endpoint.transport.clone()));
        let client = Client::builder(TokioExecutor::new()).set_host(false).build(connector);
        Self { client, headers, address: endpoint.address.clone() }
    }

    /// Sends a request of bollard's or of ours.
    pub(super) fn send(
        &self,
        mut request: Request<Body>,
    ) -> impl Future<Output = std::result::Result<Response<Incoming>, TransportError>> + use<> {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        self.client.request(request)
    }

    /// Sends a request below `prefix` and checks the answer's status.
    pub(super) async fn open(&self, prefix: &str, call: Call, what: &str) -> Result<Response<Incoming>> {
        let Call { method, path, query, headers, body, version } = call;
        let mut request = Request::builder()
            .method(method)
            .version(version)
            .uri(format!("http://docker{prefix}{path}{query}"))
            .body(body)
            .map_err(|error| Error::new(ErrorKind::Invalid, what, error.to_string()))?;
        *request.headers_mut() = headers;
        let response =
            self.send(request).await.map_err(|error| failure::from_transport(what, &self.address, &error))?;
        let status = response.status();
        if status.is_success() || matches!(status.as_u16(), 101 | 304) {
            return Ok(response);
        }
        let message = self.message(response).await;
        Err(failure::from_status(what, status.as_u16(), &message))
    }

    async fn message(&self, response: Response<Incoming>) -> String {
        #[derive(serde::Deserialize)]
        struct Answer {
            message: String,
        }
        let mut text = Vec::new();
        let mut body = BodyStream::new(response.into_body());
        while let Some(Ok(frame)) = body.next().await {
            if let Ok(bytes) = frame.into_data() {
                text.extend_from_slice(&bytes);
            }
            if text.len() > LONGEST_MESSAGE {
                break;
            }
        }
        match serde_json::from_slice::<Answer>(&text) {
            Ok(answer) => answer.message,
            Err(_) => String::from_utf8_lossy(&text).trim().to_owned(),
        }
    }

    /// The answer's body as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, prefix: &str, call: Call, what: &str) -> Result<T> {
        let response = self.open(prefix, call, what).await?;
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|error| failure::from_transport(what, &self.address, &error))?
            .to_bytes();
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(ErrorKind::Other, what, format!("the engine's answer is not understood: {error}"))
        })
    }

    /// Bytes both ways after the answer, in `protocol`, and the kind of stream that the engine says it is.
    pub(super) async fn upgrade(
        &self,
        prefix: &str,
        call: Call,
        protocol: &str,
        what: &str,
    ) -> Result<(TokioIo<Upgraded>, String)> {
        let call = call.header("connection", "Upgrade").header("upgrade", protocol);
        let response = self.open(prefix, call, what).await?;
        let kind = content_type(&response);
        let upgraded =
            hyper::upgrade::on(response).await.map_err(|error| failure::from_transport(what, &self.address, &error))?;
        Ok((TokioIo::new(upgraded), kind))
    }
}

/// The kind of stream an answer says it is; empty when it says nothing.
pub(super) fn content_type(response: &Response<Incoming>) -> String {
    let header = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The body's bytes as they come.
pub(super) fn bytes_of(response: Response<Incoming>, what: String, address: String) -> ResultStream<Bytes> {
    Box::pin(BodyStream::new(response.into_body()).filter_map(move |frame| {
        let item = match frame {
            Ok(frame) => frame.into_data().ok().filter(|bytes| !bytes.is_empty()).map(Ok),
            Err(error) => Some(Err(failure::from_transport(&what, &address, &error))),
        };
        futures::future::ready(item)
    }))
}

/// The body as JSON values, one a line.
pub(super) fn lines_of<T: DeserializeOwned + Send + 'static>(
    response: Response<Incoming>,
    what: String,
    address: String,
) -> ResultStream<T> {
    let bytes = bytes_of(response, what.clone(), address);
    let state = (bytes, Lines::default(), what);
    Box::pin(futures::stream::try_unfold(state, |(mut bytes, mut lines, what)| async move {
        loop {
            if let Some(line) = lines.next() {
                let value = parse(&line, &what)?;
                return Ok(Some((value, (bytes, lines, what))));
            }
            match bytes.next().await {
                Some(chunk) => lines.push(&chunk?, &what)?,
                None => {
                    let rest = lines.rest();
                    if rest.is_empty() {
                        return Ok(None);
                    }
                    let value = parse(&rest, &what)?;
                    return Ok(Some((value, (bytes, lines, what))));
                }
            }
        }
    }))
}

fn parse<T: DeserializeOwned>(line: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(line)
        .map_err(|error| Error::new(ErrorKind::Other, what, format!("the engine's answer is not understood: {error}")))
}

/// Bytes cut into lines that are not blank.
#[derive(Default)]
struct Lines {
    buffer: Vec<u8>,
    begin: usize,
    searched: usize,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], what: &str) -> Result<()> {
        if self.begin > 0 {
            self.buffer.drain(..self.begin);
            self.searched -= self.begin;
            self.begin = 0;
        }
        if self.buffer.len() + bytes.len() > LONGEST_LINE {
            return Err(Error::new(ErrorKind::Other, what, "the engine's answer has a line of more than 64 MiB"));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            let Some(offset) = found else {
                self.searched = self.buffer.len();
                return None;
            };
            let end = self.searched + offset;
            let line = self.buffer[self.begin..end].trim_ascii().to_vec();
            self.begin = end + 1;
            self.searched = self.begin;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    fn rest(&mut self) -> Vec<u8> {
        let rest = self.buffer[self.begin..].trim_ascii().to_vec();
        *self = Self::default();
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_any_pieces() {
        let text = b"{\"a\":1}\r\n\n {\"b\":2}\n{\"c\":3}";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in text.chunks(size) {
                lines.push(piece, "x").unwrap();
                while let Some(line) = lines.next() {
                    found.push(String::from_utf8(line).unwrap());
                }
            }
            found.push(String::from_utf8(lines.rest()).unwrap());
            assert_eq!(found, [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#], "{size}");
            assert!(lines.rest().is_empty());
        }
    }

    #[test]
    fn names_can_not_leave_their_segment() {
        assert_eq!(segment("a/../b?c#d e").to_string(), "a%2F..%2Fb%3Fc%23d%20e");
        assert_eq!(reference("h:5000/a/b:1@sha256:0?x").to_string(), "h:5000/a/b:1@sha256:0%3Fx");
    }
}
