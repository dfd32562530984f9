//! The log of this process, kept so that tests find the lines of their own connections.

use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Journal;

impl log::Log for Journal {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target().starts_with("kmip_server") {
            LINES.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

pub(super) fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        log::set_logger(&Journal).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// The lines about the connection from a port of this machine.
pub(crate) fn lines_of(port: u16) -> Vec<String> {
    let marks = [format!("127.0.0.1:{port}:"), format!("127.0.0.1:{port} ")];
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| marks.iter().any(|mark| line.contains(mark))).cloned().collect()
}
