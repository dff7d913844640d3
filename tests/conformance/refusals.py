"""unsupported.txt: which node tests are refused, and for what reason."""
import fnmatch
import pathlib


def read_list():
    """Pairs of pattern and reason, in the file's order."""
    text = (pathlib.Path(__file__).parent / "unsupported.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs, reason = [], None
    for line in lines:
        if line.startswith("  "):
            pairs.extend((pattern, reason) for pattern in line.split())
        else:
            reason = line
    return pairs


REFUSALS = read_list()


def applies(pattern, name):
    """A test and its twin with the operator's function written out are judged apart."""
    return fnmatch.fnmatchcase(name, pattern) and name.endswith("_expanded") == pattern.endswith("_expanded")


def expected_refusal(name):
    """What the message must hold; None for a test that must pass."""
    return next((reason for pattern, reason in REFUSALS if applies(pattern, name)), None)
