//! What every runtime must do: each promise of the traits as a test that the fake and every real engine pass alike.
//!
//! A test makes only things whose names begin with the fixture's prefix, and all of them are removed afterwards.

mod containers;
mod others;
mod streams;

use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;

use crate::names::{ContainerId, ContainerName};
use crate::resource::{Container, ContainerSpec, ImageDetails, Network, Texts, Volume};
use crate::runtime::{Chunk, Error, ErrorKind, LabelFilter, Output, Result, ResultStream, Runtime};

/// The label by which the things of the tests are found again.
const LABEL: &str = "dev.compose.contract";
/// No promise takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// What the tests are run with.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// A small image that is there and has `sh`, `cat` and `sleep`: `busybox`.
    pub image: String,
    /// Begins the name of everything that is made; nothing else in the engine may begin so.
    pub prefix: String,
}

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The promise.
    pub promise: &'static str,
    /// How it is broken; `None` when it is kept.
    pub broken: Option<String>,
}

/// Why a promise is broken.
#[derive(Debug)]
pub(crate) struct Broken(String);

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(format!("{:?}: {error}", error.kind))
    }
}

type Kept = std::result::Result<(), Broken>;

/// A test ends early, with a text, when something is not as promised.
macro_rules! ensure {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err($crate::runtime::contract::Broken(format!($($text)+)));
        }
    };
}
use ensure;

