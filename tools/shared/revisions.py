"""Read the results of an experiment, branch, tag, commit or the workspace, only through DVC and git."""
import io
import subprocess
from pathlib import Path

import dvc.api
import pandas as pd
from dvc.exceptions import DvcException
from scmrepo.exceptions import SCMError

from stages.core.classes import CONTEST, Classes
from stages.core.errors import UserError
from stages.core.params import CLASSES, FILE, is_model, read_classes
from stages.core.yaml_file import load

LABELS = "reports/plots/labels.csv"


def git(*words: str) -> str:
    """The output of a git command; raises UserError with git's message."""
    done = subprocess.run(["git", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git {words[0]}: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def revisions() -> dict[str, str]:
    """Commits of all experiments, of any commit, by name; of two with one name, the later."""
    lines = git("for-each-ref", "refs/exps", "--sort=creatordate", "--format=%(refname) %(objectname)").splitlines()
    return {ref.rsplit("/", 1)[1]: sha for ref, sha in (line.split() for line in lines) if ref.count("/") == 4}


def params_at(revision: str) -> dict:
    """The values of a commit's params.yaml."""
    return load(git("show", f"{revision}:./{FILE}"))


def read_at(revision: str, file: str) -> bytes:
    """Content of a file at a revision, pulled from the remote if the cache lacks it; "workspace" is the file on disk."""
    try:
        return Path(file).read_bytes() if revision == "workspace" else dvc.api.read(file, rev=revision, mode="rb")
    except (DvcException, SCMError, OSError) as error:
        raise UserError(f"{revision}: its {file} cannot be had ({str(error).splitlines()[0]}); `dvc exp list --all-commits` "
                        "names the experiments") from None


KEPT = ["photo", "person", "true"]  # columns of the tables that tools.results writes, beside one for each experiment


def kept_labels(experiment: str) -> pd.DataFrame | None:
    """The table of read_labels from the files that tools.results writes; None if none has the experiment."""
    for file in sorted(Path("reports").glob("*-labels.csv")):
        if experiment in pd.read_csv(file, nrows=0).columns.difference(KEPT):
            table = pd.read_csv(file, dtype={"photo": str, "person": str}, keep_default_na=False)
            return table[[*KEPT, experiment]].rename(columns={experiment: "guess"})
    return None


def classes_of(params: dict) -> Classes:
    """What the models of a params.yaml learn; the contest's classes where it has no section of them."""
    every = read_classes(params[CLASSES]) if CLASSES in params else CONTEST
    learnt = {params[name]["attribute"] for name in params["models"] if is_model(params.get(name))}
    return every if "joint" in learnt else every.only(learnt)


def classes_at(revision: str) -> Classes:
    """What a revision's labels are of; the contest's classes for an experiment of which only its table is kept."""
    try:
        return classes_of(load(read_at(revision, str(FILE))))
    except UserError:
        if kept_labels(revision) is None:
            raise
        return CONTEST


def read_labels(revision: str) -> pd.DataFrame:
    """photo, person, true and guess (joint classes, from 0) of every photo with all labels that the revision scored, sorted by
    photo."""
    try:
        content = read_at(revision, LABELS)
    except UserError:
        if (kept := kept_labels(revision)) is None:
            raise
        return kept
    classes = classes_at(revision)
    number = {name: i for i, name in enumerate(classes.names)}
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        wrong = sorted({*table.class_true, *table.class_predicted} - {"", *number})
    except (ValueError, AttributeError):
        table, wrong = pd.DataFrame(), []
    if wrong or "person" not in table or "photo" not in table:
        what = f"has a class {wrong[0]!r}" if wrong else "is no table of photo, person, class_true and class_predicted"
        raise UserError(f"{revision}: its {LABELS} {what}; run it again")
    table = table[table.class_true != ""]  # which are of photos without all labels
    if table.empty:
        raise UserError(f"{revision}: no photo that it scored has labels of all of {', '.join(classes.attributes)}, so its "
                        f"{classes.count} classes have no score")
    table = table.assign(true=table.class_true.map(number), guess=table.class_predicted.map(number))
    return table[["photo", "person", "true", "guess"]].sort_values("photo", ignore_index=True)
