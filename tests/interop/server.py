"""Starts the server under test with throw-away certificates in a directory of its own, and stops it by
its process id.

`Ours` is the binary of this project. `Peer` is PyKMIP's own server: what fails there too is a fault of a
test or of its client, so the suites are checked against it (`run.py --server pykmip`).
"""

import os
import signal
import socket
import subprocess
import time

from ttlv import until


class Place:
    """Where a server is, and as whom to call it."""

    def __init__(self, port, certificates, name="client"):
        self.host, self.port = "127.0.0.1", port
        self.authority = str(certificates / "ca.pem")
        self.certificate, self.key = str(certificates / f"{name}.pem"), str(certificates / f"{name}.key")
        self.certificates = certificates

    def of(self, name):
        """The same server, called by another client."""
        return Place(self.port, self.certificates, name)


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def make_certificates(directory):
    """A CA, a server `localhost`, and two clients, all on P-256."""
    directory.mkdir(parents=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", directory / "ca.key", "-out", directory / "ca.pem",
            "-subj", "/CN=interop CA", "-days", "2")
    for name, subject, usage in (("server", "localhost", "serverAuth"), ("client", "interop", "clientAuth"),
                                 ("other", "another", "clientAuth")):
        extensions = directory / f"{name}.ext"
        extensions.write_text(f"extendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n"
                              f"keyUsage=digitalSignature\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
        request = directory / f"{name}.csr"
        openssl("req", *curve, "-keyout", directory / f"{name}.key", "-out", request, "-subj", f"/CN={subject}")
        openssl("x509", "-req", "-in", request, "-CA", directory / "ca.pem", "-CAkey", directory / "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", directory / f"{name}.pem")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server that runs until it is stopped."""

    def __init__(self, directory, certificates):
        self.directory, self.place = directory, Place(free_port(), certificates)
        self.log = directory / "server.log"
        self.process = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.directory)
        if not until(self.answers, 30):
            self.stop()
            raise RuntimeError(f"the server did not start:\n{self.tail()}")

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
        try:
            socket.create_connection((self.place.host, self.place.port), timeout=1).close()
        except OSError:
            return False
        return True

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def memory(self):
        """Resident memory in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(next(line.split()[1] for line in status if line.startswith("VmRSS:")))

    def stop(self):
        """Asks it to end; kills it after ten seconds. True if it ended by itself, with code 0."""
        if self.process.poll() is not None:
            return False
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False


class Ours(Server):
    """`softhsm-rs serve` on a fresh home."""

    kind = "ours"

    def __init__(self, binary, directory, certificates):
        super().__init__(directory, certificates)
        # The server runs in a directory of its own.
        self.binary = binary.resolve()

    def start(self):
        home = self.directory / "home"
        if not home.exists():
            subprocess.run([self.binary, "--home", home, "init"], check=True, stdout=subprocess.PIPE)
        super().start()

    def command(self):
        certificates = self.place.certificates
        return [self.binary, "--home", self.directory / "home", "serve",
                "--kmip-listen", f"{self.place.host}:{self.place.port}",
                "--tls-cert", certificates / "server.pem", "--tls-key", certificates / "server.key",
                "--tls-client-ca", certificates / "ca.pem"]


class Peer(Server):
    """PyKMIP's server."""

    kind = "pykmip"

    def __init__(self, python, directory, certificates):
        super().__init__(directory, certificates)
        self.python = python

    def command(self):
        certificates = self.place.certificates
        policies = self.directory / "policies"
        policies.mkdir(exist_ok=True)
        settings = self.directory / "server.conf"
        settings.write_text(
            f"[server]\nhostname=127.0.0.1\nport={self.place.port}\nauth_suite=TLS1.2\n"
            f"certificate_path={certificates / 'server.pem'}\nkey_path={certificates / 'server.key'}\n"
            f"ca_path={certificates / 'ca.pem'}\nenable_tls_client_auth=True\npolicy_path={policies}\n"
            f"database_path={self.directory / 'pykmip.db'}\nlogging_level=ERROR\n")
        return [self.python.with_name("pykmip-server"), "-f", settings, "-l", self.directory / "pykmip.log"]
