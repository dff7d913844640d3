"""Products of matrices, and what is made of them."""

from __future__ import annotations

import numpy as np

from ..emitter import onnx_type
from ..enums import AttentionNormalizationOp, CausalMaskKind, DataType, LayerType, MatrixOperation, MoEActType
from .layer import ILayer, Property, layer

__all__ = [
    "IMatrixMultiplyLayer", "IEinsumLayer", "IAttention", "IAttentionInputLayer", "IAttentionOutputLayer", "IRotaryEmbeddingLayer", "IMoELayer",
]  # fmt: skip


@layer(LayerType.MATRIX_MULTIPLY)
class IMatrixMultiplyLayer(ILayer):
    """The product of two stacks of matrices, each as it is, transposed, or a stack of vectors."""

    __slots__ = ()
    op0 = Property(MatrixOperation.NONE)
    op1 = Property(MatrixOperation.NONE)

    def _operand(self, e, index: int, op: MatrixOperation, axis: int) -> str:
        if op == MatrixOperation.VECTOR:
            return e.op("Unsqueeze", [e.inputs[index], e.constant([axis], np.int64)])
        if op == MatrixOperation.TRANSPOSE:
            rank = len(e.tensors[index].shape)
            return e.op("Transpose", [e.inputs[index]], perm=[*range(rank - 2), rank - 1, rank - 2])
        return e.inputs[index]

    def _emit(self, e) -> None:
        product = e.op("MatMul", [self._operand(e, 0, self.op0, -2), self._operand(e, 1, self.op1, -1)])
        lost = [axis for axis, op in ((-2, self.op0), (-1, self.op1)) if op == MatrixOperation.VECTOR]
        if lost:
            product = e.op("Squeeze", [product, e.constant(lost, np.int64)])
        e.op("Identity", [product], out=0)


@layer(LayerType.EINSUM)
class IEinsumLayer(ILayer):
    """A sum of products, as its equation says."""

    __slots__ = ()
    equation = Property("", str)

    def _emit(self, e) -> None:
        e.op("Einsum", e.inputs, out=0, equation=self.equation)


@layer(LayerType.ATTENTION_OUTPUT)
class IAttention(ILayer):
    """softmax(query keyᵀ + mask) value, of [batch, heads, length, width]. Scale the query before. Keys and values may have fewer heads,
    each for as many of the query's that follow one another."""

    __slots__ = ()
    norm_op = Property(AttentionNormalizationOp.SOFTMAX)
    causal = Property(False)
    decomposable = Property(False, bool, doc="Whether it may be done step by step where no kernel does it whole; it always may.")
    normalization_quantize_scale = Property(None)
    normalization_quantize_to_type = Property(None)

    @property
    def mask(self):
        """Added to the scores, or, if of bool, what may be seen."""
        return self.get_input(3)

    @mask.setter
    def mask(self, tensor) -> None:
        self.set_input(3, tensor)

    def _emit(self, e) -> None:
        query, key, value = e.inputs[0], self._heads(e, 1), self._heads(e, 2)
        scores = e.op("MatMul", [query, e.op("Transpose", [key], perm=[0, 1, 3, 2])])
        least = e.like_input(-1e4 if e.tensors[0].dtype == DataType.HALF else -1e30)
        if self.mask is not None and e.tensors[3].dtype == DataType.BOOL:
            scores = e.op("Where", [e.inputs[3], scores, least])
        elif self.mask is not None:
            scores = e.op("Add", [scores, e.inputs[3]])
        if self.causal not in (False, None, CausalMaskKind.NONE):
            scores = e.op("Where", [self._visible(e, query, key), scores, least])
        if self.norm_op == AttentionNormalizationOp.SOFTMAX:
            scores = e.op("Softmax", [scores], axis=-1)
        e.op("MatMul", [scores, value], out=0)

    def _heads(self, e, index: int) -> str:
        """Keys or values with as many heads as the query."""
        _, heads, length, width = e.tensors[index].shape
        times = e.tensors[0].shape[1] // heads if heads > 0 else 1
        if times <= 1:
            return e.inputs[index]
        copies = e.op("Concat", [e.op("Unsqueeze", [e.inputs[index], e.constant([2], np.int64)])] * times, axis=2)
        return e.op("Reshape", [copies, e.constant([0, heads * times, -1, width], np.int64)])

    def _visible(self, e, query: str, key: str) -> str:
        """Which keys a query sees: those up to its own place, from the first or from the last on."""
        rows, columns = (e.op("Shape", [x], start=2, end=3) for x in (query, key))
        ones = e.op("ConstantOfShape", [e.op("Concat", [rows, columns], axis=0)])
        offset = e.constant(1, np.int64)
        if self.causal == CausalMaskKind.LOWER_RIGHT:
            offset = e.op("Add", [e.op("Squeeze", [e.op("Sub", [columns, rows])]), offset])
        ones = e.op("Add", [ones, e.constant(1, np.float32)])
        return e.op("Equal", [e.op("Trilu", [ones, offset], upper=1), e.constant(0, np.float32)])


@layer(LayerType.ATTENTION_INPUT)
class IAttentionInputLayer(ILayer):
    """Where an attention begins. Networks of Burnish have one layer for all of it."""

    __slots__ = ()


IAttentionOutputLayer = IAttention


