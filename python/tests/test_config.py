"""Options: each works, is refused, or says once that it makes no difference. None is ignored in silence."""

import json

import numpy as np
import pytest
import tensorrt as trt

from running import Network, deserialized, execute

F = trt.BuilderFlag
WORKS = [F.FP16, F.BF16, F.TF32, F.DISABLE_TIMING_CACHE, F.ERROR_ON_TIMING_CACHE_MISS, F.OBEY_PRECISION_CONSTRAINTS,
         F.PREFER_PRECISION_CONSTRAINTS, F.REFIT, F.REFIT_IDENTICAL, F.REFIT_INDIVIDUAL, F.STRIP_PLAN]  # fmt: skip
REFUSED = [F.INT8, F.FP8, F.INT4, F.FP4]


@pytest.fixture
def net(log):
    return Network(log)


@pytest.fixture
def config(net):
    return net.builder.create_builder_config()


def product(net, half=False):
    """x times weights, as the output y."""
    x = np.random.default_rng(2).standard_normal((3, 4)).astype("f2" if half else "f4")
    w = np.random.default_rng(3).standard_normal((4, 5)).astype(x.dtype)
    layer = net.network.add_matrix_multiply(net.input(x), trt.MatrixOperation.NONE, net.constant(w), trt.MatrixOperation.NONE)
    layer.name, layer.get_output(0).name = "product", "y"
    net.network.mark_output(layer.get_output(0))
    return x, w


@pytest.mark.parametrize("flag", list(F), ids=str)
def test_every_flag_works_is_refused_or_says_so_once(net, config, log, flag):
    config.clear_flag(flag)
    for _ in range(2):
        config.set_flag(flag)
    assert config.get_flag(flag) and config.flags >> int(flag) & 1
    if flag in WORKS + REFUSED:
        assert log.of("WARNING") == []
    else:
        (warning,) = log.of("WARNING")
        assert warning.startswith(f"{flag} has no effect: ")
    product(net)
    net.network.mark_weights_refittable(net.network[0].get_output(0).name)
    built = net.builder.build_serialized_network(net.network, config)
    assert (built is None) == (flag in REFUSED), log.messages


def test_tf32_is_on_by_default_and_fp16_is_not(config):
    assert config.flags == 1 << int(F.TF32)
    config.flags = 1 << int(F.FP16)
    assert config.get_flag(F.FP16) and not config.get_flag(F.TF32)
    config.reset()
    assert config.flags == 1 << int(F.TF32)


def precision(engine):
    return engine._engine.description["options"]["precision"]


@pytest.mark.parametrize("half, tf32, name", [(True, True, "fp16"), (False, True, "tf32"), (False, False, "fp32")])
def test_precision_flags_reach_the_build(net, config, half, tf32, name):
    x, w = product(net)
    (config.set_flag if half else config.clear_flag)(F.FP16)
    (config.set_flag if tf32 else config.clear_flag)(F.TF32)
    engine = deserialized(net.builder, net.network, config)
    assert precision(engine) == name
    np.testing.assert_allclose(execute(engine, x)[0], x @ w, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    "setting, value",
    [
        ("min_timing_iterations", 2), ("algorithm_selector", object()),
        ("engine_capability", trt.EngineCapability.SAFETY), ("default_device_type", trt.DeviceType.DLA), ("DLA_core", 0),
        ("hardware_compatibility_level", trt.HardwareCompatibilityLevel.AMPERE_PLUS), ("profile_stream", 7),
        ("runtime_platform", trt.RuntimePlatform.WINDOWS_AMD64), ("plugins_to_serialize", ["a.so"]), ("l2_limit_for_tiling", 1 << 20),
        ("tiling_optimization_level", trt.TilingOptimizationLevel.FULL), ("remote_auto_tuning_config", "x"),
    ],
)  # fmt: skip
def test_settings_without_effect_say_so_once(config, log, setting, value):
    setattr(config, setting, getattr(config, setting))
    assert log.messages == []
    for _ in range(2):
        setattr(config, setting, value)
    assert getattr(config, setting) == value
    (warning,) = log.of("WARNING")
    assert warning.startswith(f"IBuilderConfig.{setting} has no effect: ")


