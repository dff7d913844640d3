"""Runs a case on the GPU and compares it with torch in binary64: random data, poisoned outputs, guarded buffers."""
import ctypes
import zlib

import torch
import torch.nn.functional as F

import cases
import tensor_map
from driver import Kernel, microseconds

TYPES = {"half": torch.float16, "bfloat16": torch.bfloat16, "float": torch.float32, "double": torch.float64,
         "int": torch.int32, "long long": torch.int64}
GUARD = 4096  # elements before and after every buffer, a multiple of 16


class Buffer:
    """`count` elements between guards. Inputs: everything not written by the caller is NaN (integers: a large number),
    so that reading outside shows; outputs start as poison, and `touched_outside` tells whether the rest stayed so."""

    def __init__(self, dtype, count):
        self.type = TYPES[dtype]
        self.poison = float("nan") if self.type.is_floating_point else 77777
        self.all = torch.full((count + 2 * GUARD,), self.poison, dtype=self.type, device="cuda")
        self.inner = self.all[GUARD:GUARD + count]

    def view(self, shape, strides, offset=0):
        return torch.as_strided(self.inner, shape, strides, self.inner.storage_offset() + offset)

    def address(self, offset=0):
        return self.inner.data_ptr() + offset * self.inner.element_size()

    def touched_outside(self, inside):
        copy = self.all.clone()
        torch.as_strided(copy, inside.shape, inside.stride(), inside.storage_offset()).fill_(self.poison)
        same = copy.isnan() if self.type.is_floating_point else copy == self.poison
        return not bool(same.all())


def fill(view):
    if view.dtype.is_floating_point:
        view.copy_(torch.randn(view.shape, device="cuda").to(view.dtype))
    else:
        view.copy_(torch.randint(-1000, 1000, view.shape, device="cuda").to(view.dtype))


def judge(got, exact, magnitude, dtype, math, out):
    """(passes, relative L2): every element within its own error bound. `magnitude` is the sum of |a||b|."""
    got = got.double()
    if not TYPES[dtype].is_floating_point:
        return bool((got == exact).all()), 0.0
    sums = 1e-14 if dtype == "double" else 4e-6
    if (dtype, math) == ("float", "tensor"):
        sums += 2.0 ** -10  # both operands rounded to TF32
    rounding, least = {"half": (2.0 ** -11, 2.0 ** -25), "bfloat16": (2.0 ** -8, 0.0)}.get(out, (0.0, 0.0))
    bound = sums * magnitude
    bound = 1.001 * (bound + rounding * (exact.abs() + bound) + least)
    ok = bool(((got - exact).abs() <= bound).all())  # NaN fails
    return ok, float((got - exact).norm() / exact.norm().clamp_min(1e-30))


def launcher(kernel, arguments, *buffers):
    """Launches again; keeps the buffers alive."""
    return lambda: (kernel(*arguments), buffers)[0]


