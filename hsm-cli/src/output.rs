//! What people and scripts are shown: aligned tables and fields, or JSON. Colours go to terminals
//! alone, and not where `NO_COLOR` is set; `anstream` sees to that. A reader that went away early
//! (`| head`) is no failure.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use der::DateTime;
use hsm_core::object::lifecycle::Seconds;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

const HEADING: Style = Style::new().bold();
const FAULT: Style = AnsiColor::Red.on_default().bold();
const CAUTION: Style = AnsiColor::Yellow.on_default().bold();

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Output {
        Output { json, quiet }
    }

    /// Whether remarks and progress are wanted.
    pub(crate) fn is_chatty(self) -> bool {
        !self.quiet && !self.json
    }

    /// A result: as JSON, or as `human` writes it.
    pub(crate) fn result(self, value: &impl Serialize, human: impl FnOnce(&mut Page)) {
        let mut page = Page(String::new());
        if self.json {
            // Serialising to a string fails for maps with keys that are no text; there are none.
            page.0 = serde_json::to_string_pretty(value).unwrap_or_default();
            page.0.push('\n');
        } else {
            human(&mut page);
        }
        write(&mut anstream::stdout(), &page.0);
    }

    /// A result that comes line by line, too long to be one: as JSON, or as `human` has it. False where
    /// nobody reads any more.
    pub(crate) fn line(self, json: impl FnOnce() -> String, human: impl FnOnce() -> String) -> bool {
        let line = if self.json { json() } else { human() };
        writeln!(anstream::stdout(), "{line}").is_ok()
    }

    /// What somebody is about to be asked about, whatever goes to standard output.
    pub(crate) fn question(self, human: impl FnOnce(&mut Page)) {
        let mut page = Page(String::new());
        human(&mut page);
        write(&mut anstream::stderr(), &page.0);
    }

    /// One line of a long result, at once; in JSON the result says it at the end.
    pub(crate) fn step(self, line: &str) {
        if self.is_chatty() {
            write(&mut anstream::stdout(), &format!("{line}\n"));
        }
    }

    /// A remark that matters, even to those who want results alone.
    pub(crate) fn warning(self, text: &str) {
        write(&mut anstream::stderr(), &format!("{CAUTION}warning:{CAUTION:#} {text}\n"));
    }

    /// A line that whoever started the process waits for.
    pub(crate) fn notice(self, text: &str) {
        write(&mut anstream::stderr(), &format!("softhsm-rs: {text}\n"));
    }

    /// Why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = if self.json {
            let Failure { outcome, message, next } = failure;
            let error =
                json!({ "name": outcome.name(), "exit": outcome.code(), "message": message, "next": next });
            format!("{}\n", json!({ "error": error }))
        } else {
            let next = failure.next.as_ref().map(|next| format!("\n  {next}")).unwrap_or_default();
            format!("{FAULT}error:{FAULT:#} {}{next}\n", failure.message)
        };
        write(&mut anstream::stderr(), &text);
    }
}

/// Text for people under way.
pub(crate) struct Page(String);

impl Page {
    /// A line.
    pub(crate) fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// Names and values, the values aligned.
    pub(crate) fn fields<'a>(&mut self, fields: impl IntoIterator<Item = (&'a str, String)>) {
        let fields: Vec<_> = fields.into_iter().collect();
        let width = fields.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        for (name, value) in fields {
            self.line(&format!("{HEADING}{}{HEADING:#}  {value}", pad(name, width)));
        }
    }

    /// A table: columns as wide as their widest cell, the last one not padded.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) {
        let mut widths = head.map(width);
        for row in rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        let line = |cells: [&str; N]| {
            let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| pad(cell, width)).collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.line(&format!("{HEADING}{}{HEADING:#}", line(head)));
        for row in rows {
            self.line(&line(row.each_ref().map(String::as_str)));
        }
    }
}

/// Text of a stranger, as a label is, made safe for a terminal: control characters are escaped, so
/// that it cannot move the cursor or forge a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// A moment as RFC 3339 has it, in UTC.
pub(crate) fn date(moment: Seconds) -> String {
    let since = Duration::from_secs(u64::try_from(moment).unwrap_or_default());
    // A clock beyond the year 9999 is worth no error.
    DateTime::from_unix_duration(since)
        .map_or_else(|_| "9999-12-31T23:59:59Z".to_owned(), |date| date.to_string())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Writes what can be written; there is nobody to tell about the rest.
fn write(to: &mut dyn Write, text: &str) {
    let _: io::Result<()> = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(page: &Page) -> String {
        anstream::adapter::strip_str(&page.0).to_string()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut page = Page(String::new());
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        page.table(["A", "LONG", "C"], &[row("aäa", "b", "c"), row("a", "b", "")]);
        assert_eq!(plain(&page), "A    LONG  C\naäa  b     c\na    b\n");
    }

    #[test]
    fn values_of_fields_are_aligned() {
        let mut page = Page(String::new());
        page.fields([("a", "1".to_owned()), ("long", "2".to_owned())]);
        assert_eq!(plain(&page), "a     1\nlong  2\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc ä"), "a\\u{1b}[2Jb\\nc ä");
    }
}
