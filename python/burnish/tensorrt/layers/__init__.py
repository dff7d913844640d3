"""The kinds of layers: their properties, and how each is said in ONNX."""

from .contraction import *  # noqa: F401,F403
from .control import *  # noqa: F401,F403
from .data import *  # noqa: F401,F403
from .indexing import *  # noqa: F401,F403
from .layer import CLASSES, ILayer, State  # noqa: F401
from .normalization import *  # noqa: F401,F403
from .plugin import *  # noqa: F401,F403
from .pointwise import *  # noqa: F401,F403
from .quantization import *  # noqa: F401,F403
from .reduction import *  # noqa: F401,F403
from .resampling import *  # noqa: F401,F403
from .shape import *  # noqa: F401,F403
from .window import *  # noqa: F401,F403

__all__ = [name for name, value in list(globals().items()) if name.startswith("I") and isinstance(value, type)]
