//! `unit mk-rotate`: partitions are wrapped under the master key that is committed.

use hsm_core::hsm::{Hsm, Rewrapped};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::failure::Result;
use crate::output::Output;

/// What the TKE tools say when set-immediate may come; scripts wait for it.
const DONE: &str = "KMS CRK rewrap successful, waiting on cryptounit-mk-setimm.";

pub(in crate::commands) fn run(hsm: &Hsm, output: Output) -> Result<()> {
    let bar = bar(output);
    let done = hsm.rewrap_partitions(&mut |Rewrapped { done, total }| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let rewrapped = done?;
    output.result(&json!({ "rewrapped": rewrapped, "message": DONE }), |page| {
        page.line(DONE);
        page.fields([("partitions", rewrapped.total.to_string())]);
    });
    Ok(())
}

/// Shows how many partitions are wrapped, where anybody looks.
pub(super) fn bar(output: Output) -> ProgressBar {
    let bar = if output.is_chatty() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    // The form is valid; a plain bar would do as well.
    let form = ProgressStyle::with_template("partitions {wide_bar} {pos}/{len} {eta}");
    bar.set_style(form.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
