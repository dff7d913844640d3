#!/usr/bin/env python3
"""Burnish reads a sentence from a picture.

Two real models out of the rapidocr package become engines: a detector that marks where text stands, and a recogniser that spells
one line of it. Everything around them is here: drawing, boxes from the detector's map, crops, letters from the recogniser's scores.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "build/data/rapidocr_onnxruntime/models"
DETECTOR = MODELS / "ch_PP-OCRv4_det_infer.onnx"
RECOGNISER = MODELS / "ch_PP-OCRv4_rec_infer.onnx"
LINES = ["Burnish polishes a model", "until the GPU shines"]


def main():
    options = argparse.ArgumentParser(description="Compiles two models and reads a generated picture with them.")
    options.add_argument("--device", help="cpu, or the number of a GPU; default: the GPU if there is one, else cpu")
    device = options.parse_args().device or ("0" if gpu_name() else "cpu")
    folder = ROOT / "build/demo"
    folder.mkdir(parents=True, exist_ok=True)
    engines = Engines(folder, device)
    for model in (DETECTOR, RECOGNISER):
        seconds = engines.build(model)
        print(f"compiled {model.name}, {model.stat().st_size / 1e6:.1f} MB, in {seconds:.1f} s")

    picture = draw(LINES)
    picture.save(folder / "picture.png")
    begin = time.monotonic()
    read = read_text(picture, engines.run)
    print(f"read {folder.relative_to(ROOT)}/picture.png in {time.monotonic() - begin:.2f} s, loading the engines included\n")
    for line in read:
        print(f"    {line}")
    print(f"\nran on {gpu_name(device) if device != 'cpu' else 'the CPU'}")
    if letters(read) != letters(LINES):
        sys.exit(f"The picture says {LINES}.\nA wrong answer means a wrong engine: ./dev test models finds which.")


class Engines:
    """Builds and runs models through the command line, as any program could."""

    def __init__(self, folder, device):
        self.folder, self.device = folder, device

    def build(self, model):
        """Compiles `model` for the device; the seconds it took."""
        target = ["--target", "cpu"] if self.device == "cpu" else []
        begin = time.monotonic()
        self.burnish("build", model, "-o", self.engine(model), "--optimization-level", "0", *target)
        return time.monotonic() - begin

    def run(self, model, x):
        """The one output of `model` for its one input `x`."""
        given, made = self.folder / "in.npz", self.folder / "out.npz"
        np.savez(given, x=x)
        self.burnish("run", self.engine(model), "--inputs", given, "--outputs", made, "--device", self.device)
        with np.load(made) as arrays:
            (output,) = arrays.values()
        return output

    def engine(self, model):
        return self.folder / f"{model.stem}.engine"

    def burnish(self, *arguments):
        done = subprocess.run([ROOT / "build/bin/burnish", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"burnish {arguments[0]} failed:\n{done.stderr}")


def read_text(picture, run):
    """The lines of text in `picture`, top to bottom. `run(model, x)` gives a model's output."""
    text_map = run(DETECTOR, normalise(picture))[0, 0]
    alphabet = ["", *metadata(RECOGNISER)["character"].splitlines(), " "]
    return [spell(run(RECOGNISER, line_crop(picture, box))[0], alphabet) for box in boxes(text_map)]


def draw(lines):
    picture = Image.new("RGB", (640, 96 * len(lines) + 64), (250, 246, 236))
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        pen.text((48, 40 + 96 * row), line, fill=(24, 44, 92), font=ImageFont.load_default(42))
    return picture


def normalise(picture):
    """1 x 3 x height x width in [-1, 1]; the detector wants sides that are multiples of 32, which draw() gives."""
    return np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1


def boxes(text_map, threshold=0.3, trusted=0.6):
    """Boxes (left, top, right, bottom) of text, top to bottom, from the detector's probability per pixel.

    The detector is trained on shrunken text regions, so that neighbours stay apart: a region of area A and perimeter P is
    grown back by 1.6 A / P on each side, as in the DB paper (Liao et al. 2020).
    """
    found = []
    for rows, columns in components(text_map > threshold):
        if len(rows) < 16 or text_map[rows, columns].mean() < trusted:
            continue
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        width, height = right - left, bottom - top
        grow = 1.6 * width * height / (2 * (width + height))
        found.append((left - grow, top - grow, right + grow, bottom + grow))
    return sorted(found, key=lambda box: box[1])


def components(mask):
    """Row and column indices of each 4-connected component of `mask`, by flooding from one unvisited pixel at a time."""
    left = mask.copy()
    for start in zip(*np.nonzero(mask)):
        if not left[start]:
            continue
        left[start] = False
        pixels, frontier = [], [start]
        while frontier:
            row, column = frontier.pop()
            pixels.append((row, column))
            for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if 0 <= near[0] < mask.shape[0] and 0 <= near[1] < mask.shape[1] and left[near]:
                    left[near] = False
                    frontier.append(near)
        yield tuple(np.array(pixels).T)


def line_crop(picture, box):
    """The line in `box` as the recogniser takes it: 48 pixels high, as wide as its shape asks."""
    left, top, right, bottom = (int(round(edge)) for edge in box)
    width = max(48, round(48 * (right - left) / (bottom - top)))
    return normalise(picture.crop((left, top, right, bottom)).resize((width, 48), Image.Resampling.BILINEAR))


def spell(scores, alphabet):
    """The text of one line from scores (step x letter): the best letter of each step, repeats merged, blanks (0) dropped."""
    best = scores.argmax(axis=1)
    kept = [index for step, index in enumerate(best) if index and (step == 0 or index != best[step - 1])]
    return "".join(alphabet[index] for index in kept)


def metadata(model):
    return {entry.key: entry.value for entry in onnx.load(model).metadata_props}


def letters(lines):
    """Letters alone: the recogniser was trained on text that hardly has spaces, and drops some."""
    return re.sub(r"\s", "", "".join(lines))


def gpu_name(index="0"):
    """The GPU's name, or None without one."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-i", index, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    main()
