//! The little of gRPC that a build session needs: messages with their lengths, and how a call ends.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, Response};

/// Longest message that is accepted: BuildKit's are at most 16 MiB.
const LONGEST: usize = 16 << 20;
const PREFIX: usize = 5;

/// What a call is answered with.
pub(super) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    code: u8,
    message: String,
}

impl Status {
    pub(super) fn ok() -> Self {
        Self { code: 0, message: String::new() }
    }
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { code: 5, message: message.into() }
    }
    pub(super) fn unimplemented() -> Self {
        Self { code: 12, message: "not offered by this session".to_owned() }
    }

    fn trailers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from(u16::from(self.code)));
        let message = percent_encoding::utf8_percent_encode(&self.message, percent_encoding::CONTROLS).to_string();
        if let Ok(message) = HeaderValue::from_str(&message) {
            headers.insert("grpc-message", message);
        }
        headers
    }
}

/// A message with its length in front.
pub(super) fn framed(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX + message.len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    bytes.put_slice(message);
    bytes.freeze()
}

/// An answer of one message, or of none.
pub(super) fn answer(outcome: Result<Vec<u8>, Status>) -> Answer {
    match outcome {
        Ok(message) => streamed(futures::stream::iter([Ok(message)])),
        Err(status) => streamed(futures::stream::iter([Err(status)])),
    }
}

/// An answer of many messages; an error is the last.
pub(super) fn streamed(messages: impl Stream<Item = Result<Vec<u8>, Status>> + Send + 'static) -> Answer {
    let frames = messages
        .map(|message| match message {
            Ok(message) => Frame::data(framed(&message)),
            Err(status) => Frame::trailers(status.trailers()),
        })
        .chain(futures::stream::iter([Frame::trailers(Status::ok().trailers())]))
        .scan(false, |ended, frame| {
            let after = *ended;
            *ended = frame.is_trailers();
            futures::future::ready((!after).then_some(frame))
        });
    let mut response = Response::new(StreamBody::new(frames.map(Ok)).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// The messages of a request, one by one.
pub(super) struct Messages {
    body: Incoming,
    buffer: BytesMut,
}

impl Messages {
    pub(super) fn of(request: Request<Incoming>) -> Self {
        Self { body: request.into_body(), buffer: BytesMut::new() }
    }

    /// The next message; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = take(&mut self.buffer)? {
                return Ok(Some(message));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.buffer.extend_from_slice(&bytes);
                    }
                }
                Some(Err(error)) => return Err(Status::unknown(error.to_string())),
                None => return Ok(None),
            }
        }
    }
}

fn take(buffer: &mut BytesMut) -> Result<Option<Bytes>, Status> {
    let Some(prefix) = buffer.get(..PREFIX) else { return Ok(None) };
    if prefix[0] != 0 {
        return Err(Status::unknown("compressed messages are not understood"));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if length > LONGEST {
        return Err(Status::unknown("the message is too long"));
    }
    if buffer.len() < PREFIX + length {
        return Ok(None);
    }
    buffer.advance(PREFIX);
    Ok(Some(buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_in_any_pieces() {
        let stream = [framed(b"one"), framed(b""), framed(b"three")].concat();
        for size in 1..=stream.len() {
            let (mut buffer, mut found) = (BytesMut::new(), Vec::new());
            for piece in stream.chunks(size) {
                buffer.extend_from_slice(piece);
                while let Some(message) = take(&mut buffer).unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, ["one", "", "three"]);
        }
        assert!(take(&mut BytesMut::from(&[0, 255, 0, 0, 0][..])).is_err());
        assert!(take(&mut BytesMut::from(&[1, 0, 0, 0, 0][..])).is_err());
    }

    #[tokio::test]
    async fn answers_end_with_a_status() {
        for (outcome, data, code) in [(Ok(b"x".to_vec()), 6, "0"), (Err(Status::not_found("no é")), 0, "5")] {
            let body = answer(outcome).into_body().collect().await.unwrap();
            assert_eq!(
                body.trailers().map(|trailers| trailers["grpc-status"].to_str().unwrap().to_owned()).as_deref(),
                Some(code)
            );
            assert_eq!(body.to_bytes().len(), data);
        }
    }
}
