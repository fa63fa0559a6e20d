"""Find damaged files in DVC's cache and in the workspace, name their stage, and mend them. Run: make verify, or

    python -m tools.verify [--fix] [--rerun]

DVC trusts a read-only file of its cache, and in the workspace a file of the same time and size: a byte that a disk flipped goes
into the next `dvc checkout` without a word. This hashes all of the cache (of other commits and experiments, too), since an
object's name is the MD5 of its content, and the workspace against dvc.lock. Nothing is changed without --fix.

--fix takes a damaged or missing object from the DVC remote, or from the workspace where that has the right bytes, and puts
it back where the workspace has the damaged ones. What is damaged and found nowhere is moved to .dvc/cache/damaged, so that
DVC does not use it. --rerun runs the stages that make those again. Exit status 1 if anything is left that is not mended.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.fs.generic import transfer

from labeller.parser import Parser
from stages.core.command_line import run
from stages.core.errors import UserError
from tools.shared.dvc_objects import Place, digest, find_objects, hash_files, named, open_repo

LISTED = 20  # lines of one kind; a broken disk may have thousands


@dataclass
class Found:
    """What is wrong. Objects by MD5, with where they belong."""
    places: dict[str, list[Place]]
    damaged: dict[str, str] = field(default_factory=dict)  # MD5 of their content, or why they cannot be read
    missing: list[str] = field(default_factory=list)
    silent: dict[Path, str] = field(default_factory=dict)  # files of the workspace that DVC takes for this object, and are not
    changed: list[Place] = field(default_factory=list)  # files that differ, which DVC notices by itself

    def owner(self, name: str) -> str:
        """Such as `data/faces/1.jpg of crop`."""
        places = self.places.get(name)
        if not places:
            return "named by no stage here, but maybe by another commit or experiment"
        return str(places[0]) + f" and {len(places) - 1} more" * (len(places) > 1)

    def again(self, name: str) -> list[str]:
        """The stages that make an object again."""
        return sorted({place.stage for place in self.places.get(name, []) if place.again})


def linked(path: Path, other: Path) -> bool:
    """Whether two names are of one file, as with cache.type hardlink and symlink."""
    return path.exists() and other.exists() and path.samefile(other)


def look(repo: Repo) -> Found | None:
    """Hash the cache and the workspace; None if nothing is in the cache."""
    cache = repo.cache.local
    objects = find_objects(Path(cache.path))
    if not objects:
        return None
    content = hash_files(list(objects.values()), "cache")
    damaged = {name: content[path] for name, path in objects.items() if content[path] != name.removesuffix(".dir")}
    found = Found(named(repo, objects.keys() - damaged.keys()), damaged)
    found.missing = [name for name in found.places if name not in objects]
    print(f"{len(objects)} objects in {os.path.relpath(cache.path)}, {len(objects.keys() - found.places.keys())} of them named "
          "by no stage here, but maybe by other commits and experiments")
    places = {}  # files of the workspace
    for name, place in ((name, place) for name, of_name in found.places.items() for place in of_name):
        if not name.endswith(".dir") and place.path.is_file():
            if not linked(place.path, Path(cache.oid_to_path(name))):
                places[place.path] = (name, place)
            elif name in damaged:
                found.silent[place.path] = name
    content = hash_files(list(places), "workspace")
    for path, (name, place) in places.items():
        if content[path] != name:
            trusted = cache.state.get(str(path), cache.fs)[1]
            if (trusted and trusted.value == name) or content[path] == damaged.get(name):
                found.silent[path] = name
            else:
                found.changed.append(place)
    return found


def show(found: Found) -> None:
    """Print a line for each thing that is wrong."""
    lines = {
        "damaged": [f"{found.owner(name)} (object {name}: {'its MD5 is ' * (' ' not in why)}{why})"
                    for name, why in found.damaged.items()],
        "missing": [f"{found.owner(name)} (object {name})" for name in found.missing],
        "damaged in the workspace": [f"{place}, and DVC does not notice" for name in dict.fromkeys(found.silent.values())
                                     for place in found.places[name] if place.path in found.silent],
        "changed in the workspace": [f"{place}; DVC notices, and `dvc checkout {os.path.relpath(place.path)}` brings it back"
                                     for place in found.changed],
    }
    for kind, of_kind in lines.items():
        for line in of_kind[:LISTED]:
            print(f"{kind}: {line}")
        if len(of_kind) > LISTED:
            print(f"{kind}: and {len(of_kind) - LISTED} more")


def put_in_cache(repo: Repo, name: str, source: Path) -> bool:
    """Make a file with the right content an object, in the place of a damaged one; False if its content is not right."""
    cache = repo.cache.local
    if digest(source) != name.removesuffix(".dir"):
        return False
    put_aside(repo, name)
    cache.add(str(source), cache.fs, name)
    if digest(Path(cache.oid_to_path(name))) != name.removesuffix(".dir"):
        raise UserError(f"{cache.oid_to_path(name)}: written, and read back with other bytes; look at the disk")
    shelf(repo, name).unlink(missing_ok=True)
    return True


def shelf(repo: Repo, name: str) -> Path:
    return Path(repo.cache.local.path).parents[1] / "damaged" / name


def put_aside(repo: Repo, name: str) -> None:
    """Move an object out of DVC's sight, and forget its hash."""
    path = Path(repo.cache.local.oid_to_path(name))
    if path.exists():
        shelf(repo, name).parent.mkdir(parents=True, exist_ok=True)
        path.rename(shelf(repo, name))
    with suppress(KeyError):
        del repo.state.hashes[str(path)]


