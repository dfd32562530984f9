"""Other people's PKCS #11 suites and applications against the module: what `run.py` calls for `pkcs11-tool`,
`python-pkcs11`, `rust-cryptoki`, `crypto11`, `pkcs11test` and `recipes`. Each has a home of its own below its scratch directory."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile

import report
from server import free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "docs" / "recipes.md"
PYTHON_PKCS11, CRYPTOKI = "0.10.1", "0.12.1"
# Where Debian's packages put what Go imports.
GO_SOURCES = pathlib.Path("/usr/share/gocode/src/github.com")

# Tests that cannot pass, by suite: the words with which each must fail, and why. What the standard forbids, with its
# sentence; what is another's mechanism. docs/suites.md tells the same to people.
KNOWN = {
    "cryptoki": {},
    "crypto11": {
        "TestHmac": ("CKR_MECHANISM_INVALID", "it generates keys by nShield's own mechanism, and goes on with the standard's "
                     "only if the answer is CKR_TEMPLATE_INCONSISTENT"),
    },
    "python-pkcs11": {},
    "pkcs11test": {
        "PKCS11Test.EnumerateMechanisms": ("extra_flags", "it knows no flags of 3.x (CKF_MESSAGE_SIGN and others, section 3.5)"),
        "ReadOnlySessionTest.CreateSecretKeyAttributes": (
            "CKR_ATTRIBUTE_VALUE_INVALID", "a DES key of no bytes: \"DES keys are always 8 bytes long\""),
        "ReadWriteSessionTest.GetSetOperationState": (
            "CKR_KEY_TYPE_INCONSISTENT", "it gives a Triple DES key to CKM_DES_ECB, which takes CKK_DES"),
    },
}


class Home:
    """An HSM with one token, and the environment in which applications find it."""

    def __init__(self, binary, directory, label, pin, so_pin):
        self.directory = directory
        self.environment = {**os.environ, "SOFTHSM_RS_HOME": str(directory / "hsm"), "HOME": str(directory),
                            "PATH": f"{binary.parent}:{os.environ['PATH']}", "RUST_BACKTRACE": "0"}
        self.environment.pop("OPENSSL_CONF", None)
        pins = {**self.environment, "SOFTHSM_RS_PIN": pin, "SOFTHSM_RS_SO_PIN": so_pin}
        for command in (["init"], ["token", "init", label]):
            subprocess.run([binary, "--quiet", *command], env=pins, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def run(self, *command, timeout=300, **more):
        """The end of a command and all it said. It is ended with all that it started."""
        environment = {**self.environment, **more.pop("env", {})}
        process = subprocess.Popen([str(part) for part in command], env=environment, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", **{"cwd": self.directory, **more})
        try:
            said, _ = process.communicate(timeout=timeout)
            return process.returncode, said
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return "no end in time", process.communicate()[0]


def pkcs11_tool(binary, module, scratch):
    """The tests that OpenSC's pkcs11-tool brings."""
    results = report.Results("pkcs11-tool --test…")
    if not shutil.which("pkcs11-tool"):
        results.add("all", "skipped", "pkcs11-tool is not installed")
        return results
    home = Home(binary, scratch, "test", "1234", "12345678")
    login = ["--login", "--pin", "1234"]
    for kind, label in (("rsa:2048", "rsa"), ("EC:prime256v1", "ec")):
        home.run("pkcs11-tool", "--module", module, *login, "--keypairgen", "--key-type", kind, "--label", label)
    threads = ["--use-locking", "--test-threads", "ILGISLT0P1", "--test-threads", "INGISLT0P1"]
    new = ["--session-rw", "--key-type", "EC:prime256v1", "--id", "03", "--label", "new"]
    cases = {
        "--test": (["--test", *login], "No errors"),
        "--test --allow-sw": (["--test", "--allow-sw", *login], "No errors"),
        "--test-ec": (["--test-ec", *login, *new], "==> OK"),
        "--test-fork": (["--test-fork"], "Calling C_Initialize in forked child process"),
        "--test-threads": (threads, "token label        : test"),
        "--test-hotplug": (["--test-hotplug"], "Testing card detection using C_WaitForSlotEvent()"),
    }
    for name, (arguments, expected) in cases.items():
        code, said = home.run("pkcs11-tool", "--module", module, *arguments, timeout=120)
        bad = code != 0 or expected not in said or re.search(r"^error: |some errors", said, re.MULTILINE)
        results.add(name, "failed" if bad else "passed", f"ended with {code}: {said[-300:]}" if bad else "")
    return results


