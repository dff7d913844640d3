"""Layers that need code or hardware of others: plugins; and collectives of several GPUs, which exist by name alone."""

from __future__ import annotations

from typing import Any, List, Optional

from onnx import helper, numpy_helper

from ..emitter import Unsayable
from ..enums import LayerType, PluginCapabilityType
from ..plugin_extents import DimsExprs, IDimensionExpr, IExprBuilder
from ..plugin_operators import INSTANCE, array_or_bytes, number_of, output_types
from ..plugins import registry
from ..types import Dims
from .layer import ILayer, Property, layer

__all__ = ["IPluginLayer", "IPluginV2Layer", "IPluginV3Layer", "IDistCollectiveLayer"]


def _absent(kind: LayerType, name: str, why: str) -> type:
    def emit(self, e) -> None:
        raise Unsayable(why)

    return layer(kind)(type(name, (ILayer,), {"__slots__": (), "__doc__": why + ".", "_emit": emit, "__module__": __name__}))


PLUGIN_DOMAIN = "trt.plugins"


class _PluginLayer(ILayer):
    """An operator in code of the script's own."""

    __slots__ = ()
    served: Any = Property(doc="The plugin as IPluginV3; None of a parsed model.")

    def _types(self) -> Optional[List[tuple]]:
        if self.served is None:
            return None
        builder = IExprBuilder()
        inputs = [DimsExprs(IDimensionExpr(builder, None if e < 0 else e) for e in t.shape) for t in self._state.inputs]
        kinds, shapes = output_types(self.served, inputs, [t.dtype for t in self._state.inputs], builder)
        return [(kind, Dims(-1 if e._value is None else e._value for e in shape)) for kind, shape in zip(kinds, shapes)]

    def _emit(self, e: Any) -> None:
        core = self.served.get_capability_interface(PluginCapabilityType.CORE)
        registry._provide(core)
        node = helper.make_node(core.plugin_name, e.inputs, e.outputs, name=self.name, domain=PLUGIN_DOMAIN)
        node.attribute.append(helper.make_attribute("plugin_version", core.plugin_version))
        node.attribute.append(helper.make_attribute(INSTANCE, number_of(self.served)))
        fields = self.served.get_capability_interface(PluginCapabilityType.RUNTIME).get_fields_to_serialize()
        for field in fields or ():
            value = array_or_bytes(field)
            node.attribute.append(helper.make_attribute(field.name, value if isinstance(value, bytes) else numpy_helper.from_array(value)))
        e.nodes.append(node)


@layer(LayerType.PLUGIN_V3)
class IPluginV3Layer(_PluginLayer):
    """An IPluginV3."""

    __slots__ = ()

    @property
    def plugin(self) -> Any:
        return self.served


@layer(LayerType.PLUGIN_V2)
class IPluginV2Layer(_PluginLayer):
    """An IPluginV2DynamicExt."""

    __slots__ = ()

    @property
    def plugin(self) -> Any:
        return None if self.served is None else self.served.plugin


IPluginLayer = _absent(LayerType.PLUGIN, "IPluginLayer", "plugins are IPluginV3 here; call add_plugin_v3")
IDistCollectiveLayer = _absent(LayerType.DIST_COLLECTIVE, "IDistCollectiveLayer", "an engine of Burnish runs on one GPU")
