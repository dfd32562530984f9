//! The commands, one file each, and what they share: the HSM, the choice of a token, consent.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::Arc;

use hsm_core::Error;
use hsm_core::config::{Config, Environment};
use hsm_core::hsm::Hsm;
use hsm_core::partition::{Partition, PartitionInfo};

use crate::cli::{Cli, Command, Consent, Global, TokenChoice};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};
use crate::uri::{self, Uri};

mod about;
mod audit;
mod ceremony;
mod certs;
mod import_token;
mod init;
mod key;
mod kmip;
mod kms;
mod moving;
mod save;
mod serve;
mod status;
mod token;
mod unit;
mod unlock;
mod util;

/// Carries out a command line.
pub(crate) fn run(cli: Cli, name: &str, output: Output) -> Result<()> {
    let opened = RefCell::new(None);
    let hsm = || {
        let hsm = open(&cli.global, name)?;
        opened.replace(Some(hsm.clone()));
        Ok(hsm)
    };
    let done = carry_out(cli.command, &cli.global, &hsm, output);
    if let Some(hsm) = opened.take() {
        hsm.seal_what_was_recorded();
    }
    done
}

fn carry_out(
    command: Command,
    global: &Global,
    hsm: &impl Fn() -> Result<Arc<Hsm>>,
    output: Output,
) -> Result<()> {
    match command {
        Command::Version => about::version(output),
        Command::Completions { shell } => about::completions(shell),
        Command::Init(options) => init::run(&*hsm()?, &options, output)?,
        Command::Status => status::run(&*hsm()?, output)?,
        Command::Ceremony(command) => ceremony::run(&*hsm()?, command, output)?,
        Command::Unit(command) => unit::run(&*hsm()?, *command, output)?,
        Command::Unlock(options) => unlock::run(&*hsm()?, &options, output)?,
        Command::Lock { force } => unlock::lock(&*hsm()?, force, output)?,
        Command::Token(command) => token::run(&*hsm()?, command, output)?,
        Command::Audit(command) => audit::run(hsm, command, output)?,
        Command::Key(command) => key::run(&*hsm()?, command, output)?,
        Command::Util(options) => util::run(&*hsm()?, &options, output)?,
        Command::Import(command) => moving::import(&*hsm()?, &command, output)?,
        Command::Export(mut options) => moving::export(&*hsm()?, &mut options, output)?,
        Command::Backup(options) => moving::back_up(&*hsm()?, &options, output)?,
        Command::Restore(options) => moving::restore(&*hsm()?, &options, output)?,
        Command::ImportToken(command) => import_token::run(hsm, command, output)?,
        Command::Kms(command) => kms::run(&*hsm()?, *command, output)?,
        Command::Serve(options) => serve::run(global, &options, output)?,
        Command::Certs(command) => certs::run(&*hsm()?, command, output)?,
        Command::Kmip(command) => kmip::run(&*hsm()?, command, output)?,
    }
    Ok(())
}

/// The HSM that the command line, the environment and the configuration name; nothing is opened yet.
fn open(global: &Global, command: &str) -> Result<Arc<Hsm>> {
    let config = locate(global, environment(global))?;
    start_log(&config)?;
    Ok(Hsm::for_door(config, "cli", Some(command.to_owned())))
}

fn environment(global: &Global) -> Environment {
    let environment = Environment::of_process();
    match &global.home {
        Some(home) => environment.with_home(home),
        None => environment,
    }
}

fn locate(global: &Global, environment: Environment) -> Result<Config> {
    let mut config = Config::locate(&environment)?;
    match global.verbose {
        0 => {}
        1 => config.log.filter = Some("info".into()),
        2 => config.log.filter = Some("debug".into()),
        _ => config.log.filter = Some("trace".into()),
    }
    Ok(config)
}

fn start_log(config: &Config) -> Result<()> {
    let mut log = env_logger::Builder::new();
    log.parse_filters(config.log.filter.as_deref().unwrap_or("off"));
    if let Some(path) = &config.log.file {
        let file =
            std::fs::File::options().append(true).create(true).open(path).map_err(Error::file(path))?;
        log.target(env_logger::Target::Pipe(Box::new(file)));
    }
    let format = config.log.format;
    log.format(move |line, record| kmip_server::logging::write_line(line, record, format));
    log.init();
    Ok(())
}

