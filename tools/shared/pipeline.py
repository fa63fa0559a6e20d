"""DVC's stages, what each needs, which are out of date, and the order in which `dvc repro` writes of them."""
import json
from contextlib import contextmanager
from pathlib import Path

import networkx
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo, lock_repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.utils.serialize import load_yaml, modify_yaml

from stages.core.errors import UserError
from stages.core.files import write_json

NOTES = Path("logs/repro/before.json")


class Pipeline:
    """DVC's stages that lead to the targets, by their address, such as train@age-0."""

    def __init__(self, targets: list[str]):
        try:
            self.repo = Repo(_wait_for_lock=True)
            with lock_repo(self.repo):
                graph = get_active_graph(self.repo.index.graph)
                stages = collect_stages(self.repo, targets or ["dvc.yaml"])
                steps = plan_repro(graph, stages)
                self.order = [stage.addressing for stage in steps]
                self.needs = {stage.addressing: {each.addressing for each in graph.successors(stage)} for stage in steps}
                self.written: dict[Path, list[str]] = {}  # what stands where, in the order of `dvc repro`
                for stage in steps:
                    self.written.setdefault(Path(stage.dvcfile._lockfile.path), []).append(stage.name)
                    for out in map(Path, map(str, stage.outs)):
                        self.written.setdefault(out.parent / ".gitignore", []).append(f"/{out.name}")
        except (DvcException, ValueError) as error:  # the latter for the 13th month in dvc.yaml
            raise UserError(str(error).splitlines()[0]) from None

    def changed(self, names: list[str]) -> set[str]:
        """Those of the stages that are out of date."""
        with lock_repo(self.repo):
            stages = {stage.addressing: stage for stage in self.repo.index.stages}
            return {name for name in names if out_of_date(stages[name])}

    def after(self, name: str) -> set[str]:
        """The stages that depend on one, over others too."""
        graph = networkx.DiGraph(self.needs)
        return networkx.ancestors(graph, name)

    @contextmanager
    def in_order(self):
        """Afterwards what came to dvc.lock and .gitignore stands in the pipeline's order, as `dvc repro` writes it.

        NOTES keeps what was there before, for the run after one that was killed.
        """
        if not NOTES.is_file():
            write_json({str(path): self.entries(path) for path in self.written}, NOTES)
        before = json.loads(NOTES.read_text())
        try:
            yield
        finally:
            with lock_repo(self.repo):
                for path, order in self.written.items():
                    now = self.entries(path)
                    old = [entry for entry in before.get(str(path), []) if entry in now]
                    wanted = old + sorted(set(now) - set(old), key=[*order, *now].index)
                    if now != wanted and path.name == ".gitignore":
                        path.write_text("".join(f"{line}\n" for line in wanted))
                    elif now != wanted:
                        with modify_yaml(path) as values:
                            for name in wanted:
                                values["stages"].move_to_end(name)
            NOTES.unlink()

    def entries(self, path: Path) -> list[str]:
        """The lines of a .gitignore, or the names of the stages in a dvc.lock."""
        if not path.exists():
            return []
        return path.read_text().splitlines() if path.name == ".gitignore" else list(load_yaml(path).get("stages", {}))


def out_of_date(stage) -> bool:
    """Whether a stage of DVC is to run; so is one on whose files another command still works."""
    try:
        return stage.changed()
    except LockError:
        return True
