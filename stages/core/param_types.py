"""Types of parameters, and the base class of the sections of params.yaml: no unknown keys, no NaN, no true for 1."""
import os
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from stages.core.classes import OLDEST

FileName = Annotated[str, Field(min_length=1)]
NAME = re.compile(r"[a-z][a-z0-9_]*")
Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
MOST = 1_000_000  # of anything that is counted: larger numbers are slips, and some would run for ever
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Share = Annotated[float, Field(gt=0, lt=1)]
Thresholds = tuple[Share, Share, Share]
Age = Annotated[int, Field(ge=0, le=OLDEST)]
MOST_WORKERS = 256
null_is_none = BeforeValidator(lambda value: "none" if value is None else value)  # YAML's null stands for the name none
auto_is_the_cores = BeforeValidator(lambda value: cores() if value == "auto" else value)
a_name_is_a_list = BeforeValidator(lambda value: [] if value in (None, "none") else
                                   [value] if isinstance(value, str) else value)


def cores() -> int:
    """Cores that this process may use, at most MOST_WORKERS. A container's limit of CPU time does not count."""
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)  # macOS


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def true_is_not_1(cls, value, field):
        if isinstance(value, bool) and cls.model_fields[field.field_name].annotation is not bool:
            raise PydanticCustomError("truth_value", "true and false are not allowed here")
        return value
