//! A page to print: plain text of 80 columns, nothing that a printer or an old eye would stumble over.

use std::fmt::Write;

/// Columns of a page.
const WIDTH: usize = 80;
/// Where values begin.
const VALUES: usize = 22;

/// Text on its way to paper.
#[derive(Default)]
pub(super) struct Paper(String);

impl Paper {
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn title(&mut self, text: &str) {
        self.line(text);
        self.line(&"=".repeat(text.chars().count()));
    }

    pub(super) fn section(&mut self, text: &str) {
        self.line("");
        self.line(text);
        self.line(&"-".repeat(text.chars().count()));
    }

    pub(super) fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }

    /// A name and a value, broken between words; a value without a blank that does not fit has a line of its own.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        if VALUES + value.chars().count() > WIDTH && !value.contains(' ') {
            self.line(name);
            self.line(&format!("    {value}"));
            return;
        }
        let mut name = name;
        if name.chars().count() >= VALUES {
            self.line(name);
            name = "";
        }
        let mut line = format!("{name:<VALUES$}");
        let mut is_begun = false;
        for word in value.split(' ') {
            if is_begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = " ".repeat(VALUES);
                is_begun = false;
            }
            // Writing to a string does not fail.
            let _ = write!(line, "{}{word}", if is_begun { " " } else { "" });
            is_begun = true;
        }
        self.line(&line);
    }

    /// Places to sign at.
    pub(super) fn sign(&mut self, who: &str) {
        self.line("");
        self.line(who);
        self.line("");
        self.line("    Date ________________    Signature ____________________________________");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_page() {
        let mut paper = Paper::default();
        paper.title("Record");
        paper.field("HSM", &"ab".repeat(16));
        paper.field("master key", &"ab".repeat(32));
        paper.field("permissions", &"single-signature, ".repeat(12));
        paper.sign("alice");
        let text = paper.into_text();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.trim_end() == line), "{text}");
        assert!(text.contains(&format!("\n    {}\n", "ab".repeat(32))));
    }
}
