"""Check params.yaml, and that the files it names exist, before DVC starts. Run: python -m tools.check"""
from stages.core.command_line import run
from stages.core.params import read_params
from tools.shared.inputs import check_files


def main():
    check_files(read_params(), {})


if __name__ == "__main__":
    run(main, words=False)