/// A token with what it says about itself.
struct Token {
    partition: Arc<Partition>,
    info: PartitionInfo,
}

impl Token {
    fn all(hsm: &Hsm) -> Result<Vec<Token>> {
        if !hsm.exists() {
            return Err(Error::NoHsm(hsm.config().home.root.clone()).into());
        }
        Ok(hsm.partitions()?.into_iter().map(Token::of).collect())
    }

    fn of(partition: Arc<Partition>) -> Token {
        let info = partition.info();
        Token { partition, info }
    }

    /// The token of that label or serial number; the only one there is, where none is named.
    fn choose(hsm: &Hsm, choice: &TokenChoice) -> Result<Token> {
        let mut tokens = Token::all(hsm)?;
        if let Some(name) = &choice.token {
            Token::keep(&mut tokens, name)?;
        }
        match (tokens.len(), &choice.token) {
            // One element was just counted.
            (1, _) => Ok(tokens.remove(0)),
            (0, Some(name)) => {
                Err(Failure::new(Outcome::NotFound, format!("there is no token {}", quoted(name)))
                    .next("`softhsm-rs token list` shows what there is"))
            }
            (0, None) => Err(Failure::new(Outcome::NotFound, "there is no token yet")
                .next("`softhsm-rs token init LABEL` makes one")),
            (_, Some(name)) => Err(several(name)),
            (_, None) => Err(Failure::new(Outcome::NotFound, "there are several tokens")
                .next("name one with --token; `softhsm-rs token list` shows them")),
        }
    }

    /// Leaves those that a label, a serial number or a URI means.
    fn keep(tokens: &mut Vec<Token>, name: &str) -> Result<()> {
        if uri::is_uri(name) {
            let uri = Uri::parse(name)?;
            tokens.retain(|token| uri.means(&token.label(), &token.serial()));
        } else {
            tokens.retain(|token| token.label() == name || token.serial() == name);
        }
        Ok(())
    }

    /// The token's URI.
    fn uri(&self) -> String {
        uri::of_token(&self.label(), &self.serial())
    }

    /// The token of that label or serial number among some; none where there is none.
    fn find(mut tokens: Vec<Token>, name: &str) -> Result<Option<Token>> {
        Token::keep(&mut tokens, name)?;
        match tokens.len() {
            0 | 1 => Ok(tokens.pop()),
            _ => Err(several(name)),
        }
    }

    /// The label without its padding.
    fn label(&self) -> String {
        String::from_utf8_lossy(&self.info.label).trim_end_matches([' ', '\0']).to_owned()
    }

    fn serial(&self) -> String {
        String::from_utf8_lossy(&self.info.serial).into_owned()
    }
}

fn several(name: &str) -> Failure {
    Failure::new(Outcome::NotFound, format!("several tokens are called {}", quoted(name)))
        .next("name its serial number; `softhsm-rs token list` shows them")
}

/// A name of the user's in a message.
fn quoted(name: &str) -> String {
    format!("\"{}\"", printable(name))
}

/// Makes sure that destroying something is meant.
fn confirm(consent: &Consent, what: &str) -> Result<()> {
    ask(consent, &format!("{what}: this cannot be undone"))
}

/// Makes sure that something is meant.
fn ask(consent: &Consent, what: &str) -> Result<()> {
    if consent.yes {
        return Ok(());
    }
    let unasked = || {
        Failure::new(Outcome::Usage, format!("{what}, and there is no terminal to ask on"))
            .next("add --yes if it is meant")
    };
    if !std::io::stdin().is_terminal() {
        return Err(unasked());
    }
    let mut terminal = anstream::stderr();
    let asked = write!(terminal, "{what}. Type yes to go on: ").and_then(|()| terminal.flush());
    let mut answer = String::new();
    asked.and_then(|()| std::io::stdin().read_line(&mut answer)).map_err(|_| unasked())?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::new(Outcome::Failed, "nothing was done")) }
}
