#!/usr/bin/env python3
"""Runs other people's KMIP clients, and messages of our own, against the server, other people's PKCS #11 suites and
applications against the module, and customers of import tokens and root keys against the command line: `make interop`.

Everything it makes is below `target/interop`. The server gets a free port and a fresh home, and is stopped
by its process id. The last line counts the results; the exit code is 0 only if nothing failed.
"""

import argparse
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile

import applications
import report
import server as servers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target" / "interop"
PYKMIP = "0.11.0"

PYKMIP_TESTS = [f"kmip/tests/integration/services/test_{name}.py" for name in ("integration", "proxykmipclient")]

# Tests of PyKMIP's that ask for what the standard forbids: the place where each must fail, and why.
FORBIDDEN = {
    "TestIntegration.test_symmetric_key_create_getattributes_locate_destroy": (
        "line 1364,", "it gives two keys one name: \"Names SHALL be unique\" (KMIP 1.4, section 3.2)"),
}

# What loads the module, and needs no server.
APPLICATIONS = ("pkcs11-tool", "python-pkcs11", "rust-cryptoki", "crypto11", "pkcs11test", "recipes")
SUITES = ("messages", "hostile", "pykmip-own", "pykmip", "mongodb", "kmip-protocol", "cyphera", "import-token",
          "root-keys", *APPLICATIONS)
# The suites that run inside the virtual environment, by their module below `suites`.
MODULES = {"pykmip": "pykmip_client", "mongodb": "mongodb", "cyphera": "cyphera", "messages": "messages",
           "hostile": "hostile"}


def virtual_environment():
    """A virtual environment with the pinned clients, made anew when the pins change."""
    python, stamp = TARGET / "venv" / "bin" / "python", TARGET / "venv" / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(TARGET / "venv", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", TARGET / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        stamp.write_text(wanted)
    return python


def pykmip_sources(python):
    """PyKMIP's source package, which holds the integration tests that its wheel leaves out."""
    sources = TARGET / f"pykmip-{PYKMIP}"
    if not sources.exists():
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "PyKMIP",
                        "--dest", TARGET, f"PyKMIP=={PYKMIP}"], check=True)
        with tarfile.open(TARGET / f"pykmip-{PYKMIP}.tar.gz") as archive:
            archive.extractall(TARGET, filter="data")
    return sources


