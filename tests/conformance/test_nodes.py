"""ONNX's node tests through importer, compiler and runtime: each passes, or is refused as unsupported.txt says."""
import re

import node_tests
import numpy as np
import pytest
from library import Library
from refusals import REFUSALS, applies, expected_refusal

# What ONNX's own backend runner allows.
RTOL, ATOL = 1e-3, 1e-7


def test_node(builds, library, name):
    test = node_tests.NodeTest(name)
    engine, refusal = builds(name)
    expected = expected_refusal(name)
    if expected:
        assert refusal, f"unsupported.txt lists it ({expected}), but an engine was built: unlist it"
        check_refusal(refusal, expected, test)
        return
    if refusal:
        pytest.fail(str(refusal))
    got = library.run(engine, test.inputs, test.output_names)
    for output, array, want in zip(test.output_names, got, test.outputs, strict=True):
        assert (array.dtype, array.shape) == (want.dtype, want.shape), output
        np.testing.assert_allclose(array, want, RTOL, ATOL, err_msg=output)


def check_refusal(refusal, expected, test):
    """It is told for the reason listed, and the message names a node, an operator or a value of the model."""
    assert refusal.status == "unsupported", refusal
    assert expected in refusal.cause, refusal
    if not refusal.cause.startswith("the model "):
        assert set(re.findall(r"'([^']*)'", refusal.cause)) & test.names, f"names nothing of the model: {refusal}"


def test_every_listed_pattern_matches():
    if node_tests.PACKED.exists():
        pytest.skip("only what must pass was packed")
    names = node_tests.names()
    idle = [pattern for pattern, _ in REFUSALS if not any(applies(pattern, name) for name in names)]
    assert not idle, f"unsupported.txt lists what no test is called: {idle}"


def test_a_length_that_a_run_finds_is_built_for_a_gpu(library):
    """The host must take such a node over, also where a kernel for it exists."""
    for name in ("test_range_float_type_positive_delta", "test_range_int32_type_negative_delta"):
        assert Library(library.folder, target="sm_90").build(node_tests.NodeTest(name).model)
