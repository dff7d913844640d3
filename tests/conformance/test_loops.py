"""Loops and scans against ONNX Runtime: shapes that change, trip counts that the data decide, nesting, captures."""
import numpy as np
import onnx
import onnxruntime
import pytest
from library import Library
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RANDOM = np.random.default_rng(1)


def value(name, dtype=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=outputs.split()[0], **attributes)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def body(nodes, inputs, outputs, constants=()):
    return helper.make_graph(nodes, "body", inputs, outputs, [constant(*one) for one in constants])


def model(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "loops", inputs, outputs, [constant(*one) for one in constants])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


ITERATION = [value("i", INT64, []), value("on", BOOL, [])]
ON = node("Identity", "on", "on_out")


def growing():
    """The carried tensor gets a row in every iteration; what comes of it goes on outside."""
    inner = body(
        [ON, node("Concat", "rows row", "more", axis=0), node("ReduceSum", "rows axes", "sum", keepdims=0)],
        [*ITERATION, value("rows", shape=[None, 3])],
        [value("on_out", BOOL, []), value("more", shape=[None, 3]), value("sum", shape=[3])],
        [("axes", np.array([0]))],
    )
    loop = helper.make_node("Loop", ["trips", "", "x"], ["y", "sums"], body=inner, name="grow")
    return model(
        [loop, node("MatMul", "y w", "z"), node("Relu", "sums", "positive")],
        [value("trips", INT64, []), value("x", shape=["n", 3]), value("row", shape=[1, 3])],
        [value("z", shape=[None, 40]), value("positive", shape=[None, 3])],
        [("w", RANDOM.standard_normal((3, 40), np.float32))],
    )


def simplified_for_the_first_iteration():
    """A shape that is a constant in the first iteration alone."""
    inner = body(
        [ON, node("Shape", "v", "shape"), node("Expand", "one shape", "ones"), node("Concat", "v ones", "w", axis=0)],
        [*ITERATION, value("v", shape=None)],
        [value("on_out", BOOL, []), value("w", shape=None), value("shape", INT64, [1])],
        [("one", np.float32(1))],
    )
    loop = helper.make_node("Loop", ["trips", "", "start"], ["y", "shapes"], body=inner, name="doubling")
    return model(
        [loop],
        [value("trips", INT64, [])],
        [value("y", shape=[None]), value("shapes", INT64, [None, 1])],
        [("start", np.array([5], np.float32))],
    )


def decomposed():
    """A node that is imported as others, with shapes in the body's own symbols."""
    inner = body(
        [ON, node("DepthToSpace", "v", "deep", blocksize=2), node("Concat", "deep deep deep deep", "v_out", axis=1)],
        [*ITERATION, value("v", shape=None)],
        [value("on_out", BOOL, []), value("v_out", shape=None)],
    )
    loop = helper.make_node("Loop", ["trips", "", "x"], ["y"], body=inner, name="larger")
    return model([loop], [value("trips", INT64, []), value("x", shape=[1, 4, "h", 3])], [value("y", shape=[None] * 4)])


def reshaped():
    """A shape that is computed outside, and one that running the body tells."""
    inner = body(
        [
            ON,
            node("Reshape", "v shape", "w"),
            node("NonZero", "w", "found"),
            node("Cast", "found", "where", to=FLOAT),
            node("Add", "w x", "sum"),
            node("Flatten", "sum", "flat"),
            node("Reshape", "flat line", "v_out"),
        ],
        [*ITERATION, value("v", shape=None)],
        [value("on_out", BOOL, []), value("v_out", shape=[None]), value("where", shape=[2, None])],
        [("line", np.array([-1]))],
    )
    loop = helper.make_node("Loop", ["trips", "", "start"], ["y", "where_each"], body=inner, name="reshape")
    return model(
        [node("Shape", "x", "shape"), node("Reshape", "x all", "start"), loop],
        [value("trips", INT64, []), value("x", shape=["n", "m"])],
        [value("y", shape=[None]), value("where_each", shape=[None, 2, None])],
        [("all", np.array([-1]))],
    )


