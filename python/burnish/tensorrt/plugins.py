"""The plugin registry: there, and empty."""

from __future__ import annotations

from typing import Any, List, Optional


class IPluginCreator:
    """To be subclassed; makes plugins."""


class IPluginCreatorV3One(IPluginCreator):
    """The same, for IPluginV3."""


IPluginCreatorV3Quick = IPluginCreatorV3One


class IPluginV2:
    """An operator of 8.x and 10.x in code of its own."""


class IPluginV2Ext(IPluginV2):
    """The same, with types."""


class IPluginV2DynamicExt(IPluginV2Ext):
    """The same, with dynamic shapes."""


class IPluginV3:
    """An operator in code of its own."""


class IPluginV3OneCore:
    """Its name."""


class IPluginV3OneBuild:
    """What it does while an engine is built."""


class IPluginV3OneBuildV2(IPluginV3OneBuild):
    """The same, with outputs that are inputs."""


class IPluginV3OneRuntime:
    """What it does while an engine runs."""


class PluginField:
    """A named parameter of a plugin."""

    def __init__(self, name: str = "", data: Any = None, type: Any = None):
        self.name, self.data, self.type = name, data, type
        self.size = 0 if data is None else len(data)


class PluginFieldCollection(list):
    """Parameters of a plugin."""


class IPluginRegistry:
    """Creators by name. Burnish asks none of them: it runs no plugins."""

    def __init__(self) -> None:
        self._creators: List[Any] = []
        self.parent_search_enabled = True
        self.error_recorder = None

    @property
    def plugin_creator_list(self) -> List[Any]:
        return list(self._creators)

    all_creators = plugin_creator_list

    def register_creator(self, creator: Any, plugin_namespace: str = "") -> bool:
        self._creators.append(creator)
        return True

    def deregister_creator(self, creator: Any) -> bool:
        found = creator in self._creators
        self._creators = [c for c in self._creators if c is not creator]
        return found

    def get_plugin_creator(self, type: str, version: str, plugin_namespace: str = "") -> Optional[Any]:
        return next((c for c in self._creators if (getattr(c, "name", None), getattr(c, "plugin_version", None)) == (type, version)), None)

    get_creator = get_plugin_creator

    def load_library(self, plugin_path: str) -> None:
        """None: libraries of plugins are not loaded."""

    def deregister_library(self, handle: Any) -> None:
        pass

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
