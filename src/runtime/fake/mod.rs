//! An engine in memory, for tests of everything above it: it has the names, states, volumes, health, logs and events
//! of a real one, its programs follow a script, its clock is tokio's, and it can be cut off at any call.
//!
//! It may do only what the contract tests, which real engines pass too, say.

mod behaviour;
mod containers;
mod dump;
mod fault;
mod files;
mod images;
mod lifecycle;
mod networks;
mod streams;
mod volumes;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::names::{ContainerId, ImageId, VolumeName};
use crate::resource::{EngineFacts, HostFound, HostWish, ImageDetails};
use crate::runtime::fake::fault::Fate;
use crate::runtime::fake::world::{Remote, World, hex, normal};
use crate::runtime::{Error, ErrorKind, Result, Runtime};

pub use behaviour::{Behaviour, ExecBehaviour};
pub use fault::{Cut, Then};

/// An engine in memory; clones are the same engine.
#[derive(Clone)]
pub struct Fake {
    inner: Arc<Inner>,
}

struct Inner {
    world: Mutex<World>,
    /// Told whenever the world may have changed.
    changed: watch::Sender<u64>,
    latency: Mutex<Duration>,
}

impl Default for Fake {
    fn default() -> Self {
        Self::new()
    }
}

impl Fake {
    /// An engine without containers and images, with the networks that every engine has.
    pub fn new() -> Self {
        let facts = EngineFacts {
            kind: "fake".to_owned(),
            version: "1.0".to_owned(),
            api: (1, 51),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            buildkit: true,
            containerd_store: false,
            local: true,
            endpoint: "fake://".to_owned(),
        };
        Self {
            inner: Arc::new(Inner {
                world: Mutex::new(World::new(facts)),
                changed: watch::channel(0).0,
                latency: Mutex::new(Duration::ZERO),
            }),
        }
    }

