"""What a suite is run with, and how it says what its tests came to: one line each, for `run.py`."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from report import Results  # noqa: E402
from server import Place  # noqa: E402


class World:
    """The server under test: where it is, its process, and which one it is (`ours` or `pykmip`)."""

    def __init__(self, arguments):
        _host, port, certificates, pid, self.kind = arguments
        self.place, self.pid = Place(int(port), pathlib.Path(certificates)), int(pid)

    def memory(self):
        """The server's resident memory in KiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def unique(base):
    """A name that no other test uses, and no earlier run."""
    return f"{base} {time.time_ns()}"


def main(cases):
    """Runs `cases`, pairs of a name and a function of the world."""
    run(World(sys.argv[1:]), cases)


def run(world, cases):
    """The same in a world of the suite's own."""
    results = _Printing("")
    for name, case in cases:
        results.run(name, case, world)


class _Printing(Results):
    def add(self, name, outcome, why=""):
        print(f"{outcome} {name.replace(': ', ', ')}" + (f": {' '.join(str(why).split())}" if why else ""),
              flush=True)


def fails(exception, call, *arguments, **named):
    """Calls, expects `exception`, and returns it."""
    try:
        result = call(*arguments, **named)
    except exception as error:
        return error
    raise AssertionError(f"{getattr(call, '__name__', call)} succeeded with {result!r}")
