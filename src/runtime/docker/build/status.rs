//! BuildKit's news of a build in its two spellings: protobuf from the engine, JSON from buildx.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use crate::runtime::docker::build::protobuf::{Value, fields};

/// `StatusResponse`: what is new.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// Steps that changed.
    #[serde(deserialize_with = "list")]
    pub(super) vertexes: Vec<Vertex>,
    /// Parts of steps that changed.
    #[serde(deserialize_with = "list")]
    pub(super) statuses: Vec<Transfer>,
    /// What steps wrote.
    #[serde(deserialize_with = "list")]
    pub(super) logs: Vec<Log>,
    /// Mistakes in the Dockerfile that stop nothing.
    #[serde(deserialize_with = "list")]
    pub(super) warnings: Vec<Warning>,
}

/// A step. All times are in nanoseconds since 1970.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vertex {
    /// What tells steps apart.
    pub(super) digest: String,
    /// The instruction: `[2/3] RUN make`.
    pub(super) name: String,
    /// Whether it was taken from the cache.
    pub(super) cached: bool,
    /// When it began, once it did.
    #[serde(deserialize_with = "time")]
    pub(super) started: Option<u64>,
    /// When it ended, once it did.
    #[serde(deserialize_with = "time")]
    pub(super) completed: Option<u64>,
    /// Why it failed.
    pub(super) error: String,
}

/// A part of a step: a layer that comes, a name that is given.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Transfer {
    /// Its words: `exporting layers`.
    #[serde(rename = "id")]
    pub(super) name: String,
    /// The step's digest.
    pub(super) vertex: String,
    /// Bytes so far.
    pub(super) current: u64,
    /// Bytes in all; 0 when unknown.
    pub(super) total: u64,
    /// When it began.
    #[serde(deserialize_with = "time")]
    pub(super) started: Option<u64>,
    /// When it ended, once it did.
    #[serde(deserialize_with = "time")]
    pub(super) completed: Option<u64>,
}

/// What a step wrote; any piece of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Log {
    /// The step's digest.
    pub(super) vertex: String,
    /// 1 or 2, as for processes.
    pub(super) stream: u64,
    /// The bytes.
    #[serde(rename = "data", deserialize_with = "bytes")]
    pub(super) text: Vec<u8>,
    /// When.
    #[serde(rename = "timestamp", deserialize_with = "time")]
    pub(super) at: Option<u64>,
}

/// A mistake in the Dockerfile that stops nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Warning {
    /// The step's digest.
    pub(super) vertex: String,
    /// What it is and where.
    #[serde(deserialize_with = "bytes")]
    pub(super) short: Vec<u8>,
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Ok(time.and_then(|time| u64::try_from(time.as_nanosecond()).ok()))
}

fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default())
}

impl Status {
    /// vertexes 1, statuses 2, logs 3, warnings 4.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut status = Self::default();
        for (field, value) in fields(bytes) {
            match field {
                1 => status.vertexes.push(Vertex::read(value.bytes())),
                2 => status.statuses.push(Transfer::read(value.bytes())),
                3 => status.logs.push(Log::read(value.bytes())),
                4 => status.warnings.push(Warning::read(value.bytes())),
                _ => {}
            }
        }
        status
    }
}

impl Vertex {
    /// digest 1, name 3, cached 4, started 5, completed 6, error 7.
    fn read(bytes: &[u8]) -> Self {
        let mut vertex = Self::default();
        for (field, value) in fields(bytes) {
            match field {
                1 => vertex.digest = value.text(),
                3 => vertex.name = value.text(),
                4 => vertex.cached = value.number() != 0,
                5 => vertex.started = Some(nanoseconds(value)),
                6 => vertex.completed = Some(nanoseconds(value)),
                7 => vertex.error = value.text(),
                _ => {}
            }
        }
        vertex
    }
}

impl Transfer {
    /// ID 1, vertex 2, current 4, total 5, started 7, completed 8.
    fn read(bytes: &[u8]) -> Self {
        let mut transfer = Self::default();
        for (field, value) in fields(bytes) {
            match field {
                1 => transfer.name = value.text(),
                2 => transfer.vertex = value.text(),
                4 => transfer.current = value.number(),
                5 => transfer.total = value.number(),
                7 => transfer.started = Some(nanoseconds(value)),
                8 => transfer.completed = Some(nanoseconds(value)),
                _ => {}
            }
        }
        transfer
    }
}

impl Log {
    /// vertex 1, timestamp 2, stream 3, msg 4.
    fn read(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        for (field, value) in fields(bytes) {
            match field {
                1 => log.vertex = value.text(),
                2 => log.at = Some(nanoseconds(value)),
                3 => log.stream = value.number(),
                4 => log.text = value.bytes().to_vec(),
                _ => {}
            }
        }
        log
    }
}

impl Warning {
    /// vertex 1, short 3.
    fn read(bytes: &[u8]) -> Self {
        let mut warning = Self::default();
        for (field, value) in fields(bytes) {
            match field {
                1 => warning.vertex = value.text(),
                3 => warning.short = value.bytes().to_vec(),
                _ => {}
            }
        }
        warning
    }
}

/// `Timestamp`: seconds 1, nanos 2.
fn nanoseconds(value: Value<'_>) -> u64 {
    let (mut seconds, mut nanos) = (0u64, 0);
    for (field, value) in fields(value.bytes()) {
        match field {
            1 => seconds = value.number(),
            2 => nanos = value.number(),
            _ => {}
        }
    }
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_of_buildx() {
        let status: Status = serde_json::from_str(
            r#"{
              "vertexes": [{"digest": "d", "inputs": ["e"], "name": "[b] exporting to image", "started": "2026-11-21T19:17:17.9Z"}],
              "statuses": [{"id": "exporting layers", "vertex": "d", "current": 0, "timestamp": "2026-11-21T19:17:17.9Z", "completed": "2026-11-21T19:17:18Z"}],
              "logs": [{"vertex": "d", "stream": 1, "data": "aGkK", "timestamp": "2026-11-21T19:17:18Z"}],
              "warnings": [{"vertex": "d", "level": 1, "short": "aGk=", "range": [{"start": {"line": 2}, "end": {"line": 2}}]}]
            }"#,
        )
        .unwrap();
        let [vertex] = &status.vertexes[..] else { panic!("one") };
        assert_eq!((vertex.name.as_str(), vertex.completed), ("[b] exporting to image", None));
        let [log] = &status.logs[..] else { panic!("one") };
        assert_eq!(log.text, b"hi\n");
        assert_eq!(log.at.unwrap() - vertex.started.unwrap(), 100_000_000);
        assert_eq!(status.warnings[0].short, b"hi");
        assert!(status.statuses[0].completed.is_some());
        let empty: Status = serde_json::from_str(r#"{"vertexes": null}"#).unwrap();
        assert!(empty.vertexes.is_empty());
    }
}
