"""The files that trtexec exports, for a network of any length, in the forms of versions 10 and 11."""
import json

HALF = "Channel major FP16 format where channel % 8 == 0"


def tensor(name, form):
    about = {"Name": name, "Location": "Device", "Dimensions": [1, 64, 14, 14]}
    return about | ({"Format/Datatype": HALF} if form == 10 else {"Format": "Channel major", "DataType": "Half"})


def layer(i, form):
    return {
        "Name": f"/block{i}/conv/Conv + /block{i}/relu/Relu",
        "LayerType": "CaskConvolution",
        "Inputs": [tensor(f"t{i}", form)],
        "Outputs": [tensor(f"t{i + 1}", form)],
        "ParameterType": "Convolution",
        "Kernel": [3, 3],
        "OutMaps": 64,
        "Weights": {"Type": "Half", "Count": 64 * 64 * 9},
        "TacticName": "a_kernel",
        "TacticValue": "0x1",
        "Metadata": f"[ONNX Layer: /block{i}/conv/Conv]\x1e[ONNX Layer: /block{i}/relu/Relu]",
    }


def write(folder, layers, form=10):
    """graph.json, profile.json and times.json; layer i takes 0.25 + i % 7 ms, 10 queries 1 to 10 ms."""
    ports = {"Bindings": ["t0", f"t{layers}"]} if form == 10 else {"I/O Tensors": [{"Name": "t0", "IOMode": "Input"}, {"Name": f"t{layers}", "IOMode": "Output"}]}
    graph = {"Layers": [layer(i, form) for i in range(layers)]} | ports
    profile = [{"count": 4}]
    for i, each in enumerate(graph["Layers"]):
        profile.append({"name": each["Name"], "timeMs": 4 * (0.25 + i % 7), "averageMs": 0.25 + i % 7, "medianMs": 0.25, "percentage": 1.0})
    save(folder, {"graph": graph, "profile": profile, "times": queries(10)})


def queries(count):
    return [
        {"startEnqMs": 10.0 * i, "h2dMs": 0.5, "computeMs": 1.0 + i, "d2hMs": 0.5, "latencyMs": 2.0 + i, "endD2hMs": 10.0 * i + 10}
        for i in range(count)
    ]


def save(folder, contents):
    """NAME.json of each."""
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
