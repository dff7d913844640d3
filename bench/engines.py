"""What bench.py builds and runs: the zoo's models at a batch, their inputs, and what should come out."""
import importlib.util
import pathlib
import types
import typing

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH, WORK = ROOT / "bench", ROOT / "build/bench"
FORMATS = ("fp16_nhwc", "file")  # in the order of building: kernels are timed for the first


class Engine(typing.NamedTuple):
    """One of a model, at a batch, with inputs and outputs of FORMATS, some libraries' routines being candidates."""

    model: str
    batch: int
    formats: str
    libraries: list

    @property
    def path(self):
        return WORK / f"{'-'.join([self.model, *self.libraries])}-b{self.batch}-{self.formats}.engine"

    @property
    def timing_cache(self):
        """Of a setting: what is timed for one would spare another one's build."""
        return WORK / f"{'-'.join([self.model, *self.libraries])}.timing"


def zoo():
    spec = importlib.util.spec_from_file_location("zoo", BENCH / "zoo/zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def skeleton(model):
    import onnx

    return onnx.load(BENCH / f"zoo/skeletons/{model}.onnx")


def make_inputs(model, batch):
    return zoo().make_inputs(skeleton(model), batch, 0)


def shapes(model, batch):
    """The zoo's own shapes at this batch, as --shapes takes them."""
    return ",".join(f"{name}:{'x'.join(map(str, array.shape))}" for name, array in make_inputs(model, batch).items())


def port_formats(model):
    """--input-formats and --output-formats that make every float FP16, and NHWC where it has channels."""
    graph = skeleton(model).graph

    def formats(values):
        floats = [value for value in values if value.type.tensor_type.elem_type == 1]
        return ",".join(f"{value.name}:fp16" + (":nhwc" if len(value.type.tensor_type.shape.dim) == 4 else "") for value in floats)

    return {"--input-formats": formats(graph.input), "--output-formats": formats(graph.output)}


def reference_outputs(model, inputs):
    import reference

    named = types.SimpleNamespace(
        name=model, path=ROOT / f"build/zoo/{model}.onnx", source=BENCH / f"zoo/skeletons/{model}.onnx"
    )
    return reference.reference_outputs(named, inputs)
