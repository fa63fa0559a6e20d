"""How the report looks: its colors, of which the page has two each, and charts as SVG that take them over.

An attribute and an age group have one color all over the page. Those of the attributes and of further models are Okabe and
Ito's (2008), which color-blind readers tell apart; age groups have an order, so theirs differ in lightness.
"""
import io
import re

import matplotlib
import numpy as np

matplotlib.use("Agg")  # no screen is needed
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

COLORS = {  # name: on a light page, on a dark one
    "page": ("#f4f6f8", "#11161b"), "card": ("#ffffff", "#1a2128"), "line": ("#dce3e9", "#333f4a"),
    "ink": ("#1b2631", "#e8edf2"), "soft": ("#566573", "#a3b0bc"), "link": ("#00619a", "#6cbcec"),
    "right": ("#00704d", "#4fd0a5"), "wrong": ("#b03a00", "#ff9b5e"), "focus": ("#e08a00", "#ffb939"),
    "all": ("#3d5166", "#86a3bf"), "mask": ("#0072b2", "#46a5de"), "gender": ("#d55e00", "#f58a42"),
    "age": ("#009e73", "#2fc396"), "more1": ("#cc79a7", "#dd93bd"), "more2": ("#e69f00", "#f0b63c"),
    "more3": ("#56b4e9", "#7cc8f3"), "more4": ("#000000", "#ffffff"), "young": ("#bb85cf", "#efd5f7"),
    "middle": ("#85479b", "#bb83d1"), "old": ("#4a1a5e", "#83519a"), "none": ("#b4bcc4", "#59656f"),
}
LIGHT = {name: light for name, (light, _) in COLORS.items()}
KNOWN = ("all", "mask", "gender", "age")  # what has a color of its own


def color_of(name: str) -> str:
    """The color of an attribute, or of another model: always the same one for the same name."""
    return name if name in KNOWN else f"more{sum(map(ord, name)) % 4 + 1}"


def ages_in_color(groups: int) -> list[str]:
    """A color of each age group, from the youngest on, of LIGHT or as red, green and blue: lighter to darker."""
    ends = [np.array(to_rgb(LIGHT[name])) for name in ("young", "middle", "old")]
    if groups <= len(ends):
        return [LIGHT[name] for name in ("young", "middle", "old")[:groups]]
    at = np.linspace(0, 2, groups)
    return [to_hex([np.interp(x, range(3), channel) for channel in np.transpose(ends)]) for x in at]


WIDTH = 4.8  # inches, 346 px: what a card holds at 1280 and at 400 px, so that a chart's text has the size of the page's

STYLE = {
    "font.size": 11, "axes.labelsize": 11, "xtick.labelsize": 10.5, "ytick.labelsize": 10.5, "legend.fontsize": 10.5,
    "text.color": LIGHT["ink"], "axes.labelcolor": LIGHT["soft"], "xtick.labelcolor": LIGHT["ink"],
    "ytick.labelcolor": LIGHT["ink"], "xtick.major.size": 0, "ytick.major.size": 0, "xtick.major.pad": 7,
    "ytick.major.pad": 5, "axes.labelpad": 8, "axes.axisbelow": True, "axes.grid": True, "grid.color": LIGHT["line"],
    "axes.edgecolor": LIGHT["line"], "axes.linewidth": 1, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "legend.handlelength": 1.4, "legend.columnspacing": 1.2, "legend.borderaxespad": 0,
    "figure.constrained_layout.use": True, "figure.constrained_layout.h_pad": 0.03, "figure.constrained_layout.w_pad": 0.02,
    "svg.fonttype": "none",
}
matplotlib.rcParams |= STYLE


def svg(figure: Figure, name: str) -> str:
    """The figure as an <svg> element, the same bytes each time; closes it.

    name: what its ids are made of, so that no two pictures of the page share one.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    plt.close(figure)
    text = re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)
    text = re.sub(r' id="[\w.]+_\d+"', "", text)  # names of parts, such as axes_1, which every picture has
    for color, light in LIGHT.items():
        text = text.replace(light, f"var(--{color})")
    return text
