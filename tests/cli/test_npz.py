"""Arrays go in and out as numpy keeps them. Every array here is copied by a model, so that it has to come back as it was."""
import zipfile

import numpy as np
import pytest
from conftest import copies

RANDOM = np.random.default_rng(0)
TYPES = ["float32", "float16", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]


def random_bits(dtype, shape):
    """Every bit pattern may occur, NaN among them; but a boolean is 0 or 1."""
    if dtype == "bool":
        return RANDOM.integers(0, 2, shape).astype(bool)
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(RANDOM.bytes(count), dtype).reshape(shape)


def port(name, array):
    """Free axes, but for empty ones: a free axis is at least 1."""
    return str(array.dtype), [extent and f"{name}_{axis}" for axis, extent in enumerate(array.shape)]


def round_trip(burnish, savez=np.savez, **arrays):
    """What comes out when `arrays` go in."""
    copies(burnish.folder / "m.onnx", **{name: port(name, array) for name, array in arrays.items()})
    burnish.succeed("build", "m.onnx", "--target", "cpu")
    savez(burnish.folder / "in.npz", **arrays)
    burnish.succeed("run", "m.engine", "--inputs", "in.npz", "--outputs", "out.npz", "--device", "cpu")
    with np.load(burnish.folder / "out.npz", allow_pickle=False) as out:
        return {name.removesuffix("_out"): out[name] for name in out}


def check_same(got, want):
    assert got.keys() == want.keys()
    for name in want:
        assert got[name].dtype == want[name].dtype and got[name].shape == want[name].shape, name
        assert got[name].tobytes() == want[name].tobytes(), name


@pytest.mark.parametrize("savez", [np.savez, np.savez_compressed])
def test_every_type(burnish, savez):
    arrays = {dtype: random_bits(dtype, (3, 5)) for dtype in TYPES}
    check_same(round_trip(burnish, savez, **arrays), arrays)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3, 4, 5), (0,), (2, 0, 3)], ids=str)
def test_every_shape(burnish, shape):
    arrays = {"x": random_bits("float32", shape)}
    check_same(round_trip(burnish, **arrays), arrays)


def test_column_major(burnish):
    arrays = {dtype: np.asfortranarray(random_bits(dtype, (4, 3, 5))) for dtype in ("float32", "uint8", "float16", "int64")}
    check_same(round_trip(burnish, **arrays), {name: np.ascontiguousarray(a) for name, a in arrays.items()})


def test_several_megabytes(burnish):
    arrays = {"x": random_bits("float32", (1024, 3000))}
    check_same(round_trip(burnish, np.savez_compressed, **arrays), arrays)


def test_names(burnish):
    arrays = {name: random_bits("float32", (2,)) for name in ("a:0", "scope/b", "größe", "c d", "e.npy")}
    check_same(round_trip(burnish, **arrays), arrays)


def test_written_file_depends_on_the_arrays_alone(burnish, engine):
    for name in ("a.npz", "b.npz"):
        burnish.succeed("run", engine, "--outputs", name)
    assert (burnish.folder / "a.npz").read_bytes() == (burnish.folder / "b.npz").read_bytes()
    assert zipfile.ZipFile(burnish.folder / "a.npz").testzip() is None


def test_seed(burnish, engine):
    for seed in (0, 0, 1):
        burnish.succeed("run", engine, "--outputs", f"{seed}.npz", "--seed", seed)
    first, other = (np.load(burnish.folder / f"{seed}.npz")["x_out"] for seed in (0, 1))
    assert np.isfinite(first).all() and (first != other).all()


def test_missing_inputs_follow_those_that_are_there(burnish, engine):
    x = random_bits("float32", (5, 3))
    np.savez(burnish.folder / "in.npz", x=x)
    burnish.succeed("run", engine, "--inputs", "in.npz", "--outputs", "out.npz")
    with np.load(burnish.folder / "out.npz") as out:
        assert out["x_out"].tobytes() == x.tobytes()
        assert out["ids_out"].shape == (5, 64) and set(out["ids_out"].flat) == {0, 1}


