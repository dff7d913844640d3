"""Operators beside ONNX's own: from libraries, and of this process."""

from __future__ import annotations

import os
from ctypes import addressof, byref, c_void_p
from typing import List, Union

from . import capi
from .plugin_interface import Plugin

_loaded: List[int] = []  # addresses of burnish_plugin, in the order they came
_kept: List[Plugin] = []  # contexts may still call what was taken away


def load_plugin(path: Union[str, os.PathLike]) -> None:
    """Opens a library of operators (docs/plugins.md) for builds and runs of this process. Raises FileError or Unsupported for
    what is none, InvalidArgument where another one has its name."""
    table = c_void_p()
    capi.call(capi.runtime().burnish_load_plugin, os.fsencode(os.fspath(path)), byref(table))
    if table.value not in _loaded:
        _loaded.append(table.value)


def loaded() -> List[int]:
    """Addresses of all plugins that builds are given."""
    return list(_loaded)


def add(plugin: Plugin) -> None:
    """Operators of this process; see plugin_interface."""
    capi.call(capi.runtime().burnish_add_plugin, addressof(plugin))
    _kept.append(plugin)
    _loaded.append(addressof(plugin))


def remove(plugin: Plugin) -> None:
    """Takes them away from builds and contexts to come."""
    capi.runtime().burnish_remove_plugin(addressof(plugin))
    _loaded.remove(addressof(plugin))
