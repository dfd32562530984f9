//! Where the log goes: a file or standard error, never standard output, and by default nowhere.

use std::fs::File;
use std::sync::Once;

use env_logger::{Builder, Target};
use hsm_core::Error;
use hsm_core::config::LogConfig;

/// Starts the log once per process; a later C_Initialize keeps what is there, since `log` takes one
/// logger for good.
pub(crate) fn start(config: &LogConfig) {
    static STARTED: Once = Once::new();
    let Some(filter) = config.filter.as_deref().filter(|filter| *filter != "off") else { return };
    STARTED.call_once(|| {
        let logger = Builder::new().parse_filters(filter).target(target(config)).build();
        log::set_max_level(logger.filter());
        // Fails only where a logger is set already, and this copy of `log` is ours alone.
        let _ = log::set_boxed_logger(Box::new(logger));
    });
}

/// A configuration that cannot be used also says where its log would go, so this goes to standard
/// error: a bare CKR_GENERAL_ERROR would leave the user guessing.
#[allow(clippy::print_stderr, reason = "there is no log without a configuration")]
pub(crate) fn report_config(error: &Error) {
    eprintln!("softhsm-rs: {error}");
}

fn target(config: &LogConfig) -> Target {
    let file = config.file.as_ref().map(|path| File::options().append(true).create(true).open(path));
    match file {
        Some(Ok(file)) => Target::Pipe(Box::new(file)),
        Some(Err(_)) | None => Target::Stderr,
    }
}
