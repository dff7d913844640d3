"""IPluginV2DynamicExt as IPluginV3: the plugins that came before."""

from __future__ import annotations

from typing import Any, List

from .enums import PluginFieldType, TensorRTPhase
from .plugin_types import DynamicPluginTensorDesc, PluginField, PluginFieldCollection, PluginTensorDesc

_SERIALIZED = "serialized"


def _at_most(described: List[DynamicPluginTensorDesc]) -> List[PluginTensorDesc]:
    return [PluginTensorDesc(d.max, d.desc.type) for d in described]


class AsV3:
    """All three capabilities of an older plugin."""

    def __init__(self, plugin: Any):
        self.plugin = plugin
        self.plugin_name, self.plugin_version, self.plugin_namespace = plugin.plugin_type, plugin.plugin_version, plugin.plugin_namespace

    num_outputs = property(lambda self: self.plugin.num_outputs)

    def get_capability_interface(self, type: Any) -> AsV3:
        return self

    def get_output_data_types(self, input_types: List[Any]) -> List[Any]:
        return [self.plugin.get_output_datatype(i, input_types) for i in range(self.num_outputs)]

    def get_output_shapes(self, inputs: List[Any], shape_inputs: List[Any], expr_builder: Any) -> List[Any]:
        return [self.plugin.get_output_dimensions(i, inputs, expr_builder) for i in range(self.num_outputs)]

    def supports_format_combination(self, pos: int, in_out: List[DynamicPluginTensorDesc], num_inputs: int) -> bool:
        return self.plugin.supports_format_combination(pos, [d.desc for d in in_out], num_inputs)

    def configure_plugin(self, inputs: List[Any], outputs: List[Any]) -> None:
        self.plugin.configure_plugin(inputs, outputs)

    def get_workspace_size(self, inputs: List[Any], outputs: List[Any]) -> int:
        return self.plugin.get_workspace_size(_at_most(inputs), _at_most(outputs))

    def get_valid_tactics(self) -> List[int]:
        return []

    def get_fields_to_serialize(self) -> PluginFieldCollection:
        return PluginFieldCollection([PluginField(_SERIALIZED, self.plugin.serialize(), PluginFieldType.CHAR)])

    def set_tactic(self, tactic: int) -> None:
        pass

    def attach_to_context(self, resource_context: Any) -> AsV3:
        attached = AsV3(self.plugin.clone())
        attached.plugin.initialize()
        return attached

    def on_shape_change(self, inputs: List[Any], outputs: List[Any]) -> None:
        pass

    def enqueue(self, *arguments: Any) -> Any:
        return self.plugin.enqueue(*arguments)


class CreatorAsV3:
    """The creator of older plugins: from fields for a build, from what they serialised for a run."""

    def __init__(self, creator: Any):
        self._creator = creator
        self.name, self.plugin_version, self.plugin_namespace = creator.name, creator.plugin_version, creator.plugin_namespace
        self.field_names = creator.field_names

    def create_plugin(self, name: str, field_collection: PluginFieldCollection, phase: TensorRTPhase) -> AsV3:
        if phase == TensorRTPhase.RUNTIME:
            data = next(f.data for f in field_collection if f.name == _SERIALIZED)
            return AsV3(self._creator.deserialize_plugin(name, data))
        return AsV3(self._creator.create_plugin(name, field_collection))
