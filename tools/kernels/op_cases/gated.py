"""Contractions whose epilogue makes one result of two columns, as the compiler writes it for halves of a product's columns."""
import dataclasses

import numpy as np

from cases import Config, Stationary
from op_case import C_TYPE, Case, Map, Operand, bfloat16, spread

EPILOGUE = """struct Epilogue {{
  const {t}* bias;
  const {t}* residual;
  {t}* y;
  template <int V>
  struct Operands {{
    Row<{t}, V / 2> first, second, residual;
  }};
  template <int V>
  BURNISH_DEVICE Operands<V> fetch(int m, int n, int count) const {{
    Operands<V> read;
    read.first = read_row<{t}, V / 2>(bias + n / 2, 1LL, count / 2, true);
    read.second = read_row<{t}, V / 2>(bias + (n / 2 + {half}LL), 1LL, count / 2, {aligned});
    read.residual = read_row<{t}, V / 2>(residual + (m * {half}LL + n / 2), 1LL, count / 2, {aligned});
    return read;
  }}
  template <int V>
  BURNISH_DEVICE Row<{t}, V / 2> results(float (&v)[V], const Operands<V>& read) const {{
    Row<{t}, V / 2> y;
#pragma unroll
    for (int j = 0; j < V / 2; ++j) {{
      const float value = v[2 * j] + read.first[j], gate = v[2 * j + 1] + read.second[j];
      y.set(j, value * (gate < 0 ? 0 : gate) + read.residual[j]);
    }}
    return y;
  }}
  template <int V>
  BURNISH_DEVICE void put(int m, int n, const Row<{t}, V>& row, int count) const {{
    write_row<{t}, V>(y + (m * {pitch}LL + n / 2), 1LL, count / 2, {aligned}, row);
  }}
}};
"""


def spread_boxes(pitch, n, columns):
    """B as `define_mapped` in ir/contraction_text.cpp describes it."""
    return [2, 4, 4, -(-n // 32)], [pitch, 8 * pitch, 2 * pitch, 32 * pitch], [64, 2, 4, 4, columns // 32]


def unit(m, half, k, config, math="tensor", dtype=np.float16, mapped=0, pad=8):
    random, n = np.random.default_rng(m * half + k), 2 * half
    t = C_TYPE[np.dtype(dtype).name]
    chunk = 16 // np.dtype(dtype).itemsize
    pitch = -(-k // chunk) * chunk
    a, bias, residual = (random.standard_normal(shape).astype(dtype) for shape in ((m, k), n, (m, half)))
    weight = (random.standard_normal((k, n)) / np.sqrt(k)).astype(dtype)
    value, gate = np.split(a.astype(np.float64) @ weight.astype(np.float64) + bias.astype(np.float64), 2, 1)
    want = (value * np.maximum(gate, 0) + residual.astype(np.float64)).astype(dtype)
    paired = np.zeros((n, pitch), dtype)
    paired[0::2, :k], paired[1::2, :k] = weight[:, :half].T, weight[:, half:].T
    stationary = isinstance(config, Stationary)
    element, maps = f"MatrixOperand<{t}, Major::k, 16>", {}
    operands = [f"{element}{{a, {pitch}LL, 1LL}}", f"{element}{{b, {pitch}LL, 1LL}}"]
    if mapped > 0:
        extents, strides, box = spread_boxes(pitch, n, config.bn)
        maps["b_map"] = Map("b", [k, *extents], strides, box)
        operands[1] = f"MappedOperand<{t}>{{b_map}}"
    if mapped > 1:
        maps["a_map"] = Map("a", [k, m], [pitch], [64, config.bm])
        operands[0] = f"MappedOperand<{t}>{{a_map}}"
    kind = (dataclasses.replace(config, mapped=mapped) if mapped else config).type(t, math, n, k)
    specialised = not stationary and (math == "warpgroup" or config.slices > 1)
    return Case(
        f"gated {t}/{math} {m}x2*{half}x{k} {config}{' mapped' * mapped}",
        "providers/nvrtc/device/" + config.header,
        f"using C = {kind}; {config.call(n, k, 1)}[&](Place, const auto& compute) {{ "
        f"compute({', '.join(operands)}, Epilogue{{bias, residual, y}}); }});",
        {"a": Operand(a, spread((m, pitch))), "b": Operand(paired), "bias": Operand(bias), "residual": Operand(residual),
         "y": Operand(want, spread((m, half), pad=pad), result=True)},
        (config.blocks_of(m, n),), config.threads(), config.shared(t, math, n, k), config.slices,
        EPILOGUE.format(t=t, half=half, pitch=half + pad, aligned=str(half % 4 == 0 and pad % 4 == 0).lower()), {"m": m},
        resident=1 if stationary or config.teams else 0, maps=maps, only="sm_90a" if specialised else "")


def cases():
    mma = Config(64, 64, 64, 2, 2, 4)
    yield unit(300, 48, 64, mma)
    yield unit(5, 13, 33, mma, pad=0)
    yield unit(130, 77, 40, Config(128, 64, 64, 4, 1, 3), dtype=bfloat16, pad=3)
    yield unit(70, 24, 32, Config(64, 64, 16, 2, 2, 4), "plain", np.float32)
    yield unit(130, 44, 2304, Config(64, 64, 64, 2, 2, 4, slices=8))
    yield unit(1000, 24, 64, Stationary(16, 64, 16))
    yield unit(1000, 44, 96, Stationary(32, 64, 8))
    yield unit(300, 44, 256, Config(128, 128, 64, 8, 1, 3), "warpgroup")
    yield unit(200, 128, 1024, Config(64, 64, 64, 4, 1, 4, slices=4), "warpgroup")
    for mapped in (0, 1, 2):
        yield unit(700, 96, 320, Config(128, 192, 64, 8, 1, 5, teams=1), "warpgroup", mapped=mapped)
        yield unit(700, 208, 72, Config(64, 128, 64, 4, 1, 8, teams=2), "warpgroup", mapped=mapped)
        yield unit(40, 64, 1024, Config(64, 128, 64, 4, 1, 8, teams=2, slices=4), "warpgroup", mapped=mapped, pad=0)
