//! What is counted, as Prometheus reads it (OpenMetrics text). Counting takes no lock that connections
//! would wait for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::tls::Rule;

/// The result of what went well, as KMIP spells it.
const SUCCESS: &str = "Success";

mod latency;

use latency::Latency;

/// The counters. Copies count into the same ones.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Counters>);

/// What successes of one operation are counted by, found without asking the families.
#[derive(Clone, Debug)]
struct Ready {
    operation: &'static str,
    succeeded: Counter,
    seconds: Latency,
}

#[derive(Debug, Default)]
struct Counters {
    ready: ArcSwap<Vec<Ready>>,
    connections: Gauge,
    accepted: Counter,
    refusals: Family<RuleLabel, Counter>,
    handshake_failures: Counter,
    cut: Family<CutLabel, Counter>,
    bytes_read: Counter,
    bytes_written: Counter,
    operations: Family<OperationLabels, Counter>,
    seconds: Family<OperationLabel, Latency>,
    panics: Counter,
    reloads: Family<ReloadLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabel {
    rule: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabel {
    outcome: &'static str,
}

impl Metrics {
    /// An operation of a request was answered: its name and its result as KMIP spells them, and how
    /// long it took.
    pub fn operation(&self, operation: &'static str, outcome: &'static str, seconds: f64) {
        let ready = self.0.ready.load();
        let known = ready.iter().find(|ready| outcome == SUCCESS && ready.operation == operation);
        if let Some(known) = known {
            known.succeeded.inc();
            known.seconds.observe(seconds);
            return;
        }
        let counter = self.0.operations.get_or_create(&OperationLabels { operation, outcome }).clone();
        let latency = self.0.seconds.get_or_create(&OperationLabel { operation }).clone();
        counter.inc();
        latency.observe(seconds);
        if outcome == SUCCESS {
            let fresh = Ready { operation, succeeded: counter, seconds: latency };
            self.0.ready.rcu(|ready| {
                let mut more = Vec::clone(ready);
                more.push(fresh.clone());
                more
            });
        }
    }

    pub(crate) fn accepted(&self) {
        self.0.accepted.inc();
    }

    pub(crate) fn opened(&self) {
        self.0.connections.inc();
    }

    pub(crate) fn closed(&self) {
        self.0.connections.dec();
    }

    pub(crate) fn refused(&self, rule: Rule) {
        self.0.refusals.get_or_create(&RuleLabel { rule: rule.name() }).inc();
    }

    pub(crate) fn handshake_failed(&self) {
        self.0.handshake_failures.inc();
    }

    /// The server ended a connection for this reason.
    pub(crate) fn cut(&self, reason: &'static str) {
        self.0.cut.get_or_create(&CutLabel { reason }).inc();
    }

    pub(crate) fn message(&self, read: usize, written: usize) {
        self.0.bytes_read.inc_by(u64::try_from(read).unwrap_or(u64::MAX));
        self.0.bytes_written.inc_by(u64::try_from(written).unwrap_or(u64::MAX));
    }

    /// Answering a request failed inside: a defect of the server.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }

    pub(crate) fn reloaded(&self, done: bool) {
        self.0.reloads.get_or_create(&ReloadLabel { outcome: if done { "done" } else { "failed" } }).inc();
    }

    /// All counters as text.
    pub fn text(&self) -> String {
        let all = &self.0;
        let mut registry = Registry::with_prefix("softhsm_kmip");
        registry.register("connections", "Connections that are open", all.connections.clone());
        registry.register("accepted", "Connections that were accepted", all.accepted.clone());
        registry.register("refusals", "Clients refused, by the rule they failed", all.refusals.clone());
        registry.register("handshake_failures", "TLS handshakes that failed", all.handshake_failures.clone());
        registry.register("cut", "Connections that the server ended, by reason", all.cut.clone());
        let bytes = Unit::Bytes;
        registry.register_with_unit("read", "Of request messages", bytes.clone(), all.bytes_read.clone());
        registry.register_with_unit("written", "Of response messages", bytes, all.bytes_written.clone());
        registry.register("operations", "Operations answered, by result", all.operations.clone());
        let help = "How long operations took";
        registry.register_with_unit("operation", help, Unit::Seconds, all.seconds.clone());
        registry.register("panics", "Requests whose answering failed inside", all.panics.clone());
        registry.register("reloads", "Reloads of the configuration, by outcome", all.reloads.clone());
        let mut out = String::new();
        // Writing into memory does not fail.
        let _ = text::encode(&mut out, &registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let metrics = Metrics::default();
        for outcome in ["Success", "Success", "ObjectNotFound"] {
            metrics.clone().operation("Get", outcome, 0.0004);
        }
        metrics.refused(Rule::Expired);
        metrics.message(10, 20);
        let text = metrics.text();
        for line in [
            "softhsm_kmip_operations_total{operation=\"Get\",outcome=\"Success\"} 2",
            "softhsm_kmip_operations_total{operation=\"Get\",outcome=\"ObjectNotFound\"} 1",
            "softhsm_kmip_operation_seconds_bucket{le=\"0.0005\",operation=\"Get\"} 3",
            "softhsm_kmip_operation_seconds_bucket{le=\"+Inf\",operation=\"Get\"} 3",
            "softhsm_kmip_operation_seconds_bucket{le=\"0.0001\",operation=\"Get\"} 0",
            "softhsm_kmip_operation_seconds_count{operation=\"Get\"} 3",
            "softhsm_kmip_refusals_total{rule=\"expired\"} 1",
            "softhsm_kmip_read_bytes_total 10",
            "softhsm_kmip_written_bytes_total 20",
            "softhsm_kmip_connections 0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