    /// An image as a test needs it: its id hangs on `seed`, so that another seed is another image.
    pub fn image(seed: &str) -> ImageDetails {
        ImageDetails {
            id: ImageId::new(format!("sha256:{}", hex(seed))),
            size: 1000,
            created: "2025-12-01T00:00:00Z".to_owned(),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            ..ImageDetails::default()
        }
    }
    /// Has an image under this name.
    #[must_use]
    pub fn with_image(self, reference: &str, image: ImageDetails) -> Self {
        self.inside(|world| world.name_image(image, &normal(reference)));
        self
    }
    /// Has plain images under these names.
    #[must_use]
    pub fn with_images(self, references: &[&str]) -> Self {
        references.iter().fold(self, |fake, reference| fake.with_image(reference, Self::image(reference)))
    }
    /// Its registry has an image under this name; pulling it takes so long.
    #[must_use]
    pub fn with_remote(self, reference: &str, image: ImageDetails, takes: Duration) -> Self {
        self.inside(|world| world.remotes.insert(normal(reference), Remote { image, takes }));
        self
    }
    /// Building this name gives this image.
    #[must_use]
    pub fn with_build(self, name: &str, image: ImageDetails) -> Self {
        self.inside(|world| world.builds.insert(name.to_owned(), image));
        self
    }
    /// What the programs do in containers whose name or image fits the pattern (`*` at an end stands for anything);
    /// of several that fit the last one holds.
    #[must_use]
    pub fn on(self, pattern: &str, behaviour: Behaviour) -> Self {
        self.inside(|world| world.behaviours.push((pattern.to_owned(), behaviour)));
        self
    }
    /// What commands inside containers do, by the words of the command.
    #[must_use]
    pub fn on_exec(self, pattern: &str, behaviour: ExecBehaviour) -> Self {
        self.inside(|world| world.exec_behaviours.push((pattern.to_owned(), behaviour)));
        self
    }
    /// What the engine says of itself.
    #[must_use]
    pub fn with_facts(self, change: impl FnOnce(&mut EngineFacts)) -> Self {
        self.inside(|world| change(&mut world.facts));
        self
    }
    /// Every call takes so long.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        *lock(&self.inner.latency) = latency;
        self
    }
    /// Something else on the host holds this port.
    #[must_use]
    pub fn with_taken_port(self, port: u16) -> Self {
        self.inside(|world| world.taken_ports.insert(port));
        self
    }

    /// Every call so far, in words: `create container shop-web-1`.
    pub fn calls(&self) -> Vec<String> {
        self.inside(|world| world.faults.calls.clone())
    }
    /// Forgets the calls so far and begins to count anew.
    pub fn forget_calls(&self) {
        self.inside(|world| {
            world.faults.calls.clear();
            world.faults.most_at_once = 0;
        });
    }
    /// The largest number of calls that went on side by side.
    pub fn most_calls_at_once(&self) -> usize {
        self.inside(|world| world.faults.most_at_once)
    }
    /// Cuts a call, counted from 0 since [`forget_calls`](Self::forget_calls).
    pub fn cut_at(&self, call: usize, cut: Cut, then: Then) {
        self.inside(|world| world.faults.cut = Some((call, cut, then)));
    }
    /// Answers again and cuts nothing more; what is late stays late.
    pub fn revive(&self) {
        self.inside(|world| {
            world.faults.cut = None;
            world.faults.is_silent = false;
        });
    }
    /// What is late happens now.
    pub fn settle(&self) {
        self.inside(|world| {
            for effect in world.faults.take_late(true) {
                effect(world);
            }
        });
    }
    /// Breaks all event streams, as a restarted engine does.
    pub fn break_event_streams(&self) {
        self.inside(|world| world.event_cuts += 1);
    }
    /// A program ends by itself, whatever its script says. Nothing happens when the container does not run.
    pub fn end_program(&self, name: &str, code: i64) {
        self.inside(|world| {
            if let Some(id) = world.container_id(name)
                && world.containers.get(&id).is_some_and(world::Record::is_alive)
            {
                world.end(&id, code);
            }
        });
    }
    /// What was written to a container's input.
    pub fn input_of(&self, name: &str) -> Vec<u8> {
        self.inside(|world| {
            let id = world.container_id(name);
            id.and_then(|id| world.containers.get(&id)).map(|record| record.input.clone()).unwrap_or_default()
        })
    }
    /// Puts something into every volume that is empty, so that a lost or exchanged volume shows in the
    /// [`dump`](Self::dump).
    pub fn fill_volumes(&self, content: &str) {
        self.inside(|world| {
            for volume in world.volumes.values_mut().filter(|volume| volume.content.is_empty()) {
                content.clone_into(&mut volume.content);
            }
        });
    }
    /// What lies in a volume; `None` when there is no such volume.
    pub fn volume_content(&self, name: &VolumeName) -> Option<String> {
        self.inside(|world| world.volumes.get(name).map(|volume| volume.content.clone()))
    }
    /// The world as text without ids and times, and without the labels that begin with one of `without`.
    pub fn dump(&self, without: &[&str]) -> String {
        self.inside(|world| world.dump(without))
    }
    /// Another engine in the same state; nothing that is done to one shows in the other.
    #[must_use]
    pub fn fork(&self) -> Self {
        let world = self.inside(|world| world.clone());
        let latency = *lock(&self.inner.latency);
        let inner = Inner { world: Mutex::new(world), changed: watch::channel(0).0, latency: Mutex::new(latency) };
        Self { inner: Arc::new(inner) }
    }
    /// As an `Arc` of the trait.
    pub fn shared(&self) -> Arc<dyn Runtime> {
        Arc::new(self.clone())
    }

    /// Does something to the world at its present time, not as a call.
    fn inside<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = {
            let mut world = lock(&self.inner.world);
            world.advance();
            act(&mut world)
        };
        self.inner.changed.send_modify(|count| *count += 1);
        result
    }

    /// Waits until the world gives something.
    async fn until<T>(&self, mut check: impl FnMut(&mut World) -> Option<T>) -> T {
        let mut changes = self.inner.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let (found, due, happened) = {
                let mut world = lock(&self.inner.world);
                let happened = world.advance();
                (check(&mut world), world.next_due(), happened)
            };
            if happened {
                self.inner.changed.send_modify(|count| *count += 1);
            }
            if let Some(found) = found {
                return found;
            }
            if happened {
                continue;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(due.unwrap_or_default()), if due.is_some() => {}
            }
        }
    }

    /// A call that changes nothing.
    async fn look<T>(&self, what: impl Into<String>, act: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        let what = what.into();
        let _place = self.arrive().await;
        self.inside(|world| match world.faults.meet(&what, false) {
            Fate::Works => act(world),
            _ => Err(no_answer(&what)),
        })
    }

    /// A call that changes something.
    async fn change<T: 'static>(
        &self,
        what: impl Into<String>,
        act: impl FnOnce(&mut World) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let what = what.into();
        let _place = self.arrive().await;
        self.inside(|world| {
            let fate = world.faults.meet(&what, true);
            if fate == Fate::Works {
                for effect in world.faults.take_late(false) {
                    effect(world);
                }
            }
            match fate {
                Fate::Works => act(world),
                Fate::Fails => Err(no_answer(&what)),
                Fate::WorksUnanswered => {
                    let _ = act(world);
                    Err(no_answer(&what))
                }
                Fate::ComesLate => {
                    world.faults.defer(Box::new(|world| {
                        let _ = act(world);
                    }));
                    Err(no_answer(&what))
                }
            }
        })
    }

    /// A call is under way.
    async fn arrive(&self) -> Place {
        let place = Place(self.clone());
        self.inside(|world| {
            world.faults.at_once += 1;
            world.faults.most_at_once = world.faults.most_at_once.max(world.faults.at_once);
        });
        let latency = *lock(&self.inner.latency);
        if latency.is_zero() {
            // As with a real engine, others come first while this call is on its way.
            in_turn().await;
        } else {
            tokio::time::sleep(latency).await;
        }
        place
    }

    fn name_of(&self, container: &ContainerId) -> String {
        self.inside(|world| {
            let known = world.containers.get(container);
            known.map_or_else(|| container.as_str().to_owned(), |record| record.name.as_str().to_owned())
        })
    }
}

/// Lets others go first, in the order in which they came; tokio's own `yield_now` wakes the last one first.
async fn in_turn() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A call under way.
struct Place(Fake);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inside(|world| world.faults.at_once -= 1);
    }
}

fn no_answer(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, what, "the connection to the engine was lost")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that failed while it held the lock must not hide its own message behind this one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Runtime for Fake {
    async fn facts(&self) -> Result<EngineFacts> {
        self.look("ask the engine what it is", |world| Ok(world.facts.clone())).await
    }

    /// Of the host it knows the ports that are taken; it has every path and GPU.
    async fn look_at_host(&self, wish: &HostWish) -> HostFound {
        self.inside(|world| {
            let taken = wish.ports.iter().filter(|(port, _)| world.taken_ports.contains(port));
            let sockets = taken.map(|(port, protocol)| (format!("0.0.0.0:{port}/{protocol}"), String::new()));
            HostFound { sockets: sockets.collect(), ..HostFound::default() }
        })
    }
}

/// SHA-256 of a text, in hex.
#[doc(hidden)]
pub fn sha256(text: &str) -> String {
    hex(text)
}
