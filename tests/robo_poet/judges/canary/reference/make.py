"""Makes `figures.json`: wealth and bounds by confseq 0.0.11, the implementation of the authors of the betting method.

    pip download --no-deps confseq==0.0.11        # its C++ part is not needed; unpack the archive
    pip install "numpy<2" "scipy<1.14" "matplotlib<3.9" multiprocess
    PYTHONPATH=confseq-0.0.11/src python make.py > figures.json

confseq is not a dependency of the project: its archive needs a compiler and Boost, and its Python part an older NumPy. The stakes are computed
here again, from the text of `robo_poet.judges.canary.effects`, so that nothing of the project is imported.
"""

import json

import numpy as np
from confseq.betting import betting_lower_cs, betting_mart, diversified_betting_mart

SHARES, AMOUNTS, LEVEL = (0.05, 0.25, 0.5, 0.95), (0.0125, 0.05, 0.2), 0.95
SHIFT = 0.5  # added to effects and means: confseq takes means from 0 to 1 and stakes up to 1


def release(seed, users, harm):
    """Values of users in four steps with rising shares and base rates."""
    random = np.random.default_rng(seed)
    steps = np.minimum(4 * np.arange(users) // users, 3)
    shares = np.array(SHARES)[steps]
    canary = random.random(users) < shares
    values = np.round((random.random(users) < 0.05 * (1 + steps) + harm * canary) * random.uniform(0.5, 1, users), 3)
    return values, canary, shares, steps


def effects(values, canary, shares, steps):
    """Z, its predicted variance and its smallest possible value for each user, by a loop."""
    seen, seconds, rows = {}, [], []
    for value, arm, w, step in zip(values, canary, shares, steps, strict=True):
        if step not in seen:
            before = [x for part in seen.values() for x in part]
            prior, seen[step] = (sum(before) / len(before) if before else 0.0), []
        m = (20 * prior + sum(seen[step])) / (20 + len(seen[step]))
        moment = (20 * 0.02 + sum(seconds)) / (20 + len(seconds))
        z = (value - m) / w if arm else -(value - m) / (1 - w)
        rows.append((z, moment * (1 / w + 1 / (1 - w)), -max(m / w, (1 - m) / (1 - w))))
        seen[step].append(value)
        seconds.append((value - m) ** 2)
    return np.array(rows).T


def stakes(spread, low, amount):
    """A function (x, m) -> stakes for confseq."""

    def made(x, m):
        bets = np.minimum(amount / (spread + amount**2), 0.75 / np.maximum(m - SHIFT - low, 1e-9))
        assert bets.max() <= 1
        return bets

    return made


def figures(seed, users, harm):
    values, canary, shares, steps = release(seed, users, harm)
    z, spread, low = effects(values, canary, shares, steps)
    functions = [stakes(spread, low, amount) for amount in AMOUNTS]
    options = {"theta": 1, "trunc_scale": 1, "m_trunc": False}

    def wealth(at_most):
        return diversified_betting_mart(z + SHIFT, at_most + SHIFT, lambdas_fns_positive=functions, **options)

    one = betting_mart(z + SHIFT, SHIFT, lambdas_fn_positive=functions[1], **options)
    grid = np.arange(-0.4, 0.4, 0.001)
    kept = [d for d in grid if wealth(d).max() < 1 / (1 - LEVEL)]
    # confseq's own stakes, on the effects moved into [0, 1] by the largest possible range: the same data without our choice of stakes
    largest = 1 / min(min(SHARES), 1 - max(SHARES))
    own = betting_lower_cs((z + largest) / (2 * largest), alpha=1 - LEVEL, breaks=1000, running_intersection=True)
    return {
        "harm": harm, "values": values.tolist(), "canary": canary.astype(int).tolist(), "steps": steps.tolist(),
        "log_wealth_one": np.log(one[:: users // 10]).tolist(), "log_wealth_three": np.log(wealth(0.01)[:: users // 10]).tolist(),
        "lower": float(min(kept)), "lower_of_confseq": float(2 * largest * own[-1] - largest),
    }  # fmt: skip


if __name__ == "__main__":
    cases = [figures(seed, 600, harm) for seed, harm in ((11, 0.0), (12, 0.1), (13, 0.3))]
    print(json.dumps({"confseq": "0.0.11", "shares": SHARES, "amounts": AMOUNTS, "level": LEVEL, "cases": cases}, separators=(",", ":")))
