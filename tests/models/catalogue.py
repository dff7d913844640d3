"""The models under test, and the inputs each is judged on."""
import dataclasses
import functools
import importlib.util
import pathlib

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
ZOO = ROOT / "bench/zoo"
DATA = ROOT / "build/data"


@dataclasses.dataclass(frozen=True)
class Case:
    """One set of inputs: its seed, its batch, and values for the model's other free extents (a tuple of pairs)."""

    seed: int = 0
    batch: int = 1
    dims: tuple = ()

    def __str__(self):
        return f"seed{self.seed}-batch{self.batch}" + "".join(f"-{name}{value}" for name, value in self.dims)


@dataclasses.dataclass(frozen=True)
class Model:
    """A model and what to ask of it.

    path: the file that is built. source: a small file whose bytes decide the model's. make_inputs: Case -> name -> array.
    shapes: for `burnish build --shapes`. classes: its outputs end in an axis of class scores.
    fp16_noise: how far two host runs in FP16 storage are from each other, sums in FP32 and in FP64 (relative L2), where that
    is more than the bar between host and GPU.
    fp16_misses: (seed, why) where FP16 storage costs more than `fp16_tolerance`, as measured. bf16_misses: likewise.
    """

    name: str
    path: pathlib.Path
    source: pathlib.Path
    make_inputs: object
    shapes: str = ""
    batches: bool = False
    second_shape: tuple = ()
    fp16_tolerance: float = 1e-2
    fp16_noise: float = 0
    fp16_misses: tuple = ()
    bf16_misses: tuple = ()
    classes: bool = False
    small: bool = False

    def cases(self, seeds):
        """Every seed at batch 1; then batch 2 and another shape, where the model leaves those free."""
        cases = [Case(seed) for seed in seeds]
        if self.batches:
            cases.append(Case(batch=2))
        if self.second_shape:
            cases.append(Case(dims=self.second_shape))
        return cases

    def inputs(self, case):
        return self.make_inputs(case)


def load_zoo():
    spec = importlib.util.spec_from_file_location("zoo", ZOO / "zoo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


zoo = load_zoo()


@functools.cache
def skeleton(name):
    return onnx.load(ZOO / f"skeletons/{name}.onnx")


def zoo_model(name, **traits):
    def make_inputs(case):
        return zoo.make_inputs(skeleton(name), case.batch, case.seed, dict(case.dims))

    return Model(name, ROOT / f"build/zoo/{name}.onnx", ZOO / f"skeletons/{name}.onnx", make_inputs, **traits)


def packaged_model(name, path, make_inputs, **traits):
    return Model(name, DATA / path, DATA / path, make_inputs, small=True, **traits)


def text_picture(height, width, line_height):
    """Pictures of random words as rapidocr's models take them: batch x 3 x height x width, in [-1, 1].

    Without text the detector's map is zero almost everywhere and its relative error means nothing.
    """

    def make_inputs(case):
        dims = {"height": height, "width": width, **dict(case.dims)}
        rng = np.random.default_rng(case.seed)
        pictures = [draw_text(rng, dims["height"], dims["width"], line_height) for _ in range(case.batch)]
        return {"x": np.stack(pictures)}

    return make_inputs


def draw_text(rng, height, width, line_height):
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"))
    picture = Image.new("RGB", (width, height), tuple(rng.integers(150, 256, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for y in range(0, height - line_height + 1, line_height):
        font = ImageFont.load_default(int(line_height * rng.uniform(0.45, 0.65)))
        ink = tuple(rng.integers(0, 100, 3).tolist())
        pen.text((int(rng.integers(0, 20)), y + line_height // 6), "".join(rng.choice(letters, 12)), fill=ink, font=font)
    noisy = np.asarray(picture, np.float32) + rng.normal(0, 4, (height, width, 3))
    return (noisy.transpose(2, 0, 1) / 127.5 - 1).clip(-1, 1).astype(np.float32)


def speech(samples, rate):
    """A window of a noisy tone and the state an earlier window could have left."""

    def make_inputs(case):
        rng = np.random.default_rng(case.seed)
        tone = 0.3 * np.sin(2 * np.pi * rng.uniform(100, 400) * np.arange(samples) / rate)
        audio = tone + 0.05 * rng.standard_normal((case.batch, samples))
        state = 0.1 * rng.standard_normal((2, case.batch, 128))
        return {"input": audio.astype(np.float32), "state": state.astype(np.float32), "sr": np.array(rate, np.int64)}

    return make_inputs


def file_bytes(case):
    """Printable text in the front half, arbitrary bytes behind it, padding (256) at the end."""
    rng = np.random.default_rng(case.seed)
    text = rng.integers(32, 127, (case.batch, 1024))
    rest = rng.integers(0, 257, (case.batch, 1024))
    rest[:, rng.integers(256, 1024) :] = 256
    return {"bytes": np.concatenate([text, rest], axis=1).astype(np.int32)}


MODELS = [
    zoo_model("resnet50", batches=True, classes=True),
    zoo_model("resnet50_dynamo", classes=True),
    zoo_model("mobilenet_v2", batches=True, classes=True),
    zoo_model("efficientnet_b0", classes=True),
    zoo_model("convnext_tiny", classes=True),
    zoo_model("vit_b_16", classes=True),
    zoo_model("vit_b_16_dynamo", batches=True, classes=True),
    zoo_model("swin_t", batches=True, classes=True),
    zoo_model("swin_t_dynamo", classes=True),
    zoo_model("detector_s"),
    zoo_model(
        "deeplabv3_resnet50",
        second_shape=(("height", 193), ("width", 257)),
        fp16_tolerance=2e-2,
        fp16_noise=6.7e-3,
    ),
    zoo_model("ssdlite320", second_shape=(("height", 240), ("width", 427)), small=True),
    zoo_model("bert_base", batches=True, second_shape=(("sequence", 37),)),
    zoo_model("bert_base_dynamo", second_shape=(("sequence", 37),)),
    zoo_model("gpt2", batches=True, second_shape=(("sequence", 23),), classes=True),
    zoo_model("diffusion_block"),
    zoo_model("crnn", batches=True, second_shape=(("width", 100),), classes=True),
    packaged_model(
        "rapidocr_det",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        text_picture(256, 320, 48),
        second_shape=(("height", 160), ("width", 480)),
    ),
    packaged_model(
        "rapidocr_rec",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        text_picture(48, 320, 48),
        fp16_noise=2.8e-3,
        bf16_misses=tuple((seed, "another character wins in 1 or 2 of 40 places; with weights alone in BF16 too") for seed in range(5)),
        batches=True,
        second_shape=(("width", 200),),
        classes=True,
    ),
    packaged_model(
        "rapidocr_cls",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        text_picture(48, 192, 48),
        batches=True,
        classes=True,
    ),
    packaged_model(
        "silero_vad",
        "silero_vad/data/silero_vad.onnx",
        speech(512, 16000),
        shapes="input:1x512,state:2x1x128",
        bf16_misses=((2, "a relative error of 1.6e-1; the LSTM's weights alone in BF16 cost 1.5e-1 of seed 1's state"),),
    ),
    packaged_model(
        "silero_vad_8k",
        "silero_vad/data/silero_vad.onnx",
        speech(256, 8000),
        shapes="input:1x256,state:2x1x128",
        fp16_misses=((5, "a probability of 0.0017, which rounding the weights alone moves by 9.1e-3"),),
    ),
    packaged_model("magika", "magika/models/standard_v3_3/model.onnx", file_bytes, batches=True, classes=True),
]
