"""Refitting, which engines of Burnish do not do: every call says so."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from .enums import ErrorCode, TensorLocation, WeightsRole
from .logger import ILogger, Reporter, Scoped
from .parser import ParserError
from .types import Weights

_WHY = "engines of Burnish cannot be refitted (`engine.refittable` is False): build again with the new weights"


class Refitter(Scoped):
    """Weights of an engine, to be replaced. None can be."""

    def __init__(self, engine: Any, logger: ILogger):
        self.engine, self.logger = engine, logger
        self.error_recorder = None
        self.weights_validation = True
        self.max_threads = 0
        self._report = Reporter(logger, self)

    def _refused(self) -> bool:
        self._report.error(_WHY)
        return False

    def set_weights(self, layer_name: str, role: WeightsRole, weights: Weights) -> bool:
        return self._refused()

    def set_named_weights(self, name: str, weights: Weights, location: TensorLocation = TensorLocation.HOST) -> bool:
        return self._refused()

    def unset_named_weights(self, name: str) -> bool:
        return self._refused()

    def get_named_weights(self, weights_name: str) -> Optional[Weights]:
        self._refused()
        return None

    get_weights_prototype = get_named_weights

    def get_weights_location(self, weights_name: str) -> TensorLocation:
        return TensorLocation.HOST

    def get_missing(self) -> Tuple[List[str], List[WeightsRole]]:
        return [], []

    get_all = get_missing

    def get_missing_weights(self) -> List[str]:
        return []

    get_all_weights = get_missing_weights

    def set_dynamic_range(self, tensor_name: str, range: Tuple[float, float]) -> bool:
        return self._refused()

    def get_dynamic_range(self, tensor_name: str) -> Tuple[float, float]:
        return (0.0, 0.0)

    def get_tensors_with_dynamic_range(self) -> List[str]:
        return []

    def refit_cuda_engine(self) -> bool:
        return self._refused()

    def refit_cuda_engine_async(self, stream: int) -> bool:
        return self._refused()


class OnnxParserRefitter(Scoped):
    """The same, from an ONNX model."""

    def __init__(self, refitter: Refitter, logger: ILogger):
        self._refitter = refitter
        self._errors: List[ParserError] = []

    def _refused(self) -> bool:
        self._errors.append(ParserError(ErrorCode.REFIT_FAILED, _WHY))
        return self._refitter._refused()

    def refit_from_bytes(self, model: bytes, path: Optional[str] = None) -> bool:
        return self._refused()

    def refit_from_file(self, path: str) -> bool:
        return self._refused()

    def load_model_proto(self, model: bytes, path: Optional[str] = None) -> bool:
        return self._refused()

    def load_initializer(self, name: str, data: int, size: int) -> bool:
        return self._refused()

    def refit_model_proto(self) -> bool:
        return self._refused()

    num_errors = property(lambda self: len(self._errors))

    def get_error(self, index: int) -> Optional[ParserError]:
        return self._errors[index] if 0 <= index < len(self._errors) else None

    def clear_errors(self) -> None:
        self._errors.clear()