def from_remote(repo: Repo, name: str, folder: Path) -> str:
    """Pull an object from the default remote; returns what happened, "" if no remote has it."""
    try:
        remote = repo.cloud.get_remote_odb()
    except DvcException:
        return ""
    try:
        remote.fs.get_file(remote.oid_to_path(name), str(folder / name))
    except FileNotFoundError:
        return ""
    except Exception as error:  # noqa: BLE001, whatever a server or its library may raise; the next source is tried
        return f"the remote fails: {' '.join(str(error).split())}"
    return "from the remote" if put_in_cache(repo, name, folder / name) else "the remote's copy is damaged, too"


def from_workspace(repo: Repo, found: Found, name: str, folder: Path) -> bool:
    """Take an object from the workspace, where it has the right bytes."""
    for place in found.places.get(name, []):
        if name.endswith(".dir") and place.path.is_dir():
            tree = Tree()
            for path in sorted(p for p in place.path.rglob("*") if p.is_file()):
                tree.add(path.relative_to(place.path).parts, None, HashInfo("md5", digest(path)))
            (folder / name).write_bytes(tree.as_bytes())
            if put_in_cache(repo, name, folder / name):
                return True
        elif not name.endswith(".dir") and place.path.is_file() and put_in_cache(repo, name, place.path):
            return True
    return False


def mend(repo: Repo, found: Found, name: str) -> bool:
    """Mend a damaged or missing object from the remote or the workspace, and print how it went."""
    with tempfile.TemporaryDirectory() as folder:
        how = from_remote(repo, name, Path(folder))
        done = how == "from the remote"
        if not done and from_workspace(repo, found, name, Path(folder)):
            how, done = "from the workspace", True
    if done:
        print(f"mended {how}: {found.owner(name)}")
        return True
    put_aside(repo, name)
    then = f"; {found.again(name)[0]} makes it again (RERUN=1 runs it)" if found.again(name) else ""
    print(f"not mended: {found.owner(name)}: no good copy in a remote or the workspace{f' ({how})' * bool(how)}{then}")
    return False


def put_in_workspace(repo: Repo, path: Path, name: str) -> None:
    """Replace a damaged file of the workspace by the object, as a link or a copy, as cache.type says."""
    cache = repo.cache.local
    path.unlink(missing_ok=True)
    with suppress(KeyError):
        del repo.state.hashes[str(path)]
    transfer(cache.fs, cache.oid_to_path(name), cache.fs, str(path), links=list(cache.cache_types))
    print(f"mended in the workspace: {os.path.relpath(path)}")


def rerun(repo: Repo, found: Found, names: list[str]) -> list[str]:
    """Run the stages that make these objects again; returns those objects that did not come out again."""
    stages = sorted({stage for name in names for stage in found.again(name)[:1]})
    if not stages:
        return names
    for place in (place for name in names for place in found.places.get(name, []) if place.stage in stages):
        if place.path.is_dir():  # gone, DVC sees that the stage has to run
            shutil.rmtree(place.path)
        else:
            place.path.unlink(missing_ok=True)
    print(f"running {', '.join(stages)}", flush=True)
    if subprocess.run([sys.executable, "-m", "dvc", "repro", *stages], check=False).returncode:
        raise UserError(f"dvc repro {' '.join(stages)}: failed")
    left = []
    for name in names:
        if digest(Path(repo.cache.local.oid_to_path(name))) == name.removesuffix(".dir"):
            print(f"made again, the same bytes: {found.owner(name)}")
            shelf(repo, name).unlink(missing_ok=True)
            for place in found.places.get(name, []):  # another stage's file of the same content
                if not name.endswith(".dir") and digest(place.path) != name:
                    put_in_workspace(repo, place.path, name)
        else:
            left.append(name)
            if found.again(name):
                print(f"made again with other bytes: {found.owner(name)}; `dvc repro` runs what needs them")
    return left


def fix(repo: Repo, found: Found) -> tuple[Found, list[str]]:
    """Mend objects and the workspace; returns what was found, with folders' files that became known, and what is left."""
    lists = [name for name in [*found.damaged, *found.missing] if name.endswith(".dir")]
    left = [name for name in lists if not mend(repo, found, name)]
    if len(left) < len(lists):
        found = look(repo) or found  # the files of these folders are known now
    objects = [name for name in [*found.damaged, *found.missing] if name not in left]
    left += [name for name in objects if not mend(repo, found, name)]
    for path, name in found.silent.items():
        if name not in left and Path(repo.cache.local.oid_to_path(name)).exists():
            put_in_workspace(repo, path, name)
    return found, left


def main():
    parser = Parser(prog="python -m tools.verify", description=__doc__.split("\n\n")[0])
    parser.add_argument("--fix", action="store_true", help="mend from the remote or the workspace")
    parser.add_argument("--rerun", action="store_true", help="with --fix: run the stages that make the rest again")
    args = parser.parse_args()
    if args.rerun and not args.fix:
        raise UserError("--rerun: only with --fix")
    repo = open_repo()
    found = look(repo)
    if not found:
        print(f"nothing in {os.path.relpath(repo.cache.local.path)} yet; `dvc repro` or `dvc pull` fills it")
        return
    show(found)
    left = [*found.damaged, *found.missing, *found.silent]
    if left and args.fix:
        try:
            with repo.lock:
                found, left = fix(repo, found)
        except LockError:
            raise UserError("another `dvc` runs in this project; wait for it") from None
        if args.rerun:
            left = rerun(repo, found, left)
    if left or found.changed:
        how = "" if args.fix else "; `make verify FIX=1` mends"
        raise UserError(f"{len(left)} damaged or missing and not mended, {len(found.changed)} changed in the workspace{how}")
    print("all whole")


if __name__ == "__main__":
    run(main)
