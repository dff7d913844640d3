#!/usr/bin/env python3
"""tally.py FOLDER: sums the test reports of ./dev test's stages and ends with 'N passed, N failed'.

A stage is FOLDER/<stage>/ with its exit status in `status` and JUnit files of its test programs. A stage that failed without
a failing test (it did not build, a program crashed before it could report) counts as one failure.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(report):
    """Passed and failed test cases of one JUnit file; a skipped case is neither."""
    cases = list(xml.parse(report).getroot().iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None or case.get("status") == "notrun")
    return len(cases) - failed - skipped, failed


def main(folder):
    passed = failed = 0
    for stage in sorted(pathlib.Path(folder).iterdir(), key=lambda stage: (stage / "status").stat().st_mtime):
        counts = [count(report) for report in stage.glob("*.xml")]
        good, bad = (sum(column) for column in zip(*counts)) if counts else (0, 0)
        if (stage / "status").read_text().strip() != "0":
            bad = max(bad, 1)
        elif not counts:
            good = 1
        passed, failed = passed + good, failed + bad
        print(f"{stage.name:12} {good:5} passed {bad:5} failed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
