"""Engines that are given other weights: what a refit makes is what a build with those weights makes, byte for byte."""
import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import save
from onnx import TensorProto, helper, numpy_helper

DAMAGED = "copy the file again, or build it again"
ANOTHER = "refit from the model that the engine was built from, with other weights, or build again"


def weights(seed, zeros=False):
    """Of the network below: random, or as they are before training, where many are equal and 0 or 1."""
    rng = np.random.default_rng(seed)
    shapes = {"conv.w": (8, 3, 3, 3), "conv.b": 8, "bn.scale": 8, "bn.bias": 8, "bn.mean": 8, "bn.var": 8, "fc.w": (10, 8 * 6 * 6), "fc.b": 10}
    if zeros:
        return {name: (np.ones if name in ("bn.scale", "bn.var") else np.zeros)(shape, np.float32) for name, shape in shapes.items()}
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    arrays["bn.var"] = rng.uniform(0.5, 2, 8).astype(np.float32)
    return arrays


def network(path, arrays, last="Gemm"):
    """Convolution, normalisation, activation, product."""
    nodes = [
        helper.make_node("Conv", ["x", "conv.w", "conv.b"], ["c"], "conv"),
        helper.make_node("BatchNormalization", ["c", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["n"], "bn"),
        helper.make_node("Relu", ["n"], ["r"], "relu"),
        helper.make_node("Flatten", ["r"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "fc.w", "fc.b"], ["g"], "fc", transB=1),
        helper.make_node("Identity" if last == "Gemm" else last, ["g"], ["y"], "last"),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in (("x", (3, 8, 8)), ("y", (10,)))]
    save(helper.make_graph(nodes, "net", ports[:1], ports[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()]), path)


@pytest.fixture
def models(burnish):
    """old.onnx, new.onnx and untrained.onnx, which differ in their weights."""
    network(burnish.folder / "old.onnx", weights(1))
    network(burnish.folder / "new.onnx", weights(2))
    network(burnish.folder / "untrained.onnx", weights(0, zeros=True))


def read(burnish, name):
    return (burnish.folder / name).read_bytes()


OPTIONS = [
    ["--target", "cpu"],
    ["--target", "cpu", "--fp16", "--node-precision", "fc:fp32"],
    ["--target", "cpu", "--bf16", "--node-precision", "fc:fp32"],
    ["--target", "cpu", "--shapes", "x:4x3x8x8", "--input-formats", "x:fp16:nhwc", "--output-formats", "y:fp16"],
    ["--target", "cpu", "--profile", "x:1..2..8x3x8x8", "--profile", "x:9..16..32x3x8x8"],
    ["--target", "sm_90", "--target", "cpu"],
    ["--target", "sm_90", "--fp16", "--optimization-level", "3"],
    ["--target", "sm_80", "--tf32", "--optimization-level", "2", "--libraries", "none"],
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("built_from", ["old", "untrained"])
@pytest.mark.parametrize("stripped", [[], ["--strip-weights"]], ids=["whole", "stripped"])
def test_a_refit_gives_the_bytes_of_a_build(burnish, models, options, built_from, stripped):
    burnish.succeed("build", f"{built_from}.onnx", "-o", "engine", "--refit", *stripped, *options)
    said = burnish.succeed("refit", "engine", "--onnx", "new.onnx", "-o", "refitted")
    assert said.startswith("refitted  ") and "  refitted from new.onnx  in " in said
    burnish.succeed("build", "new.onnx", "-o", "built", "--refit", *options)
    assert read(burnish, "refitted") == read(burnish, "built")
    assert read(burnish, "engine") != read(burnish, "built")


def shared(path, seed):
    """Two products with one weight, and one with another that is equal to it where the seed is 0."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.standard_normal((64, 64)).astype("f4") if seed else np.ones((64, 64), "f4") for name in ("w", "v")}
    nodes = [helper.make_node("MatMul", [a, b], [c], c) for a, b, c in (("x", "w", "p"), ("r", "w", "q"), ("s", "v", "y"))]
    nodes += [helper.make_node("Relu", [a], [b], b) for a, b in ("pr", "qs")]
    nodes = [nodes[i] for i in (0, 3, 1, 4, 2)]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 64]) for name in "xy"]
    save(helper.make_graph(nodes, "shared", ports[:1], ports[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()]), path)


@pytest.mark.parametrize("options", [[], ["--fp16"], ["--bf16", "--optimization-level", "3"], ["--optimization-level", "3"]], ids=" ".join)
def test_a_weight_that_several_nodes_read(burnish, options):
    for seed in range(3):
        shared(burnish.folder / f"{seed}.onnx", seed)
        burnish.succeed("build", f"{seed}.onnx", "--refit", "--target", "sm_90", *options)
    for old, new in ((0, 1), (1, 0), (1, 2)):
        burnish.succeed("refit", f"{old}.engine", "--onnx", f"{new}.onnx", "-o", "refitted")
        assert read(burnish, "refitted") == read(burnish, f"{new}.engine")


def excited(path, seed):
    """Squeeze and excitation behind a convolution; where the seed is 0 all weights are equal."""
    rng = np.random.default_rng(seed)
    shapes = {"conv.w": (16, 3, 3, 3), "fc1.w": (4, 16, 1, 1), "fc1.b": 4, "fc2.w": (16, 4, 1, 1), "fc2.b": 16}
    arrays = {n: rng.standard_normal(s).astype("f4") if seed else np.ones(s, "f4") for n, s in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "conv.w"], ["c"], "conv"),
        helper.make_node("GlobalAveragePool", ["c"], ["m"], "pool"),
        helper.make_node("Conv", ["m", "fc1.w", "fc1.b"], ["h"], "fc1"),
        helper.make_node("Relu", ["h"], ["a"], "relu"),
        helper.make_node("Conv", ["a", "fc2.w", "fc2.b"], ["z"], "fc2"),
        helper.make_node("Sigmoid", ["z"], ["g"], "gate"),
        helper.make_node("Mul", ["g", "c"], ["y"], "scale"),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape]) for name, shape in (("x", (3, 8, 8)), ("y", (16, 6, 6)))]
    save(helper.make_graph(nodes, "excited", ports[:1], ports[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()]), path)


@pytest.mark.parametrize("options", [["--target", "cpu"], ["--target", "sm_90", "--fp16"], ["--target", "sm_80"]], ids=" ".join)
def test_weights_of_a_recovered_operator(burnish, options):
    for seed in range(3):
        excited(burnish.folder / f"{seed}.onnx", seed)
        burnish.succeed("build", f"{seed}.onnx", "--refit", *options)
    for old, new in ((0, 1), (1, 0), (1, 2)):
        burnish.succeed("refit", f"{old}.engine", "--onnx", f"{new}.onnx", "-o", "refitted")
        assert read(burnish, "refitted") == read(burnish, f"{new}.engine")


def test_a_refitted_engine_computes_with_the_new_weights(burnish, models):
    burnish.succeed("build", "old.onnx", "--refit", "--target", "cpu")
    burnish.succeed("refit", "old.engine", "--onnx", "new.onnx")  # in its place
    x = np.random.default_rng(3).standard_normal((2, 3, 8, 8)).astype(np.float32)
    np.savez(burnish.folder / "in.npz", x=x)
    burnish.succeed("run", "old.engine", "--inputs", "in.npz", "--outputs", "out.npz", "--device", "cpu")
    (expected,) = onnxruntime.InferenceSession(burnish.folder / "new.onnx").run(None, {"x": x})
    np.testing.assert_allclose(np.load(burnish.folder / "out.npz")["y"], expected, rtol=1e-4, atol=1e-4)


def test_a_stripped_engine_takes_its_own_weights_alone(burnish, models):
    said = burnish.succeed("build", "old.onnx", "-o", "stripped", "--strip-weights", "--target", "cpu")
    assert "  for cpu  without weights  in " in said and len(read(burnish, "stripped")) < len(read(burnish, "old.onnx")) / 2
    no_weights = "the engine has no weights: it was built without them", "refit it first: burnish refit ENGINE --onnx MODEL -o OUT"
    assert burnish.refuse("run", "stripped", "--device", "cpu") == no_weights
    assert "weights 8, fixed 8, stripped true" in burnish.succeed("inspect", "stripped")
    assert burnish.refuse("refit", "stripped", "--onnx", "new.onnx") == (
        "weight 'conv.w' is another one, and the engine takes only the one that it was built with",
        "refit from the very model that it was built from; with --refit it takes others",
    )
    burnish.succeed("refit", "stripped", "--onnx", "old.onnx", "-o", "whole")
    assert "weights 8, fixed 8, stripped false" in burnish.succeed("inspect", "whole")
    burnish.succeed("run", "whole", "--device", "cpu")


def test_weights_in_files_of_their_own(burnish, models):
    model = onnx.load(burnish.folder / "new.onnx")
    onnx.save(model, burnish.folder / "apart.onnx", save_as_external_data=True, location="apart.bin", size_threshold=0)
    burnish.succeed("build", "apart.onnx", "-o", "engine", "--refit", "--strip-weights", "--target", "cpu")
    burnish.succeed("refit", "engine", "--onnx", "apart.onnx")
    burnish.succeed("refit", "engine", "--onnx", "old.onnx")
    burnish.succeed("build", "old.onnx", "-o", "built", "--refit", "--target", "cpu")
    assert read(burnish, "engine") == read(burnish, "built")


def changed(name, how):
    """The weights of `old`, one of them gone (None), another one, or one more."""
    arrays = weights(1)
    if how is None:
        del arrays[name]
    else:
        arrays[name] = how
    return arrays


REFUSED = [
    (changed("fc.b", None), "the model lacks weight 'fc.b' of the engine", ANOTHER),
    (
        changed("fc.c", np.zeros(2, "f4")),
        "the model has a weight 'fc.c', which the engine does not have",
        "the engine has weights 'conv.w', 'conv.b', 'bn.scale' and 5 more",
    ),
    (
        changed("fc.b", np.zeros(1, "f4")),
        "weight 'fc.b' is f32[10] in the engine, and is given as f32[1]",
        "give weights of the types and shapes that the engine was built with, or build it again",
    ),
]


@pytest.mark.parametrize("arrays, cause, remedy", REFUSED, ids=["missing", "unknown", "of another shape"])
def test_weights_that_do_not_fit_are_named(burnish, models, arrays, cause, remedy):
    burnish.succeed("build", "old.onnx", "-o", "engine", "--refit", "--target", "cpu")
    before = read(burnish, "engine")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", next(iter(arrays))], ["y"])],  # weights are held against the engine's before anything else
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), burnish.folder / "odd.onnx")
    assert burnish.refuse("refit", "engine", "--onnx", "odd.onnx") == (cause, remedy)
    assert read(burnish, "engine") == before


def test_another_network_is_refused(burnish, models):
    network(burnish.folder / "tanh.onnx", weights(2), last="Tanh")
    burnish.succeed("build", "old.onnx", "-o", "engine", "--refit", "--target", "cpu")
    cause = "the model does not fit the engine: step 'fc + last' of the plan for 'cpu' is another one, while refitting the engine"
    assert burnish.refuse("refit", "engine", "--onnx", "tanh.onnx") == (cause, ANOTHER)


@pytest.mark.parametrize("name", ["constant", None])
def test_a_constant_may_be_asked_for_in_a_precision(burnish, name):
    """Scripts ask for one of every node."""
    for seed in range(2):
        constant = numpy_helper.from_array(np.random.default_rng(seed).standard_normal((4, 4)).astype("f4"))
        nodes = [helper.make_node("Constant", [], ["w"], name, value=constant), helper.make_node("MatMul", ["x", "w"], ["y"], "product")]
        ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 4]) for name in "xy"]
        save(helper.make_graph(nodes, "g", ports[:1], ports[1:]), burnish.folder / f"{seed}.onnx")
        precisions = ("--node-precision", f"{name or 'w'}:fp32", "--node-precision", "product:fp32")
        burnish.succeed("build", f"{seed}.onnx", "--refit", "--target", "cpu", "--fp16", *precisions)
    burnish.succeed("refit", "0.engine", "--onnx", "1.onnx")
    assert read(burnish, "0.engine") == read(burnish, "1.engine")


def test_an_engine_that_was_not_built_for_it(burnish, models):
    burnish.succeed("build", "old.onnx", "-o", "engine", "--target", "cpu")
    assert burnish.refuse("refit", "engine", "--onnx", "new.onnx") == (
        "the engine cannot be refitted: it was not built for it",
        "build it with --refit, or build again from the new model",
    )


def scaled(path, **numbers):
    """y = running sums of (product(x, w) * scale), + shift. Both are one element: `scale` is fused into the product's kernel."""
    arrays = {"w": np.random.default_rng(1).standard_normal((4, 4)).astype("f4"), **{n: np.array(v, "f4") for n, v in numbers.items()}}
    arrays["axis"] = np.array(1)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"], "product"),
        helper.make_node("Mul", ["p", "scale"], ["s"], "scale"),
        helper.make_node("CumSum", ["s", "axis"], ["a"], "sums"),
        helper.make_node("Add", ["a", "shift"], ["y"], "shift"),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 4]) for name in "xy"]
    save(helper.make_graph(nodes, "scaled", ports[:1], ports[1:], [numpy_helper.from_array(a, n) for n, a in arrays.items()]), path)


