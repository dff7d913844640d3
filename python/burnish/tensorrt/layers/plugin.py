"""Layers that need code or hardware of others: plugins, mixtures of experts, several GPUs. They exist by name; none can be added."""

from __future__ import annotations

from ..emitter import Unsayable
from ..enums import LayerType
from .layer import ILayer, layer

__all__ = [
    "IPluginLayer", "IPluginV2Layer", "IPluginV3Layer", "IMoELayer", "IDistCollectiveLayer", "IKVCacheUpdateLayer", "IAssertionLayer",
]  # fmt: skip


def _absent(kind: LayerType, name: str, why: str) -> type:
    def emit(self, e) -> None:
        raise Unsayable(why)

    return layer(kind)(type(name, (ILayer,), {"__slots__": (), "__doc__": why + ".", "_emit": emit, "__module__": __name__}))


_PLUGINS = "Burnish runs no plugins; spell the operator out in ONNX, or as a local function of the model"
IPluginLayer = _absent(LayerType.PLUGIN, "IPluginLayer", _PLUGINS)
IPluginV2Layer = _absent(LayerType.PLUGIN_V2, "IPluginV2Layer", _PLUGINS)
IPluginV3Layer = _absent(LayerType.PLUGIN_V3, "IPluginV3Layer", _PLUGINS)
IMoELayer = _absent(LayerType.MOE, "IMoELayer", "Burnish has no kernels for mixtures of experts")
IDistCollectiveLayer = _absent(LayerType.DIST_COLLECTIVE, "IDistCollectiveLayer", "an engine of Burnish runs on one GPU")
IKVCacheUpdateLayer = _absent(
    LayerType.KVCACHE_UPDATE, "IKVCacheUpdateLayer", "Burnish updates no cache in place; scatter into one that is input and output"
)
IAssertionLayer = _absent(LayerType.ASSERTION, "IAssertionLayer", "ONNX has no assertions; leave it out")
