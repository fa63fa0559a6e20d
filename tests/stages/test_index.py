"""Labels that contradict each other are named."""
import pandas as pd

from stages.index import of_both_genders


def test_a_person_with_photos_of_both_genders_is_named_and_a_missing_one_is_none():
    given = pd.DataFrame({"person": ["ann", "bob", "bob"], "gender": ["female", "male", ""]})
    assert of_both_genders(given) == []
    assert of_both_genders(given.assign(person="ann")) == ["ann"]
