"""From an engine's bytes to an engine."""

from __future__ import annotations

import os
from typing import Any, Optional, Tuple, Union

from ..engine import Engine
from ..errors import Error, IncompatibleEngine
from .callbacks import IStreamReader, IStreamReaderV2
from .engine import ICudaEngine
from .enums import EngineValidity, SeekPosition
from .logger import ILogger, NoEffect, Reporter, Scoped
from .plugins import registry

_CHUNK = 1 << 24


def _bytes_of(source: Any) -> bytes:
    """What a buffer holds, or a reader gives."""
    if isinstance(source, IStreamReaderV2):
        source.seek(0, SeekPosition.SET)
        return b"".join(iter(lambda: bytes(source.read(_CHUNK, 0)), b""))
    if isinstance(source, IStreamReader):
        return b"".join(iter(lambda: bytes(source.read(_CHUNK)), b""))
    return bytes(source)


class Runtime(Scoped):
    """Opens engines."""

    num_DLA_cores = 0
    gpu_allocator = NoEffect(None, "Burnish has memory of its own")
    DLA_core = NoEffect(-1, "Burnish builds for the GPU, not for a DLA")
    max_threads = NoEffect(0, "steps on the host use one thread for each core")
    temporary_directory = NoEffect("", "no temporary files are made")
    tempfile_control_flags = NoEffect(3, "no temporary files are made")
    dla_workspace_allocation_strategy = NoEffect(None, "Burnish builds for the GPU, not for a DLA")

    def __init__(self, logger: ILogger):
        self.logger = logger
        self.error_recorder = None
        self.engine_host_code_allowed = False
        self._report = Reporter(logger, self)

    def deserialize_cuda_engine(self, source: Union[bytes, IStreamReader, IStreamReaderV2]) -> Optional[ICudaEngine]:
        """The engine; None, and an error in the log (cause and remedy), where it is not one that runs here."""
        try:
            return ICudaEngine(Engine(_bytes_of(source)), self)
        except (Error, TypeError, ValueError) as error:
            self._report.failure(error)
            return None

    def engine_validity(self, source: Union[str, os.PathLike, bytes]) -> Tuple[EngineValidity, str]:
        """Burnish's own: whether an engine file, or its bytes, would open here, and why not."""
        try:
            engine = Engine(source)
        except IncompatibleEngine as error:
            return EngineValidity.INCOMPATIBLE, str(error)
        except Error as error:
            return EngineValidity.INVALID, str(error)
        return EngineValidity.VALID, f"an engine for {' '.join(engine.targets)}"

    def get_plugin_registry(self) -> Any:
        return registry

    def load_runtime(self, path: str) -> Runtime:
        """This one: an engine of Burnish needs no other."""
        self._report.no_effect("Runtime.load_runtime", "engines run with the runtime that is installed")
        return self
