"""Check params.yaml and that the data is in place, before DVC begins. Run: python -m tools.check"""
from pathlib import Path

from stages.lib.errors import UserError, run
from stages.lib.params import read_params

SAMPLE = Path("data/sample")  # data/dvc.yaml draws it


def main():
    p = read_params()
    root = Path(p.data.root)
    if root != SAMPLE and not root.is_dir():
        raise UserError(f"params.yaml: data.root: {p.data.root!r} is no folder; put the photos there as README's "
                        f"\"Your own photos\" says, or set data.root to {SAMPLE} for the drawn sample")
    for key, file in (("data.table", p.data.table), ("labels.corrections", p.labels.corrections)):
        if file and not Path(file).is_file():
            raise UserError(f"params.yaml: {key}: {file!r} is no file; give the path of a CSV, or null")


if __name__ == "__main__":
    run(main)
