//! A histogram of atomic counters: the library's own takes a lock at each observation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in seconds.
const BOUNDS: [f64; 12] = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 1e-1, 5e-1, 2.5];

/// How long something took, in buckets.
#[derive(Clone, Default)]
pub(super) struct Latency(Arc<Cells>);

#[derive(Default)]
struct Cells {
    buckets: [AtomicU64; BOUNDS.len()],
    above: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Latency {
    pub(super) fn observe(&self, seconds: f64) {
        let bucket = BOUNDS.iter().zip(&self.0.buckets).find(|(bound, _)| seconds <= **bound);
        bucket.map_or(&self.0.above, |(_, cell)| cell).fetch_add(1, Ordering::Relaxed);
        // Negative and excessive values saturate.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        self.0.nanoseconds.fetch_add((seconds * 1e9) as u64, Ordering::Relaxed);
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Latency")
    }
}

impl TypedMetric for Latency {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Latency {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let load = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let mut buckets: Vec<(f64, u64)> =
            BOUNDS.iter().zip(&self.0.buckets).map(|(bound, cell)| (*bound, load(cell))).collect();
        buckets.push((f64::INFINITY, load(&self.0.above)));
        let count = buckets.iter().map(|(_, count)| count).sum();
        #[allow(clippy::cast_precision_loss, reason = "a sum for people, in seconds")]
        let sum = load(&self.0.nanoseconds) as f64 / 1e9;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
