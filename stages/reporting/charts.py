"""Pictures of the report, each an SVG by matplotlib: drawn once, sharp at any size, and no script needed to see them."""
import io
import re

import matplotlib
import numpy as np
import pandas as pd

from stages.core.classes import ATTRIBUTES, CLASSES, VALUES

matplotlib.use("Agg")  # no screen is needed
matplotlib.rcParams |= {"svg.hashsalt": "report", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
                        "axes.grid": True, "grid.alpha": 0.25, "svg.fonttype": "none", "figure.constrained_layout.use": True}
import matplotlib.pyplot as plt

COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]  # Okabe and Ito, 2008


def svg(figure) -> str:
    """The figure as an <svg> element, the same bytes each time; closes it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)


def draw_lines(table: pd.DataFrame, x: str, y: str, marks: tuple = (), diagonal: bool = False) -> str:
    """A line for each value of the column `series`; marks: x of dashed lines; diagonal: y = x."""
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    if diagonal:
        axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
    for i, (name, part) in enumerate(table.groupby("series", sort=False)):
        axes.plot(part[x], part[y], color=COLORS[i % len(COLORS)], marker=".", linestyle="-" if i < len(COLORS) else ":",
                  label=name)
    for mark in marks:
        axes.axvline(mark - 0.5, color="#999999", linestyle="--", linewidth=1)
    axes.set(xlabel=x, ylabel=y)
    axes.legend(frameon=False, fontsize=8)
    return svg(figure)


def draw_confusion(true: np.ndarray, guess: np.ndarray, names: tuple[str, ...]) -> str:
    """The share of the photos of each true class (a row) that got each label (a column); arrays (N,)."""
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (true, guess), 1)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = 2.6 + 0.28 * len(names)
    figure, axes = plt.subplots(figsize=(size, size))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(False)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    for row, column in np.argwhere(shares >= 0.005):
        axes.text(column, row, f"{shares[row, column]:.2f}".lstrip("0"), ha="center", va="center",
                  fontsize=9 if len(names) < 6 else 6, color="white" if shares[row, column] > 0.55 else "black")
    axes.set(xlabel="labelled", ylabel="true")
    return svg(figure)


def draw_bars(table: pd.DataFrame, x: str, y: str) -> str:
    """Bars side by side for each value of `series`, in groups by x."""
    wide = table.pivot(index=x, columns="series", values=y)
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    wide.plot.bar(ax=axes, color=COLORS, rot=0, width=0.8, legend=False)
    axes.set(xlabel=x, ylabel=y, ylim=(0, 1))
    figure.legend(wide.columns, loc="outside upper center", ncols=len(wide.columns), frameon=False)
    return svg(figure)


def draw_classes(counts: dict[str, np.ndarray], unit: str) -> str:
    """A bar for each of the 18 classes; counts: (18,) by what they are of, side by side."""
    figure, axes = plt.subplots(figsize=(5.2, 4.6))
    height = 0.8 / len(counts)
    for i, (name, values) in enumerate(counts.items()):
        axes.barh(np.arange(len(CLASSES)) + i * height, values, height, color=COLORS[i], label=name)
    axes.set_yticks(np.arange(len(CLASSES)) + 0.4 - height / 2, CLASSES, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.grid(axis="y", visible=False)
    if len(counts) > 1:
        axes.legend(frameon=False, fontsize=8)
    return svg(figure)


def draw_errors(wrong: pd.DataFrame) -> str:
    """How many photos are wrong in which attributes at once; wrong: a bool column an attribute."""
    kinds = wrong[wrong.any(axis=1)].apply(lambda row: " + ".join(a for a in ATTRIBUTES if row[a]), axis=1)
    counts = kinds.value_counts() if len(kinds) else pd.Series(dtype=int)
    figure, axes = plt.subplots(figsize=(5.2, 2.6))
    axes.barh(counts.index, counts, color=COLORS[0])
    axes.invert_yaxis()
    axes.set_xlabel(f"photos of {len(wrong)}; all others have the right class")
    return svg(figure)


def draw_ages(people: pd.DataFrame, borders: tuple[int, int], drop: list[tuple[int, int]]) -> str:
    """Training people by age and gender: as given, in grey where dropped, and in the colour of the group they are learnt as.

    people: gender and age (years), a row a person.
    """
    figure, panels = plt.subplots(2, 1, figsize=(5.2, 3.6), sharex=True, sharey=True)
    dropped = np.zeros(len(people), bool)
    for first, last in drop:
        dropped |= people.age.between(first, last).to_numpy()
    group = np.digitize(people.age, borders)
    bins = np.arange(people.age.min(), people.age.max() + 2) - 0.5
    for axes, gender in zip(panels, VALUES["gender"]):
        own = (people.gender == gender).to_numpy()
        parts = [people.age[own & ~dropped & (group == g)] for g in range(3)] + [people.age[own & dropped]]
        axes.hist(parts, bins, stacked=True, color=[*COLORS[:3], "#bbbbbb"], label=[*VALUES["age"], "left out"])
        axes.set(ylabel=f"{gender}, people")
    panels[0].legend(frameon=False, fontsize=8)
    panels[1].set_xlabel("age in years")
    return svg(figure)
