"""Whatever a stage's table has become, another reads or refuses it."""
import io

import numpy as np
import pandas as pd
from hypothesis import given

from stages.evaluation.tables import check_predictions, parse_table
from tests.fuzz.bounds import bounded, fuzzed
from tests.fuzz.made import damaged

TABLE = pd.DataFrame({"photo": [f"people/{i}.jpg" for i in range(60)], "part": "train", "p0": np.linspace(0, 1, 60),
                      "age": [0, 1, 2] * 20})
TABLE.to_parquet(WRITTEN := io.BytesIO(), index=False, write_page_checksum=True)


@fuzzed
@given(data=damaged(WRITTEN.getvalue()))
def test_a_damaged_table_of_predictions_is_read_or_refused(data):
    with bounded(ValueError):
        check_predictions(parse_table(data, ".parquet", ["photo", "part"], ["p0", "age"]), ["p0"], {"age": 3})
