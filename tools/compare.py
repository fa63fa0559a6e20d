"""Compare two revisions on the same people: is the difference more than chance?

    python -m tools.compare A B [--labels REV]

A and B are experiments, branches, tags, commits, or `workspace`. Prints macro F1 of the joint classes and of each attribute,
and the differences with 95% intervals by a paired bootstrap over people: each draw scores the same people for both. A
difference whose interval holds 0 may be chance. Several seeds of one setting, A1,A2,A3, count as one: their mean is
compared, and each draw resamples the seeds, too, so that the interval covers them. With a single seed it cannot.

Runs are scored by the labels that they had. Where label corrections differ, --labels REV, one of the revisions, scores all
of them by its labels, on the photos that all have.
"""
import argparse

import numpy as np
import pandas as pd

from labeller.parser import Parser
from stages.core.classes import Classes
from stages.core.command_line import run
from stages.core.errors import UserError
from stages.core.metrics import scores, with_values
from stages.evaluation.bootstrap import DRAWS, interval, scores_of_draws
from tools.shared.revisions import classes_at, read_labels


def read_side(words: str) -> dict[str, pd.DataFrame]:
    """Labels of each revision of A1,A2,... by its name."""
    revisions = [revision for revision in words.split(",") if revision]
    if not revisions:
        raise UserError(f"{words!r}: names no revision")
    if twice := [revision for revision in revisions if revisions.count(revision) > 1]:
        raise UserError(f"{words!r}: names {twice[0]} twice")
    return {revision: read_labels(revision) for revision in revisions}


def check_people(a: dict[str, pd.DataFrame], b: dict[str, pd.DataFrame]) -> None:
    """Raise UserError unless all revisions scored the same photos against the same labels."""
    (first_name, first), *others = [*a.items(), *b.items()]
    command = f"python -m tools.compare {','.join(a)} {','.join(b)} --labels"
    for name, table in others:
        common = len(set(table.photo) & set(first.photo))
        if table.photo.tolist() != first.photo.tolist():
            raise UserError(f"{first_name} and {name} scored different photos: {common} of {len(first)} and {len(table)} in "
                            "common; give runs of one split and fold"
                            + (f", or compare these alone: {command} {name}" if common else ""))
        if differ := (table.true != first.true).sum():
            raise UserError(f"{first_name} and {name} were scored by different labels of {differ} photos; score both by those "
                            f"of one, {name} or {first_name}: {command} {name}")


def common_classes(names: list[str]) -> Classes:
    """What all revisions label photos as; raises UserError where they differ."""
    each = {name: classes_at(name) for name in names}
    first = next(iter(each))
    for name, classes in each.items():
        if classes != each[first]:
            raise UserError(f"{first} labels photos by {', '.join(each[first].attributes)} ({each[first].count} classes), and "
                            f"{name} by {', '.join(classes.attributes)} ({classes.count}): their scores are of other things")
    return each[first]


def on_labels_of(revision: str, a: dict[str, pd.DataFrame], b: dict[str, pd.DataFrame]) -> tuple[dict, dict, str]:
    """Both sides with one revision's labels, on the photos that all have, and a line that counts what this changed.

    Raises UserError if no side names the revision, or no photo is common to all.
    """
    tables = a | b
    if revision not in tables:
        raise UserError(f"--labels: {revision!r} is none of the revisions compared, {', '.join(tables)}")
    union = set().union(*(table.photo for table in tables.values()))
    common = set.intersection(*(set(table.photo) for table in tables.values()))
    if not common:
        raise UserError(f"{', '.join(tables)}: no photo was scored by all of them; give runs of one split and fold")
    labels = tables[revision].drop(columns="guess")
    labels = labels[labels.photo.isin(common)]
    joined = {name: labels.merge(table[["photo", "guess", "true"]], on="photo", suffixes=("", "_own"), validate="1:1")
              for name, table in tables.items()}
    differ = [f"; {(table.true != table.true_own).sum()} have another label in {name}"
              for name, table in joined.items() if name != revision]
    sides = [{name: joined[name].drop(columns="true_own") for name in side} for side in (a, b)]
    return *sides, (f"scored by the labels of {revision}: {len(common)} photos compared, {len(union) - len(common)} left out "
                    f"that not all runs have{''.join(differ)}")


def sides_of(table: pd.DataFrame, classes: Classes) -> list[pd.DataFrame]:
    """True values and guesses, a column an attribute, and the joint class."""
    return [with_values(table[column].to_numpy(), classes) for column in ("true", "guess")]


def score_of(tables: list[pd.DataFrame], classes: Classes) -> dict[str, float]:
    """Macro F1 of the joint classes ("f1") and of each attribute, as the mean over seeds."""
    each = [scores(*sides_of(table, classes), classes) for table in tables]
    return {name: float(np.mean([one["f1"] if name == "f1" else one[name]["f1"] for one in each]))
            for name in ("f1", *classes.attributes)}


def draws_of(tables: list[pd.DataFrame], seed: int, classes: Classes, draws: int = DRAWS) -> dict[str, np.ndarray]:
    """The same for each bootstrap draw (draws,): of people, the same draws for every table, and of seeds, if several.

    Resampling K seeds gives (K - 1) / K of the variance of the seeds' mean, which the root corrects (Davison and Hinkley,
    "Bootstrap Methods and their Application", 1997, chapter 2).
    """
    each = [scores_of_draws(*sides_of(table, classes), table.person.to_numpy(), classes, draws) for table in tables]
    seeds = len(each)
    times = np.random.default_rng(seed).multinomial(seeds, np.full(seeds, 1 / seeds), draws)
    share = (1 + (times - 1) * (seeds / max(1, seeds - 1)) ** 0.5) / seeds
    return {name: sum(share[:, i] * one[name] for i, one in enumerate(each)) for name in ("f1", *classes.attributes)}


def rightly_labelled(tables: list[pd.DataFrame]) -> pd.Series:
    """By person, whether more than half of the photos got their class, over all seeds."""
    table = pd.concat(tables)
    return (table.true == table.guess).groupby(table.person).mean() > 0.5


def report(sides: dict[str, list[pd.DataFrame]], classes: Classes) -> str:
    """The printed text; sides: the tables of both sides by name."""
    (a, one), (b, two) = sides.items()
    width = max(10, len(a), len(b))
    lines = [f"{'macro F1':12} {a:>{width}} {b:>{width}}  difference"]
    scored = [score_of(side, classes) for side in (one, two)]
    draws = [draws_of(side, seed, classes) for seed, side in enumerate((one, two))]
    for name in ("f1", *classes.attributes):
        title = f"{classes.count} classes" if name == "f1" else name
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
    parser = Parser(prog="python -m tools.compare", usage="%(prog)s A B [--labels REV]", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sides", nargs="*", metavar="A B", help="revisions, or several seeds of one setting: A1,A2,A3")
    parser.add_argument("--labels", metavar="REV", help="score all by the labels of this one of them")
    args = parser.parse_intermixed_args()
    if len(args.sides) != 2:
        raise UserError(f"needs A B, and got {' '.join(args.sides) or 'none'}")
    (a, b), note = map(read_side, args.sides), ""
    classes = common_classes([*a, *b])
    if args.labels:
        a, b, note = on_labels_of(args.labels, a, b)
    else:
        check_people(a, b)
    one, two = args.sides
    print(report({one: list(a.values()), f"{two} " if one == two else two: list(b.values())}, classes))
    if note:
        print(note)


if __name__ == "__main__":
    run(main)