def python_pkcs11(python, binary, module, scratch):
    """python-pkcs11's own tests, under our name and under the one for which some run alone."""
    results = report.Results(f"python-pkcs11 {PYTHON_PKCS11}'s own")
    archive = ROOT / "target" / "interop" / f"python_pkcs11-{PYTHON_PKCS11}.tar.gz"
    if not archive.exists():
        subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "python-pkcs11",
                        "--dest", archive.parent, f"python-pkcs11=={PYTHON_PKCS11}"], check=True)
    # The tests alone: beside the sources they would not find the package that was built.
    with tarfile.open(archive) as content:
        members = [member for member in content.getmembers() if "/tests/" in member.name]
        content.extractall(scratch, members=members, filter="data")
    for name in ("libsofthsm-rs.so", "libsofthsm2.so"):
        place = scratch / name.partition(".")[0]
        place.mkdir()
        library = shutil.copy(module, place / name)
        home = Home(binary, place, "TEST", "1234", "567856")
        variables = {"PKCS11_MODULE": library, "PKCS11_TOKEN_LABEL": "TEST", "PKCS11_TOKEN_PIN": "1234",
                     "PKCS11_TOKEN_SO_PIN": "567856"}
        outcome = place / "results.xml"
        _, said = home.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore",
                           f"--junitxml={outcome}", "tests", env=variables, timeout=600,
                           cwd=scratch / f"python_pkcs11-{PYTHON_PKCS11}")
        report.read_junit(results, outcome, said, name, KNOWN["python-pkcs11"])
    return results


def rust_cryptoki(binary, module, scratch):
    """The tests of crate cryptoki, from its package; lenient with modules whose name says softhsm, so not called so. Also
    those that it has marked to be ignored, since other modules cannot pass them."""
    results = report.Results(f"cryptoki {CRYPTOKI}'s own")
    sources = ROOT / "target" / "interop" / f"cryptoki-{CRYPTOKI}"
    if not sources.exists():
        metadata = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], cwd=ROOT, check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
        manifest = re.search(rf'"([^"]*/cryptoki-{re.escape(CRYPTOKI)}/Cargo.toml)"', metadata).group(1)
        shutil.copytree(pathlib.Path(manifest).parent, sources)
        with open(sources / "Cargo.toml", "a", encoding="utf-8") as file:
            file.write("\n[workspace]\n")
    library = shutil.copy(module, scratch / "libother.so")
    home = Home(binary, scratch, "Test Token", "fedcba123456", "abcdef654321")
    environment = {"TEST_PKCS11_MODULE": library, "HOME": os.environ["HOME"],
                   "CARGO_TARGET_DIR": str(sources.with_suffix(".target"))}
    _, said = home.run("cargo", "test", "--quiet", "--no-fail-fast", "--tests", "--", "--test-threads=1",
                       "--include-ignored", "--format=pretty", env=environment, cwd=sources, timeout=1800)
    for name, word in re.findall(r"^test (\S+) \.\.\. (ok|FAILED|ignored)", said, re.MULTILINE):
        words = re.search(rf"^---- {name} stdout ----$(.*?)(?=^---- |\Z)", said, re.MULTILINE | re.DOTALL)
        outcome = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}[word]
        results.judge(name, outcome, words.group(1) if words else "marked to be ignored", KNOWN["cryptoki"])
    if not results.rows:
        results.add("cargo test", "failed", said[-600:])
    return results


def crypto11(binary, module, scratch):
    """The tests of Go's crypto11, of Debian's packages, which bring what it needs."""
    results = report.Results("crypto11's own")
    missing = [name for name in ("ThalesIgnite/crypto11", "stretchr/testify") if not (GO_SOURCES / name).is_dir()]
    if missing or not shutil.which("go"):
        results.add("all", "skipped", "golang-go, golang-github-thalesignite-crypto11-dev and "
                                      "golang-github-stretchr-testify-dev are not installed")
        return results
    home = Home(binary, scratch, "demo", "1234", "87654321")
    # The package reads its configuration beside its sources; what it imports is found in the second place.
    sources = shutil.copytree(GO_SOURCES / "ThalesIgnite/crypto11",
                              scratch / "go" / "src" / "github.com" / "ThalesIgnite" / "crypto11")
    config = {"Path": str(module), "TokenLabel": "demo", "Pin": "1234"}
    (sources / "config").write_text(json.dumps(config), encoding="utf-8")
    variables = {"GO111MODULE": "off", "GOPATH": f"{scratch / 'go'}:{GO_SOURCES.parent.parent}",
                 "GOCACHE": str(scratch / "cache")}
    _, said = home.run("go", "test", "-v", "-count=1", ".", env=variables, cwd=sources, timeout=900)
    for word, name in re.findall(r"^--- (PASS|FAIL|SKIP): (\S+)", said, re.MULTILINE):
        words = re.search(rf"^=== RUN   {name}$(.*?)(?=^=== RUN   \w+$|\Z)", said, re.MULTILINE | re.DOTALL)
        outcome = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}[word]
        results.judge(name, outcome, words.group(1) if words else "", KNOWN["crypto11"])
    if not results.rows:
        results.add("all", "failed", said[-500:])
    return results


