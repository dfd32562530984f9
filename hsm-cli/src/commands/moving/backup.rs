//! `backup` and `restore`.

use std::collections::BTreeSet;
use std::sync::Arc;

use hsm_core::backup::Fault;
use hsm_core::hsm::{Contents, Copied, Hsm, Step, look_at_backup};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value as Json, json};

use crate::cli::{Backup, BackupPassphrase, Restore, TokenChoice};
use crate::commands::{Token, confirm};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, Page, date, printable};
use crate::pin::Source;
use crate::uri::{self, Uri};

/// Carries out `backup`.
pub(in crate::commands) fn back_up(hsm: &Hsm, options: &Backup, output: Output) -> Result<()> {
    let tokens = match options.token.is_empty() {
        true => Token::all(hsm)?,
        false => {
            let choice = |name: &String| Token::choose(hsm, &TokenChoice { token: Some(name.clone()) });
            options.token.iter().map(choice).collect::<Result<Vec<_>>>()?
        }
    };
    if tokens.is_empty() {
        return Err(Failure::new(Outcome::NotFound, "there is no token to back up")
            .next("`softhsm-rs token init LABEL` makes one"));
    }
    // Each once, however often it was named.
    let mut seen = BTreeSet::new();
    let tokens = tokens.into_iter().filter(|token| seen.insert(token.serial()));
    let tokens: Vec<_> = tokens.map(|token| Arc::clone(&token.partition)).collect();
    if std::fs::symlink_metadata(&options.file).is_ok() {
        let message = format!("{} is there already", options.file.display());
        return Err(Failure::new(Outcome::Exists, message).next("name a new file"));
    }
    let passphrase = source(&options.passphrase).new_secret(output)?;
    let bar = Bar::new(output);
    let contents = hsm.back_up(&tokens, &options.file, passphrase.expose(), &mut |step| bar.show(step))?;
    bar.end();
    output.result(&json_of(&contents, contents.tokens.as_slice()), |page| {
        table(page, &contents.tokens);
        page.line(&format!("{} tokens were written to {}.", contents.tokens.len(), options.file.display()));
    });
    Ok(())
}

/// Carries out `restore`.
pub(in crate::commands) fn restore(hsm: &Hsm, options: &Restore, output: Output) -> Result<()> {
    // Whether there is an HSM is said before a passphrase is asked for.
    Token::all(hsm)?;
    let passphrase = source(&options.passphrase).existing(output)?;
    let bar = Bar::new(output);
    let mut progress = |step| bar.show(step);
    let mut names = Vec::new();
    for name in &options.token {
        names.push(if uri::is_uri(name) { Named::Uri(Uri::parse(name)?) } else { Named::Text(name) });
    }
    let wanted = |copied: &Copied| {
        let means = |name: &Named<'_>| match name {
            Named::Uri(uri) => uri.means(&copied.label, &copied.serial),
            Named::Text(name) => **name == copied.label || **name == copied.serial,
        };
        names.is_empty() || names.iter().any(means)
    };
    if options.dry_run {
        let contents = look_at_backup(&options.file, passphrase.expose(), &mut progress)?;
        bar.end();
        output.result(&json_of(&contents, contents.tokens.as_slice()), |page| {
            page.line(&format!(
                "Made at {} by softhsm-rs {} on the HSM {}; whole. Nothing was changed.",
                date(contents.made),
                printable(&contents.version),
                printable(&contents.hsm)
            ));
            table(page, &contents.tokens);
        });
        return Ok(());
    }
    if options.replace {
        confirm(&options.consent, "replacing tokens by those of the backup, and losing what was made since")?;
    }
    let tokens = hsm.restore(&options.file, passphrase.expose(), &wanted, options.replace, &mut progress)?;
    bar.end();
    output.result(&json!({ "tokens": tokens.iter().map(copied_json).collect::<Vec<_>>() }), |page| {
        table(page, &tokens);
        page.line(&format!("{} tokens were restored.", tokens.len()));
    });
    Ok(())
}

/// How a token was named.
enum Named<'a> {
    Uri(Uri),
    Text(&'a String),
}

fn source(passphrase: &BackupPassphrase) -> Source<'_> {
    Source {
        name: "passphrase of the backup".to_owned(),
        file: passphrase.passphrase_file.as_deref(),
        option: "--passphrase-file",
        variable: "SOFTHSM_RS_BACKUP_PASSPHRASE",
    }
}

fn json_of(contents: &Contents, tokens: &[Copied]) -> Json {
    json!({
        "hsm": contents.hsm,
        "made": date(contents.made),
        "version": contents.version,
        "tokens": tokens.iter().map(copied_json).collect::<Vec<_>>(),
    })
}

fn copied_json(copied: &Copied) -> Json {
    json!({ "label": copied.label, "serial": copied.serial, "records": copied.records })
}

fn table(page: &mut Page, tokens: &[Copied]) {
    let row =
        |copied: &Copied| [printable(&copied.label), printable(&copied.serial), copied.records.to_string()];
    page.table(["TOKEN", "SERIAL", "RECORDS"], &tokens.iter().map(row).collect::<Vec<_>>());
}

/// A bar on a terminal, through the stages of a backup or a restore.
struct Bar(ProgressBar);

impl Bar {
    fn new(output: Output) -> Bar {
        if !output.is_chatty() {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length();
        // The form is valid; a plain bar would do as well.
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar(bar)
    }

    fn show(&self, step: Step) {
        if self.0.message() != step.what {
            self.0.set_message(step.what);
        }
        self.0.set_length(step.all);
        self.0.set_position(step.done);
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let (outcome, next) = match &fault {
            Fault::Hsm(_) => (Outcome::Failed, None),
            Fault::File { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
                (Outcome::Exists, Some("name a new file"))
            }
            Fault::File { .. } => (Outcome::Disk, None),
            Fault::Foreign(_) | Fault::Newer { .. } => (Outcome::Damaged, Some("nothing was changed")),
            Fault::Damaged { .. } => {
                (Outcome::Damaged, Some("nothing was changed; take another copy of the file"))
            }
            Fault::WrongPassphrase(_) => (Outcome::WrongPin, Some("nothing was changed; try again")),
            Fault::ShortPassphrase => (Outcome::Usage, Some("choose a longer one; several words are best")),
            Fault::NoToken(_) => {
                (Outcome::NotFound, Some("`softhsm-rs restore FILE --dry-run` shows what it holds"))
            }
            Fault::Present { .. } => (
                Outcome::Exists,
                Some("nothing was changed; --replace puts the backup in its place, --token chooses others"),
            ),
        };
        match fault {
            Fault::Hsm(error) => error.into(),
            fault => Failure { outcome, message: fault.to_string(), next: next.map(str::to_owned) },
        }
    }
}
