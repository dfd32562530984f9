#!/usr/bin/env python3
"""Measures the KMIP server, as `make bench-kmip`, and prints a table in Markdown.

Closed loop, mutual TLS, load generator and server on the same machine. A rate alone says little about a server
on a machine of unknown speed: each line has the rate of an echo beside it, a server that reads whole frames and
answers as many bytes without looking at them, measured in turns with ours.

`SHARED_TOOLS` names a directory with the sources of `kmipload` (the load), `kmip-echo` and, for the signing
line, `p11bench`. `SECONDS_EACH` (4), `ROUNDS` (3), `CONNECTIONS` (8) and `OBJECTS` ("10000,1000000") say how
long and how much; `BINARY` and `MODULE` what is measured.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))

import ttlv  # noqa: E402
from server import Ours, Server, make_certificates  # noqa: E402
from ttlv import ACTIVATE, CREATE, ENCRYPT, GET, QUERY, Connection, batch_item, create_aes, enumeration, message  # noqa: E402

BUILD = ROOT / "target" / "bench"
SECONDS = float(os.environ.get("SECONDS_EACH", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "8"))
OBJECTS = [int(number) for number in os.environ.get("OBJECTS", "10000,1000000").split(",")]
BINARY = pathlib.Path(os.environ.get("BINARY", ROOT / "target" / "release" / "softhsm-rs"))
MODULE = pathlib.Path(os.environ.get("MODULE", ROOT / "target" / "release" / "libsofthsm-rs.so")).resolve()


class Echo(Server):
    """The ceiling of this machine for answers of one size."""

    def __init__(self, directory, certificates, size):
        super().__init__(directory, certificates)
        self.size = size

    def command(self):
        certificates = self.place.certificates
        return [BUILD / "release" / "kmip-echo", f"{self.place.host}:{self.place.port}", certificates / "server.pem",
                certificates / "server.key", certificates / "ca.pem", f"answer={self.size}", "mode=tokio"]


def build(tool):
    """Builds a tool from a copy of its sources: their directory may be read-only."""
    sources = BUILD / "sources" / tool
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(pathlib.Path(os.environ["SHARED_TOOLS"]) / tool, sources)
    subprocess.run(["chmod", "-R", "u+w", sources], check=True)
    manifest = sources / "Cargo.toml"
    if "[workspace]" not in manifest.read_text():
        # It lies below this workspace and is none of it.
        manifest.write_text(manifest.read_text() + "\n[workspace]\n")
    subprocess.run(["cargo", "build", "--quiet", "--release", "--target-dir", BUILD, "--manifest-path",
                    manifest], check=True)


def load(server, operation, seconds=SECONDS, connections=CONNECTIONS, **options):
    """One run: rate, median and 99th percentile in milliseconds, cores the server used, operations."""
    place = server.place
    command = [BUILD / "release" / "kmipload", f"{place.host}:{place.port}", place.certificate, place.key,
               place.authority, f"op={operation}", f"conns={connections}", f"secs={seconds}",
               f"pid={server.process.pid}", *[f"{name}={value}" for name, value in options.items()]]
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"ops=(\d+) +errors=(\d+) +([\d.]+) ops/s +p50=([\d.]+) p99=([\d.]+) .*server_cpu=([\d.]+)", line)
    if not found or found[2] != "0":
        raise RuntimeError(f"{operation}: {line.strip()}")
    return {"operations": int(found[1]), "rate": float(found[3]), "p50": float(found[4]), "p99": float(found[5]),
            "cores": float(found[6])}


def answer_sizes(place):
    """The bytes of our answers, so that the echo's are as long."""
    with Connection(place) as connection:
        def size(item):
            connection.send(message(item))
            return connection.receive_bytes()

        made = ttlv.decode(size(batch_item(CREATE, *create_aes())))
        identifier = ttlv.text("UniqueIdentifier", made.get("BatchItem", "ResponsePayload", "UniqueIdentifier"))
        size(batch_item(ACTIVATE, identifier))
        parameters = ttlv.structure("CryptographicParameters", enumeration("BlockCipherMode", 1),
                                    enumeration("PaddingMethod", 3), enumeration("CryptographicAlgorithm", 3))
        return {
            "query": len(size(batch_item(QUERY, enumeration("QueryFunction", 1)))),
            "get": len(size(batch_item(GET, identifier))),
            "encrypt": len(size(batch_item(ENCRYPT, identifier, parameters, ttlv.octets("Data", bytes(64)),
                                           ttlv.octets("IVCounterNonce", bytes(16))))),
        }


