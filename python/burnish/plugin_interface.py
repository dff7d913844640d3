"""api/burnish_plugin.h through ctypes, for operators that are written in Python."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_char_p, c_float, c_int, c_int64, c_size_t, c_uint32, c_void_p

from .capi import MAX_RANK, Tensor

ABI = 1
FLOAT, INT, STRING, TENSOR, FLOATS, INTS, STRINGS = 1, 2, 3, 4, 6, 7, 8
BUILD, RUN = 0, 1
SUM, DIFFERENCE, PRODUCT, FLOOR_DIVIDE, CEIL_DIVIDE, MIN, MAX, EQUAL, LESS = range(9)


class Reason(Structure):
    _fields_ = [("text", c_char * 512)]


class Attribute(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("kind", c_int),
        ("count", c_size_t),
        ("floats", POINTER(c_float)),
        ("ints", POINTER(c_int64)),
        ("strings", POINTER(c_void_p)),
        ("string_sizes", POINTER(c_size_t)),
        ("tensor", POINTER(Tensor)),
    ]


class Node(Structure):
    _fields_ = [("name", c_char_p), ("phase", c_int), ("memory", c_int), ("attributes", POINTER(Attribute)), ("attribute_count", c_int)]


class Extents(Structure):
    _fields_ = [
        ("self", c_void_p),
        ("constant", CFUNCTYPE(c_uint32, c_void_p, c_int64)),
        ("combine", CFUNCTYPE(c_uint32, c_void_p, c_int, c_uint32, c_uint32)),
        ("range", CFUNCTYPE(None, c_void_p, c_uint32, POINTER(c_int64), POINTER(c_int64))),
    ]


class Type(Structure):
    _fields_ = [("dtype", c_int), ("rank", c_int), ("extents", c_uint32 * MAX_RANK)]


_TYPES, _TENSORS, _REASON = POINTER(Type), POINTER(Tensor), POINTER(Reason)
CreateFunction = CFUNCTYPE(c_int, c_void_p, POINTER(Node), POINTER(c_void_p), _REASON)
DestroyFunction = CFUNCTYPE(None, c_void_p)
InferFunction = CFUNCTYPE(c_int, c_void_p, POINTER(Extents), _TYPES, c_int, _TYPES, POINTER(c_int), _REASON)
WorkspaceFunction = CFUNCTYPE(c_int, c_void_p, POINTER(Extents), _TYPES, c_int, _TYPES, c_int, POINTER(c_uint32), _REASON)
AttributesFunction = CFUNCTYPE(c_int, c_void_p, POINTER(POINTER(Attribute)), POINTER(c_int), _REASON)
RunFunction = CFUNCTYPE(c_int, c_void_p, _TENSORS, c_int, _TENSORS, c_int, c_void_p, _REASON)
EnqueueFunction = CFUNCTYPE(c_int, c_void_p, _TENSORS, c_int, _TENSORS, c_int, c_void_p, c_void_p, _REASON)


class Operator(Structure):
    _fields_ = [
        ("domain", c_char_p),
        ("name", c_char_p),
        ("version", c_char_p),
        ("user", c_void_p),
        ("create", CreateFunction),
        ("destroy", DestroyFunction),
        ("infer", InferFunction),
        ("workspace", WorkspaceFunction),
        ("attributes", AttributesFunction),
        ("run", RunFunction),
        ("enqueue", EnqueueFunction),
    ]


class Plugin(Structure):
    """What keeps the operators of a plugin, and the functions in them, for as long as it lives."""

    _fields_ = [("abi", c_uint32), ("name", c_char_p), ("version", c_char_p), ("operators", POINTER(Operator)), ("operator_count", c_int)]


def plugin_of(name: str, version: str, *operators: Operator) -> Plugin:
    """A plugin of these operators."""
    plugin = Plugin(ABI, name.encode(), version.encode(), (Operator * len(operators))(*operators), len(operators))
    plugin.kept = operators  # with the functions in them
    return plugin


def text_of(attribute: Attribute, index: int = 0) -> bytes:
    """A string of an attribute."""
    return ctypes.string_at(attribute.strings[index], attribute.string_sizes[index])
