//! Which request a line of the log belongs to, and how lines are written.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};

use hsm_core::config::LogFormat;
use log::Record;

thread_local! {
    /// The request that this thread is answering.
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
}

/// A request of this process: the number of its connection, and its own on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// Connections are counted from 1.
    pub connection: u64,
    /// Requests of a connection are counted from 1.
    pub request: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.connection, self.request)
    }
}

/// The request that this thread is answering, if it is.
pub fn current_request() -> Option<RequestId> {
    CURRENT.get()
}

/// Does something as part of a request, so that its lines bear the request's id.
pub(crate) fn during<T>(request: RequestId, work: impl FnOnce() -> T) -> T {
    /// Also where the work panics.
    struct Restore(Option<RequestId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some(request)));
    work()
}

/// Writes a line of the log.
///
/// # Errors
/// Those of `to`.
pub fn write_line(to: &mut dyn Write, record: &Record<'_>, format: LogFormat) -> io::Result<()> {
    let time = jiff::Timestamp::now();
    let (level, target, request) = (record.level(), record.target(), current_request());
    match format {
        LogFormat::Text => {
            let request = request.map(|id| format!(" [{id}]")).unwrap_or_default();
            writeln!(to, "{time:.3} {level:<5} {target}{request}: {}", record.args())
        }
        LogFormat::Json => {
            let line = serde_json::json!({
                "time": format!("{time:.3}"),
                "level": level.as_str(),
                "target": target,
                "request": request.map(|id| id.to_string()),
                "message": record.args().to_string(),
            });
            writeln!(to, "{line}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: LogFormat) -> String {
        let mut out = Vec::new();
        let record =
            Record::builder().level(log::Level::Warn).target("t").args(format_args!("a \"b\"")).build();
        write_line(&mut out, &record, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_bears_its_request_while_that_is_answered() {
        let id = RequestId { connection: 3, request: 7 };
        assert!(during(id, || line(LogFormat::Text)).ends_with("Z WARN  t [3.7]: a \"b\"\n"));
        assert!(line(LogFormat::Text).ends_with("Z WARN  t: a \"b\"\n"));
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let value: serde_json::Value = serde_json::from_str(&line(LogFormat::Json)).unwrap();
        assert_eq!(value["message"], "a \"b\"");
        assert_eq!(value["level"], "WARN");
        assert_eq!(value["request"], serde_json::Value::Null);
    }

    #[test]
    fn a_panic_ends_the_request_too() {
        let id = RequestId { connection: 1, request: 1 };
        let caught = std::panic::catch_unwind(|| during(id, || panic!("on purpose")));
        assert!(caught.is_err());
        assert_eq!(current_request(), None);
    }
}
