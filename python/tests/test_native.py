"""burnish.build and burnish.Engine, on the host."""

import io
import pathlib
import threading

import burnish
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

RNG = np.random.default_rng(1)
W = RNG.standard_normal((4, 3), np.float32)


def model(extents=("n", 4), outputs=1):
    """y = x W, and its negative."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product"), helper.make_node("Neg", ["y"], ["z"], name="negative")]
    graph = helper.make_graph(
        nodes[:outputs],
        "linear",
        [helper.make_tensor_value_info("x", 1, extents)],
        [helper.make_tensor_value_info(o, 1, (extents[0], 3)) for o in ("y", "z")[:outputs]],
        [numpy_helper.from_array(W, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def build(*arguments, **options):
    return burnish.build(*arguments, target="cpu", progress=False, **options)


@pytest.fixture(scope="module")
def engine():
    return build(model())


def test_a_model_is_a_path_bytes_or_a_proto(tmp_path):
    onnx.save(model(), tmp_path / "m.onnx")
    x = RNG.standard_normal((2, 4), np.float32)
    for source in (tmp_path / "m.onnx", str(tmp_path / "m.onnx"), model().SerializeToString(), model()):
        np.testing.assert_allclose(build(source)(x), x @ W, rtol=1e-5)


def test_an_engine_is_a_file_or_bytes(engine, tmp_path):
    engine.save(tmp_path / "m.engine")
    assert not list(tmp_path.glob("*.part"))
    x = RNG.standard_normal((5, 4), np.float32)
    for source in (tmp_path / "m.engine", (tmp_path / "m.engine").read_bytes()):
        again = burnish.Engine(source)
        assert again.serialize() == engine.serialize()
        np.testing.assert_allclose(again(x=x), x @ W, rtol=1e-5)


def test_a_refit_gives_other_weights(engine):
    first, x = build(model(), refit=True), RNG.standard_normal((2, 4), np.float32)
    other = RNG.standard_normal((4, 3), np.float32)
    changed = model()
    changed.graph.initializer[0].CopyFrom(numpy_helper.from_array(other, "w"))
    for refitted in (first.refit(changed), first.refit(weights={"w": other}), build(model(), refit=["w"], strip_weights=True).refit(changed)):
        np.testing.assert_allclose(refitted(x), x @ other, rtol=1e-5)
        assert refitted.serialize() == build(changed, refit=True).serialize()
        (weight,) = refitted.weights
        assert weight[:6] == ("w", "w", "CONSTANT", "float32", (4, 3), False) and (weight.values == other).all()
    np.testing.assert_allclose(first(x), x @ W, rtol=1e-5)
    assert engine.weights == () and not engine.is_stripped


@pytest.mark.parametrize(
    "weights, cause, remedy",
    [
        ({"v": W}, "there is given a weight 'v', which the engine does not have", "the engine has weight 'w'"),
        (
            {"w": W[:2]},
            "weight 'w' is f32[4, 3] in the engine, and is given as f32[2, 3]",
            "give weights of the types and shapes that the engine was built with, or build it again",
        ),
        ({}, "weight 'w' is missing, and the engine does not keep its own", "give all weights, or the model that has them"),
    ],
)
def test_weights_that_do_not_fit(weights, cause, remedy):
    with pytest.raises(burnish.InvalidArgument) as refused:
        build(model(), refit=True, strip_weights=True).refit(weights=weights)
    assert (refused.value.cause, refused.value.remedy) == (cause, remedy)


def test_an_engine_without_weights_does_not_run():
    with pytest.raises(burnish.InvalidArgument, match="the engine has no weights: it was built without them"):
        build(model(), strip_weights=True)(np.ones((1, 4), np.float32))


def test_what_an_engine_says_of_itself(engine):
    assert engine.targets == ("cpu",) and engine.device == -1
    assert engine.inputs == (burnish.Port("x", "float32", (-1, 4), ("n", "4")),)
    assert repr(engine) == "<burnish.Engine linear for cpu: x: float32[n, 4] -> y: float32[n, 3]>"
    assert "<td><code>x</code></td><td>float32</td><td>n × 4</td>" in engine._repr_html_()
    assert engine.description["plans"][0]["steps"][0]["name"] == "product"


def test_several_outputs_are_a_dict():
    x = RNG.standard_normal((2, 4), np.float32)
    outputs = build(model(outputs=2))(x)
    assert list(outputs) == ["y", "z"]
    np.testing.assert_allclose(outputs["z"], -outputs["y"])


def test_debug_tensors_and_bf16():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Relu", ["p"], ["y"])]
    ports = [helper.make_tensor_value_info(name, 1, ("n", width)) for name, width in (("x", 4), ("y", 3))]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [numpy_helper.from_array(W, "w")])
    source = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    built, x = build(source, debug_tensors=["p"], bf16=True), RNG.standard_normal((2, 4), np.float32)
    assert [p.name for p in built.outputs] == ["y"] and [p.name for p in built.debug_tensors] == ["p"] and not built.unfused_tensors
    context = built.context()
    y, seen = context(x), context.debug_tensors()
    np.testing.assert_array_equal(y, np.maximum(seen["p"], 0))
    error = np.linalg.norm(seen["p"] - x @ W) / np.linalg.norm(x @ W)
    assert list(seen) == ["p"] and 1e-5 < error < 1e-2
    refitted = build(source, debug_tensors=["p"], bf16=True, refit=True).refit(weights={"w": -W})
    source.graph.initializer[0].CopyFrom(numpy_helper.from_array(-W, "w"))
    assert refitted.serialize() == build(source, debug_tensors=["p"], bf16=True, refit=True).serialize()
    with pytest.raises(burnish.InvalidArgument, match="no tensor that the model computes is named 'q'"):
        build(source, debug_tensors=["q"])


def test_arrays_that_are_not_dense_are_copied(engine):
    x = RNG.standard_normal((4, 3), np.float32)
    np.testing.assert_allclose(engine(x.T), x.T @ W, rtol=1e-5)


class Foreign:
    """An array that speaks DLPack alone."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