def in_turns(scratch, server, operation, size):
    """Ours and the echo's, one after the other, so that a busy moment of the machine hits both."""
    ours, theirs = [], []
    echo = Echo(scratch / f"echo-{operation}", server.place.certificates, size)
    echo.start()
    try:
        for _ in range(ROUNDS):
            theirs.append(load(echo, "handshake" if operation == "handshake" else "query"))
            ours.append(load(server, operation))
    finally:
        echo.stop()
    ratio = statistics.median(one["rate"] / other["rate"] for one, other in zip(ours, theirs))
    best = sorted(ours, key=lambda one: one["rate"])[len(ours) // 2]
    return best, statistics.median(one["rate"] for one in theirs), ratio


def row(name, ours, other="", ratio="", note=""):
    rate = f"{ours['rate']:,.0f}/s" if isinstance(ours, dict) else ours
    tail = f"{ours['p50']:.2f} / {ours['p99']:.2f}" if isinstance(ours, dict) else ""
    print(f"| {name} | {rate} | {tail} | {other} | {ratio} | {note} |", flush=True)


def against_the_echo(scratch, server):
    sizes = answer_sizes(server.place)
    for operation, name in (("query", "Query"), ("encrypt", "Encrypt AES-CBC 64 B"), ("get", "Get AES-256")):
        ours, echo, ratio = in_turns(scratch, server, operation, sizes[operation])
        row(name, ours, f"echo of {sizes[operation]} B: {echo:,.0f}/s", f"{ratio:.2f}")
    ours, echo, ratio = in_turns(scratch, server, "handshake", 224)
    row("full handshakes, P-256", ours, f"echo: {echo:,.0f}/s", f"{ratio:.2f}")


def signing(server):
    """Signatures by the server for each core that it used, against the primitive's on one core."""
    ours = load(server, "sign")
    each = ours["rate"] / max(ours["cores"], 0.01)
    report = BUILD / "signing.json"
    if not (pathlib.Path(os.environ["SHARED_TOOLS"]) / "p11bench").exists() or not MODULE.exists():
        row("Sign RSA-2048", ours, "no p11bench or no module", "", f"{ours['cores']:.2f} cores")
        return
    build("p11bench")
    subprocess.run([BUILD / "release" / "p11bench", "run", MODULE, "--only", "rsa2048_sign_sha256", "--threads", "1",
                    "--objects", "0", "--json", report], check=True, stdout=subprocess.DEVNULL)
    rates = [float(one) for one in re.findall(r'"median_ops_s": *([\d.]+)', report.read_text())]
    primitive = max(rates, default=0.0)
    ratio = f"{each / primitive:.2f}" if primitive else ""
    row("Sign RSA-2048", ours, f"primitive: {primitive:,.0f}/s a core", ratio, f"{ours['cores']:.2f} cores")


def creating(server):
    """With more clients one commit serves several, so the rate rises while each waits as long as before."""
    for connections in (1, 8, 32):
        row(f"Create AES-256, durable, {connections} clients", load(server, "create", connections=connections))


def fill(server, wanted, have):
    """Creates keys until there are so many."""
    while have < wanted:
        have += load(server, "create", seconds=min(10, max(1, (wanted - have) / 3000)), connections=32, warm=0)["operations"]
    return have


def locating(server):
    rates, have = [], 0
    for wanted in OBJECTS:
        have = fill(server, wanted, have)
        found = load(server, "locate")
        rates.append(found["rate"])
        row(f"Locate by Name, {have:,} objects", found, "", f"{found['rate'] / rates[0]:.2f}", "ratio to the first")


def memory(scratch, certificates):
    """Of a fresh server: idle, and after 100,000 keys."""
    server = Ours(BINARY, scratch / "memory", certificates)
    server.start()
    try:
        with Connection(server.place) as connection:
            connection.ask(message(batch_item(QUERY, enumeration("QueryFunction", 1))))
        row("memory, idle", f"{server.memory() / 1024:.0f} MiB")
        have = fill(server, 50_000, 0)
        half = server.memory()
        fill(server, 100_000, have)
        row("memory, after 100,000 creates", f"{server.memory() / 1024:.0f} MiB", f"{half / 1024:.0f} MiB after 50,000")
    finally:
        server.stop()


def main():
    if "SHARED_TOOLS" not in os.environ:
        sys.exit("SHARED_TOOLS is not set: " + __doc__.split("\n\n")[2])
    for tool in ("kmipload", "kmip-echo"):
        build(tool)
    only = sys.argv[1:]
    print(f"{os.cpu_count()} cores, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:g} s\n")
    print("| what | rate | p50 / p99 ms | beside it | ratio | |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=os.environ.get("WORK")) as name:
        scratch = pathlib.Path(name)
        certificates = scratch / "certificates"
        make_certificates(certificates)
        server = Ours(BINARY, scratch / "server", certificates)
        server.start()
        try:
            parts = {"echo": lambda: against_the_echo(scratch, server), "sign": lambda: signing(server),
                     "create": lambda: creating(server), "locate": lambda: locating(server),
                     "memory": lambda: memory(scratch, certificates)}
            for part, measure in parts.items():
                if not only or part in only:
                    measure()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
