"""Other weights for an engine that was built for it."""

from __future__ import annotations

import ctypes
import os
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import onnx

from .. import capi, devices
from ..arrays import numpy_dtype
from ..building import read_model
from ..engine import Weight
from ..errors import Error
from .enums import ErrorCode, TensorLocation, WeightsRole
from .logger import ILogger, Reporter, Scoped
from .parser import ParserError
from .types import Weights, array_of

_NOT_REFITTABLE = "the engine was not built for refitting (`engine.refittable` is False): set BuilderFlag.REFIT, or build it again"


class Refitter(Scoped):
    """Collects weights for an engine and puts them in all at once. Failures are False, and errors in the log."""

    def __init__(self, engine: Any, logger: ILogger):
        self.engine, self.logger = engine, logger
        self.error_recorder = None
        self.weights_validation = True
        self.max_threads = 0
        self._report = Reporter(logger, self)
        self._given: Dict[str, np.ndarray] = {}
        self._model: Any = None  # an ONNX model whose weights are taken where none is given

    # ---- what there is

    def _weights(self) -> Tuple[Weight, ...]:
        return self.engine._engine.weights

    def _refittable(self) -> List[Weight]:
        """Those that may become others; of an engine that takes its own alone, these."""
        return [w for w in self._weights() if not w.fixed] or list(self._weights())

    def _missing(self) -> List[Weight]:
        return [w for w in self._weights() if w.values is None and w.name not in self._given and self._model is None]

    def get_all(self) -> Tuple[List[str], List[WeightsRole]]:
        """The layers and roles of all weights that can be set. Where no layer has a role for a weight, it is a constant of its name."""
        return _by_layer(self._refittable())

    def get_missing(self) -> Tuple[List[str], List[WeightsRole]]:
        """Those that must be set before the engine can be refitted."""
        return _by_layer(self._missing())

    def get_all_weights(self) -> List[str]:
        """The names, in the model, of all weights that can be set."""
        return [w.name for w in self._refittable()]

    def get_missing_weights(self) -> List[str]:
        """Those that must be set before the engine can be refitted."""
        return [w.name for w in self._missing()]

    def _find(self, name: str) -> Optional[Weight]:
        found = next((w for w in self._weights() if w.name == name), None)
        if found is None:
            self._report.error(f"the engine has no weights '{name}'" if self._weights() else _NOT_REFITTABLE)
        return found

    def get_weights_prototype(self, weights_name: str) -> Optional[Weights]:
        """Weights of the right type and count, all zero."""
        weight = self._find(weights_name)
        return None if weight is None else Weights(np.zeros(weight.shape, numpy_dtype(weight.dtype)))

    def get_named_weights(self, weights_name: str, location: TensorLocation = TensorLocation.HOST) -> Optional[Weights]:
        """Those that were set, else the engine's; None where it keeps none."""
        weight = self._find(weights_name)
        values = None if weight is None else self._given.get(weights_name, weight.values)
        return None if values is None else Weights(values)

    def get_weights_location(self, weights_name: str) -> TensorLocation:
        """HOST."""
        return TensorLocation.HOST

    # ---- what is to be

    def set_named_weights(self, name: str, weights: Any, location: TensorLocation = TensorLocation.HOST) -> bool:
        """Weights, or an array, for a name; they are copied. DEVICE: Weights(type, pointer, count) of a GPU's memory, once what was
        enqueued on the default stream is done."""
        weight = self._find(name)
        if weight is None:
            return False
        array = array_of(weights)
        given = "nothing" if array is None else f"{array.dtype.name}[{array.size}]"
        count = int(np.prod(weight.shape, dtype=np.int64))
        if array is None or array.dtype.name != weight.dtype or array.size != count:
            self._report.error(f"weights '{name}' are {weight.dtype}[{count}] in the engine, and are given as {given}")
            return False
        try:
            copy = np.array(array) if location == TensorLocation.HOST else self._from_device(array)
        except Error as error:
            self._report.failure(error)
            return False
        self._given[name] = copy.reshape(weight.shape)
        return True

    def _from_device(self, array: np.ndarray) -> np.ndarray:
        """A copy of what is at an address of a GPU."""
        driver, host = devices.entered(max(self.engine._engine.device, 0)), np.empty_like(array)
        devices.check(driver.cuMemcpyAsync(host.ctypes.data, array.ctypes.data, array.nbytes, capi.LEGACY_STREAM))
        devices.check(driver.cuStreamSynchronize(capi.LEGACY_STREAM))
        return host

    def set_weights(self, layer_name: str, role: WeightsRole, weights: Any) -> bool:
        """The same by layer and role."""
        named = [w for w in self._weights() if w.layer == layer_name and role in (WeightsRole.ANY, WeightsRole[w.role])]
        if len(named) != 1:
            found = f"{len(named)} weights" if named else "no weights"
            self._report.error(f"layer '{layer_name}' has {found} of role {role.name}" if self._weights() else _NOT_REFITTABLE)
            return False
        return self.set_named_weights(named[0].name, weights)

    def unset_named_weights(self, name: str) -> bool:
        """Takes what was set away; False where nothing was."""
        return self._given.pop(name, None) is not None

    def refit_cuda_engine(self) -> bool:
        """Puts in what was set; contexts of the engine run with it from their next call on."""
        if not self._weights():
            self._report.error(_NOT_REFITTABLE)
            return False
        try:
            refitted = self.engine._engine.refit(self._model, self._given, threads=self.max_threads)
            self.engine._become(refitted)
        except Error as error:
            self._report.failure(error)
            return False
        self._given, self._model = {}, None
        return True

    def refit_cuda_engine_async(self, stream: int) -> bool:
        """The same: when it returns the engine is refitted, and runs that were enqueued before have seen the old weights."""
        return self.refit_cuda_engine()

    # ---- dynamic ranges, which no engine has

    def set_dynamic_range(self, tensor_name: str, range: Tuple[float, float]) -> bool:
        """False: there are no quantised kernels."""
        self._report.error("engines of Burnish have no dynamic ranges: there are no quantised kernels yet")
        return False

    def get_dynamic_range(self, tensor_name: str) -> Tuple[float, float]:
        return (0.0, 0.0)

    def get_tensors_with_dynamic_range(self) -> List[str]:
        return []


