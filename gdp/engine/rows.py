"""Pictures in rows: Parquet as the Hugging Face hub has it, Arrow as datasets saves it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from gdp.remote.store import Store
from gdp.remote.urls import is_url


@contextmanager
def stream_of(path: str) -> Iterator[BinaryIO]:
    """A file of a disk or a storage, to read from."""
    with Store(path).open() if is_url(path) else Path(path).open("rb") as stream:
        yield stream


@contextmanager
def groups_of(path: str) -> Iterator[tuple[Any, Callable[[list[str] | None], Iterator[Any]], int]]:
    """A table's schema, what reads its groups of rows (all columns for None), and its time."""
    pyarrow(path)
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = Store(path).look() if is_url(path) else None
    modified = Path(path).stat().st_mtime_ns if found is None else found.modified
    with stream_of(path) as stream:
        if path.lower().endswith(".parquet"):
            file = pq.ParquetFile(stream)

            def batches(columns: list[str] | None) -> Iterator[Any]:
                count = file.metadata.num_row_groups
                wanted = columns if columns is None else None
                return (file.read_row_group(k, columns=wanted) for k in range(count))

            yield file.schema_arrow, batches, modified
        else:
            reader = pa.ipc.open_stream(stream)
            yield reader.schema, lambda columns: iter(reader), modified


def read_group(path: str, group: int, column: str) -> Any:
    """A column of one group of rows of a table of pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with stream_of(path) as stream:
        if path.lower().endswith(".parquet"):
            return pq.ParquetFile(stream).read_row_group(group, columns=[column])[column]
        for k, batch in enumerate(pa.ipc.open_stream(stream)):
            if k == group:
                return batch[column]
    raise OSError(f"{path} has no rows of number {group}; it has been changed")


def is_bytes(schema: Any, name: str) -> bool:
    """Whether a column holds pictures: bytes, or bytes beside a path."""
    import pyarrow as pa

    if name not in schema.names:
        return False
    kind = schema.field(name).type
    if pa.types.is_struct(kind):
        return any(kind.field(k).name == "bytes" for k in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def path_column(batch: Any, schema: Any, column: str) -> list[str | None]:
    """The paths beside the pictures of a group of rows, where there are any."""
    kind = schema.field(column).type
    names = [kind.field(k).name for k in range(kind.num_fields)]
    if "path" not in names:
        return [None] * len(batch[column])
    return [value["path"] for value in batch[column].to_pylist()]


def pyarrow(path: str) -> None:
    """Raise ValueError where what reads Parquet and Arrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ValueError(
            f"{path} needs the package pyarrow, which is not installed: pip install pyarrow, or "
            "gdp-restore[cluster]"
        ) from None
