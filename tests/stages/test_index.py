"""Labels that contradict each other are named."""
from stages.index import check_labels, of_both_genders
from stages.readers.table import read_table
from tests.readers.files import photo

TABLE = "photo,person,mask,gender,age,part\na.jpg,ann,worn,female,33,train\nb.jpg,bob,bare,male,61,train\n"


def test_a_person_with_photos_of_both_genders_is_named(tmp_path):
    for text, named in ((TABLE, []), (TABLE.replace("bob", "ann"), ["ann"])):
        for name in ("a.jpg", "b.jpg"):
            photo(tmp_path / name)
        (tmp_path / "table.csv").write_text(text)
        assert of_both_genders(check_labels(read_table(tmp_path, tmp_path / "table.csv")[0], tmp_path / "table.csv")) == named
