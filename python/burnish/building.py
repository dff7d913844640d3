"""From an ONNX model to an engine."""

from __future__ import annotations

import contextlib
import ctypes
import os
from ctypes import byref, c_char_p, c_void_p
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence, Tuple, Union

from . import capi, devices, plugins, progress as progress_display
from .errors import Cancelled, Error, InvalidArgument

Shape = Sequence[int]
#: (least, usual, most) extents of an input
ShapeRange = Tuple[Shape, Shape, Shape]
Profile = Mapping[str, ShapeRange]

LAYOUTS = {"row_major": 0, "channels_last": 1}
REFITTABLE = {"none": 0, "any": 1, "identical": 2, "listed": 3}
TIMING_CACHE_MODES = {"append": 0, "read": 1, "write": 2, "strict": 3}


class Options:
    """What a build is asked for, as the C struct. Holds all memory that the struct points to."""

    def __init__(
        self,
        *,
        targets: Sequence[str],
        fp16: bool = False,
        bf16: bool = False,
        tf32: bool = False,
        shapes: Optional[Mapping[str, Shape]] = None,
        profiles: Iterable[Profile] = (),
        optimization_level: int = 3,
        time_budget: float = 0.0,
        timing_cache: Optional[str] = None,
        timing_cache_mode: str = "append",
        workspace_bytes: int = 0,
        max_tactics: int = 0,
        averaged_timings: int = 0,
        shared_bytes: int = 0,
        max_branches: int = 0,
        libraries: Optional[str] = None,
        plugin_override: bool = False,
        threads: int = 0,
        node_precisions: Iterable[Tuple[str, str, int]] = (),
        debug_tensors: Iterable[str] = (),
        debug_unfused: bool = False,
        build_route: str = "",
        input_formats: Optional[Mapping[str, Tuple[Optional[str], str]]] = None,
        output_formats: Optional[Mapping[str, Tuple[Optional[str], str]]] = None,
        refit: Union[bool, str, Sequence[str]] = False,
        strip_weights: bool = False,
        progress: Optional[Callable[[str, int, int], Optional[bool]]] = None,
        note: Optional[Callable[[str], None]] = None,
    ):
        self.error: Optional[BaseException] = None  # raised by a callback
        names = [t.encode() for t in targets]
        self.struct = s = capi.BuildOptions(
            struct_size=ctypes.sizeof(capi.BuildOptions),
            targets=(c_char_p * len(names))(*names),
            target_count=len(names),
            fp16=fp16,
            bf16=bf16,
            tf32=tf32,
            cuda_library_directory=(capi.cuda_library_folder() or "").encode() or None,
            threads=threads,
            optimization_level=optimization_level,
            time_budget=time_budget,
            timing_cache=os.fsencode(timing_cache) if timing_cache else None,
            timing_cache_mode=TIMING_CACHE_MODES[timing_cache_mode],
            libraries=libraries.encode() if libraries else None,
            workspace_bytes=workspace_bytes,
            max_tactics=max_tactics,
            plugin_override=plugin_override,
            averaged_timings=averaged_timings,
            shared_bytes=shared_bytes,
            max_branches=max_branches,
            debug_unfused=debug_unfused,
            build_route=build_route.encode() or None,
        )
        fixed = [capi.InputShape(n.encode(), len(e), capi.int64s(e)) for n, e in (shapes or {}).items()]
        s.shapes, s.shape_count = (capi.InputShape * len(fixed))(*fixed), len(fixed)
        ranges = [_profile(p) for p in profiles]
        s.profiles, s.profile_count = (capi.Profile * len(ranges))(*ranges), len(ranges)
        precisions = [capi.NodePrecision(node.encode(), capi.DTYPE_NUMBER[kind], result) for node, kind, result in node_precisions]
        s.node_precisions, s.node_precision_count = (capi.NodePrecision * len(precisions))(*precisions), len(precisions)
        s.debug_tensors, s.debug_tensor_count = _texts(debug_tensors)
        s.input_formats, s.input_format_count = _formats(input_formats or {})
        s.output_formats, s.output_format_count = _formats(output_formats or {})
        loaded = plugins.loaded()
        s.plugins, s.plugin_count = (c_void_p * len(loaded))(*loaded), len(loaded)
        which = {True: "any", False: "none"}.get(refit, refit) if isinstance(refit, (bool, str)) else "listed"
        s.refittable, s.strip_weights = REFITTABLE[which], strip_weights
        s.refittable_weights, s.refittable_weight_count = _texts(refit if which == "listed" else ())
        if progress is not None:
            s.progress = capi.ProgressFunction(self._guarded(lambda _, stage, done, total: progress(stage.decode(), done, total), True))
        if note is not None:
            s.note = capi.NoteFunction(self._guarded(lambda _, line: note(line.decode()), None))

    def _guarded(self, function, after_error):
        """An exception cannot cross C: the build is cancelled, and it is raised again when the build has returned."""

        def guarded(*arguments):
            try:
                answer = function(*arguments)
                return int(bool(answer)) if after_error is not None else None
            except BaseException as error:  # KeyboardInterrupt too
                self.error = error
                return after_error

        return guarded

    def build(self, model: bytes, folder: Optional[str]) -> bytes:
        """The engine of an ONNX model in memory, whose external data is in `folder`."""
        build = capi.compiler().burnish_build_bytes
        try:
            return capi.given_bytes(build, model, len(model), os.fsencode(folder) if folder else None, byref(self.struct))
        except Error as error:
            if self.error is not None:
                raise self.error from error
            raise


