//! Samples of resource use, computed from the engine's raw numbers by the formulas of docker's command line.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::runtime::docker::found::nullable;
use crate::runtime::{Stats, StatsTotals};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sample {
    read: String,
    #[serde(deserialize_with = "nullable")]
    cpu_stats: Cpu,
    #[serde(deserialize_with = "nullable")]
    precpu_stats: Cpu,
    #[serde(deserialize_with = "nullable")]
    memory_stats: Memory,
    #[serde(deserialize_with = "nullable")]
    pids_stats: Pids,
    #[serde(deserialize_with = "nullable")]
    networks: BTreeMap<String, Traffic>,
    #[serde(deserialize_with = "nullable")]
    blkio_stats: Blkio,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cpu {
    #[serde(deserialize_with = "nullable")]
    cpu_usage: Usage,
    system_cpu_usage: u64,
    online_cpus: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    total_usage: u64,
    #[serde(deserialize_with = "nullable")]
    percpu_usage: Vec<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: u64,
    limit: u64,
    #[serde(deserialize_with = "nullable")]
    stats: BTreeMap<String, u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pids {
    current: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Traffic {
    rx_bytes: u64,
    tx_bytes: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Blkio {
    #[serde(deserialize_with = "nullable")]
    io_service_bytes_recursive: Vec<BlkioEntry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BlkioEntry {
    op: String,
    value: u64,
}

impl Sample {
    /// Whether there was something to measure: samples of stopped containers bear the zero time.
    pub(super) fn is_taken(&self) -> bool {
        !self.read.is_empty() && !self.read.starts_with("0001-01-01")
    }

    pub(super) fn stats(&self) -> Stats {
        let mut totals = StatsTotals::default();
        for traffic in self.networks.values() {
            totals.network_in = totals.network_in.saturating_add(traffic.rx_bytes);
            totals.network_out = totals.network_out.saturating_add(traffic.tx_bytes);
        }
        for entry in &self.blkio_stats.io_service_bytes_recursive {
            match entry.op.bytes().next() {
                Some(b'r' | b'R') => totals.block_in = totals.block_in.saturating_add(entry.value),
                Some(b'w' | b'W') => totals.block_out = totals.block_out.saturating_add(entry.value),
                _ => {}
            }
        }
        Stats {
            cpu_percent: self.cpu_percent(),
            memory: self.memory_stats.used(),
            memory_limit: self.memory_stats.limit,
            pids: self.pids_stats.current,
            totals,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than 52 bits")]
    fn cpu_percent(&self) -> f64 {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now.cpu_usage.total_usage as f64 - before.cpu_usage.total_usage as f64;
        let passed = now.system_cpu_usage as f64 - before.system_cpu_usage as f64;
        let processors = match now.online_cpus {
            0 => now.cpu_usage.percpu_usage.len() as f64,
            count => f64::from(count),
        };
        if used > 0.0 && passed > 0.0 { used / passed * processors * 100.0 } else { 0.0 }
    }
}

impl Memory {
    /// Page cache that can be given back does not count: `total_inactive_file` of cgroup v1, `inactive_file` of v2.
    fn used(&self) -> u64 {
        for key in ["total_inactive_file", "inactive_file"] {
            if let Some(cache) = self.stats.get(key)
                && *cache < self.usage
            {
                return self.usage - cache;
            }
        }
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_s_formulas() {
        let sample: Sample = serde_json::from_str(
            r#"{"read": "2026-01-01T00:00:00Z", "num_procs": 0,
            "cpu_stats": {"cpu_usage": {"total_usage": 300, "percpu_usage": null}, "system_cpu_usage": 2000, "online_cpus": 4},
            "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
            "memory_stats": {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 400, "cache": 1}},
            "pids_stats": {"current": 3, "limit": 18446744073709551615},
            "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
            "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "write", "value": 6}, {"op": "Total", "value": 11}]}}"#,
        )
        .unwrap();
        assert!(sample.is_taken());
        let totals = StatsTotals { network_in: 11, network_out: 22, block_in: 5, block_out: 6 };
        let expected = Stats { cpu_percent: 80.0, memory: 600, memory_limit: 5000, pids: 3, totals };
        assert_eq!(sample.stats(), expected);
    }

    #[test]
    fn a_stopped_container_has_nothing_to_measure() {
        let sample: Sample = serde_json::from_str(
            r#"{"read": "0001-01-01T00:00:00Z", "cpu_stats": {"cpu_usage": {"total_usage": 0}}, "blkio_stats":
            {"io_service_bytes_recursive": null}, "memory_stats": {}}"#,
        )
        .unwrap();
        assert!(!sample.is_taken());
        assert_eq!(sample.stats(), Stats::default());
    }
}
