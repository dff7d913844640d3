"""Classes that scripts subclass, to be told of things or to provide them."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from .enums import APILanguage


class InterfaceInfo(NamedTuple):
    kind: str
    major: int
    minor: int


class IVersionedInterface:
    """What has a version of its interface."""

    @property
    def api_language(self) -> APILanguage:
        return APILanguage.PYTHON

    @property
    def interface_info(self) -> InterfaceInfo:
        return InterfaceInfo(type(self).__mro__[1].__name__, 1, 0)


class IProfiler:
    """Told how long each step of an execution took, in milliseconds."""

    def report_layer_time(self, layer_name: str, ms: float) -> None:
        """One step took `ms` milliseconds."""
        raise NotImplementedError("a profiler defines report_layer_time(layer_name, ms)")


class Profiler(IProfiler):
    """Prints them."""

    def report_layer_time(self, layer_name: str, ms: float) -> None:
        """One step took `ms` milliseconds."""
        print(f"{layer_name}: {ms}ms", file=sys.stdout)


class IProgressMonitor(IVersionedInterface):
    """Told how far a build is; `step_complete` answers False to cancel it."""

    def phase_start(self, phase_name: str, parent_phase: Any, num_steps: int) -> None:
        """A phase of `num_steps` steps begins, inside of `parent_phase` (None: it is the outermost)."""
        raise NotImplementedError

    def step_complete(self, phase_name: str, step: int) -> bool:
        """Step `step` of the phase is done. False cancels the build."""
        raise NotImplementedError

    def phase_finish(self, phase_name: str) -> None:
        """The phase ends, done or not."""
        raise NotImplementedError


class IDebugListener(IVersionedInterface):
    """Told of tensors that were marked for debugging (INetworkDefinition.mark_debug), once a run was enqueued."""

    def process_debug_tensor(self, addr: int, location: Any, type: Any, shape: Any, name: str, stream: int) -> bool:
        """A tensor lies at `addr`, valid in the order of `stream` until the next run. False: the execution fails."""
        raise NotImplementedError


class IOutputAllocator(IVersionedInterface):
    """Gives room to outputs whose size is known late. Where `reallocate_output_async` is overridden, that one is asked."""

    def reallocate_output(self, tensor_name: str, memory: int, size: int, alignment: int) -> int:
        """Gives the address of at least `size` bytes; `memory` is what was given before, or 0."""
        raise NotImplementedError

    def reallocate_output_async(self, tensor_name: str, memory: int, size: int, alignment: int, stream: int) -> int:
        """The same, for use in the order of `stream`."""
        return self.reallocate_output(tensor_name, memory, size, alignment)

    def notify_shape(self, tensor_name: str, shape: Any) -> None:
        """The extents of the output."""
        raise NotImplementedError


class IGpuAllocator(IVersionedInterface):
    """Allocates device memory. Burnish keeps memory of its own."""

    def allocate(self, size: int, alignment: int, flags: int) -> int:
        """Gives the address of `size` bytes."""
        raise NotImplementedError

    def deallocate(self, memory: int) -> bool:
        """Takes memory back."""
        raise NotImplementedError

    def reallocate(self, address: int, alignment: int, new_size: int) -> int:
        """Gives the address of `new_size` bytes with what was at `address`; 0 where that cannot be."""
        return 0

    def allocate_async(self, size: int, alignment: int, flags: int, stream: int) -> int:
        """Gives memory for use in the order of `stream`."""
        return self.allocate(size, alignment, flags)

    def deallocate_async(self, memory: int, stream: int) -> bool:
        """Takes memory back in the order of `stream`."""
        return self.deallocate(memory)


class IGpuAsyncAllocator(IGpuAllocator):
    """The same, in the order of a stream."""


class IStreamReader(IVersionedInterface):
    """Gives the bytes of an engine."""

    def read(self, size: int) -> bytes:
        """The next bytes, at most as many as asked; none at the end."""
        raise NotImplementedError


class IStreamReaderV2(IVersionedInterface):
    """The same, where one can seek."""

    def read(self, num_bytes: int, stream: int) -> bytes:
        """The next bytes, at most as many as asked; none at the end."""
        raise NotImplementedError

    def seek(self, offset: int, where: Any) -> bool:
        """Goes to `offset` bytes from the begin, the place it is at, or the end (SeekPosition)."""
        raise NotImplementedError


class IStreamWriter(IVersionedInterface):
    """Takes the bytes of an engine."""

    def write(self, data: bytes) -> int:
        """Takes bytes, and says how many."""
        raise NotImplementedError
