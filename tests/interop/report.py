"""Results of the suites: one for each test, and how they are shown."""

import sys
import traceback
import xml.etree.ElementTree as tree


class Skip(Exception):
    """Raised by a test that does not apply, with the reason."""


class Results:
    """What the tests of one suite came to, in their order."""

    def __init__(self, suite):
        self.suite = suite
        self.rows = []

    def add(self, name, outcome, why=""):
        """`outcome` is "passed", "failed" or "skipped"; the two others need a reason."""
        self.rows.append((name, outcome, " ".join(str(why).split())))
        if outcome != "passed":
            print(f"    {outcome}: {name}: {self.rows[-1][2]}", flush=True)

    def judge(self, name, outcome, said, known, place=None):
        """A test's outcome and what it said. `known` has tests that cannot pass, by name (or `place`, where the name
        says more): the words with which each must fail, and why. Such a test is skipped; if it passes, it fails."""
        words, reason = known.get(place or name, (None, None))
        if outcome == "failed" and words and words in said:
            self.add(name, "skipped", reason)
        elif outcome == "passed" and words:
            self.add(name, "failed", f"it should have been refused, since {reason}")
        else:
            self.add(name, outcome, "" if outcome == "passed" else said.strip()[-300:])

    def run(self, name, test, *arguments):
        try:
            test(*arguments)
        except Skip as reason:
            self.add(name, "skipped", reason)
        except Exception as error:
            place = traceback.extract_tb(sys.exc_info()[2])[-1]
            self.add(name, "failed", f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})")
        else:
            self.add(name, "passed")

    def count(self, outcome):
        return sum(1 for row in self.rows if row[1] == outcome)


def read_junit(results, path, output, prefix="", forbidden=()):
    """Reads what pytest wrote. `forbidden` has tests that cannot pass: the words with which each must fail, and why."""
    if not path.exists():
        results.add("pytest", "failed", output[-600:])
        return
    for case in tree.parse(path).getroot().iter("testcase"):
        short = f"{case.get('classname').rsplit('.', 1)[-1]}.{case.get('name')}"
        name = f"{prefix} {short}".strip()
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped")
        outcome = "failed" if bad is not None else "skipped" if skipped is not None else "passed"
        said = bad.text or bad.get("message") or "" if bad is not None else ""
        results.judge(name, outcome, said if skipped is None else skipped.get("message"), dict(forbidden), short)


def show(every):
    """Prints the table and the line that sums it up; true if nothing failed and something passed."""
    counts = {outcome: sum(one.count(outcome) for one in every) for outcome in ("passed", "failed", "skipped")}
    print(f"\n{'suite':<34}{'passed':>8}{'failed':>8}{'skipped':>9}")
    for one in every:
        print(f"{one.suite:<34}{one.count('passed'):>8}{one.count('failed'):>8}{one.count('skipped'):>9}")
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return counts["failed"] == 0 and counts["passed"] > 0
