"""Check params.yaml, that the files and the GPU it names are there, and mend DVC's own files, before DVC starts.

Run: python -m tools.check
"""
from stages.core.command_line import run
from stages.core.params import read_params
from tools.shared.inputs import check_files
from tools.shared.mending import mend


def main():
    p = read_params()
    check_files(p, {})
    if p.machine.device.startswith("cuda") and p.machine.engine == "local":
        from stages.core.device import pick_device  # torch takes seconds to load
        pick_device(p.machine)
    mend()


if __name__ == "__main__":
    run(main, words=False)