def in_a_branch():
    """Only one branch loops; what it gives has extents that only running it tells."""
    inner = body(
        [ON, node("Concat", "v x", "w", axis=0)],
        [*ITERATION, value("v", shape=None)],
        [value("on_out", BOOL, []), value("w", shape=None)],
    )
    loops = body([helper.make_node("Loop", ["trips", "", "x"], ["grown"], body=inner, name="grow")], [], [value("grown", shape=None)])
    negates = body([node("Neg", "x", "negated")], [], [value("negated", shape=None)])
    return model(
        [helper.make_node("If", ["which"], ["y"], then_branch=loops, else_branch=negates, name="choose"), node("Relu", "y", "z")],
        [value("which", BOOL, []), value("trips", INT64, []), value("x", shape=["n", 2])],
        [value("z", shape=[None, 2])],
    )


def until_small_enough():
    """The condition comes from the data, and there is no trip count."""
    inner = body(
        [node("Mul", "v factor", "w"), node("ReduceMax", "w", "most", keepdims=0), node("Greater", "most bound", "go")],
        [*ITERATION, value("v", shape=["n"])],
        [value("go", BOOL, []), value("w", shape=["n"]), value("most", shape=[])],
    )
    loop = helper.make_node("Loop", ["", "begin", "x"], ["y", "maxima"], body=inner, name="halve")
    return model(
        [loop],
        [value("begin", BOOL, []), value("x", shape=["n"]), value("factor", shape=[]), value("bound", shape=[])],
        [value("y", shape=["n"]), value("maxima", shape=[None])],
    )


def nested():
    """Both loops read what lies outside of both; a branch stands in the inner one; constants are large."""
    ones = body([node("Add", "u table", "plus")], [], [value("plus", shape=["n", 20])], [("table", np.arange(20, dtype=np.float32))])
    flat = body([node("Flatten", "u", "f"), node("Mul", "f x", "times")], [], [value("times", shape=["n", 20])])
    deep = body(
        [
            node("Identity", "in_on", "in_on_out"),
            node("Mod", "j two", "odd"),
            node("Cast", "odd", "is_odd", to=BOOL),
            node("If", "is_odd", "t", then_branch=ones, else_branch=flat),
            node("Cast", "i", "weight", to=FLOAT),
            node("Mul", "t weight", "t_out"),
        ],
        [value("j", INT64, []), value("in_on", BOOL, []), value("u", shape=["n", 20])],
        [value("in_on_out", BOOL, []), value("t_out", shape=["n", 20])],
        [("two", np.int64(2))],
    )
    inner = body(
        [
            ON,
            node("Add", "i trips", "many"),
            helper.make_node("Loop", ["many", "", "v"], ["w"], body=deep, name="inner"),
            node("Tanh", "w", "v_out"),
        ],
        [*ITERATION, value("v", shape=["n", 20])],
        [value("on_out", BOOL, []), value("v_out", shape=["n", 20])],
    )
    loop = helper.make_node("Loop", ["trips", "", "x"], ["y"], body=inner, name="outer")
    return model([loop], [value("trips", INT64, []), value("x", shape=["n", 20])], [value("y", shape=["n", 20])])