/// The tests by name.
macro_rules! promises {
    ($case:ident: $($module:ident::$name:ident,)+) => {
        vec![$((stringify!($name), Box::pin($module::$name($case)) as Pin<Box<dyn Future<Output = Kept> + Send + '_>>)),+]
    };
}

/// Runs every test, one after the other.
pub async fn all(runtime: &dyn Runtime, fixture: &Fixture) -> Vec<Verdict> {
    some(runtime, fixture, |_| true).await
}

/// Runs the tests whose name is wanted.
pub async fn some(runtime: &dyn Runtime, fixture: &Fixture, wanted: impl Fn(&str) -> bool) -> Vec<Verdict> {
    let case = &Case { runtime, fixture };
    let promises = promises![case:
        containers::the_engine_tells_what_it_is,
        containers::an_unknown_container_is_not_found,
        containers::a_created_container_is_as_it_was_asked_for,
        containers::a_list_is_filtered_by_all_labels,
        containers::a_taken_name_is_a_conflict,
        containers::a_container_is_renamed,
        containers::a_missing_image_is_not_found,
        containers::a_missing_network_is_not_found_at_the_start_at_the_latest,
        containers::starting_and_stopping_twice_is_fine,
        containers::a_container_is_restarted,
        containers::an_exit_code_is_told_and_waited_for,
        containers::a_running_container_is_removed_only_by_force,
        containers::anonymous_volumes_go_only_when_asked,
        containers::pausing_has_its_conflicts,
        containers::what_does_not_run_can_not_be_asked,
        containers::files_go_in_and_come_out,
        containers::a_container_is_exported_and_committed,
        containers::stats_and_processes_are_told,
        streams::output_after_the_attach_is_not_lost,
        streams::input_is_read_until_it_is_closed,
        streams::input_that_ends_before_the_start_is_read,
        streams::logs_are_kept_and_followed,
        streams::logs_of_a_terminal_are_one_stream,
        streams::a_command_runs_inside,
        streams::a_command_on_a_terminal_knows_its_size,
        streams::a_command_reads_its_input,
        streams::a_terminal_of_a_container_is_fed_and_resized,
        streams::the_end_of_one_that_removes_itself_is_told,
        streams::events_are_told_after_the_subscription,
        others::networks_come_and_go,
        others::containers_are_connected_and_disconnected,
        others::volumes_come_and_go,
        others::a_named_volume_is_made_with_its_container,
        others::images_are_found_tagged_and_removed,
        others::an_image_without_source_is_not_pulled,
    ];
    let mut verdicts = Vec::new();
    for (promise, test) in promises {
        if !wanted(promise) {
            continue;
        }
        let broken = match tokio::time::timeout(LIMIT, test).await {
            Ok(Ok(())) => None,
            Ok(Err(Broken(how))) => Some(how),
            Err(_) => Some(format!("it did not end within {LIMIT:?}")),
        };
        let broken = match case.clean().await {
            Ok(()) => broken,
            Err(error) => broken.or_else(|| Some(format!("cleaning up failed: {error}"))),
        };
        verdicts.push(Verdict { promise, broken });
    }
    verdicts
}

/// An engine, and what tests need again and again.
struct Case<'a> {
    runtime: &'a dyn Runtime,
    fixture: &'a Fixture,
}

impl Case<'_> {
    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.fixture.prefix)
    }
    fn labels(&self) -> Texts {
        [(LABEL.to_owned(), self.fixture.prefix.clone())].into()
    }
    fn filter(&self) -> LabelFilter {
        LabelFilter::equals(LABEL, &self.fixture.prefix)
    }
    /// A container that runs this in a shell.
    fn spec(&self, name: &str, script: &str) -> ContainerSpec {
        ContainerSpec {
            name: ContainerName::new(self.name(name)),
            image: self.fixture.image.as_str().into(),
            command: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
            labels: self.labels(),
            ..ContainerSpec::default()
        }
    }
    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId> {
        Ok(self.runtime.create_container(spec).await?.id)
    }
    /// Creates and starts one that runs until it is stopped.
    async fn running(&self, name: &str) -> Result<ContainerId> {
        let id = self.create(&self.spec(name, "sleep 1000")).await?;
        self.runtime.start_container(&id).await?;
        Ok(id)
    }
    /// Returns once it is not there any more.
    async fn gone(&self, id: &ContainerId) -> Result<()> {
        loop {
            match self.runtime.inspect_container(id).await {
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
    async fn containers(&self) -> Result<Vec<Container>> {
        self.runtime.list_containers(&self.filter()).await
    }
    async fn volumes(&self) -> Result<Vec<Volume>> {
        self.runtime.list_volumes(&self.filter()).await
    }
    async fn networks(&self) -> Result<Vec<Network>> {
        self.runtime.list_networks(&self.filter()).await
    }
    async fn image(&self) -> std::result::Result<ImageDetails, Broken> {
        let image = self.runtime.find_image(&self.fixture.image, None).await?;
        image.ok_or_else(|| Broken(format!("the fixture's image {} is not there", self.fixture.image)))
    }
    fn tag(&self) -> String {
        format!("{}-image:tag", self.fixture.prefix)
    }

    async fn clean(&self) -> Result<()> {
        for container in self.containers().await? {
            // One that removes itself may be gone by now.
            match self.runtime.remove_container(&container.id, true, true).await {
                Err(error) if !error.is_not_found() && !error.is_conflict() => return Err(error),
                _ => {}
            }
        }
        for network in self.networks().await? {
            self.runtime.remove_network(network.id.as_str()).await?;
        }
        for volume in self.volumes().await? {
            self.runtime.remove_volume(&volume.name).await?;
        }
        match self.runtime.remove_image(&self.tag()).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// That a call failed in a certain way.
fn fails<T>(result: Result<T>, kind: ErrorKind, of: &str) -> Kept {
    match result {
        Ok(_) => Err(Broken(format!("{of} should have failed with {kind:?}"))),
        Err(error) if error.kind == kind => {
            ensure!(!error.what.is_empty(), "the error of {of} does not tell what was tried");
            Ok(())
        }
        Err(error) => Err(Broken(format!("{of} failed with {:?} instead of {kind:?}: {error}", error.kind))),
    }
}

/// All that was written, by where it was written to.
async fn all_output(mut output: ResultStream<Chunk>) -> Result<(String, String)> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        let to = if chunk.output == Output::Stdout { &mut out } else { &mut err };
        to.extend_from_slice(&chunk.bytes);
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fake::{Behaviour, ExecBehaviour, Fake};

    #[tokio::test(start_paused = true)]
    async fn the_fake_keeps_the_contract() {
        let soon = Duration::from_millis(50);
        // What the scripts of the tests do.
        let fake = Fake::new()
            .with_images(&["busybox"])
            .on("*", Behaviour::runs().ignores_stop())
            .on("*-ends-with-3", Behaviour::exits(3))
            .on("*-writes", Behaviour::exits(0).says(soon, "out").complains(soon, "err").after(soon * 2))
            .on("*-counts", Behaviour::exits(0).says(soon, "1").says(soon * 2, "2").says(soon * 3, "3").after(soon * 4))
            .on("*-reads", Behaviour::runs().echoes())
            .on("*-reads-early", Behaviour::runs().echoes())
            .on("*-asks", Behaviour::exits(0).says(soon, "prompt> 24 80").after(soon * 2))
            .on_exec("cat", {
                let mut exec = ExecBehaviour::exits(0);
                exec.echoes = true;
                exec
            })
            .on_exec("stty size", ExecBehaviour::exits(0).says("33 99"))
            .on_exec("sh -c echo out; echo err >&2; exit 4", {
                let mut exec = ExecBehaviour::exits(4).says("out");
                exec.writes.push((Output::Stderr, b"err\n".to_vec()));
                exec
            });
        let fixture = Fixture { image: "busybox".to_owned(), prefix: "contract".to_owned() };
        let before = fake.dump(&[]);
        let verdicts = all(&fake, &fixture).await;
        let broken: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.broken.is_some()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        assert_eq!(fake.dump(&[]), before, "nothing is left behind");
    }
}
