//! `serve` as a process: it starts with one command, says when it is ready, and heeds signals.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::desk::Desk;

/// A server that runs until it is dropped.
pub(crate) struct Server {
    process: Child,
    log: BufReader<ChildStderr>,
}

impl Server {
    pub(crate) fn start(desk: &Desk, arguments: &[&str]) -> Server {
        let arguments = [&["serve", "--kmip-listen", "127.0.0.1:0"], arguments].concat();
        Server::of(desk.bare(&arguments).stdout(Stdio::null()))
    }

    /// Another command that runs until it is ended.
    pub(crate) fn of(command: &mut Command) -> Server {
        let mut process = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = BufReader::new(process.stderr.take().expect("standard error"));
        Server { process, log }
    }

    /// Reads its standard error up to a line with these words.
    pub(crate) fn says(&mut self, words: &str) -> String {
        let mut said = String::new();
        while self.log.read_line(&mut said).expect("text") > 0 {
            if said.lines().last().is_some_and(|line| line.contains(words)) {
                return said;
            }
        }
        panic!("{words:?} is not in: {said}");
    }

    pub(crate) fn address(&mut self) -> SocketAddr {
        let said = self.says("serving KMIP on ");
        let at = said.split("serving KMIP on ").nth(1).expect("an address");
        at.split([',', '\n']).next().expect("an address").parse().expect("an address")
    }

    pub(crate) fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.process.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().expect("kill").success());
    }

    /// Waits for its end, and returns the exit code and what it said meanwhile.
    pub(crate) fn ends(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.log.read_to_string(&mut said).expect("text");
        (self.process.wait().expect("an end").code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn without_an_hsm_it_says_what_to_do() {
    Desk::empty().run(&["serve"]).fails(3, "softhsm-rs init");
}

#[test]
fn without_certificates_it_says_what_to_do() {
    Desk::with_hsm().run(&["serve"]).fails(11, "softhsm-rs certs init");
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_its_line() {
    let desk = Desk::with_hsm();
    let file = desk.file("my.toml", "[kmip]\nlisen = \"127.0.0.1:1\"\n");
    let home = desk.home().display().to_string();
    let done = desk.run(&["--home", &home, "serve", "--config", &file]);
    done.fails(11, "my.toml:2: unknown key `kmip.lisen`; did you mean `kmip.listen`?");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let desk = Desk::with_hsm();
    desk.run(&["certs", "init"]).succeeds();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    desk.run(&["serve", "--kmip-listen", &address]).fails(11, &format!("cannot listen on {address}"));
}

#[test]
fn dev_makes_everything_and_serves_and_the_next_start_finds_it() {
    let desk = Desk::empty();
    let mut server = Server::start(&desk, &["--dev"]);
    TcpStream::connect(server.address()).expect("it listens");
    server.signal("HUP");
    server.says("reloaded");
    server.signal("TERM");
    let (code, said) = server.ends();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("softhsm-rs: stopped"), "{said}");
    let tokens = desk.json(&["token", "list"]);
    assert_eq!(tokens[0]["label"], "kmip", "{tokens}");
    let mut again = Server::start(&desk, &[]);
    again.address();
    again.signal("INT");
    assert_eq!(again.ends().0, Some(0));
}

#[test]
fn a_reload_of_a_broken_configuration_changes_nothing() {
    let desk = Desk::with_hsm();
    desk.run(&["certs", "init"]).succeeds();
    let file = desk.home().join("softhsm-rs.toml");
    std::fs::write(&file, "[kmip]\ninterop = true\n").expect("a file");
    let mut server = Server::start(&desk, &[]);
    let address = server.address();
    std::fs::write(&file, "[kmip]\nx = 1\n").expect("a file");
    server.signal("HUP");
    assert!(server.says("not reloaded").contains("unknown key `kmip.x`"));
    TcpStream::connect(address).expect("it listens still");
}
