"""Building one node test's engine: what the worker processes do."""
import functools

from library import Library, Refused
from node_tests import NodeTest


@functools.cache
def compiler(libraries, target):
    return Library(libraries, target=target)


def build(libraries, target, name):
    """(engine's bytes or None, refusal or None)"""
    try:
        return compiler(libraries, target).build(NodeTest(name).model), None
    except Refused as refusal:
        return None, refusal
