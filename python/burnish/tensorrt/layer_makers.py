"""The add_… functions of a network. Each returns the layer, or None with an error in the log."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from .enums import AttentionNormalizationOp, CausalMaskKind, DataType, FillOperation, GatherMode, KVCacheMode, LayerType
from .enums import PluginCapabilityType, ScatterMode
from .layers.control import IIfConditional, ILoop
from .layers.layer import ILayer
from .plugin_v2 import AsV3
from .plugins import IPluginV2DynamicExt
from .types import array_of


class LayerMakers:
    """Mixed into the network, which has `_add(kind, inputs, outputs, **properties)`."""

    def _reject(self, what: str, why: str) -> None:
        self._report.error(f"{what} cannot be added: {why}")

    # ---- windows

    def add_convolution_nd(
        self, input: Any, num_output_maps: int, kernel_shape: Sequence[int], kernel: Any, bias: Any = None
    ) -> Optional[ILayer]:
        """kernel: [num_output_maps, C / groups, kernel…]."""
        return self._add(
            LayerType.CONVOLUTION, [input], num_output_maps=num_output_maps, kernel_size_nd=kernel_shape, kernel=kernel, bias=bias
        )

    add_convolution = add_convolution_nd

    def add_deconvolution_nd(
        self, input: Any, num_output_maps: int, kernel_shape: Sequence[int], kernel: Any, bias: Any = None
    ) -> Optional[ILayer]:
        """kernel: [C, num_output_maps / groups, kernel…]."""
        return self._add(
            LayerType.DECONVOLUTION, [input], num_output_maps=num_output_maps, kernel_size_nd=kernel_shape, kernel=kernel, bias=bias
        )

    add_deconvolution = add_deconvolution_nd

    def add_pooling_nd(self, input: Any, type: Any, window_size: Sequence[int]) -> Optional[ILayer]:
        """Strides are 1 until they are set."""
        return self._add(LayerType.POOLING, [input], type=type, window_size_nd=window_size)

    add_pooling = add_pooling_nd

    def add_padding_nd(self, input: Any, pre_padding: Sequence[int], post_padding: Sequence[int]) -> Optional[ILayer]:
        """Zeros before and after the last axes; negative numbers crop."""
        return self._add(LayerType.PADDING, [input], pre_padding_nd=pre_padding, post_padding_nd=post_padding)

    add_padding = add_padding_nd

    # ---- one element at a time

    def add_activation(self, input: Any, type: Any) -> Optional[ILayer]:
        """An ActivationType of each element; set alpha and beta where it has them."""
        return self._add(LayerType.ACTIVATION, [input], type=type)

    def add_elementwise(self, input1: Any, input2: Any, op: Any) -> Optional[ILayer]:
        """An ElementWiseOperation of two tensors; extents of 1 are broadcast."""
        return self._add(LayerType.ELEMENTWISE, [input1, input2], op=op)

    def add_unary(self, input: Any, op: Any) -> Optional[ILayer]:
        """A UnaryOperation of each element."""
        return self._add(LayerType.UNARY, [input], op=op)

    def add_scale(self, input: Any, mode: Any, shift: Any = None, scale: Any = None, power: Any = None) -> Optional[ILayer]:
        """Weights: one each, one for each channel (axis 1), or one for each element of an image."""
        return self._add(LayerType.SCALE, [input], mode=mode, shift=shift, scale=scale, power=power)

    def add_scale_nd(
        self, input: Any, mode: Any, shift: Any = None, scale: Any = None, power: Any = None, channel_axis: int = 1
    ) -> Optional[ILayer]:
        """The same, with the channels along `channel_axis`."""
        return self._add(LayerType.SCALE, [input], mode=mode, shift=shift, scale=scale, power=power, channel_axis=channel_axis)

    def add_parametric_relu(self, input: Any, slopes: Any) -> Optional[ILayer]:
        """slopes: of extents that broadcast to the input's."""
        return self._add(LayerType.PARAMETRIC_RELU, [input, slopes])

    def add_select(self, condition: Any, then_input: Any, else_input: Any) -> Optional[ILayer]:
        """condition: of bool; all three broadcast."""
        return self._add(LayerType.SELECT, [condition, then_input, else_input])

    def add_identity(self, input: Any) -> Optional[ILayer]:
        """The input; with set_output_type, as another type."""
        return self._add(LayerType.IDENTITY, [input])

    def add_cast(self, input: Any, to_type: DataType) -> Optional[ILayer]:
        """The input as another type."""
        return self._add(LayerType.CAST, [input], to_type=to_type)

    # ---- normalisation

    def add_softmax(self, input: Any) -> Optional[ILayer]:
        """Along `axes`, a mask; at first the third axis from the end."""
        return self._add(LayerType.SOFTMAX, [input])

    def add_ragged_softmax(self, input: Any, bounds: Any) -> Optional[ILayer]:
        """Along the last axis, of as many elements of each row as bounds [rows…, 1] says."""
        return self._add(LayerType.RAGGED_SOFTMAX, [input, bounds])

    def add_lrn(self, input: Any, window: int, alpha: float, beta: float, k: float) -> Optional[ILayer]:
        """Over `window` neighbouring channels of [N, C, …]."""
        return self._add(LayerType.LRN, [input], window_size=window, alpha=alpha, beta=beta, k=k)

    def add_normalization(self, input: Any, scale: Any, bias: Any, axesMask: int) -> Optional[ILayer]:
        """Over the axes of a mask; scale and bias broadcast to the input."""
        return self._add(LayerType.NORMALIZATION, [input, scale, bias], axes=axesMask)

    def add_normalization_v2(self, input: Any, scale: Any, bias: Any, axesMask: int) -> Optional[ILayer]:
        """The same as add_normalization."""
        return self._add(LayerType.NORMALIZATION, [input, scale, bias], axes=axesMask, is_v2=True)

    # ---- reductions

    def add_reduce(self, input: Any, op: Any, axes: int, keep_dims: bool) -> Optional[ILayer]:
        """A ReduceOperation along the axes of a mask."""
        return self._add(LayerType.REDUCE, [input], op=op, axes=axes, keep_dims=keep_dims)

    def add_topk(self, input: Any, op: Any, k: int, axes: int, indices_type: DataType = DataType.INT32) -> Optional[ILayer]:
        """The k greatest or least along the one axis of a mask; two outputs, values and indices."""
        return self._add(LayerType.TOPK, [input], 2, op=op, k=k, axes=axes, indices_type=indices_type)

    def add_cumulative(self, input: Any, axis: Any, op: Any, exclusive: bool, reverse: bool) -> Optional[ILayer]:
        """Running sums along the axis that a scalar tensor gives."""
        return self._add(LayerType.CUMULATIVE, [input, axis], op=op, exclusive=exclusive, reverse=reverse)

    # ---- products

    def add_matrix_multiply(self, input0: Any, op0: Any, input1: Any, op1: Any) -> Optional[ILayer]:
        """Of the last two axes; those before broadcast."""
        return self._add(LayerType.MATRIX_MULTIPLY, [input0, input1], op0=op0, op1=op1)

    def add_fully_connected(self, input: Any, num_outputs: int, kernel: Any, bias: Any = None) -> Optional[ILayer]:
        """8.x: input [N, C, H, W] to [N, num_outputs, 1, 1]; it is a convolution with a window of the whole."""
        weights = array_of(kernel)
        if weights is None:
            self._reject("IFullyConnectedLayer", "it has no kernel weights")
            return None
        window = tuple(input.shape[2:])
        return self.add_convolution_nd(input, num_outputs, window, weights, bias)

    def add_einsum(self, inputs: Sequence[Any], equation: str) -> Optional[ILayer]:
        """equation: as numpy's einsum, with `->`."""
        return self._add(LayerType.EINSUM, list(inputs), equation=equation)

    def add_attention(
        self, query: Any, key: Any, value: Any, norm_op: Any = AttentionNormalizationOp.SOFTMAX, causal: Any = CausalMaskKind.NONE
    ) -> Optional[ILayer]:
        """causal: a CausalMaskKind, or True for UPPER_LEFT."""
        kind = CausalMaskKind.UPPER_LEFT if causal is True else causal or CausalMaskKind.NONE
        return self._add(LayerType.ATTENTION_OUTPUT, [query, key, value], norm_op=norm_op, causal=kind)

    def add_moe(self, hidden_states: Any, selected_experts_for_tokens: Any, scores_for_selected_experts: Any) -> Optional[ILayer]:
        """A mixture of experts for tokens [batch, length, width]; set_gated_weights of the layer gives the experts."""
        return self._add(LayerType.MOE, [hidden_states, selected_experts_for_tokens, scores_for_selected_experts])

    def add_rotary_embedding(
        self, input: Any, cos_cache: Any, sin_cache: Any, interleaved: bool, rotary_embedding_dim: int
    ) -> Optional[ILayer]:
        """input: [batch, heads, length, width]; caches: [batch, length, width / 2], or tables for a fourth input of positions."""
        return self._add(
            LayerType.ROTARY_EMBEDDING, [input, cos_cache, sin_cache], interleaved=interleaved, rotary_embedding_dim=rotary_embedding_dim
        )

    # ---- shapes

    def add_shuffle(self, input: Any) -> Optional[ILayer]:
        """A reshape between two transposes; set those that are wanted."""
        return self._add(LayerType.SHUFFLE, [input])

    def add_slice(self, input: Any, start: Sequence[int], shape: Sequence[int], stride: Sequence[int]) -> Optional[ILayer]:
        """`shape` elements from `start`, `stride` apart, along every axis."""
        return self._add(LayerType.SLICE, [input], start=start, shape=shape, stride=stride)

    def add_concatenation(self, inputs: Sequence[Any]) -> Optional[ILayer]:
        """Along `axis`, which is at first the third from the end."""
        return self._add(LayerType.CONCATENATION, list(inputs))

    def add_shape(self, input: Any) -> Optional[ILayer]:
        """The extents, as INT64 of one axis."""
        return self._add(LayerType.SHAPE, [input])

    def add_squeeze(self, input: Any, axes: Any) -> Optional[ILayer]:
        """axes: a constant tensor of those to drop."""
        return self._add(LayerType.SQUEEZE, [input, axes])

    def add_unsqueeze(self, input: Any, axes: Any) -> Optional[ILayer]:
        """axes: a constant tensor of where extents of 1 come in."""
        return self._add(LayerType.UNSQUEEZE, [input, axes])

    def add_resize(self, input: Any) -> Optional[ILayer]:
        """Set shape or scales, and how it is sampled."""
        return self._add(LayerType.RESIZE, [input])

    def add_grid_sample(self, input: Any, grid: Any) -> Optional[ILayer]:
        """input [N, C, H, W] at the points of a grid [N, h, w, 2]."""
        return self._add(LayerType.GRID_SAMPLE, [input, grid])

    # ---- indices

    def add_gather(self, input: Any, indices: Any, axis: int) -> Optional[ILayer]:
        """Along `axis`, at indices of any shape."""
        return self._add(LayerType.GATHER, [input, indices], axis=axis)

    def add_gather_v2(self, input: Any, indices: Any, mode: GatherMode) -> Optional[ILayer]:
        """By a GatherMode."""
        return self._add(LayerType.GATHER, [input, indices], mode=mode)

    def add_scatter(self, data: Any, indices: Any, updates: Any, mode: ScatterMode) -> Optional[ILayer]:
        """By a ScatterMode."""
        return self._add(LayerType.SCATTER, [data, indices, updates], mode=mode)

    def add_one_hot(self, indices: Any, values: Any, depth: Any, axis: int) -> Optional[ILayer]:
        """values: [off, on]; depth: a scalar."""
        return self._add(LayerType.ONE_HOT, [indices, values, depth], axis=axis)

    def add_non_zero(self, input: Any, indices_type: DataType = DataType.INT32) -> Optional[ILayer]:
        """The places [rank, n] of what is not zero; n is known when it runs."""
        return self._add(LayerType.NON_ZERO, [input], indices_type=indices_type)

    def add_nms(
        self, boxes: Any, scores: Any, max_output_boxes_per_class: Any, indices_type: DataType = DataType.INT32
    ) -> Optional[ILayer]:
        """boxes: [N, B, 4]; scores: [N, B, classes]; two outputs, [n, 3] of (image, class, box) and their number."""
        return self._add(LayerType.NMS, [boxes, scores, max_output_boxes_per_class], 2, indices_type=indices_type)

    def add_reverse_sequence(self, input: Any, sequence_lens: Any) -> Optional[ILayer]:
        """sequence_lens: one for each sequence of the batch."""
        return self._add(LayerType.REVERSE_SEQUENCE, [input, sequence_lens])

    def add_kv_cache_update(self, cache: Any, update: Any, write_indices: Any, cache_mode: Any = KVCacheMode.LINEAR) -> Optional[ILayer]:
        """cache: [batch, heads, capacity, width], written from write_indices [batch] on with an update of fewer places."""
        return self._add(LayerType.KVCACHE_UPDATE, [cache, update, write_indices], cache_mode=cache_mode)

    # ---- data

    def add_constant(self, shape: Sequence[int], weights: Any) -> Optional[ILayer]:
        """weights: as many elements as `shape` has."""
        layer = self._add(LayerType.CONSTANT, [], shape=shape, weights=weights)
        values = array_of(weights)
        if layer is not None and values.size <= 64 and values.dtype in (np.int32, np.int64, np.bool_):
            layer.get_output(0)._known = np.asarray(values, order="C").reshape(layer.shape)
        return layer

    def add_fill(self, shape: Sequence[int], op: FillOperation, output_type: DataType = DataType.FLOAT) -> Optional[ILayer]:
        """Numbers in even steps: set alpha and beta."""
        return self._add(LayerType.FILL, [], shape=shape, operation=op, to_type=output_type)

    # ---- control flow

    def add_assertion(self, condition: Any, message: str) -> Optional[ILayer]:
        """condition: of bool, constant; it is looked at here. None where it is false, or depends on data: engines assert nothing."""
        return self._add(LayerType.ASSERTION, [condition], 0, message=message)

    def add_loop(self) -> ILoop:
        """A loop, to be given recurrences, iterators, a trip limit and outputs."""
        return ILoop(self, self._unique("(Unnamed Loop)"))

    def add_if_conditional(self) -> IIfConditional:
        """A condition, to be given what decides, inputs and outputs."""
        return IIfConditional(self, self._unique("(Unnamed Condition)"))

    # ---- operators of the script's own

    def add_plugin_v3(self, inputs: Sequence[Any], shape_inputs: Sequence[Any], plugin: Any) -> Optional[ILayer]:
        """plugin: an IPluginV3. Where the engine runs its creator is registered."""
        if shape_inputs:
            return self._reject("IPluginV3Layer", "shape inputs are not handed to plugins; give the tensor among the inputs")
        build = plugin.get_capability_interface(PluginCapabilityType.BUILD)
        return self._add(LayerType.PLUGIN_V3, list(inputs), build.num_outputs, served=plugin)

    def add_plugin_v2(self, inputs: Sequence[Any], plugin: Any) -> Optional[ILayer]:
        """plugin: an IPluginV2DynamicExt. Where the engine runs its creator is registered."""
        if not isinstance(plugin, IPluginV2DynamicExt):
            return self._reject("IPluginV2Layer", "only IPluginV2DynamicExt is run of the older plugins; derive from it, or from IPluginV3")
        return self._add(LayerType.PLUGIN_V2, list(inputs), plugin.num_outputs, served=AsV3(plugin))

    # ---- what cannot be said, or done, yet: None, with the reason in the log

    def add_quantize(self, input: Any, scale: Any, output_type: DataType = DataType.INT8) -> None:
        """None: there are no quantised kernels yet."""
        return self._add(LayerType.QUANTIZE, [input, scale])

    def add_dequantize(self, input: Any, scale: Any, output_type: DataType = DataType.FLOAT) -> None:
        """None: there are no quantised kernels yet."""
        return self._add(LayerType.DEQUANTIZE, [input, scale])

    def add_dynamic_quantize(self, input: Any, axis: int, block_size: int, output_type: DataType, scale_type: DataType) -> None:
        """None: there are no quantised kernels yet."""
        return self._add(LayerType.DYNAMIC_QUANTIZE, [input], 2)

    def add_dynamic_quantize_v2(self, input: Any, block_shape: Any, output_type: DataType, scale_type: DataType) -> None:
        """None: there are no quantised kernels yet."""
        return self._add(LayerType.DYNAMIC_QUANTIZE, [input], 2)

    def add_plugin(self, *arguments: Any) -> None:
        """None: plugins are IPluginV3."""
        return self._add(LayerType.PLUGIN, [])

    def add_dist_collective(self, input: Any, dist_collective_op: Any, reduce_op: Any, root: int, groups: Any) -> None:
        """None: an engine runs on one GPU."""
        return self._add(LayerType.DIST_COLLECTIVE, [input])