def argument(case, which, address, mn, k, stride):
    """For `cases.parameter`: the address, or the map that the compiler makes (ir/contraction_text.cpp)."""
    c = case.config
    if not cases.is_mapped(c, which):
        return address
    if which == "a":
        return tensor_map.encode(address, cases.SIZE[case.dtype], (k, mn), (stride,), (64, c.bm))
    return tensor_map.encode(address, cases.SIZE[case.dtype], (k, 2, 4, 4, mn // 32), (stride, 8 * stride, 2 * stride, 32 * stride),
                             (64, 2, 4, 4, c.bn // 32))


def image_argument(case, address):
    """As `argument`, for a convolution's A."""
    if not cases.is_mapped(case.config, "a"):
        return address
    (h, w), (oh, ow), (sn, _, sh, sw) = case.hw, case.out_hw(), case.image_strides()
    end = lambda out, size, axis: (out - 1) * case.stride[axis] + 1 - case.pad[axis] - size
    return tensor_map.encode_windows(address, cases.SIZE[case.dtype], (case.cin, w, h, case.n), (sw, sh, sn), (64, case.config.bm),
                                     (case.pad[1], case.pad[0]), case.stride[::-1], (end(ow, w, 1), end(oh, h, 0)))


def run_gemm(case, cubin):
    outer, inner = case.batch or (1, 1)
    def operand(which, mn, batches, offset):
        s_mn, s_k, matrix = case.strides(which)
        buffer = Buffer(case.dtype, matrix * batches + offset)
        view = buffer.view((batches, mn, case.k), (matrix, s_mn, s_k), offset)
        fill(view)
        return buffer, view
    buffer_a, a = operand("a", case.m, outer * inner, case.offset)
    buffer_b, b = operand("b", case.n, inner, 0)
    cm, cn = case.c_strides()
    matrix = max(case.m * cm, case.n * cn)
    shape, strides = (outer * inner, case.m, case.n), (matrix, cm, cn)
    buffer_c, buffer_r = Buffer(case.out, matrix * outer * inner), Buffer(case.out, matrix * outer * inner)
    c, residual = buffer_c.view(shape, strides), buffer_r.view(shape, strides)
    fill(residual)
    buffer_bias = Buffer(case.out, case.n)
    fill(buffer_bias.inner)

    kernel = Kernel(cubin, *case.launch())
    a_at, b_at = (argument(case, which, address, mn, case.k, case.strides(which)[0])
                  for which, address, mn in (("a", buffer_a.address(case.offset), case.m), ("b", buffer_b.address(), case.n)))
    arguments = (a_at, b_at, buffer_c.address(), buffer_bias.address(),
                 buffer_r.address(), ctypes.c_int(case.m))
    kernel(*arguments)
    torch.cuda.synchronize()

    b_all = b.double().repeat(outer, 1, 1)
    exact = a.double() @ b_all.transpose(1, 2)
    magnitude = a.double().abs() @ b_all.abs().transpose(1, 2)
    if case.bias:
        exact = exact + buffer_bias.inner.double()
        magnitude = magnitude + buffer_bias.inner.double().abs()
    if case.relu:
        exact = exact.relu()
    if case.smooth:
        exact = {"silu": F.silu, "gelu": F.gelu}[case.smooth](exact)
        magnitude = 1.13 * magnitude  # their steepest slope
    if case.residual:
        exact = exact + residual.double()
        magnitude = magnitude + residual.double().abs()
    ok, error = judge(c, exact, magnitude, case.dtype, case.math, case.out)
    return ok and not buffer_c.touched_outside(c), error, launcher(kernel, arguments, buffer_a, buffer_b, buffer_c, buffer_r,
                                                                buffer_bias)


def image_and_out(case):
    sn, sc, sh, sw = case.image_strides()
    buffer = Buffer(getattr(case, "image_type", case.dtype), case.n * sn)
    image = buffer.view((case.n, case.cin, *case.hw), (sn, sc, sh, sw))
    fill(image)
    oh, ow = case.out_hw()
    last = case.channels_last or isinstance(case, cases.ImageConv)
    strides = ((oh * ow * case.cout, 1, ow * case.cout, case.cout) if last else
               (oh * ow * case.cout, oh * ow, ow, 1))
    buffer_out = Buffer(case.dtype, case.n * oh * ow * case.cout)
    return buffer, image, buffer_out, buffer_out.view((case.n, case.cout, oh, ow), strides)


def convolve(case, image, weights):
    """weights: [cout][cin of the group][kh][kw]."""
    if case.transposed:
        g = case.groups
        w = weights.reshape(g, case.cout // g, case.cin // g, *case.kernel).transpose(1, 2)
        full = F.conv_transpose2d(image, w.reshape(case.cin, case.cout // g, *case.kernel), stride=case.stride,
                                  dilation=case.dilation, groups=g)
        top, left, bottom, right = case.pad
        return full[:, :, top:full.shape[2] - bottom, left:full.shape[3] - right]
    top, left, bottom, right = case.pad
    return F.conv2d(F.pad(image, (left, right, top, bottom)), weights, stride=case.stride, dilation=case.dilation,
                    groups=case.groups)


def run_conv(case, cubin):
    buffer, image, buffer_out, out = image_and_out(case)
    group_in, k, row = case.cin // case.groups, case.extents()[2], case.weight_row()
    buffer_w = Buffer(case.dtype, case.cout * row)
    packed = buffer_w.view((case.cout, case.kernel[0], case.kernel[1], group_in),
                           (row, case.kernel[1] * group_in, group_in, 1))
    fill(packed)
    weights = packed.permute(0, 3, 1, 2)
    bias = Buffer(case.dtype, case.cout)
    fill(bias.inner)
    kernel = Kernel(cubin, *case.launch())
    arguments = (image_argument(case, buffer.address()), argument(case, "b", buffer_w.address(), *case.extents()[1:], row), buffer_out.address(),
                 bias.address(), ctypes.c_int(case.extents()[0]))
    kernel(*arguments)
    torch.cuda.synchronize()
    b = bias.inner.double()[None, :, None, None]
    exact = convolve(case, image.double(), weights.double()) + b
    magnitude = convolve(case, image.double().abs(), weights.double().abs()) + b.abs()
    ok, error = judge(out, exact.relu() if case.relu else exact, magnitude, case.dtype, case.math, case.dtype)
    return ok and not buffer_out.touched_outside(out), error, launcher(kernel, arguments, buffer, buffer_w, buffer_out, bias)


def in_bands(case, weights):
    """Weights [channels][1][kh][kw] in the order of depthwise_band.cuh: [channels][kh][copies][band]."""
    lead, band, copies = case.band_row()
    bands = torch.zeros(case.band_channels(), case.kernel[0], copies, band + 1, dtype=weights.dtype, device="cuda")
    for copy in range(copies):
        for tap in range(case.kernel[1]):
            bands[:case.channels, :, copy, lead + tap * case.dilation[1] - copy] = weights[:, 0, :, tap]
    return bands[..., :band].contiguous()


def run_depthwise(case, cubin):
    buffer, image, buffer_out, out = image_and_out(case)
    weights = torch.randn(case.cout, 1, *case.kernel, device="cuda").to(TYPES[case.dtype])
    packed = in_bands(case, weights) if case.band else weights[:, 0].permute(1, 2, 0)
    buffer_w, bias = Buffer(case.dtype, packed.numel()), Buffer(case.dtype, case.cout)
    buffer_w.inner.copy_(packed.flatten())
    fill(bias.inner)
    kernel = Kernel(cubin, *case.launch())
    arguments = (buffer.address(), buffer_w.address(), buffer_out.address(), bias.address(), ctypes.c_int(case.n))
    kernel(*arguments)
    torch.cuda.synchronize()
    b = bias.inner.double()[None, :, None, None]
    exact = convolve(case, image.double(), weights.double()) + b
    magnitude = convolve(case, image.double().abs(), weights.double().abs()) + b.abs()
    ok, error = judge(out, exact, magnitude, case.dtype, "plain", case.dtype)
    return ok and not buffer_out.touched_outside(out), error, launcher(kernel, arguments, buffer, buffer_w, buffer_out, bias)


def in_fragments(case, weights):
    """Weights [cout][cin][kh][kw] in the order of image_conv.cuh: [32 channels][kh][4 pixels][2][lane][8]."""
    kh, kw = case.kernel
    steps, channels = case.steps(), 32 * case.groups_of_32()
    full = torch.zeros(channels, 4, kh, 4 * steps, dtype=weights.dtype, device="cuda")
    full[:case.cout, :case.cin, :, :kw] = weights
    # channel = (group, g / 2, part, block of the part, g % 2), tap = (step, half of k, q / 2), c = (q % 2, element)
    full = full.reshape(channels // 32, 4, 2, 2, 2, 2, 2, kh, steps, 2, 2)
    group, g_high, part, block, g_low, q_low, element, row, step, half, q_high = range(11)
    return full.permute(group, row, step, part, g_high, g_low, q_high, q_low, block, half, element).contiguous()


def run_image_conv(case, cubin):
    buffer, image, buffer_out, out = image_and_out(case)
    weights = torch.randn(case.cout, case.cin, *case.kernel, device="cuda").to(TYPES[case.dtype])
    fragments = in_fragments(case, weights)
    buffer_w, bias = Buffer(case.dtype, fragments.numel()), Buffer(case.dtype, case.cout)
    buffer_w.inner.copy_(fragments.flatten())
    fill(bias.inner)
    kernel = Kernel(cubin, *case.launch())
    arguments = (buffer.address(), buffer_w.address(), buffer_out.address(), bias.address(), ctypes.c_int(case.n))
    kernel(*arguments)
    torch.cuda.synchronize()
    b = bias.inner.double()[None, :, None, None]
    rounded = image.to(TYPES[case.dtype]).double()
    exact = convolve(case, rounded, weights.double()) + b
    magnitude = convolve(case, rounded.abs(), weights.double().abs()) + b.abs()
    ok, error = judge(out, exact.relu() if case.relu else exact, magnitude, case.dtype, case.math, case.dtype)
    return ok and not buffer_out.touched_outside(out), error, launcher(kernel, arguments, buffer, buffer_w, buffer_out, bias)


def run(case, cubin, timed):
    """(passes, relative L2 error, microseconds or None)."""
    torch.manual_seed(zlib.crc32(case.name().encode()))
    runner = {cases.Gemm: run_gemm, cases.Conv: run_conv, cases.Depthwise: run_depthwise,
              cases.ImageConv: run_image_conv}[type(case)]
    ok, error, launch = runner(case, cubin)
    return ok, error, microseconds(launch) if timed else None


def library_microseconds(case):
    """The same work through torch (cuBLAS, cuDNN), without bias and activation; None where there is nothing alike."""
    kind = TYPES[case.dtype]
    torch.backends.cuda.matmul.allow_tf32 = getattr(case, "math", "") == "tensor"
    if isinstance(case, cases.Gemm):
        a, b = (torch.randn(shape, device="cuda").to(kind) for shape in ((case.m, case.k), (case.k, case.n)))
        return microseconds(lambda: a @ b)
    layout = torch.channels_last if case.channels_last else torch.contiguous_format
    image = torch.randn(case.n, case.cin, *case.hw, device="cuda").to(kind).to(memory_format=layout)
    weights = torch.randn(case.cout, case.cin // case.groups, *case.kernel, device="cuda").to(kind)
    weights = weights.to(memory_format=layout)
    with torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=torch.backends.cuda.matmul.allow_tf32):
        return microseconds(lambda: F.conv2d(image, weights, stride=case.stride, padding=case.pad[:2],
                                             groups=case.groups))
