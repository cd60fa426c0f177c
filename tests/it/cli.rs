//! Whole command lines in process: files in memory, an engine in memory, everything that is printed.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use compose::cli::context::Engines;
use compose::cli::global::{DockerArgs, Environment};
use compose::cli::terminal::{Io, Signal};
use compose::engine::Anonymous;
use compose::external::Credentials;
use compose::runtime::fake::Fake;
use compose::runtime::{Result, Runtime};
use compose::spec::files::MemoryFiles;
use compose::ui::stream::{Captured, Stream};
use futures::stream::{self, StreamExt};

/// Where commands of a test are run, and what is there.
pub(crate) struct World {
    pub(crate) fake: Fake,
    files: MemoryFiles,
    environment: Environment,
    input: String,
}

/// What a command wrote, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: u8,
}

struct OneFake(Fake);

#[async_trait(?Send)]
impl Engines for OneFake {
    async fn connect(&self, _: &DockerArgs, _: &Environment) -> Result<Arc<dyn Runtime>> {
        Ok(self.0.shared())
    }
    fn credentials(&self, _: &DockerArgs, _: &Environment) -> Arc<dyn Credentials> {
        Arc::new(Anonymous)
    }
}

impl World {
    /// A project in `/shop` with this compose file, on an engine that has these images.
    pub(crate) fn new(compose: &str, images: &[&str]) -> Self {
        Self::without_file(images).with_file("/shop/compose.yaml", compose)
    }
    /// An empty directory `/shop`.
    pub(crate) fn without_file(images: &[&str]) -> Self {
        let environment = Environment { variables: Default::default(), directory: "/shop".into() };
        let files = MemoryFiles::default();
        Self { fake: Fake::new().with_images(images), files, environment, input: String::new() }
    }
    pub(crate) fn with_file(mut self, path: &str, content: &str) -> Self {
        self.files = self.files.with(path, content);
        self
    }
    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.to_owned(), value.to_owned());
        self
    }
    pub(crate) fn with_input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }
    pub(crate) fn with_fake(mut self, change: impl FnOnce(Fake) -> Fake) -> Self {
        self.fake = change(self.fake);
        self
    }

    /// Runs a command line (words apart by blanks) and gives all that it wrote, and its exit code.
    pub(crate) async fn run(&self, line: &str) -> String {
        self.run_with_signals(line, Vec::new()).await
    }

    /// Runs a command line (words apart by blanks) as a program does that reads the streams apart.
    pub(crate) async fn said(&self, line: &str) -> Said {
        self.said_words(&line.split_whitespace().collect::<Vec<&str>>()).await
    }

    /// Runs words of any kind and gives what they write to standard output; they may say nothing else.
    pub(crate) async fn run_words(&self, words: &[&str]) -> String {
        let said = self.said_words(words).await;
        assert_eq!(said.stderr, "", "nothing is said beside it");
        said.stdout
    }

    /// Runs words of any kind.
    pub(crate) async fn said_words(&self, words: &[&str]) -> Said {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let never = || Box::pin(stream::pending()) as _;
        let io = Io::with(Stream::new(stdout.clone()), Stream::new(stderr.clone()), &self.input, never);
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let engines = OneFake(self.fake.clone());
        let code = compose::cli::run(&words, &self.environment, &self.files, &engines, &io).await;
        Said { stdout: stdout.text(), stderr: stderr.text(), code }
    }

    /// The same with signals, each so long after the one before.
    pub(crate) async fn run_with_signals(&self, line: &str, signals: Vec<(Duration, Signal)>) -> String {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let later = move || {
            let signals = stream::iter(signals.clone()).then(async |(after, signal)| {
                tokio::time::sleep(after).await;
                signal
            });
            Box::pin(signals.chain(stream::pending())) as _
        };
        let io = Io::with(Stream::new(stdout.clone()), Stream::new(stderr.clone()), &self.input, later);
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let engines = OneFake(self.fake.clone());
        let code = compose::cli::run(&words, &self.environment, &self.files, &engines, &io).await;
        let mut out = format!("$ compose {line}\n{}", stdout.text());
        if !stderr.text().is_empty() {
            out.push_str(&format!("stderr:\n{}", stderr.text()));
        }
        if code != 0 {
            out.push_str(&format!("exit {code}\n"));
        }
        masked(&out)
    }
}

/// Ids and digests are `[ID]`: which ones they are is the business of other tests.
fn masked(text: &str) -> String {
    const SHORTEST_ID: usize = 12;
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\0')) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            word.push(c);
            continue;
        }
        out.push_str(if word.len() >= SHORTEST_ID { "[ID]" } else { &word });
        word.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}
