"""What the library answers when something cannot be done: one line of cause, one of what to do."""

from __future__ import annotations


class Error(Exception):
    """Something could not be done. `cause` says what and where, `remedy` what to do ("" where nothing is known to help)."""

    def __init__(self, cause: str, remedy: str = ""):
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}\n  try: {self.remedy}" if self.remedy else self.cause


class InvalidArgument(Error, ValueError):
    """An argument, option or array is not what is allowed there."""


class InvalidModel(Error, ValueError):
    """The model is not valid ONNX, or contradicts itself."""


class Unsupported(Error, NotImplementedError):
    """Valid, but not something that Burnish does."""


class OutOfMemory(Error, MemoryError):
    """Host or device memory did not suffice."""


class DeviceError(Error, RuntimeError):
    """The GPU or its driver failed, or there is none."""


class IncompatibleEngine(Error, RuntimeError):
    """The engine file is damaged, of another version, or for another device."""


class FileError(Error, OSError):
    """A file could not be read or written."""


class Cancelled(Error):
    """A progress callback ended the build."""


class InternalError(Error, RuntimeError):
    """A fault of Burnish."""


BY_STATUS = {  # burnish_status, never renumbered
    1: InvalidArgument,
    2: InvalidModel,
    3: Unsupported,
    4: OutOfMemory,
    5: DeviceError,
    6: IncompatibleEngine,
    7: FileError,
    8: Cancelled,
    9: InternalError,
}
