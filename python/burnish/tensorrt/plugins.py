"""Plugins: what scripts subclass to write operators in Python, and the registry that has their creators and libraries of others."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .. import plugins as loaded_plugins
from ..errors import Error
from .enums import DataType, PluginCapabilityType, TensorRTPhase
from .logger import Logger, Reporter
from .plugin_operators import CreatorOperator
from .plugin_types import DynamicPluginTensorDesc, PluginFieldCollection, PluginTensorDesc
from .plugin_v2 import CreatorAsV3


class IPluginV3:
    """An operator in code of its own; `get_capability_interface` gives the object that has the capability asked for, or None."""

    def get_capability_interface(self, type: PluginCapabilityType) -> Any:
        raise NotImplementedError

    def clone(self) -> IPluginV3:
        raise NotImplementedError


class IPluginV3OneCore:
    """plugin_name, plugin_version, plugin_namespace."""

    plugin_name = ""
    plugin_version = "1"
    plugin_namespace = ""


class IPluginV3OneBuild:
    """What it does while an engine is built."""

    num_outputs = 1
    timing_cache_id: Optional[str] = None
    metadata_string: Optional[str] = None
    format_combination_limit = 100

    def configure_plugin(self, inputs: List[DynamicPluginTensorDesc], outputs: List[DynamicPluginTensorDesc]) -> None:
        """Told the tensors that it will have."""

    def get_output_data_types(self, input_types: List[DataType]) -> List[DataType]:
        raise NotImplementedError

    def get_output_shapes(self, inputs: List[Any], shape_inputs: List[Any], expr_builder: Any) -> List[Any]:
        raise NotImplementedError

    def supports_format_combination(self, pos: int, in_out: List[DynamicPluginTensorDesc], num_inputs: int) -> bool:
        raise NotImplementedError

    def get_workspace_size(self, inputs: List[DynamicPluginTensorDesc], outputs: List[DynamicPluginTensorDesc]) -> int:
        """Bytes of scratch memory at most."""
        return 0

    def get_valid_tactics(self) -> List[int]:
        """Ways to do the work, of which the first is taken."""
        return []


class IPluginV3OneBuildV2(IPluginV3OneBuild):
    """The same, with outputs that are inputs: those are copies here."""

    def get_aliased_input(self, output_index: int) -> int:
        return -1


class IPluginV3OneRuntime:
    """What it does while an engine runs."""

    def enqueue(
        self,
        input_desc: List[PluginTensorDesc],
        output_desc: List[PluginTensorDesc],
        inputs: List[int],
        outputs: List[int],
        workspace: int,
        stream: int,
    ) -> Any:
        """Puts the work on a stream. With the target cpu addresses are of the host, and the work is done when it returns."""
        raise NotImplementedError

    def set_tactic(self, tactic: int) -> Any:
        """Told the way that is taken."""

    def on_shape_change(self, inputs: List[PluginTensorDesc], outputs: List[PluginTensorDesc]) -> Any:
        """Told the extents of the runs to come."""

    def attach_to_context(self, resource_context: Any) -> Any:
        """What runs in a context: itself, or a clone."""
        return self

    def get_fields_to_serialize(self) -> PluginFieldCollection:
        """What its creator makes it of where the engine runs."""
        return PluginFieldCollection()


class IPluginV2:
    """An operator of 8.x and 10.x in code of its own. Those of fixed shapes are refused: derive from IPluginV3."""


class IPluginV2Ext(IPluginV2):
    """The same, with types."""


class IPluginV2DynamicExt(IPluginV2Ext):
    """The same, with dynamic shapes; served as an IPluginV3 is."""

    num_outputs = 1
    plugin_type = ""
    plugin_version = "1"
    plugin_namespace = ""

    def get_output_dimensions(self, output_index: int, inputs: List[Any], expr_builder: Any) -> Any:
        raise NotImplementedError

    def get_output_datatype(self, index: int, input_types: List[DataType]) -> DataType:
        return input_types[0]

    def supports_format_combination(self, pos: int, in_out: List[PluginTensorDesc], num_inputs: int) -> bool:
        raise NotImplementedError

    def configure_plugin(self, inputs: List[DynamicPluginTensorDesc], outputs: List[DynamicPluginTensorDesc]) -> None:
        """Told the tensors that it will have."""

    def get_workspace_size(self, inputs: List[PluginTensorDesc], outputs: List[PluginTensorDesc]) -> int:
        """Bytes of scratch memory at most."""
        return 0

    def initialize(self) -> Any:
        """A context is made."""

    def terminate(self) -> Any:
        """Never called: what a plugin holds goes with it."""

    def serialize(self) -> Any:
        """What its creator makes it of where the engine runs."""
        return b""

    def clone(self) -> Any:
        raise NotImplementedError

    def enqueue(
        self,
        input_desc: List[PluginTensorDesc],
        output_desc: List[PluginTensorDesc],
        inputs: List[int],
        outputs: List[int],
        workspace: int,
        stream: int,
    ) -> Any:
        """As of IPluginV3OneRuntime."""
        raise NotImplementedError


class IPluginCreator:
    """Makes plugins of 8.x and 10.x from fields, or from what they serialised."""

    name = ""
    plugin_version = "1"
    plugin_namespace = ""
    field_names = PluginFieldCollection()

    def create_plugin(self, name: str, field_collection: PluginFieldCollection) -> Any:
        raise NotImplementedError

    def deserialize_plugin(self, name: str, serialized_plugin: bytes) -> Any:
        raise NotImplementedError


class IPluginCreatorV3One:
    """Makes IPluginV3."""

    name = ""
    plugin_version = "1"
    plugin_namespace = ""
    field_names = PluginFieldCollection()

    def create_plugin(self, name: str, field_collection: PluginFieldCollection, phase: TensorRTPhase) -> Any:
        raise NotImplementedError


IPluginCreatorV3Quick = IPluginCreatorV3One


class _Unregistered(IPluginCreatorV3One):
    """Stands for the creator of a plugin that a network was given."""

    def __init__(self, core: Any):
        self.name, self.plugin_version, self.plugin_namespace = core.plugin_name, core.plugin_version, core.plugin_namespace

    def create_plugin(self, name: str, field_collection: PluginFieldCollection, phase: TensorRTPhase) -> Any:
        raise RuntimeError(f"no creator of '{self.name}' version '{self.plugin_version}' is registered: call register_creator")


class IPluginRegistry:
    """Creators by name, whose plugins networks and models may have; and libraries of operators."""

    def __init__(self) -> None:
        self._operators: Dict[Any, CreatorOperator] = {}
        self._unregistered: Dict[tuple, CreatorOperator] = {}
        self._report = Reporter(Logger())
        self.parent_search_enabled = True
        self.error_recorder = None

    @property
    def plugin_creator_list(self) -> List[Any]:
        return list(self._operators)

    all_creators = plugin_creator_list
    all_creators_recursive = plugin_creator_list

    def register_creator(self, creator: Any, plugin_namespace: str = "") -> bool:
        """False, and a line on standard error, where there is one of that name, version and namespace."""
        made = CreatorAsV3(creator) if isinstance(creator, IPluginCreator) else creator
        operator = CreatorOperator(made, plugin_namespace or creator.plugin_namespace)
        unregistered = self._unregistered.pop(operator.key, None)
        if unregistered is not None:
            loaded_plugins.remove(unregistered.plugin)
        try:
            loaded_plugins.add(operator.plugin)
        except Error as error:
            self._report.error(f"creator '{creator.name}' cannot be registered: {error.cause}")
            return False
        self._operators[creator] = operator
        return True

    def deregister_creator(self, creator: Any) -> bool:
        operator = self._operators.pop(creator, None)
        if operator is not None:
            loaded_plugins.remove(operator.plugin)
        return operator is not None

    def _provide(self, core: Any) -> None:
        """A plugin without a creator can be built all the same: only what runs the engine elsewhere needs that."""
        operator = CreatorOperator(_Unregistered(core), core.plugin_namespace)
        if operator.key in self._unregistered or any(o.key == operator.key for o in self._operators.values()):
            return
        loaded_plugins.add(operator.plugin)
        self._unregistered[operator.key] = operator

    def get_plugin_creator(self, type: str, version: str, plugin_namespace: str = "") -> Optional[Any]:
        """The creator, or None."""
        return next((c for c, o in self._operators.items() if o.key == (plugin_namespace, type, version)), None)

    get_creator = get_plugin_creator

    def load_library(self, plugin_path: str) -> Optional[str]:
        """Opens a library made for burnish_plugin.h: its path, or None and a line on standard error that says why."""
        try:
            loaded_plugins.load_plugin(plugin_path)
        except Error as error:
            self._report.failure(error)
            return None
        return plugin_path

    def deregister_library(self, handle: Any) -> None:
        """Nothing: a library stays for the life of the process."""

    def acquire_plugin_resource(self, key: str, resource: Any) -> Any:
        return resource

    def release_plugin_resource(self, key: str) -> int:
        return 0


registry = IPluginRegistry()


def init_libnvinfer_plugins(logger: Any, namespace: str) -> bool:
    """True: what was a plugin there is an operator here, or refused when the model is parsed."""
    return True


def get_plugin_registry() -> IPluginRegistry:
    return registry


def get_builder_plugin_registry(capability: Any) -> IPluginRegistry:
    return registry
