"""A B A B: sides that are timed in turns, so that what drifts drifts for all of them."""
import statistics

ROUNDS = 5
SECONDS, LEAST, MOST_SECONDS = 0.12, 10, 0.6  # of a side in a round: 50 runs or 3 s in all
MOST_CLOCK_DRIFT = 0.02


def in_turns(sides, read_clock, rounds=ROUNDS):
    """name -> [samples of each round], and [the clock after each round]. sides: name -> function that gives a round's samples."""
    samples, clocks = {name: [] for name in sides}, []
    for _ in range(rounds):
        for name, run in sides.items():
            samples[name].append(run())
        clocks.append(read_clock())
    return samples, clocks


def settled(clocks):
    """Which rounds count: those whose clock is within 2 % of the median round's. All, where clocks are not told."""
    if None in clocks:
        return [True] * len(clocks)
    usual = statistics.median(clocks)
    return [abs(clock - usual) <= MOST_CLOCK_DRIFT * usual for clock in clocks]


def median_of_medians(rounds, counts):
    """The median over the rounds that count of each one's median."""
    return statistics.median(statistics.median(samples) for samples, counted in zip(rounds, counts) if counted)


def quantile(rounds, counts, fraction):
    """Of all samples of the rounds that count, the nearest one measured."""
    values = sorted(value for samples, counted in zip(rounds, counts) if counted for value in samples)
    return values[max(0, -(-int(fraction * 1000 * len(values)) // 1000) - 1)]


def layers_of(steps):
    """[(name, ms, least ms)] of a profile: neighbouring steps of one name, with the time they would take at the GPU's peak (None where
    it is not known)."""
    layers = []
    for step in steps:
        if not layers or layers[-1][0] != step["name"]:
            layers.append([step["name"], 0.0, None])
        layers[-1][1] += step["ms"]
        if "least_ms" in step:
            layers[-1][2] = (layers[-1][2] or 0.0) + step["least_ms"]
    return [tuple(layer) for layer in layers]


def roofline_ms(layers):
    known = [least for _, _, least in layers if least is not None]
    return sum(known) if known else None