def test_dlpack(engine):
    x = RNG.standard_normal((2, 4), np.float32)
    np.testing.assert_allclose(engine(Foreign(x)), x @ W, rtol=1e-5)


class OnDevice:
    """What CuPy shows of an array."""

    __cuda_array_interface__ = {"shape": (2, 4), "typestr": "<f4", "data": (4096, False), "strides": None, "version": 3}


def test_memory_of_a_gpu_is_refused_on_the_host(engine):
    with pytest.raises(burnish.InvalidArgument) as raised:
        engine(OnDevice())
    assert raised.value.cause == "input 'x' is in GPU memory, and this context runs on the host"


def test_torch(engine):
    torch = pytest.importorskip("torch")
    x = torch.randn(2, 4)
    got = engine(x)
    assert isinstance(got, torch.Tensor)
    torch.testing.assert_close(got, x @ torch.from_numpy(W))


@pytest.mark.gpu
def test_torch_on_a_gpu_follows_the_current_stream():
    torch = pytest.importorskip("torch")
    engine = burnish.build(model(), progress=False)
    w = torch.from_numpy(W).cuda()
    x = torch.ones(2, 4, device="cuda")
    for _ in range(50):  # each result is the next one's input, and nothing waits
        x = torch.nn.functional.pad(engine(x) / 3, (0, 1))
    y = torch.ones(2, 4, device="cuda")
    for _ in range(50):
        y = torch.nn.functional.pad(y @ w / 3, (0, 1))
    torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-3)


@pytest.mark.gpu
def test_torch_on_a_gpu_and_its_stream():
    torch = pytest.importorskip("torch")
    engine = burnish.build(model(), progress=False)
    x, stream = torch.randn(2, 4, device="cuda"), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    got = engine(x, stream=stream)
    stream.synchronize()
    assert got.is_cuda
    torch.testing.assert_close(got.cpu(), x.cpu() @ torch.from_numpy(W), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "arguments, named, message",
    [
        ((), {}, "input 'x' is not given\n  try: the engine takes x"),
        ((1, 2), {}, "2 inputs are given, and the engine takes 1\n  try: it takes x"),
        ((), {"a": 1}, "'a' is no input of the engine\n  try: it takes x"),
        ((1,), {"x": 1}, "'x' is given twice\n  try: it takes x"),
        ((np.zeros((2, 4), "c8"),), {}, None),
    ],
)
def test_inputs_that_are_not_its_own(engine, arguments, named, message):
    with pytest.raises(burnish.InvalidArgument) as raised:
        engine(*arguments, **named)
    if message is None:
        assert raised.value.cause == "input 'x' is of type complex64, which no engine takes"
    else:
        assert str(raised.value) == message
    assert isinstance(raised.value, ValueError)


