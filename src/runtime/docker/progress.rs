//! Progress of pulls and pushes, and the failures that hide in it.

use futures::StreamExt;
use serde::Deserialize;

use crate::resource::LayerProgress;
use crate::runtime::docker::failure;
use crate::runtime::{Result, ResultStream};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    id: String,
    status: String,
    #[serde(rename = "progressDetail")]
    detail: Option<Detail>,
    error: String,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: i64,
    total: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    message: String,
}

impl Message {
    fn progress(self, what: &str) -> Result<Option<LayerProgress>> {
        let failed = self.error_detail.map(|detail| detail.message).filter(|text| !text.is_empty());
        if let Some(text) = failed.or(Some(self.error).filter(|text| !text.is_empty())) {
            return Err(failure::from_stream(what, &text));
        }
        if self.status.is_empty() {
            // Results for machines (`aux`) tell nothing that is shown.
            return Ok(None);
        }
        let number = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
        let (current, total) =
            self.detail.map_or((None, None), |detail| (number(detail.current), number(detail.total)));
        Ok(Some(LayerProgress { layer: self.id, status: self.status, current, total }))
    }
}

/// Messages as progress; the first failure is the last item.
pub(super) fn layers(messages: ResultStream<Message>, what: String) -> ResultStream<LayerProgress> {
    let items = messages.filter_map(move |message| {
        futures::future::ready(message.and_then(|message| message.progress(&what)).transpose())
    });
    Box::pin(items.scan(false, |failed, item| {
        let ended = *failed;
        *failed = item.is_err();
        futures::future::ready((!ended).then_some(item))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ErrorKind;

    fn read(text: &str) -> Result<Option<LayerProgress>> {
        serde_json::from_str::<Message>(text).unwrap().progress("pull image x")
    }

    #[test]
    fn messages() {
        let layer = |layer: &str, status: &str, current, total| {
            Ok(Some(LayerProgress { layer: layer.to_owned(), status: status.to_owned(), current, total }))
        };
        let rows = [
            (
                r#"{"status": "Pulling from library/x", "id": "latest"}"#,
                layer("latest", "Pulling from library/x", None, None),
            ),
            (
                r#"{"status": "Downloading", "progressDetail": {"current": 5, "total": 9}, "progress": "[=>", "id": "abc"}"#,
                layer("abc", "Downloading", Some(5), Some(9)),
            ),
            (r#"{"status": "Extracting", "progressDetail": {}, "id": "abc"}"#, layer("abc", "Extracting", None, None)),
            (r#"{"progressDetail": {}, "aux": {"Tag": "latest", "Digest": "sha256:1"}}"#, Ok(None)),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
        let error =
            read(r#"{"errorDetail": {"message": "manifest unknown"}, "error": "manifest unknown"}"#).unwrap_err();
        assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::NotFound, "manifest unknown"));
    }
}
