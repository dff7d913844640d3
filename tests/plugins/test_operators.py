"""Operators of plugins in models, against numpy."""
import numpy as np
import pytest
from conftest import HOST_GPU, library, node, save
from onnx import helper

RANDOM = np.random.default_rng(0)
#: where models run: on the host, and on the GPU that is the host's memory
PLACES = pytest.mark.parametrize(("target", "device", "env"), [("cpu", "cpu", None), ("sm_90", 0, HOST_GPU)], ids=["cpu", "gpu"])


def random(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def snake(x, alpha, epsilon):
    a = alpha.reshape(1, -1, *[1] * (x.ndim - 2))
    return x + np.sin(a * x) ** 2 / (a + epsilon)


def save_snake(path):
    """A convolution of one weight, Snake, and a Relu: y."""
    weights = {"alpha": np.float32([0.5, 1.5, 2.5]), "two": np.float32([2])}
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["twice"], "twice"),
        node("Snake", "twice,alpha", "s", "snake", "example", epsilon=0.25),
        helper.make_node("Relu", ["s"], ["y"], "relu"),
    ]
    save(path, nodes, {"x": ("f4", ["n", 3, "t"])}, {"y": ("f4", ["n", 3, "t"])}, weights)


def test_the_example(burnish):
    save_snake(burnish.folder / "m.onnx")
    burnish.build(plugin="snake")
    assert burnish.steps() == [("host", "twice"), ("plugin", "snake"), ("host", "relu")]
    for shape in ((1, 3, 7), (4, 3, 1), (2, 3, 33)):
        x = random(*shape)
        y = burnish.run("snake", x=x)["y"]
        want = np.maximum(snake(2 * x, np.float32([0.5, 1.5, 2.5]), 0.25), 0)
        np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)


def test_the_example_in_fp16(burnish):
    """Values are stored in half precision around the plugin, whose operands stay FP32."""
    save_snake(burnish.folder / "m.onnx")
    burnish.build("--fp16", plugin="snake")
    x = random(2, 3, 9)
    want = np.maximum(snake(2 * x, np.float32([0.5, 1.5, 2.5]), 0.25), 0)
    np.testing.assert_allclose(burnish.run("snake", x=x)["y"], want, rtol=1e-2, atol=1e-2)


@pytest.fixture
def device(request):
    """The GPU of --device."""
    if request.config.getoption("--device") is None:
        pytest.skip("no --device is given")
    return request.config.getoption("--device")


