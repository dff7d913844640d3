"""One launch of a device function as data: operands with their layouts, the kernel's text, what must come out."""
import math
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np

C_TYPE = {"float32": "float", "float64": "double", "float16": "half", "bfloat16": "bfloat16", "int64": "long long",
          "int32": "int", "int16": "short", "int8": "signed char", "uint8": "unsigned char", "uint32": "unsigned int",
          "uint64": "unsigned long long", "bool": "bool"}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "float16": 1e-3, "bfloat16": 8e-3}
GUARD = 256  # bytes before and after every operand
POISON = 0xA5
bfloat16 = ml_dtypes.bfloat16


def literal(values, index=""):
    """C++ text of extents or strides."""
    return f"dims{f'<{index}>' if index else ''}({', '.join(f'{int(v)}LL' for v in values)})"


def spread(shape, order=None, pad=0, step=1):
    """Strides with the axes in memory as in `order` (slowest first), `pad` elements between lines, the fastest axis `step`
    apart."""
    strides, at = [0] * len(shape), step
    for axis in reversed(order if order is not None else range(len(shape))):
        strides[axis] = at
        at = at * max(shape[axis], 1) + pad
    return strides


class Operand:
    """A strided tensor inside a poisoned buffer. `values`: what it holds, or for a result what it must hold after."""

    def __init__(self, values, strides=None, result=False, start=None, tolerance=None):
        self.values = np.asarray(values)
        self.strides = list(strides) if strides is not None else spread(self.values.shape)
        self.result = result
        self.start = start  # content of a result before the launch, else poison
        self.tolerance = tolerance

    @property
    def text(self):
        return literal(self.strides)

    @property
    def c_type(self):
        return C_TYPE[self.values.dtype.name]

    def window(self, buffer):
        """The operand's elements in a byte buffer, as a writable view."""
        item = self.values.dtype.itemsize
        flat = buffer[GUARD: len(buffer) - GUARD].view(self.values.dtype)
        return np.lib.stride_tricks.as_strided(flat, self.values.shape, [s * item for s in self.strides])

    def buffer(self):
        reach = sum((n - 1) * abs(s) for n, s in zip(self.values.shape, self.strides)) + 1 if self.values.size else 0
        item = self.values.dtype.itemsize
        buffer = np.full(2 * GUARD + -(-reach * item // 16) * 16, POISON, np.uint8)
        content = self.start if self.result else self.values
        if content is not None and self.values.size:
            self.window(buffer)[...] = content
        return buffer

    def complaint(self, before, after):
        """Why `after` is wrong, or None. Every byte outside the tensor must be what it was."""
        if not self.result:
            return None if np.array_equal(before, after) else "an input was written"
        if self.values.size:
            got = self.window(after).copy()
            wrong = mismatch(got, self.values, self.tolerance)
            if wrong:
                return wrong
            self.window(before)[...] = got
        return None if np.array_equal(before, after) else "bytes outside the tensor were written"


def mismatch(got, want, tolerance=None):
    if want.dtype.name in TOLERANCE:
        tolerance = tolerance or TOLERANCE[want.dtype.name]
        a, b = got.astype(np.float64), want.astype(np.float64)
        with np.errstate(invalid="ignore"):
            good = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * (1 + np.abs(b)))
    else:
        good = got == want
    if good.all():
        return None
    at = tuple(int(i[0]) for i in np.nonzero(~good)) if good.ndim else ()
    return f"{int((~good).sum())} of {good.size} wrong, the first at {at}: {got[at]!r} instead of {want[at]!r}"


@dataclass
class Map:
    """An operand as device text `TensorMap`: strides of all axes but the innermost."""
    operand: str
    extents: list
    strides: list
    box: list


def storing_epilogue(dtype, columns):
    """A prelude: `Store{y}` stores the numbers it is given as they are, `columns` to a row."""
    T = C_TYPE[np.dtype(dtype).name]
    return f"""struct Store {{
      {T}* y;
      struct Nothing {{}};
      template <int V> __device__ Nothing fetch(int, int, int) const {{ return {{}}; }}
      template <int V> __device__ burnish::Row<{T}, V> results(float (&v)[V], Nothing) const {{
        burnish::Row<{T}, V> row;
        for (int i = 0; i < V; ++i) row.set(i, v[i]);
        return row;
      }}
      template <int V> __device__ void put(int m, int n, const burnish::Row<{T}, V>& row, int count) const {{
        burnish::write_row<{T}, V>(y + m * {columns}LL + n, 1, count, {str(columns % 8 == 0).lower()}, row);
      }}
    }};"""


def squaring_prologue(dtype):
    """A prelude: `Squares{x, step_m, step_n}` gives x * x + 1 of element n of row m, or as the reduction numbers them."""
    T = C_TYPE[np.dtype(dtype).name]
    return f"""struct Squares {{
      const {T}* x;
      long long step_m, step_n;
      template <int V> struct Operands {{ burnish::Row<{T}, V> x; }};
      template <int V> __device__ Operands<V> fetch(int m, int n, int count) const {{
        return {{burnish::read_row<{T}, V>(x + m * step_m + n * step_n, step_n, count, false)}};
      }}
      template <int V> __device__ void values(const Operands<V>& read, float (&v)[V]) const {{
        for (int j = 0; j < V; ++j) v[j] = read.x[j] * read.x[j] + 1;
      }}
    }};"""


@dataclass
class Case:
    """`body`: statements of the kernel, in which operands are pointers by their names, maps TensorMaps by theirs."""
    name: str
    header: str
    body: str
    operands: dict
    grid: tuple = (3,)
    block: int = 128
    shared: int = 0
    cluster: int = 1
    prelude: str = ""
    scalars: dict = field(default_factory=dict)  # run-time extents: name -> value, as long long
    resident: int = 0  # blocks of a multiprocessor that share its registers; 0: as many as may
    maps: dict = field(default_factory=dict)  # name -> Map
    only: str = ""  # the one architecture that has its instructions

    def text(self, kernel="kernel"):
        arguments = [f"{'' if o.result else 'const '}{o.c_type}* {name}" for name, o in self.operands.items()]
        arguments += [f"long long {name}" for name in self.scalars]
        arguments += [f"const __grid_constant__ TensorMap {name}" for name in self.maps]
        attributes = f"__launch_bounds__({self.block}{f', {self.resident}' if self.resident else ''})" + (
            f" __cluster_dims__({self.cluster}, 1, 1)" if self.cluster > 1 else "")
        return (f"{self.prelude}\nextern \"C\" __global__ void {attributes} "
                f"{kernel}({', '.join(arguments)}) {{\n  {self.body}\n}}\n")

    def unit(self):
        return f'#include "{self.header}"\nusing namespace burnish;\n{self.text()}'

    def blocks(self):
        return tuple(self.grid) + (1,) * (3 - len(self.grid))


def block_of(team):
    """A block of several teams of lanes, or one team that is a block."""
    return team if team > 32 else 128


def grid_for(elements, block=128):
    """Half the blocks that one thread per element needs: the kernels' loops have to do the rest."""
    return (max(1, math.ceil(elements / block / 2)),)
