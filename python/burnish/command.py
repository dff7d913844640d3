"""The commands `burnish` and `trtexec` that an installed package gives."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import NoReturn

from .capi import library_folder


def program() -> pathlib.Path:
    """The command line, beside the libraries: in the installed package, or built in a clone."""
    return library_folder().parent / "bin" / "burnish"


def _become(name: str) -> NoReturn:
    """This process becomes the program, which goes by the name that it is called by."""
    os.execv(program(), [name, *sys.argv[1:]])


def burnish() -> NoReturn:
    _become("burnish")


def trtexec() -> NoReturn:
    _become("trtexec")