def recurrent():
    """A cell with captured and own weights, from back to front along axis 1."""
    cell = body(
        [
            node("MatMul", "x_t w", "from_x"),
            node("MatMul", "h r", "from_h"),
            node("Sum", "from_x from_h bias", "sum"),
            node("Tanh", "sum", "h_out"),
            node("Identity", "h_out", "h_all"),
            node("ReduceMean", "h_out", "mean", axes=[1], keepdims=0),
        ],
        [value("h", shape=["n", 8]), value("x_t", shape=["n", 5])],
        [value("h_out", shape=["n", 8]), value("h_all", shape=["n", 8]), value("mean", shape=["n"])],
        [("r", RANDOM.standard_normal((8, 8), np.float32))],
    )
    scan = helper.make_node(
        "Scan",
        ["h0", "x"],
        ["last", "all", "means"],
        body=cell,
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_input_directions=[1],
        scan_output_axes=[1, -1],
        scan_output_directions=[1, 0],
        name="cell",
    )
    return model(
        [node("Neg", "b", "bias"), scan, node("Relu", "all", "positive")],
        [value("h0", shape=["n", 8]), value("x", shape=["n", "t", 5]), value("b", shape=[8])],
        [value("last", shape=["n", 8]), value("positive", shape=["n", "t", 8]), value("means", shape=["n", "t"])],
        [("w", RANDOM.standard_normal((5, 8), np.float32))],
    )


def floats(*shape):
    return RANDOM.standard_normal(shape, np.float32)


CASES = [
    *((growing, {"trips": np.int64(trips), "x": floats(2, 3), "row": floats(1, 3)}) for trips in (0, 1, 4)),
    *((simplified_for_the_first_iteration, {"trips": np.int64(trips)}) for trips in (1, 3)),
    *((decomposed, {"trips": np.int64(trips), "x": floats(1, 4, 2, 3)}) for trips in (1, 2)),
    *((reshaped, {"trips": np.int64(trips), "x": floats(2, 5)}) for trips in (1, 3)),
    *((in_a_branch, {"which": np.bool_(which), "trips": np.int64(2), "x": floats(3, 2)}) for which in (True, False)),
    *(
        (until_small_enough, {"begin": np.bool_(begin), "x": 50 + floats(7), "factor": np.float32(0.5), "bound": np.float32(3)})
        for begin in (False, True)
    ),
    *((nested, {"trips": np.int64(trips), "x": floats(n, 20)}) for trips, n in ((2, 1), (3, 4))),
    *((recurrent, {"h0": floats(n, 8), "x": floats(n, t, 5), "b": floats(8)}) for n, t in ((1, 1), (3, 6))),
]


def reference(model, inputs):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return names, session.run(names, inputs)


@pytest.mark.parametrize(("make", "inputs"), CASES, ids=[f"{make.__name__}-{k}" for k, (make, _) in enumerate(CASES)])
def test_as_onnx_runtime(library, make, inputs):
    source, inputs = make(), {name: np.asarray(array, order="C") for name, array in inputs.items()}
    names, wanted = reference(source, inputs)
    got = library.run(library.build(source), inputs, names)
    for name, array, want in zip(names, got, wanted, strict=True):
        assert (array.dtype, array.shape) == (want.dtype, want.shape), name
        np.testing.assert_allclose(array, want, 1e-4, 1e-6, err_msg=name)


def test_an_error_in_a_body_names_its_node(library):
    inner = body(
        [ON, node("Add", "rows x", "sum"), node("Concat", "sum sum", "more", axis=0)],
        [*ITERATION, value("rows", shape=None)],
        [value("on_out", BOOL, []), value("more", shape=None)],
    )
    loop = helper.make_node("Loop", ["trips", "", "x"], ["y"], body=inner, name="grow")
    source = model([loop], [value("trips", INT64, []), value("x", shape=["n"])], [value("y", shape=[None])])
    engine = library.build(source)
    with pytest.raises(Exception) as refused:
        library.run(engine, {"trips": np.array(3), "x": np.ones(2, np.float32)}, ["y"])
    assert refused.value.cause == (
        "node 'sum' (Add): shapes [4] and [2] do not broadcast: axis 0 has 4 and 2, "
        "while running iteration 1 of node 'grow' (Loop), while running step 'grow'"
    )


@pytest.mark.parametrize("make", [growing, in_a_branch, nested, recurrent])
def test_builds_for_a_gpu(library, make):
    assert Library(library.folder, target="sm_90").build(make())