def test_dense_operands_on_a_gpu(burnish, device):
    """x is transposed before, and results go into a concatenation; no view of either is the plugin's to see."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], "t", perm=[0, 2, 1]),
        node("Snake", "t,alpha", "s", "one", "example"),
        node("Snake", "s,alpha", "r", "two", "example"),
        helper.make_node("Concat", ["s", "t", "r"], ["y"], "c", axis=1),
    ]
    alpha = np.float32([0.5, 1, 2, 4])
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["n", "t", 4])}, {"y": ("f4", None)}, {"alpha": alpha})
    burnish.succeed("build", "m.onnx", "--plugin", library("snake"))
    for shape in ((1, 5, 4), (7, 130, 4)):
        x = random(*shape)
        t = x.transpose(0, 2, 1)
        s = snake(t, alpha, 0)
        want = np.concatenate([s, t, snake(s, alpha, 0)], axis=1)
        np.testing.assert_allclose(burnish.run("snake", device=device, x=x)["y"], want, rtol=1e-4, atol=1e-4)


def test_the_example_on_a_gpu(burnish, device):
    save_snake(burnish.folder / "m.onnx")
    words = ("--plugin", library("snake"))
    burnish.succeed("build", "m.onnx", *words)
    assert ("plugin", "snake") in burnish.steps()
    x = random(5, 3, 1000)
    want = np.maximum(snake(2 * x, np.float32([0.5, 1.5, 2.5]), 0.25), 0)
    np.testing.assert_allclose(burnish.run("snake", device=device, x=x)["y"], want, rtol=1e-4, atol=1e-5)
    assert "plugin" in burnish.succeed("bench", "m.engine", "--duration", 0.2, "--profile", "--device", device, *words)
    burnish.succeed("build", "m.onnx", "--fp16", *words)  # its operands stay FP32
    np.testing.assert_allclose(burnish.run("snake", device=device, x=x)["y"], want, rtol=1e-2, atol=1e-2)


@PLACES
@pytest.mark.parametrize("dtype", ["f4", "f2", "i1", "i8", "?"])
def test_extents_that_are_sums(burnish, target, device, env, dtype):
    save(burnish.folder / "m.onnx", [node("CircularPad", "x", "y", pads=[2, 3])], {"x": (dtype, ["n", "t"])}, {"y": (dtype, ["n", None])})
    burnish.build(target=target, env=env)
    for shape in ((1, 3), (5, 2), (3, 17)):
        x = (RANDOM.normal(size=shape) * 9).astype(dtype)
        y = burnish.run(env=env, device=device, x=x)["y"]
        np.testing.assert_array_equal(y, np.pad(x, [(0, 0), (2, 3)], "wrap"))
        assert y.dtype == x.dtype


@PLACES
def test_several_outputs(burnish, target, device, env):
    ports = {"x": ("f4", ["n", 2])}, {"a": ("f4", None), "b": ("f4", None)}
    save(burnish.folder / "m.onnx", [node("Halves", "x", "a,b")], *ports)
    burnish.build(target=target, env=env)
    for n in (1, 2, 7):
        x = random(n, 2)
        outputs = burnish.run(env=env, device=device, x=x)
        np.testing.assert_array_equal(outputs["a"], x[: (n + 1) // 2])
        np.testing.assert_array_equal(outputs["b"], x[(n + 1) // 2 :])


@PLACES
@pytest.mark.parametrize("outputs", ["a", "a,", ",a"])
def test_outputs_that_nobody_reads(burnish, target, device, env, outputs):
    save(burnish.folder / "m.onnx", [node("Halves", "x", outputs)], {"x": ("f4", ["n"])}, {"a": ("f4", None)})
    burnish.build(target=target, env=env)
    x = random(9)
    np.testing.assert_array_equal(burnish.run(env=env, device=device, x=x)["a"], x[5:] if outputs[0] == "," else x[:5])


def test_inputs_that_are_left_out(burnish):
    ports = {"x": ("f4", ["n", 2]), "z": ("f4", ["m", 2])}, {"y": ("f4", None)}
    save(burnish.folder / "m.onnx", [node("Join", "x,,z", "y")], *ports)
    burnish.build()
    x, z = random(3, 2), random(4, 2)
    np.testing.assert_array_equal(burnish.run(x=x, z=z)["y"], np.concatenate([x, z]))


def test_operands_are_dense(burnish):
    """Transposes and slices before it, and a concatenation after it, want no copies of their own."""
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], "t", perm=[1, 0]),
        node("CircularPad", "t", "p", pads=[1, 1]),
        helper.make_node("Concat", ["p", "p"], ["y"], "c", axis=0),
    ]
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["a", "b"])}, {"y": ("f4", None)})
    burnish.build()
    x = random(3, 4)
    np.testing.assert_array_equal(burnish.run(x=x)["y"], np.concatenate([np.pad(x.T, [(0, 0), (1, 1)], "wrap")] * 2))


def test_attributes(burnish):
    """Every kind of attribute arrives, through the engine's file."""
    attributes = {
        "a": 0.1, "b": 7, "c": "text", "d": [0.25, float("inf")], "e": [1, -2**40], "f": ["x", b"\0\xff\n"],
        "g": helper.make_tensor("g", 1, [2], [5.0, 1e-30]), "h": [float("nan")],
    }  # fmt: skip
    save(burnish.folder / "m.onnx", [node("Told", "x", "y", **attributes)], {"x": ("f4", ["n"])}, {"y": ("f4", None)})
    burnish.build()
    want = [0.1, 7, sum(b"text"), 0.25, np.inf, 1, -(2.0**40), ord("x"), 0xFF + 10, 5, 1e-30, np.nan]
    np.testing.assert_array_equal(burnish.run(x=random(1))["y"][1:], np.float32(want))


def test_constants_and_dead_nodes(burnish):
    """Nothing is folded, for a plugin is not asked to compute at the build; what nobody reads is gone."""
    nodes = [node("CircularPad", "w", "y", pads=[1, 0]), node("Never", "x", "unread", "dead"), helper.make_node("Identity", ["x"], ["z"])]
    w = random(2, 3)
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["n"])}, {"y": ("f4", None), "z": ("f4", ["n"])}, {"w": w})
    burnish.build()
    np.testing.assert_array_equal(burnish.run(x=random(1))["y"], np.pad(w, [(0, 0), (1, 0)], "wrap"))


def test_in_a_branch_and_in_a_function(burnish):
    function = helper.make_function("local", "Twice", ["a"], ["b"], [node("Join", "a,a", "b")], [helper.make_opsetid("test", 1)])

    def branch(made):
        return helper.make_graph([made], made.name, [], [helper.make_tensor_value_info("r", 1, None)])

    choice = {"then_branch": branch(node("Join", "x,x", "r", "then")), "else_branch": branch(node("CircularPad", "x", "r", "else", pads=[1, 2]))}
    nodes = [
        helper.make_node("If", ["c"], ["chosen"], "if", **choice),
        helper.make_node("Twice", ["chosen"], ["y"], "twice", domain="local"),
    ]
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["n"]), "c": ("?", [])}, {"y": ("f4", None)}, functions=[function])
    burnish.build()
    x = random(4)
    np.testing.assert_array_equal(burnish.run(x=x, c=np.array(True))["y"], np.tile(x, 4))
    np.testing.assert_array_equal(burnish.run(x=x, c=np.array(False))["y"], np.tile(np.pad(x, (1, 2), "wrap"), 2))