def test_wrong_type_and_extent_name_input_axis_and_what_is_allowed(engine):
    for x in (np.zeros((2, 4), "f8"), np.zeros((2, 5), "f4")):
        with pytest.raises(burnish.InvalidArgument, match="input 'x'") as raised:
            engine(x)
        assert raised.value.remedy


def test_profiles_tune_and_limit():
    engine = build(model(), profiles=[{"x": ((1, 4), (8, 4), (16, 4))}])
    assert engine.profiles == [{"x": ((1, 4), (8, 4), (16, 4))}]
    for n in (1, 8, 16):
        x = RNG.standard_normal((n, 4), np.float32)
        np.testing.assert_allclose(engine(x), x @ W, rtol=1e-4, atol=1e-6)
    with pytest.raises(burnish.InvalidArgument, match="17"):
        engine(np.zeros((17, 4), "f4"))


def test_shapes_are_fixed():
    engine = build(model(), shapes={"x": (3, 4)})
    assert engine.inputs[0].shape == (3, 4)


@pytest.mark.parametrize(
    "source, kind",
    [
        (b"nonsense", burnish.InvalidModel),
        ("no_such_file.onnx", OSError),
        (helper.make_model(helper.make_graph([helper.make_node("Foo", ["x"], ["y"])], "g", [helper.make_tensor_value_info("x", 1, [1])],
         [onnx.ValueInfoProto(name="y")]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8), burnish.Unsupported),
    ],
)  # fmt: skip
def test_models_that_cannot_be_built(source, kind):
    with pytest.raises(kind):
        build(source)


def test_engines_that_cannot_be_opened(engine, tmp_path):
    with pytest.raises(burnish.IncompatibleEngine):
        burnish.Engine(b"nonsense")
    with pytest.raises(burnish.IncompatibleEngine):
        burnish.Engine(engine.serialize()[:-100])
    with pytest.raises(burnish.FileError, match="none.engine"):
        burnish.Engine(tmp_path / "none.engine")


def test_without_a_gpu_no_target_is_chosen_silently():
    if burnish.devices.count():
        pytest.skip("there is a GPU here")
    with pytest.raises(burnish.DeviceError):
        burnish.build(model(), progress=False)


def test_progress_is_told_and_can_cancel():
    told = []
    burnish.build(model(), target="cpu", progress=lambda stage, done, total: told.append((stage, done, total)))
    assert ("importing", 1, 1) in told
    with pytest.raises(burnish.Cancelled):
        burnish.build(model(), target="cpu", progress=lambda *_: True)
    with pytest.raises(ZeroDivisionError):
        burnish.build(model(), target="cpu", progress=lambda *_: 1 // 0)


def test_a_line_of_progress_appears_on_terminals_only():
    from burnish.progress import Line

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown, silent = Terminal(), io.StringIO()
    for stream in (shown, silent):
        line = Line(stream)
        line("importing", 1, 2)
        line.close()
    assert shown.getvalue() == "\r\033[Kimporting 1/2\r\033[K" and silent.getvalue() == ""


def test_a_bar_is_one_for_each_stage():
    from burnish.progress import Bar

    bars = []

    class Tqdm:
        def __init__(self, total, desc, leave):
            self.total, self.desc, self.n, self.closed = total, desc, 0, False
            bars.append(self)

        def update(self, more):
            self.n += more

        def close(self):
            self.closed = True

    bar = Bar(Tqdm)
    for told in (("importing", 0, 1), ("importing", 1, 1), ("compiling", 2, 4), ("compiling", 4, 4)):
        bar(*told)
    bar.close()
    assert [(b.desc, b.n, b.total, b.closed) for b in bars] == [("importing", 1, 1, True), ("compiling", 4, 4, True)]


def test_many_threads_run_one_engine(engine):
    wrong = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            x = rng.standard_normal((rng.integers(1, 9), 4), np.float32)
            if not np.allclose(engine(x), x @ W, rtol=1e-4, atol=1e-5):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_contexts_times_steps_and_memory(engine):
    with engine.context() as context:
        x = RNG.standard_normal((2, 4), np.float32)
        np.testing.assert_allclose(context(x), x @ W, rtol=1e-5)
        assert len(context.time(3)) == 3
        assert [step["name"] for step in context.profile()] == ["product"]
        assert set(context.memory) == {"constants", "device_arena", "host_arena", "bindings"}


def test_it_is_typed():
    assert (pathlib.Path(burnish.__file__).parent / "py.typed").exists()
