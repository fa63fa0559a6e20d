"""Check params.yaml, and that the files it names exist, and mend DVC's own files, before DVC starts.

Run: python -m tools.check
"""
from stages.core.command_line import run
from stages.core.params import read_params
from tools.shared.inputs import check_files
from tools.shared.mending import mend


def main():
    check_files(read_params(), {})
    mend()


if __name__ == "__main__":
    run(main, words=False)
