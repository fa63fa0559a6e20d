"""Learning curves of many runs as small multiples, each in front of the first run's."""
from math import ceil
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

COLORS = {"mask": "#0072b2", "gender": "#009e73", "age": "#d55e00", "joint": "#cc79a7"}  # Okabe and Ito, 2008
COLUMNS = 4


def with_new_models(runs: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """The runs with a model that no earlier run trained; a run with only another vote or other views repeats curves."""
    out, seen = {}, set()
    for name, curves in runs.items():
        own = {(model, tuple(curve)) for model, curve in curves.items()}
        if own - seen:
            out[name] = curves
        seen |= own
    return out


def draw_curves(runs: dict[str, dict[str, list[float]]], file: Path) -> None:
    """Draw macro F1 after each epoch, by run and model; the first run is in grey behind each. Omits runs without new models."""
    runs = with_new_models(runs)
    rows = ceil(len(runs) / COLUMNS)
    figure, panels = plt.subplots(rows, COLUMNS, figsize=(11, 1 + 1.9 * rows), sharex=True, sharey=True, squeeze=False,
                                  layout="constrained")
    first = next(iter(runs.values()))
    for panel, (name, curves) in zip(panels.flat, runs.items()):
        for curve in first.values():
            panel.plot(range(1, len(curve) + 1), curve, color="#bbbbbb", linewidth=1)
        for model, curve in curves.items():
            panel.plot(range(1, len(curve) + 1), curve, color=COLORS.get(model, "black"), linewidth=1.6, marker=".")
        panel.set_title(name, fontsize=9, loc="left")
        panel.set_ylim(0, 1)
        panel.grid(alpha=0.25)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    for i, panel in enumerate(panels.flat):
        panel.set_visible(i < len(runs))
        panel.tick_params(labelbottom=i + COLUMNS >= len(runs))  # only on the last panel of each column
    lines = [plt.Line2D([], [], color=color) for color in COLORS.values()]
    figure.legend(lines, COLORS, loc="outside upper right", ncols=len(COLORS), frameon=False, fontsize=9)
    figure.supxlabel("epoch; of the held-out fold, of the joint classes for joint models; grey: the first run", fontsize=9)
    figure.supylabel("macro F1", fontsize=9)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)
