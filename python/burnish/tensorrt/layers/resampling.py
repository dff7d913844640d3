"""Layers that sample between elements."""

from __future__ import annotations

import numpy as np

from ..emitter import Unsayable
from ..enums import InterpolationMode, LayerType, ResizeCoordinateTransformation, ResizeRoundMode, ResizeSelector, SampleMode
from ..types import Dims
from .layer import ILayer, Property, layer

__all__ = ["IResizeLayer", "IGridSampleLayer"]

_COORDINATES = {
    ResizeCoordinateTransformation.ALIGN_CORNERS: "align_corners",
    ResizeCoordinateTransformation.ASYMMETRIC: "asymmetric",
    ResizeCoordinateTransformation.HALF_PIXEL: "half_pixel",
}
_ROUNDING = {
    ResizeRoundMode.HALF_UP: "round_prefer_ceil",
    ResizeRoundMode.HALF_DOWN: "round_prefer_floor",
    ResizeRoundMode.FLOOR: "floor",
    ResizeRoundMode.CEIL: "ceil",
}
_BORDERS = {SampleMode.FILL: "zeros", SampleMode.CLAMP: "border", SampleMode.REFLECT: "reflection"}


@layer(LayerType.RESIZE)
class IResizeLayer(ILayer):
    """To the extents `shape`, those of a second input, or `scales` times its own."""

    __slots__ = ()
    shape = Property(None, Dims)
    scales = Property(None, list)
    resize_mode = Property(InterpolationMode.NEAREST)
    coordinate_transformation = Property(ResizeCoordinateTransformation.ASYMMETRIC)
    selector_for_single_pixel = Property(ResizeSelector.FORMULA)
    nearest_rounding = Property(ResizeRoundMode.FLOOR)
    exclude_outside = Property(False, bool)
    cubic_coeff = Property(-0.75, float)

    def _emit(self, e) -> None:
        if self.selector_for_single_pixel == ResizeSelector.UPPER:
            raise Unsayable("an output of one pixel is sampled by the formula; the selector UPPER is not supported")
        scales = sizes = None
        if self.num_inputs > 1:
            sizes = e.int64s(1)
        elif self.shape is not None:
            sizes = e.constant(self.shape, np.int64)
        elif self.scales is not None:
            scales = e.constant(self.scales, np.float32)
        else:  # nothing is set yet
            e.op("Identity", [e.inputs[0]], out=0)
            return
        nearest = self.resize_mode == InterpolationMode.NEAREST
        cubic = self.resize_mode == InterpolationMode.CUBIC
        e.op(
            "Resize",
            [e.inputs[0], None, scales, sizes],
            out=0,
            mode=self.resize_mode.name.lower(),
            coordinate_transformation_mode=_COORDINATES[self.coordinate_transformation],
            nearest_mode=_ROUNDING[self.nearest_rounding] if nearest else None,
            exclude_outside=int(self.exclude_outside) if cubic else None,
            cubic_coeff_a=self.cubic_coeff if cubic else None,
        )


@layer(LayerType.GRID_SAMPLE)
class IGridSampleLayer(ILayer):
    """Input [N, C, H, W] at the points (x, y) of a grid [N, h, w, 2], from -1 to 1; or with a depth, and a grid [N, d, h, w, 3]."""

    __slots__ = ()
    interpolation_mode = Property(InterpolationMode.LINEAR)
    align_corners = Property(False, bool)
    sample_mode = Property(SampleMode.FILL)

    def _emit(self, e) -> None:
        if self.sample_mode not in _BORDERS:
            raise Unsayable(f"a grid is sampled with FILL, CLAMP or REFLECT, not {self.sample_mode}")
        mode = {InterpolationMode.NEAREST: "nearest", InterpolationMode.LINEAR: "linear", InterpolationMode.CUBIC: "cubic"}
        e.op(
            "GridSample", e.inputs, out=0, mode=mode[self.interpolation_mode], padding_mode=_BORDERS[self.sample_mode],
            align_corners=int(self.align_corners),
        )  # fmt: skip
