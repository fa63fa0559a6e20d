"""The charts of the report. Each function draws one and returns the figure; stages/reporting/theme.py says how they look."""
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from stages.core.classes import AGE, Classes
from stages.reporting.theme import KNOWN, LIGHT, WIDTH, ages_in_color, color_of

HEIGHT = 4.3  # inches, of all charts that stand in a row
PERCENT = PercentFormatter(1, decimals=0)
DASHES = ("-", "--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))
TINT = 0.6  # how strong the color of a full cell is: the number in it stays legible


def legend_above(figure: Figure, handles: list, names: list[str]) -> None:
    """Names of the colors, in rows of four, where they hide nothing."""
    figure.legend(handles, names, loc="outside upper left", ncols=min(4, len(names)))


def dashed(draw_line, *places, **where) -> None:
    """A line to compare with, by a method of the axes such as axvline."""
    draw_line(*places, color=LIGHT["soft"], linestyle=(0, (4, 3)), linewidth=1, **where)


def draw_curves(table: pd.DataFrame) -> Figure:
    """Macro F1 by epoch: a color for each model, a dash for each of its folds; series is "model, fold number"."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    models, folds = ([*dict.fromkeys(part)] for part in zip(*table.series.str.split(", ")))
    others = [model for model in models if model not in KNOWN]
    colors = {a: LIGHT[a] for a in KNOWN} | {m: LIGHT[f"more{i % 4 + 1}"] for i, m in enumerate(others)}
    dashes = {fold: DASHES[i % len(DASHES)] for i, fold in enumerate(folds)}
    for series, part in table.groupby("series", sort=False):
        model, fold = series.split(", ")
        axes.plot(part.epoch, part.f1, color=colors[model], linestyle=dashes[fold], marker="." if len(part) < 20 else None)
    legend_above(figure, [Line2D([], [], color=colors[model]) for model in models], models)
    if len(folds) > 1:
        handles = [Line2D([], [], color=LIGHT["soft"], linestyle=dashes[fold]) for fold in folds]
        axes.legend(handles, folds, loc="lower right", handlelength=2.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel="macro F1")
    return figure


def draw_reliability(table: pd.DataFrame) -> Figure:
    """The share of right labels by their probability, a line for each attribute; the more photos, the larger the dot."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    least = min(0.9, np.floor(table.confidence.min() * 10) / 10)
    dashed(axes.plot, [0, 1], [0, 1])
    for attribute, part in table.groupby("series", sort=False):
        color = LIGHT[color_of(attribute)]
        axes.plot(part.confidence, part.accuracy, color=color, linewidth=1)
        axes.scatter(part.confidence, part.accuracy, 6 + 150 * part.photos / table.photos.max(), color=color, clip_on=False)
    attributes = [*dict.fromkeys(table.series)]
    legend_above(figure, [Line2D([], [], color=LIGHT[color_of(a)], marker="o") for a in attributes], attributes)
    axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set(xlabel="probability of the label given", ylabel="right labels", xlim=(least, 1), ylim=(0, 1))
    return figure


def draw_years(table: pd.DataFrame, classes: Classes) -> Figure:
    """The share of the photos of people so old that was labelled with each age group, as bars that add up to 100%."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    shares = table.pivot(index="years", columns="series", values="share")[list(classes.values[AGE])]
    tops, colors = shares.cumsum(axis=1), ages_in_color(shares.shape[1])
    bars = [axes.bar(shares.index, shares[group], 0.9, tops[group] - shares[group], color=color)
            for group, color in zip(shares, colors)]
    for border in classes.borders:
        dashed(axes.axvline, border - 0.5, ymax=1.04, clip_on=False)
    legend_above(figure, bars, [*shares])
    axes.xaxis.set_major_locator(MultipleLocator(10))
    axes.yaxis.set_major_formatter(PERCENT)
    axes.grid(axis="x", visible=False)
    axes.set(xlabel="true age in years", ylabel="photos of that age", ylim=(0, 1))
    return figure


def draw_confusion(counts: np.ndarray, names: tuple[str, ...], color: str) -> Figure:
    """The percentage of the photos of each true value (a row) that got each label (a column); counts: (C, C) photos."""
    shares, few = counts / np.maximum(counts.sum(1, keepdims=True), 1), len(names) < 6
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT) if few else (10, 9.4))
    for row, column in np.argwhere(shares >= 0.005):
        share, photos = shares[row, column], int(counts[row, column])
        axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, color=LIGHT[color], alpha=TINT * share, linewidth=0))
        axes.text(column, row - 0.08 * few, f"{share:.0%}" if few else f"{100 * share:.0f}", ha="center", va="center",
                  fontsize=14 if few else 11)
        if few:
            axes.text(column, row + 0.24, f"{photos:,} photo{'s' * (photos != 1)}", ha="center", va="center", fontsize=9.5)
    axes.set_xticks(range(len(names)), names, rotation=0 if few else 90)
    axes.set_yticks(range(len(names)), names)
    axes.grid(False)
    for draw_lines in (axes.hlines, axes.vlines):
        draw_lines(np.arange(1, len(names)) - 0.5, -0.5, len(names) - 0.5, color=LIGHT["line"], linewidth=1)
    axes.set(xlabel="label given", ylabel="true", xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    return figure


def draw_bars(table: pd.DataFrame, x: str, order: tuple[str, ...]) -> Figure:
    """Macro F1 of each attribute as bars side by side, in groups by the column x; order: its values, as far as there are."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    photos = table.groupby(x).photos.first()
    photos = photos.reindex([*(value for value in order if value in photos), *photos.index.difference(order)])
    bars, attributes = [], [*dict.fromkeys(table.series)]
    for i, attribute in enumerate(attributes):
        f1 = table[table.series == attribute].set_index(x).f1.reindex(photos.index)
        step = 0.81 / len(attributes)
        bars.append(axes.bar(np.arange(len(f1)) + (i - (len(attributes) - 1) / 2) * step, f1, step - 0.02,
                             color=LIGHT[color_of(attribute)]))
        axes.bar_label(bars[-1], ["" if np.isnan(value) else f"{value:.2f}" for value in f1], padding=2,
                       fontsize=9.5 if len(f1) < 4 else 7.5)
    legend_above(figure, bars, attributes)
    axes.set_xticks(range(len(photos)), [f"{value}\n{n:,} photo{'s' * (n != 1)}" for value, n in photos.items()])
    axes.grid(axis="x", visible=False)
    axes.set(ylabel="macro F1", ylim=(0, 1.06), yticks=np.linspace(0, 1, 6), xlim=(-0.5, len(photos) - 0.5))
    return figure


def draw_f1(table: pd.DataFrame) -> Figure:
    """F1 of each class, and their mean as a dashed line; table: class, f1, photos."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    axes.barh(table["class"], table.f1, 0.72, color=LIGHT["all"])
    dashed(axes.axvline, table.f1.mean())
    for row, (f1, photos) in enumerate(zip(table.f1, table.photos)):
        axes.text(1.25, row, f"{f1:.2f}", va="center", ha="right", fontsize=10)
        axes.text(1.7, row, f"{photos:,}", va="center", ha="right", fontsize=10, color=LIGHT["soft"])
    for x, name in ((1.25, "F1"), (1.7, "photos")):
        axes.text(x, -1, name, ha="right", va="center", fontsize=10, color=LIGHT["soft"])
    axes.grid(axis="y", visible=False)
    axes.tick_params("y", labelsize=10)
    axes.spines.bottom.set_bounds(0, 1)
    axes.set(xlim=(0, 1.7), xticks=(0, 0.5, 1), ylim=(len(table) - 0.5, -1.5))
    return figure


def draw_classes(shares: dict[str, np.ndarray], names: tuple[str, ...]) -> Figure:
    """A bar for each of the joint classes; shares: (C,) by what they are of, side by side."""
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    height = 0.8 / len(shares)
    bars = [axes.barh(np.arange(len(names)) + (i - (len(shares) - 1) / 2) * height, values, height, color=LIGHT[color])
            for i, (values, color) in enumerate(zip(shares.values(), ("all", "more2")))]
    legend_above(figure, bars, [*shares])
    axes.set_yticks(range(len(names)), names, fontsize=10)
    axes.xaxis.set_major_formatter(PERCENT)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="share of the photos", ylim=(len(names) - 0.5, -0.5))
    return figure


def draw_errors(wrong: pd.DataFrame) -> Figure:
    """How many photos are wrong in which attributes at once; wrong: a bool column an attribute."""
    kinds = wrong[wrong.any(axis=1)].apply(lambda row: " + ".join(a for a in wrong if row[a]), axis=1)
    counts = kinds.value_counts() if len(kinds) else pd.Series(dtype=int)
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT))
    if not len(counts):
        axes.axis("off")
        axes.text(0.5, 0.5, "No photo has a wrong class.", ha="center", transform=axes.transAxes)
        return figure
    bars = axes.barh(counts.index, counts, 0.6, color=LIGHT["all"])
    axes.bar_label(bars, [f"{n:,}" for n in counts], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("photos")
    return figure


def draw_ages(people: pd.DataFrame, borders: tuple[int, ...], drop: list[tuple[int, int]], classes: Classes) -> Figure:
    """Training people by age, and by gender if it is learnt: in the color of the group that they are learnt as, in grey where
    dropped.

    people: age (years), and gender by name, a row a person.
    """
    genders = classes.values.get("gender", [None])
    figure, panels = plt.subplots(len(genders), 1, figsize=(WIDTH, HEIGHT), sharex=True, sharey=True, squeeze=False)
    panels = panels[:, 0]
    dropped = np.zeros(len(people), bool)
    for first, last in drop:
        dropped |= people.age.between(first, last).to_numpy()
    group = np.digitize(people.age, borders)
    bins = np.arange(people.age.min(), people.age.max() + 2) - 0.5
    groups = classes.values[AGE]
    colors = [*ages_in_color(len(groups)), *([LIGHT["none"]] if dropped.any() else [])]
    for axes, gender in zip(panels, genders):
        own = np.ones(len(people), bool) if gender is None else (people.gender == gender).to_numpy()
        parts = [people.age[own & ~dropped & (group == g)] for g in range(len(groups))] + [people.age[own & dropped]]
        _, _, bars = axes.hist(parts[:len(colors)], bins, stacked=True, color=colors, rwidth=0.9)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.grid(axis="x", visible=False)
        axes.set(ylabel="people" if gender is None else f"{gender}, people")
    legend_above(figure, bars, [*groups, "left out"][:len(colors)])
    panels[-1].xaxis.set_major_locator(MultipleLocator(10))
    panels[-1].set_xlabel("age in years")
    return figure