@pytest.mark.parametrize("stripped", [[], ["--strip-weights"]], ids=["whole", "stripped"])
def test_a_weight_that_is_a_number_in_a_kernel_is_named(burnish, stripped):
    scaled(burnish.folder / "a.onnx", scale=1.5, shift=0.5)
    scaled(burnish.folder / "b.onnx", scale=1.5, shift=2.5)
    scaled(burnish.folder / "c.onnx", scale=2.5, shift=2.5)
    burnish.succeed("build", "a.onnx", "--refit", "--target", "sm_90", *stripped)
    assert burnish.refuse("refit", "a.engine", "--onnx", "c.onnx", "-o", "out") == (
        "weight 'scale' cannot be refitted: its value is a number in step 'product + scale' of the plan for 'sm_90', "
        "while refitting the engine",
        "build the engine again with the new weights",
    )
    assert "out" not in burnish.files()
    burnish.succeed("refit", "a.engine", "--onnx", "b.onnx", "-o", "out")
    burnish.succeed("build", "b.onnx", "--refit", "--target", "sm_90")
    assert read(burnish, "out") == read(burnish, "b.engine")


def looping(path, seed):
    """Two weights in the body of a loop, which the host runs as text: one that the text would spell out, one that it would not."""
    rng = np.random.default_rng(seed)
    arrays = {"small": rng.standard_normal(4).astype("f4"), "large": rng.standard_normal((4, 8)).astype("f4"), "out": rng.standard_normal((8, 4)).astype("f4")}
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["on"], ["goes_on"]),
            helper.make_node("Mul", ["state", "small"], ["scaled"], "scale"),
            helper.make_node("MatMul", ["scaled", "large"], ["wide"], "widen"),
            helper.make_node("MatMul", ["wide", "out"], ["next"], "narrow"),
        ],
        "body",
        [value("i", TensorProto.INT64, []), value("on", TensorProto.BOOL, []), value("state", TensorProto.FLOAT, [1, 4])],
        [value("goes_on", TensorProto.BOOL, []), value("next", TensorProto.FLOAT, [1, 4])],
    )
    node = helper.make_node("Loop", ["trips", "", "x"], ["y"], "loop", body=body)
    ports = [value("x", TensorProto.FLOAT, [1, 4]), value("trips", TensorProto.INT64, [])], [value("y", TensorProto.FLOAT, [1, 4])]
    save(helper.make_graph([node], "looping", *ports, [numpy_helper.from_array(a, n) for n, a in arrays.items()]), path)