AGAIN = "write the file again with numpy.savez"


@pytest.mark.parametrize(
    ("array", "cause", "remedy"),
    [
        (np.zeros((2, 3), ">f4"), "is big-endian ('>f4')", "save it little-endian: array.astype(array.dtype.newbyteorder('<'))"),
        (np.zeros((2, 3), "c8"), "has the type '<c8', which is no tensor type", "save numbers or booleans: array.astype(numpy.float32), say"),
        (np.array(["text"]), "has the type '<U4', which is no tensor type", "save numbers or booleans: array.astype(numpy.float32), say"),
        (np.array([None]), "has the type '|O', which is no tensor type", "save numbers or booleans: array.astype(numpy.float32), say"),
        (np.zeros(2, "f4,i4"), "has the type of a structure, which is no tensor type", "save numbers or booleans: array.astype(numpy.float32), say"),
    ],
    ids=["big-endian", "complex", "text", "objects", "structure"],
)
def test_refused_types(burnish, engine, array, cause, remedy):
    np.savez(burnish.folder / "in.npz", x=array)
    assert burnish.refuse("run", engine, "--inputs", "in.npz") == (f"'in.npz': 'x' {cause}", remedy)


def test_no_archive(burnish, engine):
    (burnish.folder / "in.npz").write_bytes(b"not a zip at all")
    assert burnish.refuse("run", engine, "--inputs", "in.npz") == ("'in.npz': this is no .npz file, or not all of it", AGAIN)


def test_single_array(burnish, engine):
    np.save(burnish.folder / "in.npy", np.zeros(3))
    assert burnish.refuse("run", engine, "--inputs", "in.npy") == ("'in.npy': this is no .npz file, or not all of it", AGAIN)


def test_truncated(burnish, engine):
    np.savez(burnish.folder / "whole.npz", x=np.zeros((2, 3), np.float32))
    whole = (burnish.folder / "whole.npz").read_bytes()
    for length in range(0, len(whole), 13):
        (burnish.folder / "in.npz").write_bytes(whole[:length])
        cause, _ = burnish.refuse("run", engine, "--inputs", "in.npz")
        assert cause.startswith("'in.npz': ")


def test_flipped_bits(burnish, engine):
    """Damage in the elements is found by the archive's checksum."""
    np.savez(burnish.folder / "in.npz", x=np.zeros((2, 3), np.float32))
    data = bytearray((burnish.folder / "in.npz").read_bytes())
    data[data.index(b"NUMPY") + 130] ^= 1
    (burnish.folder / "in.npz").write_bytes(data)
    assert burnish.refuse("run", engine, "--inputs", "in.npz") == ("'in.npz': 'x' is damaged", AGAIN)


def npy(header, data=b""):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    ("member", "cause"),
    [
        (b"", "is no .npy array"),
        (b"\x93NUMPY\x09\x00" + bytes(20), "has a damaged .npy header"),
        (b"\x93NUMPY\x01\x00\xff\xff" + bytes(20), "has a damaged .npy header"),
        (npy(b"{}" + b" " * 60), "has a damaged .npy header"),
        (npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }"), "has a damaged .npy header"),
        (npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(20)), "holds 20 bytes, not what its shape takes"),
        (npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 16), }"), "holds 0 bytes, not what its shape takes"),
        (npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1, " * 17 + b"), }", bytes(4)), "has 17 axes"),
    ],
)
def test_damaged_member(burnish, engine, member, cause):
    with zipfile.ZipFile(burnish.folder / "in.npz", "w") as archive:
        archive.writestr("x.npy", member)
    assert burnish.refuse("run", engine, "--inputs", "in.npz")[0] == f"'in.npz': 'x' {cause}"


def test_unknown_array(burnish, engine):
    np.savez(burnish.folder / "in.npz", y=np.zeros(3))
    assert burnish.refuse("run", engine, "--inputs", "in.npz") == (
        "'in.npz' holds 'y', which is no input of the engine",
        "its inputs are: x, ids",
    )
