"""The kinds of layers: their properties, and how each is said in ONNX. Importing a module registers its kinds."""

from . import contraction, control, data, indexing, normalization, plugin, pointwise  # noqa: F401
from . import quantization, reduction, resampling, shape, window  # noqa: F401