@layer(LayerType.ROTARY_EMBEDDING)
class IRotaryEmbeddingLayer(ILayer):
    """Turns pairs of [batch, heads, length, width] by angles whose cosines and sines are caches [positions, width / 2], looked up
    by a fourth input of positions [batch, length], or [batch, length, width / 2]."""

    __slots__ = ()
    interleaved = Property(False, bool)
    rotary_embedding_dim = Property(0, int)

    def _emit(self, e) -> None:
        width = self.rotary_embedding_dim or e.tensors[0].shape[-1]
        rest = e.tensors[0].shape[-1] - width
        x, half = e.inputs[0], width // 2
        turned, left = x, None
        if rest:
            turned, left = e.op("Slice", self._last(e, x, 0, width)), e.op("Slice", self._last(e, x, width, width + rest))
        cos, sin = (self._angles(e, i) for i in (1, 2))
        if self.interleaved:
            first = e.op("Slice", self._last(e, turned, 0, width, 2))
            second = e.op("Slice", self._last(e, turned, 1, width, 2))
        else:
            first, second = e.op("Slice", self._last(e, turned, 0, half)), e.op("Slice", self._last(e, turned, half, width))
        real = e.op("Sub", [e.op("Mul", [first, cos]), e.op("Mul", [second, sin])])
        imaginary = e.op("Add", [e.op("Mul", [first, sin]), e.op("Mul", [second, cos])])
        if self.interleaved:
            last = e.constant([-1], np.int64)
            pairs = e.op("Concat", [e.op("Unsqueeze", [p, last]) for p in (real, imaginary)], axis=-1)
            y = e.op("Reshape", [pairs, e.op("Shape", [turned])])
        else:
            y = e.op("Concat", [real, imaginary], axis=-1)
        if left is not None:
            y = e.op("Concat", [y, left], axis=-1)
        e.op("Identity", [y], out=0)

    def _last(self, e, x: str, begin: int, end: int, step: int = 1) -> list:
        """The operands of a slice of the last axis."""
        return [x, *(e.constant([v], np.int64) for v in (begin, end, -1, step))]

    def _angles(self, e, index: int) -> str:
        cache = e.inputs[index]
        if self.num_inputs > 3:
            cache = e.op("Gather", [cache, e.inputs[3]], axis=0)
        return e.op("Unsqueeze", [cache, e.constant([1], np.int64)])


@layer(LayerType.MOE)
class IMoELayer(ILayer):
    """A mixture of experts: tokens [batch, length, width], of each the experts [batch, length, k] that see it, and their scores. Every expert
    is computed for every token, and those that were not chosen count nothing: right, and as slow as all of them."""

    __slots__ = ()
    activation_type = Property(MoEActType.NONE)

    def set_gated_weights(self, fc_gate_weights, fc_up_weights, fc_down_weights, activation_type: MoEActType) -> None:
        """Of all experts: [experts, width, inner] twice, and [experts, inner, width]."""
        self.activation_type = activation_type
        for index, weights in enumerate((fc_gate_weights, fc_up_weights, fc_down_weights), 3):
            self.set_input(index, weights)

    def set_gated_biases(self, fc_gate_biases, fc_up_biases, fc_down_biases) -> None:
        """[experts, inner] twice, and [experts, width]."""
        for index, biases in enumerate((fc_gate_biases, fc_up_biases, fc_down_biases), 6):
            self.set_input(index, biases)

    def _refused(self, what: str) -> None:
        self._state.network._report.error(f"{what} of '{self.name}' has no effect: there are no quantised kernels yet")

    def set_quantization_static(self, fc_down_activation_scale, data_type: DataType) -> None:
        self._refused("set_quantization_static")

    def set_quantization_dynamic_dbl_q(self, *arguments) -> None:
        self._refused("set_quantization_dynamic_dbl_q")

    def _emit(self, e) -> None:
        if self.num_inputs < 6:
            raise ValueError("the experts have no weights: call set_gated_weights")
        tokens = e.op("Unsqueeze", [e.inputs[0], e.constant([1], np.int64)])  # [batch, 1, length, width]
        gate, up = self._linear(e, tokens, 3), self._linear(e, tokens, 4)  # [batch, experts, length, inner]
        if self.activation_type == MoEActType.SILU:
            gate = e.op("Mul", [gate, e.op("Sigmoid", [gate])])
        down = self._linear(e, e.op("Mul", [gate, up]), 5)
        e.op("ReduceSum", [e.op("Mul", [down, self._shares(e)]), e.constant([1], np.int64)], out=0, keepdims=0)

    def _linear(self, e, x: str, index: int) -> str:
        y = e.op("MatMul", [x, e.inputs[index]])
        if self.num_inputs <= index + 3:
            return y
        return e.op("Add", [y, e.op("Unsqueeze", [e.inputs[index + 3], e.constant([1], np.int64)])])

    def _shares(self, e) -> str:
        """The score of each expert for each token, 0 where it was not chosen: [batch, experts, length, 1]."""
        last, experts = e.constant([-1], np.int64), np.arange(e.tensors[3].shape[0])
        chosen = e.op("Equal", [e.op("Unsqueeze", [e.int64s(1), last]), e.constant(experts, np.int64)])
        scores = e.op("Mul", [e.op("Cast", [chosen], to=onnx_type(e.tensors[2].dtype)), e.op("Unsqueeze", [e.inputs[2], last])])
        of_token = e.op("ReduceSum", [scores, e.constant([2], np.int64)], keepdims=0)
        return e.op("Unsqueeze", [e.op("Transpose", [of_token], perm=[0, 2, 1]), last])
