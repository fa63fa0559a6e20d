"""tools.score gives a submission the contest's score, and refuses files that do not belong together."""
import pandas as pd
import pytest

from stages.core.classes import CONTEST
from stages.core.errors import UserError
from tools.score import main, score_files


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "labels.csv").write_text("ImageID,ans\n" + "".join(f"{i}.jpg,{i}\n" for i in range(18)))
    (tmp_path / "mine.csv").write_text("ImageID,ans\n" + "".join(f"{i}.jpg,{i}\n" for i in reversed(range(18))))
    return tmp_path / "mine.csv", tmp_path / "labels.csv"


def test_rows_are_matched_by_name_not_by_order(pair):
    result, _ = score_files(*pair)
    assert result["f1"] == result["accuracy"] == 1


def test_one_wrong_answer_costs_its_two_classes(pair):
    pair[0].write_text(pair[0].read_text().replace("17.jpg,17", "17.jpg,0"))
    result, _ = score_files(*pair)
    assert result["f1"] == pytest.approx((16 + 2 / 3 + 0) / 18)
    assert result["accuracy"] == pytest.approx(17 / 18)


@pytest.mark.parametrize("old, new, named", [
    ("3.jpg,3\n", "", "photos of .*labels.csv are missing, such as 3.jpg"),
    ("3.jpg,3\n", "3.jpg,3\nx.jpg,3\n", "photos of .*mine.csv are missing, such as x.jpg"),
    ("3.jpg,3\n", "3.jpg,18\n", "ans of 3.jpg is '18'; allowed are whole numbers from 0 to 17"),
    ("3.jpg,3\n", "3.jpg,3\n3.jpg,4\n", "3.jpg stands in two rows"),
    ("ImageID", "image", "no column ImageID"),
])
def test_files_that_do_not_belong_together_are_one_line(pair, old, new, named):
    text = pair[0].read_text()
    pair[0].write_text(text.replace("\n" + old, "\n" + new) if "jpg" in old else text.replace(old, new))
    with pytest.raises(UserError, match=named):
        score_files(*pair)


def test_the_command_prints_every_attribute_and_class(ran):
    done = ran.python("tools.score", "reports/submission.csv", "data/sample/eval/answers.csv")
    assert done.returncode == 0, done.stderr
    for name in ("18 classes", *CONTEST.values, *CONTEST.names):
        assert f"\n{name} " in done.stdout


def test_two_submissions_are_compared_over_people(own):
    """The labels against the pipeline's own submission, whose photos' people are those of the sample."""
    labels = pd.read_csv(own.root / "data/sample/eval/answers.csv")
    labels.assign(person=labels.index // 7).to_csv(own.root / "labels.csv", index=False)
    done = own.python("tools.score", "labels.csv", "labels.csv", "--against", "reports/submission.csv")
    assert done.returncode == 0, done.stderr
    [before] = [line for line in own.python("tools.score", "reports/submission.csv", "labels.csv").stdout.splitlines()
                if line.startswith("18 classes")]
    [after] = [line for line in done.stdout.splitlines() if line.startswith("18 classes")]
    assert after.split()[2] == before.split()[2]
    assert float(after.split()[4]) == pytest.approx(float(after.split()[3]) - float(after.split()[2]), abs=1e-4)


@pytest.mark.parametrize("against, said", [
    ("mine.csv", "--against: mine.csv is SUBMISSION itself; name another"),
    ("other.csv", "labels.csv: no column person"),
    ("other.csv", "labels.csv: person of 0.jpg is empty"),
])
def test_submissions_that_cannot_be_compared_are_one_line(pair, monkeypatch, against, said):
    monkeypatch.chdir(pair[0].parent)
    pair[0].with_name("other.csv").write_text(pair[0].read_text())
    if "person of" in said:
        pair[1].write_text(pair[1].read_text().replace("\n", ",\n").replace("ans,", "ans,person"))
    monkeypatch.setattr("sys.argv", ["tools.score", "mine.csv", "labels.csv", "--against", against])
    with pytest.raises(UserError, match=said):
        main()