def _texts(texts: Iterable[str]):
    encoded = [text.encode() for text in texts]
    return (c_char_p * len(encoded))(*encoded), len(encoded)


def _profile(profile: Profile) -> capi.Profile:
    inputs = []
    for name, (least, usual, most) in profile.items():
        if not len(least) == len(usual) == len(most):
            raise InvalidArgument(f"the profile of input '{name}' has shapes of different ranks", "give min, opt and max the same rank")
        inputs.append(capi.ShapeRange(name.encode(), len(usual), capi.int64s(least), capi.int64s(usual), capi.int64s(most)))
    return capi.Profile((capi.ShapeRange * len(inputs))(*inputs), len(inputs))


def _formats(formats: Mapping[str, Tuple[Optional[str], str]]):
    listed = []
    for name, (dtype, layout) in formats.items():
        if (dtype is not None and dtype not in capi.DTYPE_NUMBER) or layout not in LAYOUTS:
            raise InvalidArgument(
                f"there is no format ({dtype}, {layout}) for '{name}'", "give (dtype or None, 'row_major' or 'channels_last')"
            )
        listed.append(capi.PortFormat(name.encode(), -1 if dtype is None else capi.DTYPE_NUMBER[dtype], LAYOUTS[layout]))
    return (capi.PortFormat * len(listed))(*listed), len(listed)


def read_model(model: Any) -> Tuple[bytes, Optional[str]]:
    """(bytes, folder of external data) of a path, bytes, an onnx.ModelProto, or such a pair."""
    if isinstance(model, tuple):
        return model
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model), None
    if hasattr(model, "SerializeToString"):
        return model.SerializeToString(), None
    path = os.fspath(model)
    with open(path, "rb") as file:
        return file.read(), os.path.dirname(os.path.abspath(path))


def default_target() -> str:
    """The target of the GPU that is there. Raises DeviceError, which names the alternative, where there is none."""
    return devices.describe(devices.current()).target


