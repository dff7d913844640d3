"""What goes wrong with plugins is one line of cause and one of remedy."""
import shutil

import numpy as np
import pytest
from conftest import HOST_GPU, library, node, save
from onnx import helper

X, Y = {"x": ("f4", ["n", 4])}, {"y": ("f4", None)}
HOW = "docs/plugins.md says how one is made"
ASKS = "see what plugin 'operators' asks of its nodes and inputs"
ITS_ERROR = "this is an error of the plugin: see burnish_plugin.h"


@pytest.mark.parametrize(
    ("name", "cause", "remedy"),
    [
        ("missing.so", "cannot read the plugin 'missing.so': No such file or directory", "check the path; relative ones start at the current folder"),
        ("m.onnx", "'m.onnx' is no shared library", f"name a library that exports burnish_plugin_entry; {HOW}"),
        ("other.so", "'other.so' is no plugin: it exports no function burnish_plugin_entry", HOW),
        (
            "foreign.so",
            "'foreign.so' is a plugin for TensorRT, whose own library it needs",
            "write its operators for burnish_plugin.h, where the kernels can stay as they are: docs/plugins.md says how",
        ),
        (
            "newer.so",
            "the plugin 'newer.so' is made for another version of burnish_plugin.h; this one is 1",
            "compile it with the header of this version of Burnish",
        ),
    ],
)
def test_libraries(burnish, name, cause, remedy):
    save(burnish.folder / "m.onnx", [node("Join", "x", "y")], X, Y)
    if name in ("other.so", "foreign.so", "newer.so"):
        shutil.copy(library(name[:-3]), burnish.folder / name)
    assert burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", name) == (cause, remedy)
    assert not (burnish.folder / "m.engine").exists()


def test_a_library_that_does_not_load(burnish):
    (burnish.folder / "cut.so").write_bytes(b"\x7fELF burnish_plugin_entry")
    save(burnish.folder / "m.onnx", [node("Join", "x", "y")], X, Y)
    cause, _ = burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", "cut.so")
    assert cause.startswith("the plugin 'cut.so' does not load: ") and cause.endswith("cut.so: file too short")


@pytest.mark.parametrize(
    ("made", "cause", "remedy"),
    [
        (
            node("Refusing", "x", "y"),
            "plugin 'operators' fails in `infer` of test::Refusing: it takes nothing, while importing node 'own' (Refusing)",
            ASKS,
        ),
        (
            node("CircularPad", "x", "y"),
            "plugin 'operators' fails in `create` of test::CircularPad: node 'own' has no pads, while importing node 'own' (CircularPad)",
            ASKS,
        ),
        (node("Nothing", "x", "y"), "plugin 'operators' infers 0 outputs of test::Nothing, while importing node 'own' (Nothing)", ITS_ERROR),
        (
            node("Untyped", "x", "y"),
            "plugin 'operators' infers no element type for output 0 of test::Untyped, while importing node 'own' (Untyped)",
            ITS_ERROR,
        ),
        (
            node("Unknown", "x", "y"),
            "plugin 'operators' infers no extent for axis 0 of output 0 of test::Unknown, while importing node 'own' (Unknown)",
            ITS_ERROR,
        ),
        (
            node("Join", "x", "y,z"),
            "node 'own' (Join): it has 2 outputs, its plugin gives 1",
            "export the node as its plugin describes it",
        ),
        (
            node("Join", ",".join(["x"] * 33), "y"),
            "node 'own' (Join): it has 33 inputs, and plugins are handed 32 at most",
            "export the node as its plugin describes it",
        ),
        (
            node("Frob", "x", "y"),
            "node 'own' (Frob): operator 'Frob' of domain 'test' is not supported",
            "load a plugin that has it, replace it before exporting, or give the model a local function that spells it out",
        ),
        (
            node("OnDevice", "x", "y"),
            "node 'own' (OnDevice): plugin 'operators' runs it on GPUs only, while lowering node 'own' (Plugin), while building for target 'cpu'",
            "build for a GPU, or give the operator a `run` for the host",
        ),
        (
            node("Join", "x", "y", body=helper.make_graph([], "g", [], [])),
            "node 'own' (Join): attribute 'body' is of type GRAPH, which no plugin is handed",
            "give the node numbers, strings or tensors of numbers as attributes",
        ),
    ],
    ids=lambda value: value.op_type if hasattr(value, "op_type") else "",
)
def test_builds(burnish, made, cause, remedy):
    save(burnish.folder / "m.onnx", [made], X, Y)
    assert burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", library("operators")) == (cause, remedy)


def test_more_axes_than_plugins_are_handed(burnish):
    save(burnish.folder / "m.onnx", [node("Join", "x", "y")], {"x": ("f4", [1] * 17)}, Y)
    cause, _ = burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", library("operators"))
    assert cause == "node 'own' (Join): input 0 has 17 axes, and plugins are handed 16 at most"


