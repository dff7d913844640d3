"""Messages to the user: the logger that scripts subclass, and the error recorder beside it."""

from __future__ import annotations

import datetime
import sys
import traceback
from typing import Any, Callable, Optional

from ..errors import Error
from .enums import Enum, ErrorCodeTRT


class ILogger:
    """To be subclassed: `log` is told every message."""

    class Severity(Enum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity

    def log(self, severity: ILogger.Severity, msg: str) -> None:
        """Takes a message."""
        raise NotImplementedError("a logger defines log(severity, msg)")


class Logger(ILogger):
    """Prints messages of `min_severity` and graver ones on standard error."""

    _LETTERS = "FEWIV"

    def __init__(self, min_severity: ILogger.Severity = ILogger.Severity.WARNING):
        self.min_severity = min_severity

    def log(self, severity: ILogger.Severity, msg: str) -> None:
        """Takes a message."""
        if severity.value <= self.min_severity.value:
            now = datetime.datetime.now().strftime("%m/%d/%Y-%H:%M:%S")
            print(f"[{now}] [TRT] [{self._LETTERS[severity.value]}] {msg}", file=sys.stderr)

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, *exc) -> None:
        pass


class IErrorRecorder:
    """To be subclassed: is told the errors of the object that it is attached to."""

    MAX_DESC_LENGTH = 127

    def num_errors(self) -> int:
        """How many it holds."""
        raise NotImplementedError

    def get_error_code(self, index: int) -> ErrorCodeTRT:
        """The code of one."""
        raise NotImplementedError

    def get_error_desc(self, index: int) -> str:
        """The text of one."""
        raise NotImplementedError

    def has_overflowed(self) -> bool:
        """Whether some were lost."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forgets all."""
        raise NotImplementedError

    def report_error(self, code: ErrorCodeTRT, desc: str) -> bool:
        """Takes an error; True where that worked."""
        raise NotImplementedError


def answer_of(callback: Callable, *arguments: Any, failed: Any = None) -> Any:
    """What a user's override answers; where it raises, that is printed and `failed` is the answer."""
    try:
        return callback(*arguments)
    except Exception:
        traceback.print_exc()
        return failed


_CODES = {  # Burnish's status by the exception's name: the interface's code
    "InvalidArgument": ErrorCodeTRT.INVALID_ARGUMENT,
    "InvalidModel": ErrorCodeTRT.INVALID_ARGUMENT,
    "Unsupported": ErrorCodeTRT.UNSUPPORTED_STATE,
    "OutOfMemory": ErrorCodeTRT.FAILED_ALLOCATION,
    "DeviceError": ErrorCodeTRT.FAILED_EXECUTION,
    "IncompatibleEngine": ErrorCodeTRT.FAILED_INITIALIZATION,
    "InternalError": ErrorCodeTRT.INTERNAL_ERROR,
}


class Reporter:
    """Where an object's messages go: its logger, and its error recorder if it has one. What makes no difference to Burnish is
    said once for each logger."""

    def __init__(self, logger: Optional[ILogger], owner: Any = None):
        self.logger = logger
        self._owner = owner
        self._said: set = set()

    def _log(self, severity: ILogger.Severity, text: str) -> None:
        if self.logger is not None:
            answer_of(self.logger.log, severity, text)

    def info(self, text: str) -> None:
        self._log(ILogger.Severity.INFO, text)

    def verbose(self, text: str) -> None:
        self._log(ILogger.Severity.VERBOSE, text)

    def warning(self, text: str) -> None:
        self._log(ILogger.Severity.WARNING, text)

    def no_effect(self, what: str, why: str) -> None:
        """Says once that something is accepted and does nothing."""
        said = getattr(self.logger, "_burnish_said", self._said)
        if what in said:
            return
        said.add(what)
        try:
            self.logger._burnish_said = said
        except AttributeError:  # a logger with slots: once for each object then
            pass
        self.warning(f"{what} has no effect: {why}")

    def error(self, text: str, code: ErrorCodeTRT = ErrorCodeTRT.INVALID_ARGUMENT) -> None:
        self._log(ILogger.Severity.ERROR, text)
        recorder = getattr(self._owner, "error_recorder", None)
        if recorder is not None:
            answer_of(recorder.report_error, code, text[: IErrorRecorder.MAX_DESC_LENGTH])

    def failure(self, error: BaseException) -> None:
        """An exception as an error."""
        text = f"{error.cause}; {error.remedy}" if isinstance(error, Error) and error.remedy else str(error)
        self.error(text, _CODES.get(type(error).__name__, ErrorCodeTRT.UNSPECIFIED_ERROR))


class NoEffect:
    """A setting that is kept and makes no difference to Burnish; assigning it something else than its default says so, once. Its
    owner has a Reporter, `_report`."""

    def __init__(self, default: Any, why: str):
        self._default, self._why = default, why

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._what = name, f"{owner.__name__}.{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.__dict__.get(self._what, self._default)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self._what] = value
        if value is not None and value != self._default:
            instance._report.no_effect(self._what, self._why)

    @staticmethod
    def reset(instance: Any) -> None:
        """All of them as in a new object."""
        for name, setting in vars(type(instance)).items():
            if isinstance(setting, NoEffect):
                instance.__dict__.pop(setting._what, None)


class Scoped:
    """What scripts written for old versions use in `with`; it does nothing."""

    def __enter__(self):
        import warnings

        warnings.warn("Context managers for TensorRT types are deprecated.", DeprecationWarning, stacklevel=2)
        return self

    def __exit__(self, *exc) -> None:
        pass
