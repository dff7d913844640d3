"""ONNX's backend node tests: each is a model of one node (or its function's body), its inputs and the outputs it must give."""
import functools
import io
import lzma
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper
from refusals import expected_refusal

PACKED = pathlib.Path(__file__).resolve().parents[2] / "build/data/node_tests.zip.xz"

# Operands that Burnish needs when the engine is built, by operator. The tests feed them like data; here the model holds them as
# initialisers, as exporters write them. All other inputs stay inputs: shapes, starts, pads and repeats too.
REDUCTIONS = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split()
BUILD_TIME_OPERANDS = {
    **{f"Reduce{name}": [1] for name in REDUCTIONS},
    "CumSum": [1],  # axis
    "Dropout": [2],  # training_mode
    "Pad": [3],  # axes
    "Resize": [2, 3],  # scales, sizes: keep_aspect_ratio_policy derives one extent from another
    "Slice": [3, 4],  # axes, steps
    "Squeeze": [1],
    "Unsqueeze": [1],
    "Upsample": [1],  # scales
}


@functools.cache
def _source():
    """Paths below ONNX's folder of node tests: the package's own folder, or the archive that a staged build carries."""
    if PACKED.exists():
        return zipfile.Path(zipfile.ZipFile(io.BytesIO(lzma.decompress(PACKED.read_bytes()))))
    return pathlib.Path(onnx.__file__).parent / "backend/test/data/node"


def names():
    return sorted(entry.name for entry in _source().iterdir() if entry.is_dir())


class NodeTest:
    """model: bytes to build. inputs: name -> array. outputs: the arrays wanted, by position; outputs that cannot be read as an
    array of a type Burnish has are None."""

    def __init__(self, name):
        folder = _source() / name
        data = folder / "test_data_set_0"
        graph = (model := onnx.load_from_string((folder / "model.onnx").read_bytes())).graph
        given = {value.name for value in graph.initializer}
        self.inputs = {}
        known = known_operands(graph)
        for index, value in enumerate([value for value in graph.input if value.name not in given]):
            tensor = read(data / f"input_{index}.pb", value.type)
            if value.name in known and tensor is not None:
                tensor.name = value.name
                graph.initializer.append(tensor)
            else:
                self.inputs[value.name] = None if tensor is None else np.array(numpy_helper.to_array(tensor), order="C")
        for name in [value.name for value in graph.initializer if value.name not in given]:
            graph.input.remove(next(value for value in graph.input if value.name == name))
        self.model = model.SerializeToString()
        self.output_names = [value.name for value in graph.output]
        wanted = [read(data / f"output_{index}.pb", value.type) for index, value in enumerate(graph.output)]
        self.outputs = [None if tensor is None else numpy_helper.to_array(tensor) for tensor in wanted]
        self.names = set(names_in(graph))


def read(path, type):
    """The tensor in a file; None for sequences, optionals and maps, which are no inputs of an engine."""
    if type.WhichOneof("value") != "tensor_type":
        return None
    return onnx.TensorProto.FromString(path.read_bytes())


def known_operands(graph):
    """Names of the graph's inputs that some node needs at build time."""
    return {
        node.input[index]
        for node in graph.node
        for index in BUILD_TIME_OPERANDS.get(node.op_type, ())
        if index < len(node.input)
    }


def names_in(graph):
    """What a message may call a thing in the graph by."""
    yield from (value.name for value in graph.input)
    for node in graph.node:
        yield from filter(None, (node.name, node.op_type, *node.input, *node.output))
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from names_in(inner)


def pack(path):
    """Writes the tests that must pass to an archive, for machines whose onnx package has come without them. They are much alike, so
    they are compressed together."""
    with lzma.open(path, "w") as compressed, zipfile.ZipFile(compressed, "w") as archive:
        for name in filter(lambda name: not expected_refusal(name), names()):
            for file in (_source() / name / "model.onnx", *(_source() / name / "test_data_set_0").iterdir()):
                inside = file.relative_to(_source()).as_posix()
                archive.writestr(zipfile.ZipInfo(inside), file.read_bytes())


if __name__ == "__main__":
    pack(sys.argv[1])
