"""tools.score gives a submission the contest's score, and refuses files that do not belong together."""
import pytest

from stages.lib.classes import CLASSES, VALUES
from stages.lib.errors import UserError
from tools.score import score_files


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
    for name in ("18 classes", *VALUES, *CLASSES):
        assert f"\n{name} " in done.stdout
