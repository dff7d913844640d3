"""Runs a script, or a module, with `import tensorrt` redirected: python -m burnish.tensorrt [--target T] [--version V] script.py …"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import sys

from .install import install


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m burnish.tensorrt", description="Runs a script whose `import tensorrt` gives Burnish.")
    parser.add_argument(
        "--target", help="what engines are built for: cpu (then they run on the host), sm_90, …; default: the GPU that is there"
    )
    parser.add_argument("--version", help="the interface that the script sees: 8.6, 10 (default) or 11")
    parser.add_argument("-m", dest="module", action="store_true", help="run a module, as python -m does")
    parser.add_argument("script", help="the script, a command that is one (polygraphy), or with -m the module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    asked = parser.parse_args()
    try:
        install(version=asked.version, target=asked.target)
    except ValueError as error:
        parser.error(str(error))
    sys.argv = [asked.script, *asked.arguments]
    if asked.module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(asked.script, run_name="__main__", alter_sys=True)
        return
    script = asked.script if os.path.exists(asked.script) else shutil.which(asked.script)
    if script is None:
        parser.error(f"there is no script or command '{asked.script}'")
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
