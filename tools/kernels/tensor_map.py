"""Maps for the copy engine, as the runtime makes them (runtime/cuda/arguments.cpp)."""
import ctypes

_UINT16, _UINT32, _SWIZZLE_128B, _L2_256B = 1, 2, 3, 3


def encode(address, item, extents, strides, box):
    """The map as 128 bytes. `item`: bytes of an element; strides in elements, of all axes but the innermost."""
    rank = len(extents)
    memory = ctypes.create_string_buffer(128 + 64)
    aligned = -(-ctypes.addressof(memory) // 64) * 64
    longs, ints = ctypes.c_uint64 * rank, ctypes.c_uint32 * rank
    status = ctypes.CDLL("libcuda.so.1").cuTensorMapEncodeTiled(
        ctypes.c_void_p(aligned), _UINT16 if item == 2 else _UINT32, rank, ctypes.c_void_p(address),
        longs(*(max(e, 1) for e in extents)), longs(*(s * item for s in strides)), ints(*box), ints(*[1] * rank), 0,
        _SWIZZLE_128B, _L2_256B, 0)
    if status:
        raise RuntimeError(f"cuTensorMapEncodeTiled of {extents} by {strides}, box {box}: error {status}")
    return (ctypes.c_char * 128).from_buffer_copy(ctypes.string_at(aligned, 128))