@pytest.mark.parametrize(
    "owner, setting, value",
    [
        ("Builder", "max_batch_size", 8), ("Builder", "gpu_allocator", object()), ("Runtime", "gpu_allocator", object()),
        ("Runtime", "DLA_core", 1), ("Runtime", "max_threads", 2), ("Runtime", "temporary_directory", "t"),
        ("IOptimizationProfile", "extra_memory_target", 0.5), ("ITensor", "dynamic_range", (-1, 1)),
        ("ITensor", "location", trt.TensorLocation.HOST), ("ITensor", "broadcast_across_batch", True),
    ],
)  # fmt: skip
def test_settings_of_other_objects_without_effect_say_so_once(net, log, owner, setting, value):
    made = {
        "Builder": net.builder, "Runtime": trt.Runtime(log), "IOptimizationProfile": net.builder.create_optimization_profile(),
        "ITensor": net.network.add_input("x", trt.float32, (1,)),
    }[owner]  # fmt: skip
    for _ in range(2):
        setattr(made, setting, value)
    assert getattr(made, setting) == value
    (warning,) = log.of("WARNING")
    assert warning.startswith(f"{owner}.{setting} has no effect: ")


def test_memory_pools(config, log):
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 4 << 30)
    assert config.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE) == config.max_workspace_size == 4 << 30 and log.messages == []
    config.set_memory_pool_limit(trt.MemoryPoolType.TACTIC_SHARED_MEMORY, 48 << 10)
    assert config.get_memory_pool_limit(trt.MemoryPoolType.TACTIC_SHARED_MEMORY) == 48 << 10 and log.messages == []
    config.set_memory_pool_limit(trt.MemoryPoolType.DLA_LOCAL_DRAM, 1)
    assert log.of("WARNING") == ["MemoryPoolType.DLA_LOCAL_DRAM has no effect: Burnish has two pools, WORKSPACE and TACTIC_SHARED_MEMORY"]


def test_optimization_levels(config, log):
    assert config.builder_optimization_level == 3
    config.builder_optimization_level = 5
    config.builder_optimization_level = 6
    assert config.builder_optimization_level == 5
    assert log.of("ERROR") == ["builder_optimization_level 6 is not from 0 to 5; it stays 5"]


def test_profiles_are_checked(net, config, log):
    profile = net.builder.create_optimization_profile()
    assert not profile and config.add_optimization_profile(profile) == -1 and profile.get_shape("x") == []
    with pytest.raises(RuntimeError, match="the profile of 'x' has min 2, opt 1 and max 3 on axis 0; give min <= opt <= max"):
        profile.set_shape("x", (2, 4), (1, 4), (3, 4))
    profile.set_shape("x", (1, 4), (2, 4), (3, 4))
    profile.set_shape_input("s", [1], [2], [3])
    assert profile and profile.get_shape("x") == [(1, 4), (2, 4), (3, 4)] and profile.get_shape_input("s") == [[1], [2], [3]]
    assert config.add_optimization_profile(profile) == 0 and config.num_optimization_profiles == 1
    product(net)
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR")[-1] == "the profile names an input 'x', and the network has input1"


def large_product(net):
    """2, found as what the layer `large` makes, 200000 and no number of FP16, on its way to another product."""
    none, x = trt.MatrixOperation.NONE, np.full((2, 100), 2.0, "f4")
    large = net.network.add_matrix_multiply(net.input(x), none, net.constant(np.full((100, 100), 1000.0, "f4")), none)
    large.name = "large"
    most = net.network.add_reduce(large.get_output(0), trt.ReduceOperation.MAX, 2, True)
    small = net.network.add_elementwise(most.get_output(0), net.constant(np.full((1, 1), 1e-5, "f4")), trt.ElementWiseOperation.PROD)
    y = net.network.add_matrix_multiply(small.get_output(0), none, net.constant(np.ones((1, 8), "f4")), none)
    net.network.mark_output(y.get_output(0))
    return x, large


def keep_precision(layer):
    layer.precision = trt.float32


def keep_output_type(layer):
    layer.set_output_type(0, trt.float32)
    layer.precision = trt.float16  # the type of what it makes is another matter


@pytest.mark.parametrize("flag", [F.OBEY_PRECISION_CONSTRAINTS, F.PREFER_PRECISION_CONSTRAINTS], ids=str)
@pytest.mark.parametrize(
    "keep, kept",
    [
        (keep_precision, "large/MatMul_0:fp32,large/Identity_1:fp32"),
        (keep_output_type, "large/MatMul_0:fp16,large/Identity_1:fp16,large/MatMul_0 result 1:fp32"),
    ],
)
def test_a_layer_that_is_to_be_in_fp32_stays_so(net, config, log, flag, keep, kept):
    x, large = large_product(net)
    config.set_flag(F.FP16)
    config.set_flag(flag)
    assert not np.isfinite(execute(deserialized(net.builder, net.network, config), x)[0]).any()
    keep(large)
    engine = deserialized(net.builder, net.network, config)
    np.testing.assert_allclose(execute(engine, x)[0], np.full((2, 8), 2.0), rtol=1e-3)
    assert precision(engine) == f"fp16 but {kept}" and log.of("WARNING") == []


