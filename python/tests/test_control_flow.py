"""Loops and conditions built by hand."""

import numpy as np
import pytest
import tensorrt as trt
from onnx import helper

from running import Network, deserialized, execute

RNG = np.random.default_rng(11)
SUM, PROD = trt.ElementWiseOperation.SUM, trt.ElementWiseOperation.PROD


@pytest.fixture
def net(log):
    return Network(log)


def added(n, a, b, op=SUM):
    return n.add_elementwise(a, b, op).get_output(0)


def test_a_recurrence_runs_as_often_as_it_is_told(net):
    n, x = net.network, np.array([1, 2], "f4")
    loop = n.add_loop()
    loop.add_trip_limit(net.constant(np.array(5, "i4")), trt.TripLimit.COUNT)
    value = loop.add_recurrence(net.input(x))
    value.set_input(1, added(n, value.get_output(0), net.constant(np.array([2, 3], "f4")), PROD))
    out = loop.add_loop_output(value.get_output(0), trt.LoopOutput.LAST_VALUE)
    np.testing.assert_allclose(net.run(out.get_output(0)), x * np.array([2, 3]) ** 5)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind, axis", [("CONCATENATE", 0), ("CONCATENATE", 1), ("REVERSE", 0)])
def test_iterators_and_the_values_of_all_iterations(net, reverse, kind, axis):
    n, x = net.network, RNG.standard_normal((2, 4, 3)).astype("f4")
    loop = n.add_loop()
    loop.add_trip_limit(net.constant(np.array(4, "i4")), trt.TripLimit.COUNT)
    each = loop.add_iterator(net.input(x), 1, reverse)
    total = loop.add_recurrence(net.constant(np.zeros((2, 3), "f4")))
    following = added(n, total.get_output(0), each.get_output(0))
    total.set_input(1, following)
    out = loop.add_loop_output(following, trt.LoopOutput[kind], axis)
    sums = np.cumsum(x[:, ::-1] if reverse else x, 1).transpose(1, 0, 2)
    expected = np.moveaxis(sums[::-1] if kind == "REVERSE" else sums, 0, axis)
    np.testing.assert_allclose(net.run(out.get_output(0)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("start, expected", [(1, 128), (200, 200)])
def test_a_condition_is_looked_at_before_each_iteration(net, start, expected):
    n = net.network
    loop = n.add_loop()
    value = loop.add_recurrence(net.input(np.array(start, "i4")))
    small = n.add_elementwise(value.get_output(0), net.constant(np.array(100, "i4")), trt.ElementWiseOperation.LESS)
    loop.add_trip_limit(small.get_output(0), trt.TripLimit.WHILE)
    value.set_input(1, added(n, value.get_output(0), value.get_output(0)))
    assert net.run(loop.add_loop_output(value.get_output(0), trt.LoopOutput.LAST_VALUE).get_output(0)) == expected


def test_a_loop_in_a_loop(net):
    n, x = net.network, np.array(1, "f4")
    outer, inner = n.add_loop(), n.add_loop()
    outer.add_trip_limit(net.constant(np.array(2, "i4")), trt.TripLimit.COUNT)
    inner.add_trip_limit(net.constant(np.array(3, "i4")), trt.TripLimit.COUNT)
    a = outer.add_recurrence(net.input(x))
    b = inner.add_recurrence(a.get_output(0))
    b.set_input(1, added(n, b.get_output(0), b.get_output(0)))
    doubled = inner.add_loop_output(b.get_output(0), trt.LoopOutput.LAST_VALUE)
    a.set_input(1, added(n, doubled.get_output(0), net.constant(np.array(1, "f4"))))
    assert net.run(outer.add_loop_output(a.get_output(0), trt.LoopOutput.LAST_VALUE).get_output(0)) == (1 * 8 + 1) * 8 + 1


def branches(net, x, flag):
    n = net.network
    conditional = n.add_if_conditional()
    conditional.set_condition(net.input(np.array(flag)))
    inside = conditional.add_input(net.input(x)).get_output(0)
    doubled = added(n, inside, inside)
    negative = n.add_unary(inside, trt.UnaryOperation.NEG).get_output(0)
    return conditional.add_output(doubled, negative)


@pytest.mark.parametrize("flag", [True, False])
def test_a_condition_takes_one_branch(net, flag):
    x = RNG.standard_normal((2, 3)).astype("f4")
    np.testing.assert_allclose(net.run(branches(net, x, flag).get_output(0)), 2 * x if flag else -x)


def test_a_condition_in_a_loop(net):
    n, x = net.network, np.array([3, -3], "f4")
    loop = n.add_loop()
    loop.add_trip_limit(net.constant(np.array(3, "i4")), trt.TripLimit.COUNT)
    value = loop.add_recurrence(net.input(x))
    total = n.add_reduce(value.get_output(0), trt.ReduceOperation.SUM, 1, False).get_output(0)
    conditional = n.add_if_conditional()
    conditional.set_condition(n.add_elementwise(total, net.constant(np.array(0, "f4")), trt.ElementWiseOperation.GREATER).get_output(0))
    inside = conditional.add_input(value.get_output(0)).get_output(0)
    taken = conditional.add_output(
        n.add_unary(inside, trt.UnaryOperation.NEG).get_output(0), added(n, inside, net.constant(np.array([1, 0], "f4")))
    )
    value.set_input(1, taken.get_output(0))
    expected = x
    for _ in range(3):
        expected = -expected if expected.sum() > 0 else expected + np.array([1, 0], "f4")
    np.testing.assert_allclose(net.run(loop.add_loop_output(value.get_output(0), trt.LoopOutput.LAST_VALUE).get_output(0)), expected)


def test_a_loop_after_a_parsed_model_of_another_opset(log):
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="act")],
        "g",
        [helper.make_tensor_value_info("x", 1, [2])],
        [helper.make_tensor_value_info("y", 1, [2])],
    )
    builder = trt.Builder(log)
    network = builder.create_network()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    assert trt.OnnxParser(network, log).parse(model.SerializeToString())
    loop = network.add_loop()
    loop.add_trip_limit(network.add_constant((), np.array(3, "i4")).get_output(0), trt.TripLimit.COUNT)
    value = loop.add_recurrence(network.get_output(0))
    value.set_input(1, added(network, value.get_output(0), value.get_output(0)))
    network.mark_output(loop.add_loop_output(value.get_output(0), trt.LoopOutput.LAST_VALUE).get_output(0))
    x = np.array([-1, 2], "f4")
    outputs = execute(deserialized(builder, network), x)
    np.testing.assert_allclose(outputs[1], 8 * np.maximum(x, 0))


@pytest.mark.parametrize(
    "complete, message",
    [
        (lambda loop, value, x: None, "loop '(Unnamed Loop)' has no trip limit: call add_trip_limit"),
        (
            lambda loop, value, x: loop.add_trip_limit(x, trt.TripLimit.WHILE) and value._state.inputs.pop(),
            "recurrence '(Unnamed Layer* 1) [Recurrence]' has no next value: call set_input(1, …)",
        ),
    ],
    ids=["no limit", "no next value"],
)
def test_loops_that_are_not_complete(net, log, complete, message):
    n = net.network
    x = net.constant(np.array([1], "f4"))
    loop = n.add_loop()
    value = loop.add_recurrence(x)
    value.set_input(1, added(n, value.get_output(0), x))
    complete(loop, value, x)
    n.mark_output(loop.add_loop_output(value.get_output(0), trt.LoopOutput.LAST_VALUE).get_output(0))
    assert net.builder.build_serialized_network(n, net.builder.create_builder_config()) is None
    assert log.of("ERROR") == [message]
