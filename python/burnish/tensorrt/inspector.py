"""What an engine consists of, as JSON in the forms of 10.x and 11.x: the same that trtexec's --exportLayerInfo writes."""

from __future__ import annotations

import json
from typing import Any, Dict, List

from . import interface
from .enums import LayerInformationFormat
from .logger import Scoped

_SEPARATOR = "\x1e"  # between the layers that a step was made of
_TYPES = {
    "float32": "FP32", "float16": "FP16", "bfloat16": "BF16", "float64": "FP64", "int8": "Int8", "int16": "Int16", "int32": "Int32",
    "int64": "Int64", "uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "bool": "Bool",
}  # fmt: skip


def steps_of(engine: Any) -> dict:
    """The plan of where engines run here: the host's or the GPU's; the first one if there is none for it."""
    plans = engine.description["plans"]
    on_host = interface.target == "cpu"
    return next((p for p in plans if (p["target"] == "cpu") == on_host), plans[0])


def tactic_number(name: str) -> str:
    """A number for a tactic: the same name, the same number (FNV-1a)."""
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 % (1 << 64)
    return f"0x{number:016x}"


class EngineInspector(Scoped):
    """Layers here are the steps that run: a kernel, a copy, work of the host; each may do several of the network's layers."""

    def __init__(self, engine: Any):
        self._engine = engine
        self.execution_context: Any = None
        self.error_recorder = None

    def _layer(self, index: int) -> Dict[str, Any]:
        plan = self._engine._plan
        step = plan["steps"][index]
        parts = step["name"].split(" + ")
        decision = next((d for d in plan["decisions"] if d["node"] == step["name"]), None)
        routine = "host" if step["kind"] == "host" else step.get("call", "")[:80]  # on the host: a graph of several lines, and no name
        tactic = decision["tactic"] if decision else routine
        return {
            "Name": step["name"],
            "LayerType": step["kind"],
            "Inputs": self._tensors(step, "reads"),
            "Outputs": self._tensors(step, "writes"),
            "ParameterType": step["kind"],
            "TacticName": tactic,
            "TacticValue": tactic_number(tactic),
            "StreamId": 0,
            "Metadata": _SEPARATOR.join(f"[ONNX Layer: {part}]" for part in parts),
        }

    def _tensors(self, step: dict, which: str) -> List[dict]:
        """What a step reads or writes, constants aside: inputs and outputs of the engine by name, what is between by number."""
        storage = self._engine._plan.get("storage", [])
        used = [(i, storage[i]) for i in step.get(which, []) if i < len(storage) and storage[i]["kind"] != "constant"]
        return [self._tensor(place.get("name", f"buffer {i}"), place["space"]) for i, place in used]

    def _tensor(self, name: str, space: str) -> dict:
        port = self._engine._by_name.get(name)
        kind = _TYPES[port.dtype] if port else ""
        made = {"Name": name, "Location": "Host" if space == "host" else "Device", "Dimensions": list(self._shape(port)) if port else []}
        made.update({"Format/Datatype": kind} if interface.major() < 11 else {"Format": "Row major linear", "DataType": kind})
        return made

    def _shape(self, port: Any) -> Any:
        return self.execution_context.get_tensor_shape(port.name) if self.execution_context is not None else port.shape

    def _end(self, port: Any) -> dict:
        """An input or output, as 11.x tells it."""
        ranges = (self._engine.get_tensor_profile_shape(port.name, k) for k in range(len(self._engine._engine.profiles)))
        return {
            "Name": port.name,
            "IOMode": self._engine.get_tensor_mode(port.name).name.title(),
            "DataType": _TYPES[port.dtype],
            "Dimensions": list(self._shape(port)),
            "Location": "Device",
            "IsShapeInferenceIO": False,
            "ProfileInfo": [
                {"MinShape": list(low), "OptShape": list(usual), "MaxShape": list(high), "Format": "Row major linear"}
                for low, usual, high in filter(None, ranges)
            ],
        }

    def get_layer_information(self, layer_index: int, format: LayerInformationFormat) -> str:
        """One step: its name, or all about it."""
        layer = self._layer(layer_index)
        return json.dumps(layer, indent=1) if format == LayerInformationFormat.JSON else layer["Name"]

    def get_engine_information(self, format: LayerInformationFormat) -> str:
        """All steps, and the inputs and outputs."""
        layers, ports = [self._layer(i) for i in range(self._engine.num_layers)], self._engine._ports
        if format == LayerInformationFormat.ONELINE:
            return "\n".join(["Layers:", *(layer["Name"] for layer in layers), "", "Bindings:", *(p.name for p in ports)])
        ends = {"Bindings": [p.name for p in ports]} if interface.major() < 11 else {"I/O Tensors": [self._end(p) for p in ports]}
        return json.dumps({"Layers": layers, **ends}, indent=1)
