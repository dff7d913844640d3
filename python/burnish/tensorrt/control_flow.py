"""Networks in the order of ONNX: layers after those they read, loops and conditions as one node with their bodies."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .emitter import Unsayable
from .enums import LayerType, LoopOutput, TripLimit
from .layers.control import IIfConditional, ILoop
from .layers.layer import State

Nodes = List[onnx.NodeProto]
_ENTRIES = (LayerType.RECURRENCE, LayerType.ITERATOR, LayerType.CONDITIONAL_INPUT)


class Unit:
    """What becomes nodes at once: a layer, or a loop or condition with the layers inside."""

    def __init__(self, states: Sequence[State], owner: Any = None):
        self.states, self.owner = list(states), owner
        inside = {id(t) for s in states for t in s.outputs}
        self.reads = {id(t) for s in states for t in s.inputs if t is not None} - inside
        self.writes = inside


def _owner_of(state: State) -> Any:
    return state.values.get("_owner")


def _inside(owner: Any, states: Sequence[State]) -> List[State]:
    """The layers that follow from what enters a loop or condition, up to what leaves it."""
    reached = {id(t) for s in owner._members if s.type in _ENTRIES for t in s.outputs}
    found: List[State] = []
    left, grown = [s for s in states if _owner_of(s) is not owner], True
    while grown:
        grown = False
        for state in list(left):
            if any(t is not None and id(t) in reached for t in state.inputs):
                found.append(state)
                left.remove(state)
                reached.update(id(t) for t in state.outputs)
                grown = True
    return found


def units(states: Sequence[State]) -> List[Unit]:
    """Units in an order in which each reads what was written before. Raises Unsayable where there is none."""
    owners = list(dict.fromkeys(o for o in map(_owner_of, states) if o is not None))
    bodies = {id(o): _inside(o, states) for o in owners}
    nested = {id(_owner_of(s)) for o in owners for s in bodies[id(o)] if _owner_of(s) is not None}
    pending: List[Unit] = []
    taken: Set[int] = set()
    for owner in owners:
        if id(owner) in nested:
            continue
        members = [s for s in states if _owner_of(s) is owner]
        unit = Unit([*members, *bodies[id(owner)]], owner)
        # What belongs to a loop inside belongs here, though nothing that enters here may reach it (a constant trip count).
        inner = {id(_owner_of(s)) for s in unit.states} - {id(owner), id(None)}
        unit = Unit([*unit.states, *(s for s in states if id(_owner_of(s)) in inner and s not in unit.states)], owner)
        taken.update(map(id, unit.states))
        pending.append(unit)
    pending += [Unit([s]) for s in states if id(s) not in taken]
    return _sorted(pending, states)


def _sorted(pending: List[Unit], states: Sequence[State]) -> List[Unit]:
    at = {id(s): i for i, s in enumerate(states)}
    pending.sort(key=lambda u: min(at[id(s)] for s in u.states))
    made_here = {t for u in pending for t in u.writes}
    written: Set[int] = set()
    ordered: List[Unit] = []
    while pending:
        late = []
        for unit in pending:
            if unit.reads & made_here <= written:
                ordered.append(unit)
                written |= unit.writes
            else:
                late.append(unit)
        if len(late) == len(pending):
            raise Unsayable(f"layer '{late[0].states[0].name}' depends on its own output")
        pending = late
    return ordered


class Writer:
    """Makes nodes of units. plain: the nodes of one layer."""

    def __init__(self, plain: Callable[[State], Tuple[Nodes, List[onnx.TensorProto]]]):
        self._plain = plain

    def nodes(self, unit: Unit) -> Tuple[Nodes, List[onnx.TensorProto]]:
        """(nodes, weights)"""
        if unit.owner is None:
            return self._plain(unit.states[0])
        nodes = self._loop(unit) if isinstance(unit.owner, ILoop) else self._condition(unit)
        return nodes, []

    def _body(self, states: Sequence[State]) -> Nodes:
        """Nodes of layers inside, weights as nodes too."""
        nodes: Nodes = []
        for unit in units(states):
            made, weights = self.nodes(unit)
            nodes += [helper.make_node("Constant", [], [w.name], name=w.name, value=w) for w in weights] + list(made)
        return nodes

    # ---- conditions

    def _condition(self, unit: Unit) -> Nodes:
        owner: IIfConditional = unit.owner
        condition = _only(owner, LayerType.CONDITION, "set_condition")
        outputs = [s for s in owner._members if s.type == LayerType.CONDITIONAL_OUTPUT]
        inside = [s for s in unit.states if _owner_of(s) is not owner]
        branches = {}
        for side, branch in enumerate(("then_branch", "else_branch")):
            wanted = [s.inputs[side] for s in outputs]
            nodes = [*self._entering(owner), *self._body(_before(wanted, inside))]
            nodes, wanted_names = _suffixed(nodes, f"/{branch}", {}), [t.name for t in wanted]
            written = {o for n in nodes for o in n.output}
            given = [f"{owner.name}/{branch}_{i}" for i in range(len(wanted))]
            sources = [n + f"/{branch}" if n + f"/{branch}" in written else n for n in wanted_names]
            nodes += [helper.make_node("Identity", [s], [g], name=g) for s, g in zip(sources, given)]
            branches[branch] = helper.make_graph(nodes, branch, [], [onnx.ValueInfoProto(name=g) for g in given])
        flag = f"{owner.name}/condition"
        return [
            _scalar_shape(f"{flag}_shape"),
            helper.make_node("Reshape", [condition.inputs[0].name, f"{flag}_shape"], [flag], name=flag),
            helper.make_node("If", [flag], [s.outputs[0].name for s in outputs], name=owner.name, **branches),
        ]

    @staticmethod
    def _entering(owner: IIfConditional) -> Nodes:
        entries = (s for s in owner._members if s.type == LayerType.CONDITIONAL_INPUT)
        return [helper.make_node("Identity", [s.inputs[0].name], [s.outputs[0].name], name=s.name) for s in entries]

    # ---- loops

    def _loop(self, unit: Unit) -> Nodes:
        owner: ILoop = unit.owner
        name = owner.name
        recurrences = [s for s in owner._members if s.type == LayerType.RECURRENCE]
        outputs = [s for s in owner._members if s.type == LayerType.LOOP_OUTPUT]
        scans = [s for s in outputs if s.values.get("kind", LoopOutput.LAST_VALUE) != LoopOutput.LAST_VALUE]
        inside = [s for s in unit.states if _owner_of(s) is not owner]
        for state in recurrences:
            if len(state.inputs) < 2 or state.inputs[1] is None:
                raise Unsayable(f"recurrence '{state.name}' has no next value: call set_input(1, …)")
        before, body = self._limits(owner, recurrences, inside)
        nodes = [*self._slices(owner), *self._body(inside), *body]
        returned = [f"{name}/goes_on_next"]
        for kind, states, index in (("next", recurrences, 1), ("each", scans, 0)):
            for state in states:
                returned.append(f"{state.name}/{kind}")
                nodes.append(helper.make_node("Identity", [state.inputs[index].name], [returned[-1]], name=returned[-1]))
        taken = [
            helper.make_tensor_value_info(f"{name}/iteration", TensorProto.INT64, []),
            helper.make_tensor_value_info(f"{name}/goes_on", TensorProto.BOOL, []),
            *(onnx.ValueInfoProto(name=s.outputs[0].name) for s in recurrences),
        ]
        graph = helper.make_graph(nodes, "body", taken, [onnx.ValueInfoProto(name=r) for r in returned])
        finals = {id(s.outputs[0]): f"{s.name}/last" for s in recurrences}
        gathered = [f"{s.name}/all" for s in scans]
        inputs = [f"{name}/count", f"{name}/goes_on_at_first", *(s.inputs[0].name for s in recurrences)]
        loop = helper.make_node("Loop", inputs, [*finals.values(), *gathered], name=name, body=graph)
        after: Nodes = []
        for state in outputs:
            after += _scanned(state) if state in scans else [_last(state, finals)]
        return [*before, loop, *after]

    def _limits(self, owner: ILoop, recurrences: List[State], inside: List[State]) -> Tuple[Nodes, Nodes]:
        """(nodes before the loop, nodes of the body) that say how often it runs."""
        name = owner.name
        limits = {s.values.get("kind", TripLimit.COUNT): s for s in owner._members if s.type == LayerType.TRIP_LIMIT}
        if not limits:
            raise Unsayable(f"loop '{name}' has no trip limit: call add_trip_limit")
        shape = f"{name}/scalar"
        before: Nodes = [_scalar_shape(shape)]
        if TripLimit.COUNT in limits:
            count = limits[TripLimit.COUNT].inputs[0].name
            before.append(helper.make_node("Cast", [count], [f"{name}/count_int64"], name=f"{name}/count_int64", to=TensorProto.INT64))
            before.append(helper.make_node("Reshape", [f"{name}/count_int64", shape], [f"{name}/count"], name=f"{name}/count"))
        else:
            before.append(_constant(f"{name}/count", np.array(np.iinfo(np.int64).max)))
        if TripLimit.WHILE not in limits:
            before.append(_constant(f"{name}/goes_on_at_first", np.array(True)))
            return before, [helper.make_node("Identity", [f"{name}/goes_on"], [f"{name}/goes_on_next"], name=f"{name}/goes_on_next")]
        # It is looked at before each iteration: before the first one with the initial values, and at the end of each with the next.
        asked = limits[TripLimit.WHILE].inputs[0]
        deciding = _before([asked], inside)
        if any(s.type == LayerType.ITERATOR and any(t is s.outputs[0] for d in deciding for t in d.inputs) for s in owner._members):
            raise Unsayable(f"the condition of loop '{name}' reads an iterator, which is not there before the first iteration")
        body: Nodes = []
        for into, index, where in ((before, 0, "at_first"), (body, 1, "next")):
            given = {s.outputs[0].name: s.inputs[index].name for s in recurrences}
            into += _suffixed(self._body(deciding), f"/{where}", given)
            answer = given.get(asked.name, asked.name + f"/{where}" if deciding else asked.name)
            if index == 1:
                into.append(_scalar_shape(f"{name}/scalar_inside"))
            target = f"{name}/goes_on_{where}"
            into.append(helper.make_node("Reshape", [answer, shape if index == 0 else f"{name}/scalar_inside"], [target], name=target))
        return before, body

    @staticmethod
    def _slices(owner: ILoop) -> Nodes:
        """What the iterators give in an iteration."""
        nodes: Nodes = []
        for state in (s for s in owner._members if s.type == LayerType.ITERATOR):
            source, axis, at = state.inputs[0].name, state.values.get("axis", 0), f"{owner.name}/iteration"
            if state.values.get("reverse", False):
                extent, one = f"{state.name}/extent", f"{state.name}/one"
                nodes += [
                    helper.make_node("Shape", [source], [extent], name=extent, start=axis, end=axis + 1),
                    _constant(one, np.array(1)),
                    helper.make_node("Squeeze", [extent], [f"{extent}_scalar"], name=f"{extent}_scalar"),
                    helper.make_node("Sub", [f"{extent}_scalar", one], [f"{state.name}/end"], name=f"{state.name}/end"),
                    helper.make_node("Sub", [f"{state.name}/end", at], [f"{state.name}/at"], name=f"{state.name}/at"),
                ]
                at = f"{state.name}/at"
            nodes.append(helper.make_node("Gather", [source, at], [state.outputs[0].name], name=state.name, axis=axis))
        return nodes


def _only(owner: Any, kind: LayerType, how: str) -> State:
    found = [s for s in owner._members if s.type == kind]
    if not found:
        raise Unsayable(f"'{owner.name}' has no condition: call {how}")
    return found[-1]


def _constant(name: str, value: np.ndarray) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], name=name, value=numpy_helper.from_array(value, name))


def _scalar_shape(name: str) -> onnx.NodeProto:
    return _constant(name, np.zeros(0, np.int64))


def _before(wanted: Iterable[Any], states: Sequence[State]) -> List[State]:
    """Those of the layers that the tensors are made by."""
    made = {id(t): s for s in states for t in s.outputs}
    pending, found = [t for t in wanted], []
    while pending:
        tensor = pending.pop()
        state = made.get(id(tensor))
        if state is not None and state not in found:
            found.append(state)
            owner = _owner_of(state)
            family = [state] if owner is None else [s for s in states if _owner_of(s) is owner]
            found += [s for s in family if s not in found]
            pending += [t for s in family for t in s.inputs if t is not None]
    return [s for s in states if s in found]


def _suffixed(nodes: Nodes, suffix: str, given: Dict[str, str]) -> Nodes:
    """Copies of nodes that write other names, so that they may stand beside the originals; `given` replaces what they read."""
    mine = {o for n in nodes for o in n.output if o}

    def called(name: str) -> str:
        return name + suffix if name in mine else given.get(name, name)

    def copied(node: onnx.NodeProto) -> onnx.NodeProto:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = node.name + suffix
        copy.input[:] = [called(i) for i in node.input]
        copy.output[:] = [called(o) for o in node.output]
        for attribute in copy.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                inner = [copied(n) for n in attribute.g.node]
                del attribute.g.node[:]
                attribute.g.node.extend(inner)
        return copy

    return [copied(n) for n in nodes]


def _last(state: State, finals: Dict[int, str]) -> onnx.NodeProto:
    final: Optional[str] = finals.get(id(state.inputs[0]))
    if final is None:
        raise Unsayable(f"loop output '{state.name}' of LAST_VALUE wants the output of a recurrence of its loop")
    return helper.make_node("Identity", [final], [state.outputs[0].name], name=state.name)


def _scanned(state: State) -> Nodes:
    """All values, along the axis that was asked for, from the first or from the last on."""
    nodes, x = [], f"{state.name}/all"
    if state.values.get("kind") == LoopOutput.REVERSE:
        bounds = [f"{state.name}/{what}" for what in ("begin", "end", "axes", "step")]
        nodes += [_constant(b, np.array([v])) for b, v in zip(bounds, (-1, np.iinfo(np.int64).min, 0, -1))]
        nodes.append(helper.make_node("Slice", [x, *bounds], [f"{state.name}/reversed"], name=f"{state.name}/reversed"))
        x = f"{state.name}/reversed"
    axis, rank = state.values.get("axis", 0), len(state.inputs[0].shape) + 1
    order = list(range(1, rank))
    order.insert(axis, 0)
    nodes.append(helper.make_node("Transpose", [x], [state.outputs[0].name], name=state.name, perm=order))
    return nodes