def _by_layer(weights: List[Weight]) -> Tuple[List[str], List[WeightsRole]]:
    return [w.layer for w in weights], [WeightsRole[w.role] for w in weights]


class OnnxParserRefitter(Scoped):
    """Takes the weights of an ONNX model, otherwise the one that the engine was built from, for a Refitter, whose refit_cuda_engine puts
    them in."""

    def __init__(self, refitter: Refitter, logger: ILogger):
        self._refitter = refitter
        self._errors: List[ParserError] = []
        self._loaded: Optional[onnx.ModelProto] = None
        self._folder: Optional[str] = None

    def _failed(self, why: str, remedy: str = "") -> bool:
        self._errors.append(ParserError(ErrorCode.REFIT_FAILED, why, remedy=remedy))
        self._refitter._report.error(self._errors[-1].desc())
        return False

    def _read(self, model: bytes, path: Optional[str]) -> bool:
        try:
            self._loaded = onnx.load_model_from_string(model)
        except Exception:  # protobuf's own exceptions, of several implementations
            return self._failed("the model cannot be read: the bytes are not an ONNX model")
        self._folder = os.path.dirname(os.path.abspath(path)) if path else None
        return True

    def _take(self) -> bool:
        graph = self._loaded.graph
        there = {t.name for t in graph.initializer} | {o for n in graph.node if n.op_type == "Constant" for o in n.output}
        missing = [w.name for w in self._refitter._weights() if w.name not in there]
        if missing or not self._refitter._weights():
            return self._failed(f"the model has no weights '{missing[0]}', which the engine has" if missing else _NOT_REFITTABLE)
        self._refitter._model = (self._loaded.SerializeToString(), self._folder)
        return True

    def refit_from_bytes(self, model: bytes, path: Optional[str] = None) -> bool:
        """path: of the model's file, beside which its external data is."""
        return self._read(bytes(model), path) and self._take()

    def refit_from_file(self, path: str) -> bool:
        try:
            data, _ = read_model(path)
        except OSError as error:
            return self._failed(f"'{path}' cannot be read: {error.strerror}")
        return self.refit_from_bytes(data, path)

    def load_model_proto(self, model: bytes, path: Optional[str] = None) -> bool:
        """The model, whose initialisers load_initializer may give; refit_model_proto takes them."""
        return self._read(bytes(model), path)

    def load_initializer(self, name: str, data: int, size: int) -> bool:
        """The values, `size` bytes at `data`, of an initialiser of the model that was loaded."""
        initializers = self._loaded.graph.initializer if self._loaded is not None else ()
        tensor = next((t for t in initializers if t.name == name), None)
        if tensor is None:
            return self._failed(f"the model that was loaded has no initialiser '{name}'")
        values = onnx.TensorProto(name=name, dims=tensor.dims, data_type=tensor.data_type, raw_data=ctypes.string_at(data, size))
        tensor.CopyFrom(values)
        return True

    def refit_model_proto(self) -> bool:
        """Takes the weights of the model that was loaded."""
        if self._loaded is None:
            return self._failed("no model was loaded: call load_model_proto")
        return self._take()

    num_errors = property(lambda self: len(self._errors))

    def get_error(self, index: int) -> Optional[ParserError]:
        return self._errors[index] if 0 <= index < len(self._errors) else None

    def clear_errors(self) -> None:
        self._errors.clear()
