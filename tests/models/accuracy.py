"""How far a run may be from the reference, and the words that say by how much it is."""
import numpy as np


def check_outputs(got, want, tolerance, classes=False):
    """Same names, types and shapes; floats within `tolerance` relative L2, the rest equal.

    classes: the last axis holds class scores, whose winner must stay.
    """
    assert sorted(got) == sorted(want), f"outputs {sorted(got)}, expected {sorted(want)}"
    for name, expected in want.items():
        array = got[name]
        assert array.dtype == expected.dtype, f"{name}: type {array.dtype}, expected {expected.dtype}"
        assert array.shape == expected.shape, f"{name}: shape {array.shape}, expected {expected.shape}"
        if expected.dtype.kind == "f":
            error = relative_l2(array, expected)
            assert error <= tolerance, f"{name}: relative L2 error {error:.2e}, allowed {tolerance:.0e}"
            if classes:
                check_winners(name, array, expected)
        else:
            wrong = np.count_nonzero(array != expected)
            assert wrong == 0, f"{name}: {wrong} of {expected.size} elements differ"


def relative_l2(array, expected):
    """|array - expected| / |expected|; NaN when `array` holds one, which no tolerance admits."""
    difference = np.linalg.norm(array.astype(np.float64).ravel() - expected.astype(np.float64).ravel())
    return difference / max(np.linalg.norm(expected.astype(np.float64).ravel()), 1e-12)


def check_winners(name, array, expected):
    """Where the reference's best class leads by more than twice the row's RMS error, it must stay the best."""
    rows, reference = (x.reshape(-1, x.shape[-1]).astype(np.float64) for x in (array, expected))
    error = np.sqrt(np.mean((rows - reference) ** 2, axis=1))
    second, first = np.partition(reference, -2, axis=1)[:, -2:].T
    wrong = (rows.argmax(axis=1) != reference.argmax(axis=1)) & (first - second > 2 * error)
    assert not wrong.any(), f"{name}: another winner in {np.count_nonzero(wrong)} of {len(rows)} rows"


def check_detections(got, want, strongest=None, found=1.0, iou=0.99, score=1e-3):
    """Matches detections one to one: same label, boxes overlapping by `iou`, scores within `score`.

    The `strongest` detections of the reference (default: all, and then no others may be there) are looked for, and the
    fraction `found` of them must be there.
    """
    if strongest is None:
        counts = len(got["scores"]), len(want["scores"])
        assert counts[0] == counts[1], f"{counts[0]} detections, expected {counts[1]}"
    order = np.argsort(-want["scores"], kind="stable")[:strongest]
    free = np.ones(len(got["scores"]), bool)
    missing = []
    for index in order:
        same = free & (got["labels"] == want["labels"][index]) & (abs(got["scores"] - want["scores"][index]) <= score)
        overlaps = np.where(same, overlap(got["boxes"], want["boxes"][index]), 0)
        best = overlaps.argmax() if len(overlaps) else None
        if best is None or not overlaps[best] >= iou:
            missing.append(int(index))
        else:
            free[best] = False
    enough = len(missing) <= (1 - found) * len(order)
    assert enough, f"{len(missing)} of {len(order)} detections not found, first {missing[:5]}"


def overlap(boxes, box):
    """Intersection over union of each of `boxes` (n x 4: x1, y1, x2, y2) with `box`."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return shared / np.maximum(areas - shared, 1e-12)
