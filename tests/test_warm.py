"""Commands of the tests' projects are processes like any, though one Python forks them all, and leave nothing behind."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project
from tests.warm import warm_python


@pytest.fixture(scope="module")
def commands():
    """A warm Python that has imported next to nothing."""
    with warm_python(("dvc.cli",)) as folder:
        yield folder


@pytest.fixture
def project(commands, here) -> Project:
    """A folder with modules of its own."""
    (here / "says.py").write_text("import os, sys\nprint(sys.argv[1:], os.getcwd(), os.environ['SAID'], input())\n"
                                  "print('a caf\\udce9', file=sys.stderr)")
    (here / "fails.py").write_text("import sys\nsys.exit('a reason')")
    (here / "breaks.py").write_text("1 / 0")
    (here / "dies.py").write_text("import os, sys\nos.kill(os.getpid(), int(sys.argv[1]))")
    (here / "waits.py").write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)")
    (here / "catches.py").write_text("import pathlib, time\ntry:\n    pathlib.Path('begun').touch()\n    time.sleep(60)\n"
                                     "except KeyboardInterrupt:\n    raise SystemExit(130)")
    (here / "abandons.py").write_text("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    project = Project(here)
    project.commands = f"{commands}:{project.commands}"
    return project


def start(project: Project, *command: str) -> subprocess.Popen:
    """Start a command, and wait until it says that it has begun."""
    running = subprocess.Popen(command, cwd=project.root, env=os.environ | {"PATH": project.commands})
    while not (project.root / "begun").exists():
        assert running.poll() is None
        time.sleep(0.01)
    return running


def running_in(folder: Path) -> list[str]:
    """Processes whose working folder it is."""
    def works_there(process: Path) -> bool:
        try:
            return (process / "cwd").resolve() == folder and "State:\tZ" not in (process / "status").read_text()
        except OSError:  # it has ended, or is somebody else's
            return False
    others = (process for process in Path("/proc").glob("[0-9]*") if process.name != str(os.getpid()))
    return [process.name for process in others if works_there(process)]


def nothing_runs_in(folder: Path) -> bool:
    until = time.monotonic() + 30
    while running_in(folder) and time.monotonic() < until:
        time.sleep(0.02)
    return not running_in(folder)


def test_a_process_has_the_words_folder_environment_and_files_of_its_caller(project):
    done = subprocess.run(["python", "-m", "says", "a b", "'"], cwd=project.root, input="in\n", capture_output=True, text=True,
                          check=False, env=os.environ | {"PATH": project.commands, "SAID": "said"})
    assert (done.returncode, done.stdout) == (0, f"['a b', \"'\"] {project.root} said in\n")
    assert done.stderr == "a caf\\udce9\n"


@pytest.mark.parametrize("module, said", [
    ("fails", "a reason"), ("breaks", "ZeroDivisionError: division by zero"), ("nowhere", "No module named nowhere"),
])
def test_a_process_that_fails_says_why_and_has_the_status_of_any(project, module, said):
    done = project.python(module)
    assert done.returncode == 1
    assert done.stderr.endswith(f"{said}\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_a_signal_ends_is_said_to_have_ended_by_it(project, number):
    assert project.python("dies", str(int(number))).returncode == -number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_process(project, number):
    running = start(project, "python", "-m", "waits")
    running.send_signal(number)
    assert running.wait() == -number
    assert nothing_runs_in(project.root)


def test_ctrl_c_reaches_what_a_process_started(project):
    (project.root / "starts.py").write_text(
        "import signal, subprocess, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.exit(subprocess.run(['python', '-m', 'catches'], check=False).returncode)")
    running = start(project, "python", "-m", "starts")
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    assert nothing_runs_in(project.root)


def test_whoever_kills_a_command_kills_its_process(project):
    running = start(project, "python", "-m", "waits")
    running.kill()
    running.wait()
    assert nothing_runs_in(project.root)


def test_the_projects_own_modules_are_those_of_its_folder(project):
    (project.root / "stages").mkdir()
    (project.root / "stages/mine.py").write_text("import sys\nprint([one for one in sys.modules if one.startswith('stages')])")
    assert project.python("stages.mine").stdout == "['stages']\n"


def test_dvc_runs_in_the_folder_and_ends_with_its_own_status(project):
    assert project.sh("dvc", "init", "--no-scm", "-q").returncode == 0
    assert (project.root / ".dvc").is_dir()
    done = project.sh("dvc", "repro", "nothing")
    assert done.returncode == 255
    assert done.stderr.startswith("ERROR: ")


def test_a_python_that_runs_no_module_is_one_of_its_own(project):
    done = project.sh("python", "-c", "import sys; print('dvc' in sys.modules)")
    assert done.stdout == "False\n"


def test_tests_that_are_killed_leave_no_process_behind(project):
    (project.root / "tests_of_it.py").write_text(
        f"import subprocess, sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.warm import warm_python\n"
        "with warm_python(()) as folder:\n    subprocess.run([folder / 'python', '-m', 'waits'])")
    running = start(project, sys.executable, "tests_of_it.py")
    assert len(running_in(project.root)) > 2
    running.kill()
    running.wait()
    assert nothing_runs_in(project.root)


def test_where_the_warm_python_is_gone_a_command_fails_and_says_so(project):
    assert "error: the warm Python of the tests has ended" in project.python("abandons").stderr
    done = project.sh(sys.executable, "-ISB", str(ROOT / "tests/warm_client.py"), "nowhere", "dvc", "repro")
    assert done.returncode == 1
    assert done.stderr == ("error: nowhere: [Errno 2] No such file or directory\n"
                           "error: the warm Python of the tests has ended\n")