def pkcs11test(binary, module, scratch):
    """Google's pkcs11test, which no registry has: `PKCS11TEST` names the program where there is one."""
    results = report.Results("pkcs11test")
    program = os.environ.get("PKCS11TEST")
    if not program:
        results.add("all", "skipped", "no registry has it; PKCS11TEST=PROGRAM names one that was built from its sources")
        return results
    home = Home(binary, scratch, "test", "1234", "12345678")
    # With the PINs that it is to find after it has made the token anew, which it does.
    _, said = home.run(program, "-m", module.name, "-l", module.parent, "-S", "0", "-u", "1234", "-o", "12345678",
                       "-U", "1234", "-O", "12345678", "-I", timeout=600)
    parts = re.split(r"^\[ RUN      \] (.+)$", said, flags=re.MULTILINE)
    for name, text in zip(parts[1::2], parts[2::2]):
        word = re.search(r"^\[ *(OK|FAILED) *\]", text, re.MULTILINE)
        failed = not word or word.group(1) == "FAILED"
        results.judge(name, "failed" if failed else "passed", text, KNOWN["pkcs11test"])
    if "[==========]" not in said or not results.rows:
        results.add("pkcs11test", "failed", said[-600:])
    for reason, names in re.findall(r"^Following tests were skipped because: (.+)\n((?:  .+\n?)+)", said, re.MULTILINE):
        for name in names.split():
            results.rows = [row for row in results.rows if row[0] != name]
            results.add(name, "skipped", reason)
    return results


def recipes(python, binary, module, scratch):
    """The commands of the page of recipes, each recipe with an HSM of its own."""
    results = report.Results("recipes of docs/recipes.md")
    first, *sections = re.split(r"^## ", RECIPES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for number, section in enumerate(sections):
        name = section.partition("\n")[0]
        needs = re.search(r"<!-- needs: (.*) -->", section).group(1).split()
        if missing := [need for need in needs if not is_there(need, python)]:
            results.add(name, "skipped", f"{', '.join(missing)}: not installed")
            continue
        place = scratch / str(number)
        place.mkdir()
        script = place / "script"
        script.write_text(blocks(first) + blocks(section), encoding="utf-8")
        code, said = run_recipe(place, script, python, binary, module, "p11-kit" in needs)
        results.add(name, "passed" if code == 0 else "failed", "" if code == 0 else f"ended with {code}: {said[-500:]}")
    return results


def blocks(text):
    return "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def run_recipe(place, script, python, binary, module, by_p11_kit):
    """Runs a script in its directory. Where p11-kit has to know the module it is told so in a file system that this
    script alone sees."""
    environment = {**os.environ, "HOME": str(place), "SOFTHSM_RS_HOME": str(place / "hsm"), "MODULE": str(module),
                   "PORT": str(free_port()), "PATH": f"{binary.parent}:{python.parent}:{os.environ['PATH']}"}
    environment.pop("OPENSSL_CONF", None)
    for name, usual in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
        environment.setdefault(name, str(pathlib.Path.home() / usual))
    command = ["bash", "-euo", "pipefail", "-x", str(script)]
    if by_p11_kit:
        known = "/usr/share/p11-kit/modules"
        inner = f'mount -t tmpfs none {known} && echo "module: $MODULE" > {known}/softhsm-rs.module && exec "$@"'
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", inner, "sh", *command]
    try:
        done = subprocess.run(command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180)
    except subprocess.TimeoutExpired as late:
        return "no end in time", (late.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout


def is_there(need, python):
    """Whether a program is installed, or one of the things that are none."""
    libraries = {"engine-pkcs11": ("engines-3", "pkcs11.so"), "pkcs11-provider": ("ossl-modules", "pkcs11.so")}
    if need in libraries:
        directory, file = libraries[need]
        return any(pathlib.Path("/usr").glob(f"lib*/**/{directory}/{file}"))
    if need == "crypto11":
        return (GO_SOURCES / "ThalesIgnite" / "crypto11").is_dir()
    if need == "python-pkcs11":
        return subprocess.run([python, "-c", "import pkcs11"], stderr=subprocess.DEVNULL).returncode == 0
    # Some of them lie where root's path leads alone.
    return shutil.which(need, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is not None
