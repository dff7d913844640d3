"""What is checked: contractions and convolutions as data, and the translation units generated for them."""
from dataclasses import dataclass, field

MULTIPROCESSORS = 132
SIZE = {"half": 2, "bfloat16": 2, "float": 4, "double": 8, "long long": 8, "int": 4}


@dataclass(frozen=True)
class Config:
    """Template arguments of Contraction after the types."""
    bm: int
    bn: int
    bk: int
    wm: int
    wn: int
    stages: int
    carry: bool = True
    blocks: int = 1  # of a multiprocessor that registers must suffice for
    slices: int = 1  # of k, each a block of a cluster
    teams: int = 0   # of warpgroups that multiply while another one copies
    constant_b: bool = False  # fetched before earlier kernels are waited for
    mapped: int = 0  # operands that the copy engine brings: B, or both

    def arguments(self):
        carry, constant_b = (str(v).lower() for v in (self.carry, self.constant_b))
        return (f"{self.bm}, {self.bn}, {self.bk}, {self.wm}, {self.wn}, {self.stages}, {carry}, {self.slices}, {self.teams}, "
                f"{self.mapped}, {constant_b}")

    header = "contraction.cuh"

    def type(self, dtype, math, n, k):
        return f"Contraction<{dtype}, Math::{math}, {self.arguments()}>"

    def call(self, n, k, batches):
        return f"contract<C>(m, {n}, {k}, {batches}, "

    def attributes(self):
        return f"__launch_bounds__({self.threads()}, {self.blocks})" + (
            f" __cluster_dims__({self.slices}, 1, 1)" if self.slices > 1 else "")

    def threads(self):
        return 128 + 256 if self.teams else 32 * self.wm * self.wn

    def shared(self, dtype, math, n, k):
        size = SIZE[dtype]
        warp_m, warp_n = self.bm // self.wm, self.bn // self.wn
        slab = (8 if warp_m >= warp_n else 4) * (16 // size) if math == "plain" else 16
        sum_size = 4 if math != "plain" or size == 4 and dtype != "int" else 8
        sums = self.bm * (self.bn + 8) if self.slices > 1 else slab * (warp_n + 8) * self.wm * self.wn
        ring = (self.bm + self.bn) * self.bk * size * self.stages
        if self.teams:
            return ring + 16 * self.stages + 8 * self.teams + 896
        return max(ring, sums * sum_size) + (896 if math == "warpgroup" else 0)

    def blocks_of(self, m, n, batches=1):
        tiles = -(-m // self.bm) * -(-n // self.bn) * batches * self.slices
        return min(tiles, MULTIPROCESSORS) if self.teams and self.slices == 1 else tiles

    def __str__(self):
        return f"{self.bm}x{self.bn}x{self.bk}/{self.wm}x{self.wn}/{self.stages}{'+' * self.carry}/{self.blocks}" + (
            f"/slices{self.slices}" if self.slices > 1 else "") + (
            f"/teams{self.teams}" if self.teams else "") + "/early" * self.constant_b + (
            f"/mapped{self.mapped}" if self.mapped else "")


@dataclass(frozen=True)
class Stationary:
    """Those of contraction_stationary.cuh after the extents of B."""
    rows: int
    columns: int
    warps: int
    constant_b: bool = False

    header = "contraction_stationary.cuh"
    slices = 1
    mapped = 0

    def type(self, dtype, math, n, k):
        return f"Stationary<{dtype}, {k}, {n}, {self.rows}, {self.columns}, {self.warps}{', true' * self.constant_b}>"

    def call(self, n, k, batches):
        return "contract_stationary<C>(m, "

    def attributes(self):
        return f"__launch_bounds__({self.threads()}, 1)"

    def threads(self):
        return 32 * self.warps

    def shared(self, dtype, math, n, k):
        columns = n // 64 * 64 + (64 if n % 64 > 32 else 32 if n % 64 else 0)
        return columns * -(-k // 32) * 64

    def blocks_of(self, m, n, batches=1):
        return min(-(-m // self.rows), MULTIPROCESSORS)

    def __str__(self):
        return f"stationary {self.rows}x{self.columns}/{self.warps}{'/early' * self.constant_b}"


def copy_bytes(dtype, contiguous, multiples):
    """The widest asynchronous copy: `multiples` are element counts that it must divide."""
    if not contiguous:
        return 0
    for width in (16, 8, 4):
        if width >= SIZE[dtype] and all(x * SIZE[dtype] % width == 0 for x in multiples):
            return width
    return 0


def is_mapped(config, which):
    """Whether the copy engine brings operand "a" or "b"."""
    return config.mapped > "ba".index(which)


def parameter(case, which, name):
    """Of a kernel: where an operand lies, or the copy engine's map of it."""
    return f"const {'__grid_constant__ TensorMap ' if is_mapped(case.config, which) else case.dtype + '* '}{name}"


@dataclass
class Gemm:
    """C = activation?(A B + bias?) + residual?. A strides: 'k', 'mn' contiguous or 'none'; pads widen the leading dimension."""
    m: int
    n: int
    k: int
    config: Config
    dtype: str = "half"
    math: str = "tensor"
    a_major: str = "k"
    b_major: str = "mn"
    a_pad: int = 0
    b_pad: int = 0
    c_pad: int = 0
    c_columns: bool = False  # C lies column by column
    out: str = ""
    batch: tuple = ()        # outer, inner; B is broadcast over outer
    bias: bool = False
    residual: bool = False
    relu: bool = False
    smooth: str = ""         # another activation: "silu" or "gelu"
    offset: int = 0          # elements before A: unaligns it

    def __post_init__(self):
        self.out = self.out or self.dtype

    def name(self):
        return (f"gemm {self.dtype}/{self.math} {self.m}x{self.n}x{self.k} a:{self.a_major}+{self.a_pad}+{self.offset} "
                f"b:{self.b_major}+{self.b_pad} batch{self.batch} {self.config}")

    def strides(self, which):
        """(stride of mn, stride of k, elements of one matrix)."""
        mn = self.m if which == "a" else self.n
        major, pad = (self.a_major, self.a_pad) if which == "a" else (self.b_major, self.b_pad)
        if major == "k":
            return self.k + pad, 1, mn * (self.k + pad)
        if major == "mn":
            return 1, mn + pad, self.k * (mn + pad)
        return 2 * (self.k + pad), 2, 2 * mn * (self.k + pad)  # every second element

    def c_strides(self):
        return (1, self.m + self.c_pad) if self.c_columns else (self.n + self.c_pad, 1)

    def runs_on(self, architecture):
        return architecture == "sm_90a" or self.math != "warpgroup" and self.config.slices == 1

    def batches(self):
        return self.batch[0] * self.batch[1] if self.batch else 1

    def width(self, which):
        """Bytes of an operand that are copied at a time."""
        s_mn, s_k, matrix = self.strides(which)
        major = self.a_major if which == "a" else self.b_major
        return copy_bytes(self.dtype, major != "none",
                          [max(s_mn, s_k), matrix if self.batch else 0, self.offset if which == "a" else 0])

    def mappable(self):
        """How many operands the copy engine can bring: both, B alone or none."""
        a, b = (major == "k" and self.width(which) == 16 for which, major in (("a", self.a_major), ("b", self.b_major)))
        return 1 + a if b and self.k > 0 and self.n % 32 == 0 and not self.batch else 0

    def operand(self, which):
        if is_mapped(self.config, which):
            return f"MappedOperand<{self.dtype}>", f"{{{which}}}"
        s_mn, s_k, _ = self.strides(which)
        along = "mn" if (self.a_major if which == "a" else self.b_major) == "mn" else "k"
        return (f"MatrixOperand<{self.dtype}, Major::{along}, {self.width(which)}>",
                f"{{{which} + to_{which}, {s_mn}LL, {s_k}LL}}")

    def source(self):
        c = self.config
        cm, cn = self.c_strides()
        size = SIZE[self.out]
        aligned = cn == 1 and all(x * size % 16 == 0 for x in (cm, self.m * cm if self.batch else 0))
        c_matrix = (self.m + self.c_pad) * self.n if self.c_columns else self.m * cm
        outer, inner = self.batch or (1, 1)
        a_matrix, b_matrix = self.strides("a")[2], self.strides("b")[2]
        a_type, a_value = self.operand("a")
        b_type, b_value = self.operand("b")
        smooth = {"": "v[i]", "silu": "v[i] * prim::sigmoid(v[i])", "gelu": "prim::gelu_erf(v[i])"}[self.smooth]
        return f"""#include "base/primitives.cuh"
#include "providers/nvrtc/device/{c.header}"
using namespace burnish;
using C = {c.type(self.dtype, self.math, self.n, self.k)};
static_assert(C::threads == {c.threads()} && C::shared_bytes == {c.shared(self.dtype, self.math, self.n, self.k)});
struct Epilogue {{
  {self.out}* out;
  const {self.out}* bias;
  const {self.out}* residual;
  template <int V>
  struct Operands {{
    Row<{self.out}, V> bias, residual;
  }};
  template <int V>
  BURNISH_DEVICE Operands<V> fetch(int m, int n, int count) const {{
    Operands<V> read;
    if ({int(self.bias)}) read.bias = read_row<{self.out}, V>(bias + n, 1, count, true);
    if ({int(self.residual)})
      read.residual = read_row<{self.out}, V>(residual + (m * {cm}LL + n * {cn}LL), {cn}LL, count, {str(aligned).lower()});
    return read;
  }}
  template <int V>
  BURNISH_DEVICE Row<{self.out}, V> results(C::Sum (&v)[V], const Operands<V>& read) const {{
    Row<{self.out}, V> y;
#pragma unroll
    for (int i = 0; i < V; ++i) {{
      if ({int(self.bias)}) v[i] += read.bias[i];
      if ({int(self.relu)}) v[i] = v[i] < 0 ? 0 : v[i];
      v[i] = {smooth};
      if ({int(self.residual)}) v[i] += read.residual[i];
      y.set(i, v[i]);
    }}
    return y;
  }}
  template <int V>
  BURNISH_DEVICE void put(int m, int n, const Row<{self.out}, V>& y, int count) const {{
    write_row<{self.out}, V>(out + (m * {cm}LL + n * {cn}LL), {cn}LL, count, {str(aligned).lower()}, y);
  }}
}};
extern "C" __global__ void {c.attributes()}
kernel({parameter(self, "a", "a")}, {parameter(self, "b", "b")}, {self.out}* out, const {self.out}* bias, const {self.out}* residual, int m) {{
  {c.call(self.n, self.k, outer * inner)}[&](Place place, const auto& compute) {{
    const BatchIndex batch(place.batch, 1, {outer}, {inner});
    [[maybe_unused]] const i64 to_a = batch.offset(0, 0, {inner * a_matrix}LL, {a_matrix}LL);
    [[maybe_unused]] const i64 to_b = batch.offset(0, 0, 0, {b_matrix}LL);
    const i64 to_c = batch.offset(0, 0, {inner * c_matrix}LL, {c_matrix}LL);
    compute({a_type}{a_value}, {b_type}{b_value}, Epilogue{{out + to_c, bias, residual + to_c}});
  }});
}}
"""

    def launch(self):
        c = self.config
        return c.blocks_of(self.m, self.n, self.batches()), c.threads(), c.shared(self.dtype, self.math, self.n, self.k)

    def flops(self):
        return 2 * self.m * self.n * self.k * self.batches()

    def bytes(self):
        """Each operand and the result once."""
        a, b, c = self.m * self.k, self.n * self.k, self.m * self.n
        return self.batches() * ((a + b) * SIZE[self.dtype] + (1 + self.residual) * c * SIZE[self.out])


@dataclass
class Conv:
    """Grouped, strided, dilated, padded (top, left, bottom, right), or transposed (out_pad: output_padding)."""
    n: int
    cin: int
    hw: tuple
    cout: int
    kernel: tuple
    config: Config
    dtype: str = "half"
    math: str = "tensor"
    stride: tuple = (1, 1)
    pad: tuple = (0, 0, 0, 0)
    dilation: tuple = (1, 1)
    groups: int = 1
    transposed: bool = False
    channels_last: bool = True
    pitch: int = 0           # elements that follow every pixel's channels (channels-last) or row (channels-first)
    relu: bool = True

    def name(self):
        kind = "convT" if self.transposed else "conv"
        layout = "last" if self.channels_last else "first"
        return (f"{kind} {self.dtype}/{self.math} n{self.n} {self.cin}x{self.hw} -> {self.cout} k{self.kernel} "
                f"s{self.stride} p{self.pad} d{self.dilation} g{self.groups} {layout}+{self.pitch} {self.config}")

    runs_on = Gemm.runs_on

    def out_hw(self):
        out = []
        for i in range(2):
            reach = self.dilation[i] * (self.kernel[i] - 1) + 1
            pads = self.pad[i] + self.pad[i + 2]
            if self.transposed:
                out.append((self.hw[i] - 1) * self.stride[i] - pads + reach)
            else:
                out.append((self.hw[i] + pads - reach) // self.stride[i] + 1)
        return tuple(out)

    def extents(self):
        """(positions, channels of a group, k)."""
        oh, ow = self.out_hw()
        return self.n * oh * ow, self.cout // self.groups, self.kernel[0] * self.kernel[1] * self.cin // self.groups

    def image_strides(self):
        h, w = self.hw
        if self.channels_last:
            pixel = self.cin + self.pitch
            return h * w * pixel, 1, w * pixel, pixel
        row = w + self.pitch
        return self.cin * h * row, h * row, row, 1

    def mappable(self):
        if not self.channels_last or self.groups > 1 or self.cout % 32:
            return 0
        return 1 + (not self.transposed and self.cin % 64 == 0 and self.pitch % 8 == 0)

    def weight_row(self):
        unit = 16 // SIZE[self.dtype]
        return -(-self.extents()[2] // unit) * unit

    def source(self):
        c, cin, cout = self.config, self.cin // self.groups, self.cout // self.groups
        positions, _, k = self.extents()
        oh, ow = self.out_hw()
        sn, sc, sh, sw = self.image_strides()
        width = copy_bytes(self.dtype, self.channels_last, [sn, sh, sw, cin])
        along = "k" if self.channels_last else "mn"
        kind = "ConvTransposeOperand" if self.transposed else "ConvOperand"
        axes = [f"{{{self.hw[i]}, {self.out_hw()[i]}, {self.kernel[i]}, {self.stride[i]}, {self.pad[i]}, "
                f"{self.dilation[i]}}}" for i in range(2)]
        image = (f"MappedWindows<{self.dtype}>{{image, {cin}, {axes[0]}, {axes[1]}}}" if is_mapped(c, "a") else
                 f"{kind}<{self.dtype}, Major::{along}, {width}>{{image + group * {cin * sc}LL, {sn}LL, {sc}LL, {sh}LL, "
                 f"{sw}LL, {cin}, {axes[0]}, {axes[1]}}}")
        row = self.weight_row()
        weights = (f"MappedOperand<{self.dtype}>{{weights}}" if is_mapped(c, "b") else
                   f"MatrixOperand<{self.dtype}, Major::k, 16>{{weights + group * {cout * row}LL, {row}LL, 1}}")
        size = SIZE[self.dtype]
        if self.channels_last:
            m, n, operands = "positions", str(cout), f"{image}, {weights}"
            aligned = self.cout * size % 16 == 0 and cout * size % 16 == 0
            store = (f"write_row<{self.dtype}, V>(out + m * {self.cout}LL + n, 1, count, {str(aligned).lower()}, y);")
            group_step, bias_at, bias_step, bias_aligned = cout, "n", 1, aligned
        else:
            m, n, operands = str(cout), "positions", f"{weights}, {image}"
            plane = oh * ow
            group_step, bias_at, bias_step, bias_aligned = cout * plane, "m", 0, False
            if plane % 8 == 0:
                store = (f"write_row<{self.dtype}, V>(out + n / {plane} * {self.cout * plane}LL + m * {plane}LL + n % "
                         f"{plane}, 1, count, true, y);")
            else:
                store = (f"for (int i = 0; i < V; ++i) if (i < count) out[(n + i) / {plane} * "
                         f"{self.cout * plane}LL + m * {plane}LL + (n + i) % {plane}] = y.elements.at[i];")
        return f"""#include "providers/nvrtc/device/contraction.cuh"
#include "providers/nvrtc/device/conv{'_map' * is_mapped(c, 'a')}.cuh"
using namespace burnish;
using C = {c.type(self.dtype, self.math, cout, k)};
static_assert(C::threads == {c.threads()} && C::shared_bytes == {c.shared(self.dtype, self.math, cout, k)});
struct Epilogue {{
  {self.dtype}* out;
  const {self.dtype}* bias;
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> fetch(int m, int n, int count) const {{
    return read_row<{self.dtype}, V>(bias + {bias_at}, {bias_step}, count, {str(bias_aligned).lower()});
  }}
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> results(float (&v)[V], const Row<{self.dtype}, V>& bias) const {{
    Row<{self.dtype}, V> y;
#pragma unroll
    for (int i = 0; i < V; ++i) {{
      v[i] += bias[i];
      y.set(i, {int(self.relu)} && v[i] < 0 ? 0 : v[i]);
    }}
    return y;
  }}
  template <int V>
  BURNISH_DEVICE void put(int m, int n, const Row<{self.dtype}, V>& y, int count) const {{
    {store}
  }}
}};
extern "C" __global__ void {c.attributes()}
kernel({parameter(self, "a", "image")}, {parameter(self, "b", "weights")}, {self.dtype}* out, const {self.dtype}* bias, int positions) {{
  contract<C>({m}, {n}, {k}, {self.groups}, [&](Place place, const auto& compute) {{
    const int group = place.batch;
    compute({operands}, Epilogue{{out + group * {group_step}LL, bias + group * {cout}}});
  }});
}}
"""

    def launch(self):
        c = self.config
        positions, channels, _ = self.extents()
        m, n = (positions, channels) if self.channels_last else (channels, positions)
        return c.blocks_of(m, n, self.groups), c.threads(), c.shared(self.dtype, self.math, channels, self.extents()[2])

    def flops(self):
        positions, channels, k = self.extents()
        return 2 * positions * channels * k * self.groups

    def bytes(self):
        positions, channels, k = self.extents()
        image = self.n * self.cin * self.hw[0] * self.hw[1]
        return SIZE[self.dtype] * (image + self.groups * channels * (k + positions))


@dataclass
class Depthwise:
    n: int
    channels: int
    hw: tuple
    kernel: tuple
    dtype: str = "half"
    stride: tuple = (1, 1)
    pad: tuple = (0, 0, 0, 0)
    dilation: tuple = (1, 1)
    multiplier: int = 1
    channels_last: bool = True
    pitch: int = 0
    v: int = 8
    rows: int = 1
    strip: int = 4
    band: tuple = ()  # warps along w, 16 channels, images of a block that multiplies by tensor cores instead
    groups: int = field(init=False, default=0)

    def __post_init__(self):
        self.groups = self.cin = self.channels
        self.cout = self.channels * self.multiplier

    def name(self):
        layout = "last" if self.channels_last else "first"
        return (f"depthwise {self.dtype} n{self.n} {self.channels}*{self.multiplier}x{self.hw} k{self.kernel} s{self.stride} "
                f"p{self.pad} d{self.dilation} {layout}+{self.pitch} " +
                ("band{}x{}x{}".format(*self.band) if self.band else f"v{self.v} strip{self.rows}x{self.strip}"))

    transposed = False
    out_hw = Conv.out_hw

    def runs_on(self, architecture):
        return True

    image_strides = Conv.image_strides

    def band_row(self):
        """Elements of a row of a channel's window as depthwise_band.cuh has it: (before the taps, in all, copies)."""
        step = self.stride[1]
        lead = (7 * step + 1) // 2 * 2
        return lead, lead + (7 * step + (self.kernel[1] - 1) * self.dilation[1] + 8) // 8 * 8, 2 if step % 2 else 1

    def band_channels(self):
        return -(-self.channels // 64) * 64

    def band_launch(self):
        (across, pairs, images), (_, band, copies) = self.band, self.band_row()
        oh, ow = self.out_hw()
        blocks = -(-self.n // images) * -(-oh // (16 // images)) * -(-ow // (16 * across)) * -(-self.channels // (16 * pairs))
        patch_rows = (16 // images - 1) * self.stride[0] + (self.kernel[0] - 1) * self.dilation[0] + 1
        chunks = (2 * across - 1) * self.stride[1] + (band - self.band_row()[0]) // 8
        group = 8 * images * patch_rows * 16 * (chunks | 1) + 64 // pairs
        return blocks, 32 * across * pairs, 16 * pairs * self.kernel[0] * 2 * copies * band + 2 * pairs * group

    def source(self):
        oh, ow = self.out_hw()
        strides = ", ".join(f"{s}LL" for s in self.image_strides())
        unit = min(16 // SIZE[self.dtype], self.v)
        aligned = self.channels_last and self.cout % unit == 0 and self.pitch % unit == 0
        if self.channels_last:
            address, step = f"position * {self.cout}LL + channel", 1
        else:
            address, step = f"position / {oh * ow} * {self.cout * oh * ow}LL + channel * {oh * ow}LL + position % {oh * ow}", oh * ow
        window = f"DepthwiseWindow<{', '.join(map(str, self.kernel + self.stride + self.dilation))}>"
        image = (f"DepthwiseImage<{self.dtype}>{{image, {strides}, n, {self.channels}, {self.hw[0]}, {self.hw[1]}, {self.pad[0]}, "
                 f"{self.pad[1]}}}")
        threads = self.launch()[1]
        if self.band:
            header = "depthwise_band"
            call = (f"using C = DepthwiseBand<{self.dtype}, {window}, {', '.join(map(str, self.band))}>;\n"
                    f"  static_assert(C::threads == {threads} && C::shared_bytes == {self.launch()[2]});\n"
                    f"  depthwise_band<C>({image}, weights, {oh}, {ow}, Epilogue{{out, bias}});")
        else:
            header = "depthwise"
            call = (f"depthwise<{window}, {self.v}, {self.rows}, {self.strip}, {self.multiplier}>({image}, weights, {oh}, {ow}, "
                    f"{str(aligned).lower()}, {str(self.channels_last).lower()}, Epilogue{{out, bias}});")
        return f"""#include "providers/nvrtc/device/{header}.cuh"
using namespace burnish;
struct Epilogue {{
  {self.dtype}* out;
  const {self.dtype}* bias;
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> fetch(int position, int channel, int count) const {{
    return read_row<{self.dtype}, V>(bias + channel, 1, count, {str(aligned).lower()});
  }}
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> results(float (&v)[V], const Row<{self.dtype}, V>& bias) const {{
    Row<{self.dtype}, V> y;
    for (int i = 0; i < V; ++i) y.set(i, v[i] + bias[i]);
    return y;
  }}
  template <int V>
  BURNISH_DEVICE void put(int position, int channel, const Row<{self.dtype}, V>& y, int count) const {{
    write_row<{self.dtype}, V>(out + {address}, {step}LL, count, {str(aligned).lower()}, y);
  }}
}};
extern "C" __global__ void __launch_bounds__({threads})
kernel(const {self.dtype}* image, const {self.dtype}* weights, {self.dtype}* out, const {self.dtype}* bias, int n) {{
  {call}
}}
"""

    def launch(self):
        if self.band:
            return self.band_launch()
        oh, ow = self.out_hw()
        items = self.n * -(-oh // self.rows) * -(-ow // self.strip) * -(-self.cout // self.v)
        return -(-items // 128), 128, 0

    def flops(self):
        oh, ow = self.out_hw()
        return 2 * self.n * oh * ow * self.cout * self.kernel[0] * self.kernel[1]


@dataclass
class ImageConv:
    """A convolution of few channels that reads the image as it lies (top, left, bottom, right padded); its blocks share tiles."""
    n: int
    cin: int
    hw: tuple
    cout: int
    kernel: tuple
    rows: int                # of a warp
    columns: int             # channels at a time
    dtype: str = "half"
    image_type: str = ""
    stride: tuple = (2, 2)
    pad: tuple = (0, 0, 0, 0)
    channels_last: bool = True
    pitch: int = 0           # elements that follow every pixel's channels (channels-last) or row (channels-first)
    relu: bool = True

    groups, transposed, dilation, math = 1, False, (1, 1), "tensor"

    def __post_init__(self):
        self.image_type = self.image_type or self.dtype

    def name(self):
        layout = "last" if self.channels_last else "first"
        return (f"image {self.image_type}->{self.dtype} n{self.n} {self.cin}x{self.hw} -> {self.cout} k{self.kernel} "
                f"s{self.stride} p{self.pad} {layout}+{self.pitch} {self.rows}x16x{self.columns}")

    def runs_on(self, architecture):
        return True

    out_hw = Conv.out_hw
    image_strides = Conv.image_strides

    def steps(self):
        return -(-self.kernel[1] // 4)

    def groups_of_32(self):
        return -(-self.cout // self.columns) * self.columns // 32

    def shared(self):
        patch_h = (4 * self.rows - 1) * self.stride[0] + self.kernel[0]
        patch_w = 15 * self.stride[1] + 4 * self.steps()
        return self.groups_of_32() * self.kernel[0] * self.steps() * 1024 + 2 * patch_h * patch_w * 8

    def resident(self):
        """Blocks of a multiprocessor, as the compiler asks for them."""
        lines = 128 // (15 * self.stride[1] + 4 * self.steps())
        held = -(-((4 * self.rows - 1) * self.stride[0] + self.kernel[0]) // lines) * self.cin
        window = min(self.kernel[0], (self.rows - 1) * self.stride[0] + 1)
        registers = self.rows * self.columns // 2 + window * self.steps() * 4 + held + 42
        return min(227 * 1024 // (self.shared() + 1024), 512 // (-(-registers // 8) * 8), 6)

    def source(self):
        oh, ow = self.out_hw()
        kh, kw = self.kernel
        strides = ", ".join(f"{s}LL" for s in self.image_strides())
        aligned = str(self.cout % 8 == 0).lower()
        return f"""#include "providers/nvrtc/device/image_conv.cuh"
using namespace burnish;
using C = ImageConv<{self.dtype}, {kh}, {kw}, {self.stride[0]}, {self.stride[1]}, {self.rows}, {self.columns}>;
static_assert(C::threads == 128 && C::shared_bytes({self.cout}) == {self.shared()});
struct Epilogue {{
  {self.dtype}* out;
  const {self.dtype}* bias;
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> fetch(int m, int n, int count) const {{
    return read_row<{self.dtype}, V>(bias + n, 1, count, {aligned});
  }}
  template <int V>
  BURNISH_DEVICE Row<{self.dtype}, V> results(float (&v)[V], const Row<{self.dtype}, V>& bias) const {{
    Row<{self.dtype}, V> y;
#pragma unroll
    for (int i = 0; i < V; ++i) {{
      v[i] += bias[i];
      y.set(i, {int(self.relu)} && v[i] < 0 ? 0 : v[i]);
    }}
    return y;
  }}
  template <int V>
  BURNISH_DEVICE void put(int m, int n, const Row<{self.dtype}, V>& y, int count) const {{
    write_row<{self.dtype}, V>(out + m * {self.cout}LL + n, 1, count, {aligned}, y);
  }}
}};
extern "C" __global__ void __launch_bounds__(C::threads, {self.resident()})
kernel(const {self.image_type}* __restrict__ image, const {self.dtype}* __restrict__ weights, {self.dtype}* __restrict__ out,
       const {self.dtype}* __restrict__ bias, int images) {{
  convolve_image<C>(FewChannelImage<{self.image_type}, {self.cin}>{{image, {{{strides}}}, {self.hw[0]}, {self.hw[1]}, {self.pad[0]}, {self.pad[1]}}},
                    weights, images, {oh}, {ow}, {self.cout}, [&](int image, int row, int column) {{
    return Epilogue{{out + ((image * {oh} + row) * {ow}LL + column) * {self.cout}, bias}};
  }});
}}
"""

    def launch(self):
        oh, ow = self.out_hw()
        tiles = self.n * -(-oh // (4 * self.rows)) * -(-ow // 16)
        return min(tiles, self.resident() * MULTIPROCESSORS), 128, self.shared()

    def flops(self):
        oh, ow = self.out_hw()
        return 2 * self.n * oh * ow * self.cout * self.cin * self.kernel[0] * self.kernel[1]
