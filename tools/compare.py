"""Compare two revisions on the same people: is the difference more than chance? Run: python -m tools.compare A B

A and B are experiments, branches, tags, commits, or `workspace`. Prints macro F1 of the 18 classes and of each attribute,
and the differences with 95% intervals by a paired bootstrap over people: each draw scores the same people for both. A
difference whose interval holds 0 may be chance. Several seeds of one setting, A1,A2,A3, count as one: their mean is
compared, and each draw resamples the seeds, too, so that the interval covers them. With a single seed it cannot.
"""
import numpy as np
import pandas as pd

from stages.core.classes import ATTRIBUTES
from stages.core.command_line import arguments, run
from stages.core.errors import UserError
from stages.core.metrics import scores
from stages.evaluation.bootstrap import DRAWS, interval, scores_of_draws
from tools.shared.revisions import read_labels

ROWS = {"f1": "18 classes", **{attribute: attribute for attribute in ATTRIBUTES}}


def read_side(words: str) -> list[pd.DataFrame]:
    """Labels of each revision of A1,A2,..."""
    revisions = [revision for revision in words.split(",") if revision]
    if not revisions:
        raise UserError(f"{words!r}: names no revision")
    return [read_labels(revision) for revision in revisions]


def check_people(sides: dict[str, list[pd.DataFrame]]) -> None:
    """Raise UserError unless all revisions scored the same photos against the same labels."""
    [(first_name, [first, *_]), *_] = sides.items()
    for name, tables in sides.items():
        for table in tables:
            if table.photo.tolist() != first.photo.tolist():
                common = len(set(table.photo) & set(first.photo))
                raise UserError(f"{first_name} and {name} scored different photos: {common} of {len(first)} and {len(table)} "
                                "in common; give runs of one split and fold")
            if others := (table.true != first.true).sum():
                raise UserError(f"{first_name} and {name} were scored by different labels of {others} photos; give runs with "
                                "one set of corrections")


def score_of(tables: list[pd.DataFrame]) -> dict[str, float]:
    """Macro F1 of the 18 classes ("f1") and of each attribute, as the mean over seeds."""
    each = [scores(table.true.to_numpy(), table.guess.to_numpy()) for table in tables]
    return {name: float(np.mean([one["f1"] if name == "f1" else one[name]["f1"] for one in each])) for name in ROWS}


def draws_of(tables: list[pd.DataFrame], seed: int, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """The same for each bootstrap draw (draws,): of people, the same draws for every table, and of seeds, if several.

    Resampling K seeds gives (K - 1) / K of the variance of the seeds' mean, which the root corrects (Davison and Hinkley,
    "Bootstrap Methods and their Application", 1997, chapter 2).
    """
    each = [scores_of_draws(*(table[column].to_numpy() for column in ("true", "guess", "person")), draws) for table in tables]
    seeds = len(each)
    times = np.random.default_rng(seed).multinomial(seeds, np.full(seeds, 1 / seeds), draws)
    share = (1 + (times - 1) * (seeds / max(1, seeds - 1)) ** 0.5) / seeds
    return {name: sum(share[:, i] * one[name] for i, one in enumerate(each)) for name in ROWS}


def rightly_labelled(tables: list[pd.DataFrame]) -> pd.Series:
    """By person, whether more than half of the photos got their class, over all seeds."""
    table = pd.concat(tables)
    return (table.true == table.guess).groupby(table.person).mean() > 0.5


def report(sides: dict[str, list[pd.DataFrame]]) -> str:
    """The printed text; sides: the tables of both sides by name."""
    (a, one), (b, two) = sides.items()
    width = max(10, len(a), len(b))
    lines = [f"{'macro F1':12} {a:>{width}} {b:>{width}}  difference"]
    scored, draws = [score_of(side) for side in (one, two)], [draws_of(side, seed) for seed, side in enumerate((one, two))]
    for name, title in ROWS.items():
        low, high = interval(draws[1][name] - draws[0][name])
        difference = scored[1][name] - scored[0][name]
        lines.append(f"{title:12} {scored[0][name]:{width}.4f} {scored[1][name]:{width}.4f}  {difference:+.4f} "
                     f"({low:+.4f} to {high:+.4f})" + ("" if low <= 0 <= high else "  *"))
    before, after = rightly_labelled(one), rightly_labelled(two)
    people = (f"{len(one[0])} photos of {len(before)} people, of whom {(after & ~before).sum()} went from wrong to right and "
              f"{(before & ~after).sum()} back (right: more than half of a person's photos)")
    single = [name for name, side in sides.items() if len(side) == 1]
    drawn = "people" + " and seeds" * (len(single) < 2) + (f" (one seed of {single[0]})" if len(single) == 1 else "")
    return "\n".join([*lines, "", people, f"* the 95% interval of the difference, over {drawn}, does not hold 0"])


def main():
    a, b = arguments("A", "B")
    sides = {a: read_side(a), f"{b} " if a == b else b: read_side(b)}
    check_people(sides)
    print(report(sides))


if __name__ == "__main__":
    run(main)
