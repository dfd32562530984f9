//! The text of the workspace: its files, and Rust source without comments and strings.
#![allow(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::Path;

/// A text file.
pub(crate) struct File {
    /// Path from the root of the workspace, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Rust source with the inside of comments, strings and characters blanked, lines kept; empty for
    /// other files.
    pub code: String,
}

/// Every text file of the workspace.
pub(crate) struct Workspace {
    pub files: Vec<File>,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        let code = if path.ends_with(".rs") { without_text(text) } else { String::new() };
        File { path: path.to_owned(), text: text.to_owned(), code }
    }

    /// The lines of code, numbered from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

impl Workspace {
    /// Reads the workspace that this test was built in.
    pub(crate) fn read() -> Workspace {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's root");
        let mut files = Vec::new();
        collect(root, "", &mut files);
        assert!(files.len() > 100, "the workspace was not found at {}", root.display());
        Workspace { files }
    }

    /// A workspace of one file, for the samples that rules must refuse.
    pub(crate) fn of(path: &str, text: &str) -> Workspace {
        Workspace { files: vec![File::new(path, text)] }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// What `make` and cargo leave in the workspace is not part of it: hidden directories but `.ci`, build
/// directories (which cargo tags), and the HSM that `make run` makes.
fn collect(directory: &Path, prefix: &str, files: &mut Vec<File>) {
    if directory.join("CACHEDIR.TAG").exists() {
        return;
    }
    for entry in fs::read_dir(directory).expect("a directory of the workspace") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        if name.starts_with('.') && name != ".ci" || name == "hsm-data" {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("a file's type");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(File::new(&path, &text));
        }
    }
}

/// Whether `text` has `word` as a word of its own, and where.
pub(crate) fn word_at(text: &str, word: &str) -> Option<usize> {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Source with the inside of comments, strings and character literals turned into blanks.
fn without_text(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = literal(rest, out.chars().next_back()).unwrap_or(0);
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// The length in bytes of the comment or literal that `text` begins with.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |end| end + 2));
    }
    if text.starts_with('"') {
        return Some(quoted(text, '"'));
    }
    if !in_word && let Some(length) = raw_string(text) {
        return Some(length);
    }
    // A character, not a lifetime: 'x' or an escape.
    let inside = text.strip_prefix('\'')?;
    let mut characters = inside.chars();
    match (characters.next()?, characters.next()?) {
        ('\\', _) => Some(quoted(text, '\'')),
        (one, '\'') => Some(2 + one.len_utf8()),
        _ => None,
    }
}

/// The length of a quoted literal with escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of r"…", r#"…"#, br"…" and so on.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inside = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

#[test]
fn comments_and_literals_are_blanked() {
    let source = "a(\"b\\\"c\", 'd', '\\'', r#\"e\"f\"#) // g\n/* h\n*/ fn i<'j>() {}";
    let code = without_text(source);
    assert_eq!(code.len(), source.len());
    assert_eq!(code.lines().count(), source.lines().count());
    assert_eq!(code.split_whitespace().collect::<String>(), "a(,,,)fni<'j>(){}");
}

#[test]
fn words_are_whole() {
    assert_eq!(word_at("forbid(unsafe_code)", "unsafe"), None);
    assert_eq!(word_at("xunsafe unsafe {", "unsafe"), Some(8));
}