def test_extents_that_are_found_by_running(burnish):
    """NonZero decides how much there is to join."""
    nodes = [helper.make_node("NonZero", ["x"], ["i"], "i"), helper.make_node("Transpose", ["i"], ["t"], "t"), node("Join", "t,t", "y")]
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["n"])}, {"y": ("i8", None)})
    burnish.build()
    for x in (random(9), np.zeros(4, np.float32), np.float32([0, 1, 0, 2])):
        np.testing.assert_array_equal(burnish.run(x=x)["y"], np.tile(np.argwhere(x), (2, 1)))


def test_override(burnish):
    """A plugin's operator of ONNX's name is taken where that is asked for."""
    save(burnish.folder / "m.onnx", [helper.make_node("Relu", ["x"], ["y"], "r")], {"x": ("f4", ["n"])}, {"y": ("f4", ["n"])})
    x = random(50)
    burnish.build()
    np.testing.assert_array_equal(burnish.run(x=x)["y"], np.maximum(x, 0))
    burnish.build("--plugin-override")
    np.testing.assert_array_equal(burnish.run(x=x)["y"], np.where(x < 0, x / np.float32(10), x))


def test_an_operator_of_the_host_in_an_engine_for_a_gpu(burnish):
    save(burnish.folder / "m.onnx", [node("OnHost", "x", "y")], {"x": ("f4", ["n"])}, {"y": ("f4", ["n"])})
    burnish.build(target="sm_90")
    assert "node 'own' (OnHost): plugin 'operators' runs it on the host only" in burnish.succeed("inspect", "m.engine")
    x = random(5)
    np.testing.assert_array_equal(burnish.run(env=HOST_GPU, device=0, x=x)["y"], np.where(x < 0, x / np.float32(10), x))


def test_equal_calls_are_made_once(burnish):
    nodes = [node("Join", "x,x", "a", "one"), node("Join", "x,x", "b", "two"), helper.make_node("Add", ["a", "b"], ["y"], "sum")]
    save(burnish.folder / "m.onnx", nodes, {"x": ("f4", ["n"])}, {"y": ("f4", None)})
    burnish.build()
    assert burnish.steps() == [("plugin", "one"), ("host", "sum")]


def test_engines_name_their_plugins(burnish):
    save(burnish.folder / "m.onnx", [node("Join", "x,x", "y")], {"x": ("f4", ["n"])}, {"y": ("f4", None)})
    burnish.build()
    shown = burnish.succeed("inspect", "m.engine")
    assert "operators.so" in shown and "plugin operators 1.0" in shown and "test::Join []" in shown
    words = ("--plugin", library("operators"))
    assert "plugin" in burnish.succeed("bench", "m.engine", "--iterations", 1, "--warmup", 0, "--profile", *words)
    burnish.succeed("report", "m.engine", "-o", "m.html", *words)
    assert "cannot" not in burnish.succeed("compare", "m.onnx", "--fp16", "--shapes", "x:3", *words)
    assert 'Plugin(%x, %x) {plugin=["operators", "1.0", "operators.so"]' in burnish.succeed("inspect", "m.onnx", "--text", *words)


def test_trtexec_on_the_stand_in(burnish):
    """A plugin is called between CUDA graphs, not from one."""
    save(burnish.folder / "m.onnx", [node("Join", "x,x", "y")], {"x": ("f4", [3])}, {"y": ("f4", [6])})
    words = ("trtexec", "--onnx=m.onnx", "--iterations=1", "--duration=0", "--warmUp=0", "--useCudaGraph", f"--plugins={library('operators')}")
    ran = burnish(*words, "--builderOptimizationLevel=1", "--dumpProfile", env=HOST_GPU)
    assert ran.returncode == 0, ran.stderr
    assert "The engine holds operations that cannot be captured" in ran.stderr and "Successfully captured" not in ran.stdout


def test_trtexec(burnish):
    save(burnish.folder / "m.onnx", [helper.make_node("Relu", ["x"], ["r"], "r"), node("Join", "r,r", "y")], {"x": ("f4", ["n"])}, {"y": ("f4", None)})
    plugin = library("operators")
    words = ("trtexec", "--target=cpu", "--shapes=x:3", "--iterations=1", "--duration=0", "--warmUp=0", "--dumpLayerInfo")
    built = burnish.succeed(*words, "--onnx=m.onnx", "--saveEngine=m.engine", f"--plugins={plugin}", "--enablePluginOverride")
    assert f"[I] Loading supplied plugin library: {plugin}\n" in built and f"[I] Loaded static plugins: {plugin}\n" in built
    assert burnish.steps() == [("plugin", "r"), ("plugin", "own")]
    loaded = burnish.succeed(*words, "--loadEngine=m.engine", f"--dynamicPlugins={plugin}")
    assert f"[I] dynamicPlugins: {plugin}\n" in loaded
    without = burnish(*words, "--loadEngine=m.engine")
    assert without.returncode == 1 and "which is not loaded" in without.stderr
