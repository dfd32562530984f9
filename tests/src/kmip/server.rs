//! A running server: the binary of the build under test, on the home of the test's token, with clients
//! mapped to that token's partition: `first`, an officer who sees all of it, and `second`, a user.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::certificates::Authority;
use super::client::{Client, Identity};
use crate::home::cli;
use crate::kit::{Kit, LABEL, PIN};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs until it is dropped.
pub struct Server {
    /// Who vouches for its clients and for itself.
    pub authority: Authority,
    /// Where it serves KMIP over TLS.
    pub kmip: SocketAddr,
    /// Where it serves KMIP over HTTPS.
    pub https: SocketAddr,
    home: PathBuf,
    log: PathBuf,
    process: Child,
}

impl Server {
    /// Starts a server whose clients work in the kit's token. The token must have been made.
    pub fn start(kit: &Kit) -> Server {
        Server::start_with(kit, "")
    }

    /// The same with more in the table `[kmip]`.
    pub fn start_with(kit: &Kit, more: &str) -> Server {
        let home = kit.directory.join("tokens");
        let pin = kit.directory.join("pin");
        fs::write(&pin, PIN).expect("writing the PIN's file");
        let row = |name: &str, role: &str| {
            let who = format!("[[kmip.client]]\nmatch = {{ cn = {name:?} }}\nrole = {role:?}\n");
            format!("{who}partition = {LABEL:?}\npin_file = {pin:?}\n")
        };
        let text = format!("[kmip]\n{more}\n{}{}", row("first", "officer"), row("second", "user"));
        fs::write(home.join("softhsm-rs.toml"), text).expect("writing the configuration");
        let authority = Authority::new(&kit.directory.join("certificates"));
        let (kmip, https) = (free(), free());
        let log = kit.directory.join("server.log");
        let process = spawn(&home, &authority, kmip, https, &log);
        let server = Server { authority, kmip, https, home, log, process };
        server.wait_until_ready();
        server
    }

    /// A client by the name in its certificate: `first` or `second`.
    pub fn client(&self, name: &str) -> Client {
        let connected = Client::connect(&self.identity(name), self.kmip);
        connected.unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// What a client shows.
    pub fn identity(&self, name: &str) -> Identity {
        Identity::new(&self.authority, name)
    }

    /// Kills it as a power cut does, and starts it again on the same home and ports.
    pub fn kill_and_restart(&mut self) {
        self.process.kill().expect("killing the server");
        self.process.wait().expect("waiting for the server");
        self.process = spawn(&self.home, &self.authority, self.kmip, self.https, &self.log);
        self.wait_until_ready();
    }

    /// Lets it read its certificates and its configuration again.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("waiting for the server") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server did not stop\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("a signal to the server");
    }

    fn wait_until_ready(&self) {
        let (identity, deadline) = (self.identity("first"), Instant::now() + PATIENCE);
        loop {
            let asked = Client::connect(&identity, self.kmip).and_then(|mut client| client.query());
            match asked {
                Ok(_) => return,
                Err(error) if Instant::now() > deadline => panic!("no server: {error}\n{}", self.log()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(home: &PathBuf, authority: &Authority, kmip: SocketAddr, https: SocketAddr, log: &PathBuf) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("the server's log");
    cli()
        .arg("--home")
        .arg(home)
        .arg("serve")
        .args(["--kmip-listen", &kmip.to_string(), "--https-listen", &https.to_string()])
        .arg("--tls-cert")
        .arg(authority.file("server.pem"))
        .arg("--tls-key")
        .arg(authority.file("server.key"))
        .arg("--tls-client-ca")
        .arg(authority.file("ca.pem"))
        .stdout(log.try_clone().expect("a second descriptor"))
        .stderr(log)
        .spawn()
        .expect("starting the server")
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    let listener: io::Result<TcpListener> = TcpListener::bind(("127.0.0.1", 0));
    listener.and_then(|it| it.local_addr()).expect("a free port")
}
