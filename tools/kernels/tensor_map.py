"""Maps for the copy engine, as the runtime makes them (runtime/cuda/arguments.cpp)."""
import ctypes

_UINT16, _UINT32, _SWIZZLE_128B, _L2_256B = 1, 2, 3, 3


def encode(address, item, extents, strides, box):
    """The map as 128 bytes. `item`: bytes of an element; strides in elements, of all axes but the innermost."""
    ints = ctypes.c_uint32 * len(extents)
    return _made("cuTensorMapEncodeTiled", address, item, extents, strides, ints(*box), ints(*[1] * len(extents)))


def encode_windows(address, item, extents, strides, box, pads, steps, ends):
    """As `encode`, of images {channels, w, h, n} for copies of `box` = (channels, windows): these begin `pads` before the image and
    then every `steps`, before `ends` after its end; all {w, h}."""
    signed, ints = ctypes.c_int * 2, ctypes.c_uint32 * 4
    return _made("cuTensorMapEncodeIm2col", address, item, extents, strides, signed(*(-p for p in pads)), signed(*ends),
                 *map(ctypes.c_uint32, box), ints(1, *steps, 1))


def _made(function, address, item, extents, strides, *copies):
    longs, rank = ctypes.c_uint64 * len(extents), len(extents)
    memory = ctypes.create_string_buffer(128 + 64)
    aligned = -(-ctypes.addressof(memory) // 64) * 64
    status = getattr(ctypes.CDLL("libcuda.so.1"), function)(
        ctypes.c_void_p(aligned), _UINT16 if item == 2 else _UINT32, rank, ctypes.c_void_p(address),
        longs(*(max(e, 1) for e in extents)), longs(*(s * item for s in strides)), *copies, 0, _SWIZZLE_128B, _L2_256B, 0)
    if status:
        raise RuntimeError(f"{function} of {extents} by {strides}, {[list(c) if hasattr(c, '__len__') else c for c in copies]}: error {status}")
    return (ctypes.c_char * 128).from_buffer_copy(ctypes.string_at(aligned, 128))