def build(
    model: Union[str, os.PathLike, bytes, Any],
    *,
    target: Union[str, Sequence[str], None] = None,
    fp16: bool = False,
    bf16: bool = False,
    tf32: bool = False,
    shapes: Optional[Dict[str, Shape]] = None,
    profiles: Sequence[Profile] = (),
    optimization_level: int = 3,
    time_budget: float = 0.0,
    timing_cache: Union[str, os.PathLike, None] = None,
    timing_cache_mode: str = "append",
    workspace_bytes: int = 0,
    libraries: str = "present",
    plugin_override: bool = False,
    debug_tensors: Sequence[str] = (),
    node_precisions: Optional[Mapping[str, str]] = None,
    refit: Union[bool, str, Sequence[str]] = False,
    strip_weights: bool = False,
    threads: int = 0,
    progress: Union[bool, Callable[[str, int, int], Optional[bool]]] = True,
    note: Optional[Callable[[str], None]] = None,
):
    """Builds an engine from an ONNX model.

    model: a path, the bytes of a model, or an onnx.ModelProto. External data is sought beside a path.
    target: "cpu", "sm_90", … or several; None: the GPU that is there (DeviceError where there is none).
    fp16, bf16: values are stored in half precision (fp16 goes before bf16), sums stay FP32. tf32: FP32 matrix products may run as TF32.
    shapes: fixes extents, {"images": (8, 3, 224, 224)}; -1 leaves an axis free.
    profiles: ranges of extents, each {"images": (min, opt, max)}; kernels are tuned for opt, other extents are refused.
    optimization_level: 0 and 1 choose kernels by estimate; 2 to 5 time them on the GPU, ever more of them.
    time_budget: seconds that timing may take; 0: as long as it takes.
    timing_cache, timing_cache_mode: a file that keeps times; "append", "read", "write" or "strict".
    workspace_bytes: the most bytes of temporaries; 0: no limit.
    libraries: NVIDIA's libraries whose routines are candidates too where kernels are timed, "cublaslt,cudnn"; "present": those that
    are there; "none". An engine that uses one needs it to run.
    plugin_override: operators of plugins (load_plugin) are taken for those of ONNX that have the same name, too.
    debug_tensors: names of tensors of the model that Context.debug_tensors gives after a run; they are not fused away.
    node_precisions: with fp16 or bf16, {"head": "float32"} keeps what the ONNX node `head` makes in FP32; one * stands for anything, the
    last name that fits a node counts.
    refit: True lets Engine.refit give the engine other weights, a list of names those alone, "identical" the same ones again.
    strip_weights: the engine has no weights, and runs once it is refitted; unless `refit` says otherwise it takes its own alone.
    threads: host threads; 0: one per core.
    progress: True shows a bar (tqdm, where installed), False nothing; or a function of stage, done, total whose truthy answer
    cancels the build (Cancelled).
    note: told, one line each, what is worth knowing of the build.

    Returns an Engine. Raises Error: InvalidModel, Unsupported, InvalidArgument, DeviceError, FileError, …"""
    from .engine import Engine

    data, folder = read_model(model)
    targets = [target] if isinstance(target, str) else list(target or [default_target()])
    display = progress_display.shown() if progress is True else None
    options = Options(
        targets=targets,
        fp16=fp16,
        bf16=bf16,
        tf32=tf32,
        shapes=shapes,
        profiles=profiles,
        optimization_level=optimization_level,
        time_budget=time_budget,
        timing_cache=os.fspath(timing_cache) if timing_cache else None,
        timing_cache_mode=timing_cache_mode,
        workspace_bytes=workspace_bytes,
        libraries=libraries,
        plugin_override=plugin_override,
        debug_tensors=debug_tensors,
        node_precisions=[(node, kind, 0) for node, kind in (node_precisions or {}).items()],
        refit=refit,
        strip_weights=strip_weights,
        threads=threads,
        progress=display or progress or None,
        note=note,
    )
    with contextlib.closing(display) if display else contextlib.nullcontext():
        return Engine(options.build(data, folder))


def check(model: bytes, folder: Optional[str] = None, plugin_override: bool = False) -> None:
    """Raises what keeps a model from being imported (node, operator, cause); builds nothing."""

    def stop_when_imported(stage: str, done: int, total: int) -> bool:
        return stage == "importing" and done == total

    with contextlib.suppress(Cancelled):
        Options(targets=["cpu"], plugin_override=plugin_override, progress=stop_when_imported).build(model, folder)