def pykmip_own(python, place, scratch):
    """PyKMIP's own integration tests, from its source package."""
    results = report.Results("PyKMIP's own tests")
    settings = scratch / ".pykmip" / "pykmip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f"[client]\nhost={place.host}\nport={place.port}\nkeyfile={place.key}\ncertfile={place.certificate}\n"
        f"ca_certs={place.authority}\ncert_reqs=CERT_REQUIRED\nssl_version=PROTOCOL_TLS\n"
        "do_handshake_on_connect=True\nsuppress_ragged_eofs=True\n")
    outcome = scratch / "results.xml"
    done = subprocess.run(
        [python, "-m", "pytest", *PYKMIP_TESTS, "--config", "client", "-q",
         "-p", "no:cacheprovider", "-W", "ignore", f"--junitxml={outcome}"],
        cwd=pykmip_sources(python), env={"HOME": str(scratch), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    report.read_junit(results, outcome, done.stdout, forbidden=FORBIDDEN)
    results.add("test_kmip_client.py", "skipped", "marked to be ignored: it starts a server that PyKMIP does not ship")
    return results


def kmip_protocol(place):
    """The client of crate kmip-protocol, built in a workspace of its own."""
    results = report.Results("kmip-protocol 0.4")
    built = TARGET / "kmip-protocol-client"
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--target-dir", built,
                    "--manifest-path", HERE / "kmip-protocol-client" / "Cargo.toml"], check=True)
    done = subprocess.run([built / "debug" / "kmip-protocol-client", "localhost", str(place.port),
                           place.certificate, place.key, place.authority],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    read_lines(results, done)
    return results


def module(name, python, server, scratch):
    """A suite of `suites`, run by the virtual environment's Python so that it finds its client."""
    results = report.Results(name)
    place = server.place
    command = [python, HERE / "suites" / f"{MODULES[name]}.py", place.host, place.port, place.certificates,
               server.process.pid, server.kind]
    done = subprocess.run([str(part) for part in command], cwd=scratch, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=900)
    read_lines(results, done)
    return results


def import_token(python, binary, scratch):
    """A customer who encrypts keys for import tokens of an HSM of its own."""
    return own_hsm("import-token", python, [binary.resolve(), scratch], scratch)


def root_keys(python, binary, certificates, scratch):
    """A customer who brings root keys to an HSM of its own, and uses them by every door."""
    return own_hsm("root-keys", python, [binary.resolve(), scratch, certificates], scratch)


def own_hsm(name, python, arguments, scratch):
    results = report.Results(name)
    command = [python, HERE / "suites" / f"{name.replace('-', '_')}.py", *arguments]
    done = subprocess.run(command, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    read_lines(results, done)
    return results


def read_lines(results, done):
    """Reads `passed NAME`, `failed NAME: why` and `skipped NAME: why`; anything else is the suite's noise."""
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("passed", "failed", "skipped"):
            name, _, why = rest.partition(": ")
            results.add(name, word, why)
    if done.returncode != 0 or not results.rows:
        results.add("the suite itself", "failed", f"ended with {done.returncode}: {done.stdout[-600:]}")


def application(name, python, binary, module, scratch):
    """A suite of `applications`."""
    run = {"pkcs11-tool": lambda: applications.pkcs11_tool(binary, module, scratch),
           "python-pkcs11": lambda: applications.python_pkcs11(python, binary, module, scratch),
           "rust-cryptoki": lambda: applications.rust_cryptoki(binary, module, scratch),
           "crypto11": lambda: applications.crypto11(binary, module, scratch),
           "pkcs11test": lambda: applications.pkcs11test(binary, module, scratch),
           "recipes": lambda: applications.recipes(python, binary, module, scratch)}
    return run[name]()


def run_suites(wanted, python, server, binary, scratch):
    for name in wanted:
        print(f"{name} …", flush=True)
        own = scratch / name
        own.mkdir()
        if name in APPLICATIONS:
            yield application(name, python, binary.resolve(), (binary.parent / "libsofthsm-rs.so").resolve(), own)
        elif name == "pykmip-own":
            yield pykmip_own(python, server.place, own)
        elif name == "kmip-protocol":
            yield kmip_protocol(server.place)
        elif name == "import-token":
            yield import_token(python, binary, own)
        elif name == "root-keys":
            yield root_keys(python, binary, server.place.certificates, own)
        else:
            yield module(name, python, server, own)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=("ours", "pykmip"), default="ours")
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "softhsm-rs", type=pathlib.Path)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(SUITES))
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    # Whoever ends this ends the server too: the way out leads through `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    TARGET.mkdir(parents=True, exist_ok=True)
    python = virtual_environment()
    with tempfile.TemporaryDirectory(prefix="interop-") as name:
        scratch = pathlib.Path(name)
        servers.make_certificates(scratch / "certificates")
        wanted = arguments.suites or SUITES
        if set(wanted) <= set(APPLICATIONS):
            results = list(run_suites(wanted, python, None, arguments.binary, scratch))
            return 0 if report.show(results) else 1
        if arguments.server == "ours":
            server = servers.Ours(arguments.binary, scratch / "server", scratch / "certificates")
        else:
            server = servers.Peer(python, scratch / "server", scratch / "certificates")
        server.start()
        try:
            results = list(run_suites(wanted, python, server, arguments.binary, scratch))
            alive = server.process.poll() is None
        finally:
            clean = server.stop()
        if arguments.server == "ours":
            life = report.Results("the server's life")
            life.add("it survived every suite", "passed" if alive else "failed", server.tail())
            life.add("it stopped when asked to", "passed" if clean else "failed", server.tail())
            results.append(life)
    return 0 if report.show(results) else 1


if __name__ == "__main__":
    sys.exit(main())
