"""Random access to the photos of a Parquet file: a column of Hugging Face's images, {bytes, path}, or of bytes."""
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

LOCK = Lock()  # one thread reads a row group, and the others take photos of it


def image_columns(schema: pa.Schema) -> list[str]:
    """The columns that may hold images: bytes, or a struct with a field `bytes`."""
    return [field.name for field in schema if is_bytes(field.type) or (
        pa.types.is_struct(field.type) and any(part.name == "bytes" and is_bytes(part.type) for part in field.type))]


def is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def read_bytes(shard: Path, name: str) -> bytes:
    """The bytes of the photo in row `name`, from 0; b"" where the row has none. Raises OSError if it cannot be read."""
    try:
        row, starts = int(name), starts_of(shard)
        if not 0 <= row < starts[-1]:
            raise OSError(f"{shard} has {starts[-1]} rows, and no row {name}")
        group = bisect_right(starts, row) - 1
        with LOCK:
            images = images_of(shard, group)
        return images[row - starts[group]].as_py() or b""
    except (pa.ArrowException, ValueError) as error:
        raise OSError(f"{shard}: {(str(error).splitlines() or [type(error).__name__])[0]}") from None


@lru_cache(maxsize=64)
def starts_of(shard: Path) -> list[int]:
    """The first row of each row group, and the number of rows."""
    metadata = pq.read_metadata(shard)
    return list(accumulate((metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)), initial=0))


@lru_cache(maxsize=2)  # the group that is read, and the one before: photos come in the order of the rows
def images_of(shard: Path, group: int) -> pa.ChunkedArray:
    """The images of a row group: (rows,) bytes, or null."""
    with pq.ParquetFile(shard) as file:
        [name] = image_columns(file.schema_arrow)
        images = file.read_row_group(group, columns=[name])[name]
    return pa.chunked_array([chunk.field("bytes") for chunk in images.chunks]) if pa.types.is_struct(images.type) else images
