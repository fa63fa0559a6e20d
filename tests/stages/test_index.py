"""Labels that contradict each other are named."""
import pandas as pd
import pytest

from stages.index import of_several


@pytest.mark.parametrize("attribute, values", [("gender", ["female", "male", ""]), ("age", ["30", "70", ""])])
def test_a_person_whose_photos_differ_is_named_and_a_missing_label_is_none(attribute, values):
    given = pd.DataFrame({"person": ["ann", "bob", "bob"], attribute: values})
    assert of_several(given, attribute) == []
    assert of_several(given.assign(person="ann"), attribute) == ["ann"]