@pytest.mark.parametrize("target", ["cpu", "sm_90"])
def test_weights_in_the_body_of_a_loop(burnish, target):
    looping(burnish.folder / "a.onnx", 1)
    looping(burnish.folder / "b.onnx", 2)
    burnish.succeed("build", "a.onnx", "--refit", "--strip-weights", "--target", target)
    burnish.succeed("refit", "a.engine", "--onnx", "b.onnx")
    burnish.succeed("build", "b.onnx", "--refit", "--target", target)
    assert read(burnish, "a.engine") == read(burnish, "b.engine")


def test_a_damaged_record(burnish, models):
    burnish.succeed("build", "old.onnx", "-o", "engine", "--refit", "--target", "cpu")
    data = bytearray(read(burnish, "engine"))
    data[data.index(b"conv.w") + 2] ^= 1
    (burnish.folder / "engine").write_bytes(data)
    cause = "the engine is damaged: section RFIT has changed, while opening 'engine'"
    assert burnish.refuse("refit", "engine", "--onnx", "new.onnx") == (cause, DAMAGED)
    assert burnish.refuse("run", "engine", "--device", "cpu") == (cause, DAMAGED)


def test_a_model_without_weights(burnish):
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        *([helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])] for name in "xy"),
    )
    save(graph, burnish.folder / "relu.onnx")
    assert burnish.refuse("build", "relu.onnx", "--refit", "--target", "cpu") == (
        "the model has no weights that could be refitted",
        "weights are initialisers of a floating-point type; without them, build without refitting",
    )