def test_a_constant_may_be_asked_for_in_a_precision_too(net, config, log):
    product(net)
    config.set_flag(F.FP16)
    config.set_flag(F.OBEY_PRECISION_CONSTRAINTS)
    for i in range(net.network.num_layers):
        net.network[i].precision = trt.float32
    assert net.builder.build_serialized_network(net.network, config) is not None, log.messages


@pytest.mark.parametrize(
    "kind, half, constrained, why",
    [
        (trt.float32, F.FP16, False, "FLOAT, and neither OBEY_PRECISION_CONSTRAINTS nor PREFER_PRECISION_CONSTRAINTS is set"),
        (trt.float16, None, True, "HALF, and the flag FP16 is not set"),
        (trt.bfloat16, None, True, "BF16, and the flag BF16 is not set"),
        (trt.int8, F.FP16, True, "INT8, and layers are stored as FLOAT or HALF"),
        (trt.float16, F.BF16, True, "HALF, and layers are stored as FLOAT or BF16"),
    ],
)
def test_a_precision_that_cannot_be_kept(net, config, log, kind, half, constrained, why):
    product(net)
    if half is not None:
        config.set_flag(half)
    if constrained:
        config.set_flag(F.PREFER_PRECISION_CONSTRAINTS)
    net.network[1].precision = kind
    assert net.builder.build_serialized_network(net.network, config) is not None
    assert log.of("WARNING") == [f"ILayer.precision has no effect: layer 'product' is to be computed as {why}"]
    if constrained:
        config.set_flag(F.OBEY_PRECISION_CONSTRAINTS)
        assert net.builder.build_serialized_network(net.network, config) is None
        assert log.of("ERROR") == [
            f"layer 'product' is to be computed as {why}: clear OBEY_PRECISION_CONSTRAINTS, or ask for another precision"
        ]


def test_branches_side_by_side(net, config):
    product(net)
    assert config.max_aux_streams == -1 and config.avg_timing_iterations == 1
    assert deserialized(net.builder, net.network, config).num_aux_streams == 0
    config.max_aux_streams, config.avg_timing_iterations = 2, 8
    assert deserialized(net.builder, net.network, config).num_aux_streams == 2


def test_build_routes(net, config, log):
    product(net)
    knobs = {knob["option"]: knob["allowed_values"] for knob in json.loads(config.all_build_routes)}
    assert config.build_route == "" and knobs["max_branches"] == ["0", "1", "2", "4", "8"]
    config.build_route = "-max_branches=4 -optimization_level=1"
    assert deserialized(net.builder, net.network, config).num_aux_streams == 3
    config.build_route = "-tiles=2"
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR")[0].startswith("a build has no knob 'tiles'; its knobs are optimization_level, ")


def test_bf16(net, config):
    x, w = product(net)
    config.set_flag(F.BF16)
    engine = deserialized(net.builder, net.network, config)
    assert precision(engine) == "bf16"
    (y,) = execute(engine, x)
    error = np.linalg.norm(y - x @ w) / np.linalg.norm(x @ w)
    assert 1e-4 < error < 1e-2


def test_types_of_outputs(net, config, log):
    product(net)
    layer = net.network[1]
    layer.set_output_type(0, trt.float16)
    assert layer.output_type_is_set(0) and layer.get_output_type(0) == trt.float16
    config.set_flag(F.OBEY_PRECISION_CONSTRAINTS)
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR") == [
        "output 0 of layer 'product' is to be HALF, and floating-point outputs are FLOAT: set BuilderFlag.FP16 or BF16 for others; "
        "cast it in the network, or clear OBEY_PRECISION_CONSTRAINTS"
    ]
    config.set_flag(F.FP16)
    assert precision(deserialized(net.builder, net.network, config)) == "fp16 but product/MatMul_0 result 1:fp16"
    layer.reset_output_type(0)
    assert precision(deserialized(net.builder, net.network, config)) == "fp16"
    layer.set_output_type(0, trt.int8)
    config.clear_flag(F.OBEY_PRECISION_CONSTRAINTS)
    assert net.builder.build_serialized_network(net.network, config) is not None
    assert log.of("WARNING") == [
        "ILayer.set_output_type has no effect: output 0 of layer 'product' is to be INT8, and floating-point outputs are FLOAT or HALF"
    ]


