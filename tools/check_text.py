#!/usr/bin/env python3
"""House rules of the text: no paths of one machine, nothing left open, no file that holds more than one idea."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = {".cpp", ".h", ".hpp", ".cuh", ".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".json", ".ir", ""}
GENERATED = {"LICENSE"}
FORBIDDEN = {  # pattern: why. Each is spelt so that this file does not match itself
    r"/(?:wor[k]|hom[e]|roo[t]|tm[p]|User[s])/\w": "a path of one machine",
    r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b": "left open",
    r"--(?:extra-)?inde[x]-url|https?://\S*\b(?:pypi|artifactory|nexus)\b\S*/simpl[e]": "the address of a package registry",
    r"[ \t]+\n": "blanks at a line's end",
}
MOST_LINES = 700
MOST_BYTES = 2_000_000


def files():
    skipped = ("build", ".git", ".venv")
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not parts[0].startswith(skipped) and not {"__pycache__", ".pytest_cache"} & set(parts):
            yield path


def findings():
    for path in files():
        name = path.relative_to(ROOT)
        if path.stat().st_size > MOST_BYTES:
            yield f"{name}: {path.stat().st_size} bytes; generate it or fetch it"
        if path.suffix not in TEXT or path.name in GENERATED:
            continue
        text = path.read_text()
        for pattern, why in FORBIDDEN.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {why}: {match.group().strip()!r}"
        if path.suffix in CODE and text.count("\n") > MOST_LINES:
            yield f"{name}: {text.count(chr(10))} lines; split it by idea"
    for folder in sorted({path.parent for path in files() if path.suffix in {".cpp", ".cuh"}}):
        top = folder.relative_to(ROOT).parts
        documented = ROOT.joinpath(*top[: 2 if top[0] == "providers" else 1])
        if not (documented / "README.md").exists():
            yield f"{documented.relative_to(ROOT)}: no README.md that says what the folder is"


if __name__ == "__main__":
    found = list(dict.fromkeys(findings()))
    print("\n".join(found) or "house rules hold", file=sys.stderr if found else sys.stdout)
    sys.exit(1 if found else 0)
