"""The bundle's README: a model card. Mitchell et al., "Model Cards for Model Reporting", 2019."""
import json

import pandas as pd

from stages.evaluation.breakdown import f1_of_present
from stages.exporting.int8 import cost_of_int8

USE = """\
It is made for counting and for research on many photos.

**Do not use it** to decide about a person, to identify people, to watch or punish them, or where a mistake harms somebody.
Gender here is what annotators saw in a photo, one of two; it is not how people identify. Ages near 30 and 60 are often
labelled wrongly. People unlike those in the training data get worse labels than the figures below say."""


RUN = """\
```python
from labeller import Labeller

for photo in Labeller("path/of/this/folder")(["photo.jpg"]):
    print(photo.to_dict())
```

Or `label photo.jpg --bundle path/of/this/folder`. It needs no torch and no network.
"""


def readme(card: dict, labels: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> str:
    """The model card in Markdown. labels: reports/plots/labels.csv; tables: wearing and found, as in reports/plots."""
    metrics, attributes = card["metrics"], list(card["classes"])
    licence = card["licence"] or "not stated; set `export.licence` in params.yaml to the licence of the photos"
    parts = [f"{front_matter(card)}# {card['name']}\n\n{what(card)} {USE}\n\n## How to run it\n\n{RUN}"]
    parts.append(f"## Scores\n\nMacro F1 on held-out people ({metrics['people']} people, {metrics['photos']} photos), with 95% "
                 "intervals over people:\n\n"
                 + markdown(score_rows(metrics, attributes), ["labels", "macro F1", "95% interval"]))
    if rows := cell_rows(labels, card["classes"]):
        parts.append("By gender and age group, over the classes that occur:\n\n"
                     + markdown(rows, ["people", "photos", "mask F1", "right in all"]))
    for name, title in (("wearing", "By how the mask is worn"), ("found", "By how the face was found")):
        wide = tables[name].pivot_table(index=[name, "photos"], columns="series", values="f1").reset_index()
        known = [attribute for attribute in attributes if attribute in wide]
        rows = [[row[name], row["photos"], *(f"{row[a]:.3f}" for a in known)] for _, row in wide.iterrows()]
        if rows:
            parts.append(f"{title}:\n\n" + markdown(rows, [name, "photos", *(f"{a} F1" for a in known)]))
    parts.append("## What it was made from\n\n" + markdown(origin_rows(card), ["", ""]))
    parts.append(f"## Licence of the training data\n\n{licence}\n")
    return "\n".join(parts)


def front_matter(card: dict) -> str:
    """What the Hugging Face Hub reads of a model card; its licences are a fixed list, so the user's own is `other`."""
    name = f"license_name: {json.dumps(card['licence'])}\n" if card["licence"] else ""
    return (f"---\nlicense: other\n{name}library_name: onnx\npipeline_tag: image-classification\n"
            f"tags: [{', '.join(['face', *card['classes']])}]\n---\n\n")


def what(card: dict) -> str:
    """What it labels, in a sentence."""
    values = "; ".join(f"{attribute} ({', '.join(names)})" for attribute, names in card["classes"].items())
    return f"Labels photos of faces by {values}."


def score_rows(metrics: dict, attributes: list[str]) -> list[list]:
    rows = [[f"{metrics['classes']} classes", metrics["f1"], "f1"], *([a, metrics[a]["f1"], a] for a in attributes)]
    return [[title, f"{value:.3f}", "{low:.3f} to {high:.3f}".format(**metrics["interval"][key])]
            for title, value, key in rows if value is not None]


def cell_rows(labels: pd.DataFrame, classes: dict[str, list[str]]) -> list[list]:
    """gender and age group, photos, F1 of the mask, share of photos that are right in all; none unless all three are learnt."""
    if not {"mask", "gender", "age"} <= classes.keys():
        return []
    rows, labels = [], labels.dropna(subset="class_true")
    for gender in classes["gender"]:
        for age in classes["age"]:
            cell = labels[(labels.gender_true == gender) & (labels.age_true == age)]
            if len(cell):
                right = (cell.class_true == cell.class_predicted).mean()
                rows.append([f"{gender}, {age}", len(cell), f"{f1_of_present(cell.mask_true, cell.mask_predicted):.3f}",
                             f"{right:.1%}"])
    return rows


def origin_rows(card: dict) -> list[list]:
    networks = [f"{each['file']} ({each['backbone']}, {each['image_size'][1]}x{each['image_size'][0]} pixels)"
                for model in card["models"] for each in model["networks"]]
    made = card["made_from"]
    changed = ", with uncommitted changes" if made["changed"] else ""
    return [["revision", f"{made['revision'] or 'none'}{changed}"], ["people and photos to train on",
            f"{made['people']} and {made['photos']}"], ["networks", ", ".join(networks)],
            ["precision", precision(card)], ["vote", card["vote"]], ["faces", "MTCNN with facenet-pytorch's weights"]]


def precision(card: dict) -> str:
    """That of the networks, and what int8 costs."""
    return f"int8: {cost_of_int8(card['int8'])}" if "int8" in card else card["precision"]


def markdown(rows: list[list], columns: list[str]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