def test_types_and_layouts_of_inputs_and_outputs(log):
    net = Network(log)
    x = np.random.default_rng(4).standard_normal((1, 3, 4, 5)).astype("f4")
    source = net.input(x)
    layer = net.network.add_activation(source, trt.ActivationType.RELU)
    layer.get_output(0).name = "y"
    net.network.mark_output(layer.get_output(0))
    source.dtype = layer.get_output(0).dtype = trt.float16
    source.allowed_formats = 1 << int(trt.TensorFormat.HWC)
    engine = deserialized(net.builder, net.network)
    assert [engine.get_tensor_dtype(n) for n in engine] == [trt.float16, trt.float16]
    assert engine.get_tensor_format("input1") == trt.TensorFormat.HWC and engine.get_tensor_format("y") == trt.TensorFormat.LINEAR
    context = engine.create_execution_context()
    assert context.get_tensor_strides("input1") == (60, 1, 15, 3) and context.get_tensor_strides("y") == (60, 20, 5, 1)
    inside, y = np.ascontiguousarray(x.astype("f2").transpose(0, 2, 3, 1)), np.empty(x.shape, "f2")
    context.set_tensor_address("input1", inside.ctypes.data)
    context.set_tensor_address("y", y.ctypes.data)
    assert context.execute_async_v3(0)
    np.testing.assert_allclose(y, np.maximum(x, 0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: setattr(t, "allowed_formats", 1 << int(trt.TensorFormat.CHW32)), "'y' allows no format that Burnish has: allow TensorFormat.LINEAR or HWC"),
        (lambda t: setattr(t, "dtype", trt.int8), "'y' is to be INT8 in memory, and only floating-point types can be chosen there: cast it in the network"),
    ],
)  # fmt: skip
def test_formats_that_burnish_lacks(net, config, log, change, message):
    product(net)
    change(net.network.get_output(0))
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR") == [message]


def test_a_network_without_outputs(net, config, log):
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR") == ["the network has no outputs: call mark_output"]


def test_timing_caches(config):
    cache = config.create_timing_cache(b"")
    assert config.set_timing_cache(cache, ignore_mismatch=False) and config.get_timing_cache() is cache
    assert bytes(cache.serialize()) == b"" and cache.combine(config.create_timing_cache(b""), False)
    assert not config.create_timing_cache(b"one").combine(config.create_timing_cache(b"no cache"), False)


# ---- those who are told


class Monitor(trt.IProgressMonitor):
    def __init__(self, cancel=False):
        trt.IProgressMonitor.__init__(self)
        self.told, self.cancel = [], cancel

    def phase_start(self, phase_name, parent_phase, num_steps):
        self.told.append(("start", phase_name, parent_phase))

    def step_complete(self, phase_name, step):
        self.told.append(("step", phase_name))
        return not self.cancel

    def phase_finish(self, phase_name):
        self.told.append(("finish", phase_name))


def test_a_progress_monitor_sees_phases_open_and_close(net, config):
    product(net)
    config.progress_monitor = monitor = Monitor()
    assert net.builder.build_serialized_network(net.network, config) is not None
    assert monitor.told[:2] == [("start", "Building Engine", None), ("start", "importing", "Building Engine")]
    started = [name for what, name, *_ in monitor.told if what == "start"]
    assert sorted(started) == sorted(name for what, name, *_ in monitor.told if what == "finish")


def test_a_progress_monitor_cancels(net, config, log):
    product(net)
    config.progress_monitor = Monitor(cancel=True)
    assert net.builder.build_serialized_network(net.network, config) is None
    assert log.of("ERROR") == ["the build was cancelled by the progress monitor"]


class Recorder(trt.IErrorRecorder):
    def __init__(self):
        trt.IErrorRecorder.__init__(self)
        self.errors = []

    def report_error(self, code, desc):
        self.errors.append((code, desc))
        return True


def test_an_error_recorder_is_told_of_errors(net, config):
    net.builder.error_recorder = recorder = Recorder()
    net.builder.build_serialized_network(net.network, config)
    assert recorder.errors == [(trt.ErrorCodeTRT.UNSUPPORTED_STATE, "the network has no outputs: call mark_output")]


def test_the_logger_prints_graver_messages_on_standard_error(capsys):
    logger = trt.Logger(trt.Logger.WARNING)
    logger.log(trt.Logger.INFO, "a")
    logger.log(trt.Logger.WARNING, "b")
    shown = capsys.readouterr().err
    assert shown.endswith("[TRT] [W] b\n") and shown.count("\n") == 1


def test_an_exception_in_a_callback_is_printed_and_is_a_failure(net, config, capsys):
    product(net)
    config.progress_monitor = monitor = Monitor()
    monitor.step_complete = lambda *_: 1 // 0
    assert net.builder.build_serialized_network(net.network, config) is None
    assert "ZeroDivisionError" in capsys.readouterr().err
