"""Layers whose output does not depend on data."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from ..emitter import Unsayable
from ..enums import DataType, FillOperation, LayerType
from ..types import Dims, array_of, dtype_name
from .layer import ILayer, Property, layer

__all__ = ["IConstantLayer", "IFillLayer"]


@layer(LayerType.CONSTANT)
class IConstantLayer(ILayer):
    """Weights as a tensor."""

    __slots__ = ()
    weights = Property(None)
    shape = Property(None, Dims)

    def _emit(self, e) -> None:
        values = np.asarray(array_of(self.weights), order="C").reshape(self.shape)
        e.initializers.append(numpy_helper.from_array(values, e.outputs[0]))


@layer(LayerType.FILL)
class IFillLayer(ILayer):
    """Numbers alpha, alpha + beta, … in `shape`, or in the extents that input 0 gives; inputs 1 and 2 may give alpha and beta."""

    __slots__ = ()
    shape = Property(None, Dims)
    operation = Property(FillOperation.LINSPACE)
    alpha = Property(0)
    beta = Property(1)
    to_type = Property(DataType.FLOAT)

    def is_alpha_beta_int64(self) -> bool:
        """Whether both are whole numbers of 64 bits."""
        return isinstance(self.alpha, int) and isinstance(self.beta, int)

    def _emit(self, e) -> None:
        if self.operation != FillOperation.LINSPACE:
            raise Unsayable("Burnish makes no random numbers; give them as an input")
        kind = np.dtype(dtype_name(self.to_type))
        if self.num_inputs == 0 and len(self.shape) == 1:
            e.initializers.append(numpy_helper.from_array((self.alpha + self.beta * np.arange(self.shape[0])).astype(kind), e.outputs[0]))
            return
        extent = e.int64s(0) if self.num_inputs and self.get_input(0) is not None else e.constant(self.shape, np.int64)
        alpha = e.inputs[1] if self.num_inputs > 1 and e.inputs[1] else e.constant(self.alpha, kind)
        beta = e.inputs[2] if self.num_inputs > 2 and e.inputs[2] else e.constant(self.beta, kind)
        rank = e.tensors[0].shape[0] if self.num_inputs and self.get_input(0) is not None else len(self.shape)
        if rank != 1:
            raise Unsayable(f"a fill of {rank} axes is not supported; fill one and reshape")
        zero, one = e.constant(0, np.int64), e.constant(1, np.int64)
        steps = e.op(
            "Cast", [e.op("Range", [zero, e.op("Squeeze", [extent]), one])], to=numpy_helper.from_array(np.zeros(1, kind)).data_type
        )
        beta = e.op("Reshape", [beta, e.constant([], np.int64)]) if self.num_inputs > 2 else beta
        e.op("Add", [e.op("Mul", [steps, beta]), alpha], out=0)
