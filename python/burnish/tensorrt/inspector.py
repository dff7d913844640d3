"""What an engine consists of, as JSON in the forms of 10.x and 11.x."""
from __future__ import annotations

import json
from typing import Any, Dict, List

from . import interface
from .enums import LayerInformationFormat
from .logger import Scoped

_SEPARATOR = "\x1e"  # between the layers that a step was made of
_FORMAT = {
    "float32": "FP32", "float16": "FP16", "bfloat16": "BF16", "int8": "INT8", "int32": "INT32", "int64": "INT64", "uint8": "UInt8",
    "bool": "BOOL",
}  # fmt: skip


def steps_of(engine: Any) -> dict:
    """The plan of where engines run here: the host's or the GPU's; the first one if there is none for it."""
    plans = engine.description["plans"]
    on_host = interface.target == "cpu"
    return next((p for p in plans if (p["target"] == "cpu") == on_host), plans[0])


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
        made = {
            "Name": step["name"],
            "LayerType": step["kind"],
            "Inputs": self._tensors(self._engine._engine.inputs, step, index == 0 and len(plan["steps"]) == 1),
            "Outputs": self._tensors(self._engine._engine.outputs, step, index == 0 and len(plan["steps"]) == 1),
            "ParameterType": step["kind"],
            "StreamId": 0,
            "Metadata": _SEPARATOR.join(f"[ONNX Layer: {part}]" for part in parts),
        }
        decision = next((d for d in plan.get("decisions", []) if d["node"] in parts), None)
        if decision is not None:
            made["TacticName"] = decision["tactic"]
        return made

    def _tensors(self, ports: Any, step: Any, whole: bool) -> List[dict]:
        """An engine tells the tensors of its ends, not those between steps."""
        return [self._tensor(p) for p in ports] if whole else []

    def _tensor(self, port: Any) -> dict:
        kind, location = _FORMAT.get(port.dtype, port.dtype), "Device"
        layout = "Row major linear" if not self._engine._order(port.name) else "Channels last"
        made = {"Name": port.name, "Location": location, "Dimensions": list(self._shape(port))}
        if interface.major() >= 11:
            made.update({"Format": layout, "Datatype": kind})
        else:
            made["Format/Datatype"] = f"{layout} {kind}"
        return made

    def _shape(self, port: Any) -> Any:
        return self.execution_context.get_tensor_shape(port.name) if self.execution_context is not None else port.shape

    def _ends(self) -> Dict[str, Any]:
        engine = self._engine
        if interface.major() < 11:
            return {"Bindings": [p.name for p in engine._ports]}
        listed = []
        for port in engine._ports:
            mode = engine.get_tensor_mode(port.name).name.title()
            one = {"Name": port.name, "IOMode": mode, "DataType": _FORMAT.get(port.dtype, port.dtype), "Dimensions": list(self._shape(port)),
                   "Location": "Device", "IsShapeInferenceIO": False}  # fmt: skip
            one["ProfileInfo"] = [
                {"MinShape": list(low), "OptShape": list(usual), "MaxShape": list(high), "Format": engine.get_tensor_format_desc(port.name)}
                for low, usual, high in filter(None, (engine.get_tensor_profile_shape(port.name, k) for k in range(engine.num_optimization_profiles)))
            ]
            listed.append(one)
        return {"I/O Tensors": listed}

    def get_layer_information(self, layer_index: int, format: LayerInformationFormat) -> str:
        """One step: its name, or all about it."""
        layer = self._layer(layer_index)
        return json.dumps(layer, indent=1) if format == LayerInformationFormat.JSON else layer["Name"]

    def get_engine_information(self, format: LayerInformationFormat) -> str:
        """All steps."""
        layers = [self._layer(i) for i in range(self._engine.num_layers)]
        if format == LayerInformationFormat.JSON:
            return json.dumps({"Layers": layers, **self._ends()}, indent=1)
        return "Layers:\n" + "\n".join(layer["Name"] for layer in layers) + "\n\nBindings:\n" + "\n".join(p.name for p in self._engine._ports) + "\n"
