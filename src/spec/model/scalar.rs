//! Quantities with a unit.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A number of bytes; `-1` stands for "no limit" where the engine allows it. Printed as a decimal string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub i64);

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A duration in nanoseconds, printed the way Go does: `1m30s`, `1.5s`, `0s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub i64);

impl GoDuration {
    /// As a length of time; negative ones are none.
    pub fn to_duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if self.0 < 0 {
            out.write_str("-")?;
        }
        let fraction = |value: u64, unit: u64| {
            let digits = unit.ilog10() as usize;
            let text = format!("{}.{:0digits$}", value / unit, value % unit);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        match nanos {
            0 => out.write_str("0s"),
            1..1_000 => write!(out, "{nanos}ns"),
            1_000..1_000_000 => write!(out, "{}µs", fraction(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(out, "{}ms", fraction(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(out, "{seconds}s"),
                    (0, minutes) => write!(out, "{minutes}m{seconds}s"),
                    (hours, minutes) => write!(out, "{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number of 32 bits with its own shortest digits; widened to 64 bits it would have more.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(super) fn short_float<S: Serializer>(number: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(number) = number else { return serializer.serialize_none() };
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number below 2^24")]
    if number.fract() == 0.0 && number.abs() < 16_777_216.0 {
        return serializer.serialize_i64(*number as i64);
    }
    serializer.serialize_f64(number.to_string().parse().unwrap_or(f64::from(*number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (-1_000_000_000, "-1s"),
        ] {
            assert_eq!(GoDuration(nanos).to_string(), text);
        }
    }
}
