//! Text to YAML events: the one place that calls libyaml.
//!
//! docker compose reads YAML with a port of libyaml, so the same scanner answers here: what is refused there is refused
//! here, for the same reason and at the same place.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

use libyaml_rs as sys;

/// A step of the parser.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    /// First byte.
    pub(super) start: u64,
    /// One past the last byte.
    pub(super) end: u64,
}

/// What a step says.
#[derive(Debug)]
pub(super) enum EventKind {
    /// Begin and end of the stream, and ends of documents that carry nothing.
    Nothing,
    /// No events follow.
    StreamEnd,
    DocumentStart {
        /// `%YAML major.minor`, when it is written.
        version: Option<(i32, i32)>,
    },
    DocumentEnd,
    Alias {
        anchor: String,
    },
    Scalar {
        properties: Properties,
        value: String,
        style: Style,
    },
    SequenceStart {
        properties: Properties,
        flow: bool,
    },
    SequenceEnd,
    MappingStart {
        properties: Properties,
        flow: bool,
    },
    MappingEnd,
}

/// `&anchor !tag` before a node.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) anchor: Option<String>,
    pub(super) tag: Option<String>,
}

impl Properties {
    /// Whether there is any.
    pub(super) fn written(&self) -> bool {
        self.anchor.is_some() || self.tag.is_some()
    }
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`.
    Block,
}

/// Why the text is no YAML.
#[derive(Debug)]
pub(super) struct Problem {
    /// In libyaml's words.
    pub(super) what: String,
    /// At which byte.
    pub(super) at: u64,
    /// What was being read, and at which byte it began.
    pub(super) context: Option<(String, u64)>,
}

/// A parser over a text that outlives it.
pub(super) struct Parser<'text> {
    raw: *mut sys::yaml_parser_t,
    text: PhantomData<&'text str>,
}

#[expect(unsafe_code, reason = "libyaml's interface is raw pointers")]
impl<'text> Parser<'text> {
    /// A parser at the beginning of `text`.
    pub(super) fn new(text: &'text str) -> Self {
        // libyaml keeps a pointer to the parser inside of it: it must not move, hence the box behind a raw pointer.
        let raw = Box::into_raw(Box::<MaybeUninit<sys::yaml_parser_t>>::new(MaybeUninit::uninit())).cast();
        // SAFETY: `raw` is a live allocation of the right type, which `initialize` fills completely (it fails only by
        // aborting the process when memory runs out). `text` lives longer than the parser because of `'text`.
        unsafe {
            let _ = sys::yaml_parser_initialize(raw);
            sys::yaml_parser_set_encoding(raw, sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(raw, text.as_ptr(), text.len() as u64);
        }
        Self { raw, text: PhantomData }
    }

    /// The next event. After a problem or `StreamEnd` only `StreamEnd` follows.
    pub(super) fn next(&mut self) -> Result<Event, Problem> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: `raw` was initialized in `new`; `parse` fills `event` completely before it returns, whatever the
        // result; the event owns its strings until `yaml_event_delete`, and they are copied before that.
        unsafe {
            if sys::yaml_parser_parse(self.raw, event.as_mut_ptr()).fail {
                return Err(self.problem());
            }
            let mut event = event.assume_init();
            let copied = copy(&event);
            sys::yaml_event_delete(&raw mut event);
            Ok(copied)
        }
    }

    fn problem(&self) -> Problem {
        // SAFETY: `raw` is initialized; the texts are libyaml's own constants or null.
        unsafe {
            let parser = &*self.raw;
            let context = text_of(parser.context);
            let reader = parser.error == sys::YAML_READER_ERROR;
            Problem {
                what: text_of(parser.problem).unwrap_or_else(|| "not valid YAML".to_owned()),
                at: if reader { parser.problem_offset } else { parser.problem_mark.index },
                context: context.map(|what| (what, parser.context_mark.index)),
            }
        }
    }
}

#[expect(unsafe_code, reason = "libyaml's interface is raw pointers")]
impl Drop for Parser<'_> {
    fn drop(&mut self) {
        // SAFETY: made in `new` from a box of the same layout and deleted only here.
        unsafe {
            sys::yaml_parser_delete(self.raw);
            drop(Box::from_raw(self.raw.cast::<MaybeUninit<sys::yaml_parser_t>>()));
        }
    }
}

/// Copies an event out of libyaml's memory.
#[expect(unsafe_code, reason = "libyaml's events are unions")]
unsafe fn copy(event: &sys::yaml_event_t) -> Event {
    // SAFETY: `type_` says which member of the union was written; strings are null or end with a zero byte, a scalar's
    // value has `length` bytes.
    let kind = unsafe {
        match event.type_ {
            sys::YAML_NO_EVENT | sys::YAML_STREAM_END_EVENT => EventKind::StreamEnd,
            sys::YAML_DOCUMENT_START_EVENT => {
                let version = event.data.document_start.version_directive;
                EventKind::DocumentStart { version: version.as_ref().map(|it| (it.major, it.minor)) }
            }
            sys::YAML_DOCUMENT_END_EVENT => EventKind::DocumentEnd,
            sys::YAML_ALIAS_EVENT => {
                EventKind::Alias { anchor: text_of(event.data.alias.anchor.cast()).unwrap_or_default() }
            }
            sys::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                let value = if scalar.length == 0 {
                    String::new()
                } else {
                    let length = usize::try_from(scalar.length).unwrap_or(0);
                    let bytes = ptr::slice_from_raw_parts(scalar.value, length);
                    String::from_utf8_lossy(&*bytes).into_owned()
                };
                EventKind::Scalar {
                    properties: properties(scalar.anchor.cast(), scalar.tag.cast()),
                    value,
                    style: match scalar.style {
                        sys::YAML_SINGLE_QUOTED_SCALAR_STYLE => Style::SingleQuoted,
                        sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE => Style::DoubleQuoted,
                        sys::YAML_LITERAL_SCALAR_STYLE | sys::YAML_FOLDED_SCALAR_STYLE => Style::Block,
                        _ => Style::Plain,
                    },
                }
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                EventKind::SequenceStart {
                    properties: properties(start.anchor.cast(), start.tag.cast()),
                    flow: start.style == sys::YAML_FLOW_SEQUENCE_STYLE,
                }
            }
            sys::YAML_SEQUENCE_END_EVENT => EventKind::SequenceEnd,
            sys::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                EventKind::MappingStart {
                    properties: properties(start.anchor.cast(), start.tag.cast()),
                    flow: start.style == sys::YAML_FLOW_MAPPING_STYLE,
                }
            }
            sys::YAML_MAPPING_END_EVENT => EventKind::MappingEnd,
            _ => EventKind::Nothing,
        }
    };
    Event { kind, start: event.start_mark.index, end: event.end_mark.index }
}

#[expect(unsafe_code, reason = "strings come as pointers")]
unsafe fn properties(anchor: *const c_char, tag: *const c_char) -> Properties {
    // SAFETY: both are null or strings that end with a zero byte.
    unsafe { Properties { anchor: text_of(anchor), tag: text_of(tag) } }
}

#[expect(unsafe_code, reason = "strings come as pointers")]
unsafe fn text_of(text: *const c_char) -> Option<String> {
    // SAFETY: the caller hands in null or a string that ends with a zero byte.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
