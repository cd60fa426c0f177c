//! Starting containers that publish a range of ports: the engine hands those out without locking.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::names::ContainerId;
use crate::resource::ContainerSpec;

/// Which containers publish which ranges, and a lock for each range.
#[derive(Default)]
pub(super) struct PortRanges {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    of: BTreeMap<ContainerId, Vec<String>>,
    locks: BTreeMap<String, Arc<tokio::sync::Mutex<()>>>,
}

/// The ranges of host ports that a container publishes, sorted.
pub(super) fn ranges_of(spec: &ContainerSpec) -> Vec<String> {
    let mut ranges: Vec<String> = spec
        .host
        .port_bindings
        .values()
        .flatten()
        .filter(|binding| binding.host_port.contains('-'))
        .map(|binding| binding.host_port.clone())
        .collect();
    ranges.sort();
    ranges.dedup();
    ranges
}

impl PortRanges {
    /// Remembers a container that was made.
    pub(super) fn learn(&self, container: &ContainerId, ranges: Vec<String>) {
        if !ranges.is_empty() {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).of.insert(container.clone(), ranges);
        }
    }

    /// Waits for the locks of a container's ranges; none for containers that publish no range.
    pub(super) async fn lock(&self, container: &ContainerId) -> Vec<OwnedMutexGuard<()>> {
        let locks: Vec<_> = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let ranges = known.of.get(container).cloned().unwrap_or_default();
            // Sorted, so that two containers with the same two ranges do not wait for each other.
            ranges.into_iter().map(|range| Arc::clone(known.locks.entry(range).or_default())).collect()
        };
        let mut guards = Vec::with_capacity(locks.len());
        for lock in locks {
            guards.push(lock.lock_owned().await);
        }
        guards
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::PortBinding;

    #[test]
    fn only_ranges_count() {
        let mut spec = ContainerSpec::default();
        let bind = |port: &str| vec![PortBinding { host_ip: String::new(), host_port: port.to_owned() }];
        for (port, host) in [("1/tcp", "8000-8010"), ("2/tcp", "8000-8010"), ("3/tcp", "9000"), ("4/tcp", "")] {
            spec.host.port_bindings.insert(port.to_owned(), bind(host));
        }
        assert_eq!(ranges_of(&spec), ["8000-8010"]);
    }

    #[tokio::test]
    async fn one_at_a_time_per_range() {
        let ranges = PortRanges::default();
        let (a, b, c) = (ContainerId::from("a"), ContainerId::from("b"), ContainerId::from("c"));
        ranges.learn(&a, vec!["1-2".to_owned()]);
        ranges.learn(&b, vec!["1-2".to_owned()]);
        let held = ranges.lock(&a).await;
        assert!(ranges.lock(&c).await.is_empty());
        assert!(futures::FutureExt::now_or_never(ranges.lock(&b)).is_none());
        drop(held);
        assert_eq!(ranges.lock(&b).await.len(), 1);
    }
}
