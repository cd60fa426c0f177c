//! Where output goes: a shared writer that never fails the command, and remembers when its reader went away.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Columns and rows of a terminal, asked anew each time because windows change.
pub type SizeOf = Arc<dyn Fn() -> Option<(u16, u16)> + Send + Sync>;

/// Standard output or standard error, or a buffer in tests. Clones write to the same place.
#[derive(Clone)]
pub struct Stream {
    sink: Arc<Mutex<dyn Write + Send>>,
    broken: Arc<AtomicBool>,
    size: Option<SizeOf>,
}

impl Stream {
    /// A stream that is no terminal.
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), broken: Arc::default(), size: None }
    }
    /// A stream that is a terminal of this size.
    pub fn terminal(sink: impl Write + Send + 'static, size: SizeOf) -> Self {
        Self { size: Some(size), ..Self::new(sink) }
    }
    /// Whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.size.is_some()
    }
    /// Columns and rows, when it is a terminal that tells.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size.as_ref().and_then(|size| size())
    }
    /// Whether the reader is gone, so that writing more is of no use.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
    /// Writes bytes at once.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if sink.write_all(bytes).and_then(|()| sink.flush()).is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
    /// Writes text as it is.
    pub fn text(&self, text: &str) {
        self.bytes(text.as_bytes());
    }
    /// Writes text and a newline.
    pub fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Stream(terminal: {})", self.is_terminal())
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A buffer behind a stream, for tests.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// What was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