def test_in_a_loop(burnish):
    body = helper.make_graph(
        [node("Join", "v", "w"), helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("c", 9, []), helper.make_tensor_value_info("v", 1, None)],
        [helper.make_tensor_value_info("d", 9, []), helper.make_tensor_value_info("w", 1, None)],
    )
    save(burnish.folder / "m.onnx", [helper.make_node("Loop", ["k", "", "x"], ["y"], "loop", body=body)], {**X, "k": ("i8", [])}, Y)
    assert burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", library("operators")) == (
        "node 'own' (Join): plugins cannot be called in the body of a Loop or Scan",
        "unroll the loop before exporting, or move the node out of it",
    )


def test_engines_with_them_cannot_be_refitted(burnish):
    nodes = [helper.make_node("Mul", ["x", "w"], ["v"]), node("Join", "v", "y")]
    save(burnish.folder / "m.onnx", nodes, X, Y, {"w": np.float32([1, 2, 3, 4])})
    for option in ("--refit", "--strip-weights"):
        assert burnish.refuse("build", "m.onnx", "--target", "cpu", option, "--plugin", library("operators")) == (
            "node 'own' (Join): engines with operators of plugins cannot be refitted",
            "build without refitting",
        )


def test_two_plugins_with_one_operator(burnish):
    save(burnish.folder / "m.onnx", [node("Join", "x", "y")], X, Y)
    words = ("build", "m.onnx", "--target", "cpu", "--plugin", library("operators"))
    assert burnish.refuse(*words, "--plugin", library("twin")) == (
        "operator 'Join' is there twice: version 1 of plugin 'operators', and version 1 of plugin 'twin', while importing node 'own' (Join)",
        "name one in the node's attribute plugin_version, or load one of the plugins alone",
    )
    assert burnish.refuse(*words, "--plugin", library("operators_2")) == (
        "a plugin 'operators' is there already, version 1.0",
        "load one of the two, or give them different names",
    )
    burnish.succeed(*words, "--plugin", library("operators"))  # the same again is no other


def test_the_version_that_a_node_asks_for(burnish):
    save(burnish.folder / "m.onnx", [node("Join", "x", "y", plugin_version="2")], X, Y)
    cause, _ = burnish.refuse("build", "m.onnx", "--target", "cpu", "--plugin", library("operators"))
    assert cause == "node 'own' (Join): operator 'Join' of domain 'test' is not supported"
    burnish.build(plugin="operators_2")


def test_engines_without_their_plugin(burnish):
    save(burnish.folder / "m.onnx", [node("Join", "x", "y")], X, Y)
    burnish.build()
    assert burnish.refuse("run", "m.engine") == (
        "the engine needs operator 'test::Join' version '1' of plugin 'operators' 1.0, which is not loaded, while preparing step 'own'",
        "load it before: --plugin operators.so, or burnish_load_plugin",
    )
    assert burnish.refuse("run", "m.engine", "--plugin", library("operators_2")) == (
        "plugin 'operators' 2.0 has no operator 'test::Join' version '1', which the engine was built with from 1.0, while preparing step 'own'",
        "load that version of the plugin, or build the engine again",
    )
    assert "plugin" in burnish.succeed("inspect", "m.engine")  # which needs none


def test_runs(burnish):
    """A failing `run` or `enqueue` ends the run, with what the plugin says, on one line."""
    save(burnish.folder / "m.onnx", [node("Roots", "x", "y")], X, Y)
    np.savez(burnish.folder / "in.npz", x=np.float32([[1, 2, -3, 4]]))
    words = ("run", "m.engine", "--plugin", library("operators"), "--inputs", "in.npz")
    told = "of test::Roots: element 2 is negative, while running step 'own'"
    burnish.build()
    assert burnish.refuse(*words) == (f"plugin 'operators' fails in `run` {told}", ASKS)
    burnish.build(target="sm_90")
    assert burnish.refuse(*words, env=HOST_GPU) == (f"plugin 'operators' fails in `enqueue` {told}", ASKS)


def test_extents_below_zero(burnish):
    save(burnish.folder / "m.onnx", [node("Less", "x", "y")], X, Y)
    burnish.build()
    assert burnish.refuse("run", "m.engine", "--shapes", "x:1x4", "--plugin", library("operators")) == (
        "node 'own' (Less): axis 0 of output 0 must not be negative: max(0, n - 3) and n - 3 must be equal, but they are 0 and -2",
        "give inputs whose shapes agree",
    )


def test_contexts_that_cannot_be_made(burnish):
    save(burnish.folder / "m.onnx", [node("Never", "x", "y")], X, Y)
    burnish.build()
    assert burnish.refuse("run", "m.engine", "--plugin", library("operators")) == (
        "plugin 'operators' fails in `create` of test::Never: it does not say why, while preparing step 'own'",
        ASKS,
    )
