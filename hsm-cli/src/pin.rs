//! Where PINs and passphrases come from: a file, the environment, or a prompt without echo; never
//! the command line, which every user of the machine can read.

use std::io::{BufRead, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hsm_core::config::PinPolicy;
use hsm_core::secret::Secret;

use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

/// Longer than any PIN or passphrase, in bytes.
const LONGEST: u64 = 4096;

/// One secret that a command needs.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// What it is, for people: `user PIN of "web"`.
    pub(crate) name: String,
    /// The file that was named; `-` is standard input, a line for each.
    pub(crate) file: Option<&'a Path>,
    /// The option that names it.
    pub(crate) option: &'static str,
    /// The environment variable that may hold it.
    pub(crate) variable: &'static str,
}

impl<'a> Source<'a> {
    /// The user PIN of the token with this label.
    pub(crate) fn user(label: &str, file: Option<&'a Path>) -> Source<'a> {
        let name = format!("user PIN of \"{}\"", printable(label));
        Source { name, file, option: "--pin-file", variable: "SOFTHSM_RS_PIN" }
    }

    /// A secret that exists.
    pub(crate) fn existing(&self, output: Output) -> Result<Secret> {
        match self.given(output)? {
            Some(secret) => Ok(secret),
            None => self.prompt(&self.name),
        }
    }

    /// A new PIN within the limits; typed twice where it is typed.
    pub(crate) fn new_pin(&self, policy: &PinPolicy, output: Output) -> Result<Secret> {
        let pin = self.new_secret(output)?;
        let PinPolicy { min_length: min, max_length: max, .. } = *policy;
        if pin.len() < min || pin.len() > max {
            return Err(hsm_core::Error::PinLength { min, max }.into());
        }
        Ok(pin)
    }

    /// A new secret; typed twice where it is typed.
    pub(crate) fn new_secret(&self, output: Output) -> Result<Secret> {
        if let Some(secret) = self.given(output)? {
            return Ok(secret);
        }
        let first = self.prompt(&format!("New {}", self.name))?;
        let second = self.prompt("The same again")?;
        if first.equals(second.expose()) {
            Ok(first)
        } else {
            Err(Failure::new(Outcome::Usage, format!("the two entries of the {} differ", self.name))
                .next("try again"))
        }
    }

    /// From the file or the environment.
    pub(crate) fn given(&self, output: Output) -> Result<Option<Secret>> {
        if let Some(path) = self.file {
            return self.read_file(path, output).map(Some);
        }
        Ok(std::env::var_os(self.variable)
            .filter(|value| !value.is_empty())
            .map(|value| Secret::new(value.into_encoded_bytes())))
    }

    fn read_file(&self, path: &Path, output: Output) -> Result<Secret> {
        let unreadable = |e| Failure::new(Outcome::Disk, format!("{}: {e}", path.display()));
        let line = if path == Path::new("-") {
            first_line(&mut std::io::stdin().lock()).map_err(unreadable)?
        } else {
            let file = std::fs::File::open(path).map_err(unreadable)?;
            warn_of_readers(&file, path, output);
            first_line(&mut std::io::BufReader::new(file)).map_err(unreadable)?
        };
        if line.is_empty() {
            let message = format!("{}: its first line, the {}, is empty", path.display(), self.name);
            return Err(Failure::new(Outcome::Usage, message));
        }
        Ok(line)
    }

    fn prompt(&self, text: &str) -> Result<Secret> {
        let typed = rpassword::prompt_password(format!("{text}: ")).map_err(|_| {
            Failure::new(
                Outcome::Usage,
                format!("the {} is needed, and there is no terminal to ask on", self.name),
            )
            .next(format!("give it with {} FILE or in {}", self.option, self.variable))
        })?;
        Ok(Secret::new(typed.into_bytes()))
    }
}

/// A file that holds a secret is for its owner alone.
pub(crate) fn warn_of_readers(file: &std::fs::File, path: &Path, output: Output) {
    if file.metadata().is_ok_and(|data| data.is_file() && data.mode() & 0o077 != 0) {
        output.warning(&format!("{} can be read by others; `chmod 600` it", path.display()));
    }
}

/// The first line without its end. The buffer never moves, so that no copy stays behind.
fn first_line(from: &mut impl BufRead) -> std::io::Result<Secret> {
    // The limit is far below what a `usize` holds, and one allocation of it is cheap.
    let mut line = Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(usize::MAX).saturating_add(1));
    from.take(LONGEST).read_until(b'\n', &mut line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_first_line_without_its_end() {
        let read = |text: &str| first_line(&mut text.as_bytes()).unwrap().expose().to_vec();
        assert_eq!(read("1234\n"), b"1234");
        assert_eq!(read("12 34\r\nmore\n"), b"12 34");
        assert_eq!(read("1234"), b"1234");
        assert_eq!(read("\n1234"), b"");
    }

    #[test]
    fn lines_of_one_input_are_read_one_after_the_other() {
        let mut input = "old\nnew\n".as_bytes();
        assert_eq!(first_line(&mut input).unwrap().expose(), b"old");
        assert_eq!(first_line(&mut input).unwrap().expose(), b"new");
    }
}
