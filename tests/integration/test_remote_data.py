"""Data on S3: every format in place, spans, and each way in which a store refuses."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pytest
import tensorflow as tf
from pyarrow import orc, parquet

from components.example_gen import data_files, remote_store
from components.example_gen.data_files import open_data
from components.example_gen.fingerprint import fingerprint
from components.example_gen.ingest import Ingestion, ingest
from components.example_gen.inputs import find_place, split_path
from components.example_gen.s3_store import S3Store
from components.example_gen.tfrecord import masked_crc
from components.example_gen.unchanged import unchanged
from configs.data import Source
from configs.engine import Engine
from runners.engines import beam_pipeline
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns
from tests.integration.s3_server import S3Server, s3_server

TABLE = FeatureTable.model_validate(
    {
        "features": {"fare": {"kind": "numeric"}, "company": {"kind": "categorical"}},
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
ROWS = pa.table(
    {
        "fare": pa.array([None if n % 7 == 3 else 0.25 * n for n in range(3000)], pa.float64()),
        "company": pa.array(["a", None, "größe"] * 1000),
        "tips": pa.array([float(n % 5) for n in range(3000)], pa.float64()),
    }
)


def _csv(table: pa.Table) -> bytes:
    file = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, file)
    return file.getvalue().to_pybytes()


def _zstandard(table: pa.Table) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(_csv(table))
    return packed.getvalue().to_pybytes()


def _json_lines(table: pa.Table) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in table.to_pylist())


def _parquet(table: pa.Table) -> bytes:
    file = pa.BufferOutputStream()
    parquet.write_table(table, file, row_group_size=500)
    return file.getvalue().to_pybytes()


def _arrow(table: pa.Table) -> bytes:
    file = pa.BufferOutputStream()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, 500)
    return file.getvalue().to_pybytes()


def _orc(table: pa.Table) -> bytes:
    file = pa.BufferOutputStream()
    orc.write_table(table, file, stripe_size=512 << 10, batch_size=256)
    return file.getvalue().to_pybytes()


def _avro(table: pa.Table) -> bytes:
    kinds = {"fare": ["null", "double"], "company": ["null", "string"], "tips": "double"}
    schema = {"type": "record", "name": "Row", "fields": [{"name": name, "type": kinds[name]} for name in kinds]}
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), table.to_pylist(), codec="deflate")
    return file.getvalue()


def _feature(value: Any) -> tf.train.Feature:
    if isinstance(value, str):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
    return tf.train.Feature() if value is None else tf.train.Feature(float_list=tf.train.FloatList(value=[value]))


def _records(table: pa.Table) -> bytes:
    framed = []
    for row in table.to_pylist():
        features = tf.train.Features(feature={name: _feature(value) for name, value in row.items()})
        record = tf.train.Example(features=features).SerializeToString()
        length = struct.pack("<Q", len(record))
        framed.append(length + struct.pack("<I", masked_crc(length)) + record + struct.pack("<I", masked_crc(record)))
    return b"".join(framed)


FILES: dict[str, tuple[Source, Callable[[pa.Table], bytes]]] = {
    "plain.csv": ("csv", _csv),
    "packed.csv.gz": ("csv", lambda table: gzip.compress(_csv(table))),
    "packed.csv.bz2": ("csv", lambda table: bz2.compress(_csv(table))),
    "packed.csv.zst": ("csv", _zstandard),
    "lines.jsonl": ("jsonl", _json_lines),
    "table.parquet": ("parquet", _parquet),
    "table.arrow": ("arrow", _arrow),
    "table.orc": ("orc", _orc),
    "table.avro": ("avro", _avro),
    "records.tfrecord": ("tfrecord", _records),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as running:
        files = {f"formats/{name}": write(ROWS) for name, (_, write) in FILES.items()}
        for day in ("2024-01-01", "2024-01-03"):
            files |= {f"spans/{day}/{part}.csv": _csv(ROWS.slice(100 * part, 100)) for part in range(2)}
        files |= {"spans/2024-01-02.txt": b"", "spans/2024-01-03/": b"", "empty/notes.txt": b"hello"}
        running.put("rows", files)
        running.put("nothing", {})
        yield running


Use = Callable[[Mapping[str, str]], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Gives this process the environment that boto3 reads."""

    def environ(variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        remote_store._store.cache_clear()

    yield environ
    remote_store._store.cache_clear()


def _files(path: str, source: Source = "csv", span: int | None = None) -> tuple[str, ...]:
    return find_place(*split_path(path), span, source).files


def _ingest(path: str, folder: Path, source: Source, block_bytes: int = 64 << 10) -> list[bytes]:
    ingestion = Ingestion(RawColumns.of(TABLE), {"train": 2, "eval": 1}, source=source, block_bytes=block_bytes)
    ingest(_files(path, source), str(folder), ingestion, beam_pipeline(Engine(kind="inline")))
    shards = sorted(str(path) for path in folder.glob("Split-*/*.gz"))
    return list(tf.data.TFRecordDataset(shards, "GZIP").as_numpy_iterator())


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The examples of the same rows on this machine."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "rows.csv").write_bytes(_csv(ROWS))
    return _ingest(str(folder / "rows.csv"), folder / "out", "csv")


@pytest.mark.parametrize("name", FILES)
def test_the_same_examples_as_of_a_local_file(
    server: S3Server, use: Use, tmp_path: Path, local: list[bytes], name: str
) -> None:
    use(server.environ)
    found = _ingest(f"s3://rows/formats/{name}", tmp_path, FILES[name][0])
    assert len(found) == 3000
    assert sorted(found) == sorted(local)


def _count_fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets the bytes of each read of S3 from here on."""
    fetched: list[int] = []
    read = S3Store.read

    def counted(store: S3Store, entry: remote_store.Entry, start: int, end: int) -> bytes:
        data = read(store, entry, start, end)
        fetched.append(len(data))
        return data

    monkeypatch.setattr(S3Store, "read", counted)
    return fetched


def test_only_what_is_read_is_fetched(server: S3Server, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    use(server.environ)
    server.client.put_object(Bucket="rows", Key="large", Body=b"0123456789" * 1_000_000)
    fetched = _count_fetched(monkeypatch)
    with open_data("s3://rows/large") as file:
        file.seek(5_000_003)
        assert file.read(5) == b"34567"
        assert file.seek(-3, 2) == 9_999_997
        assert file.read() == b"789"
        assert file.read() == b""
    assert fetched == [1 << 20, 3]


WIDE = pa.table({"fare": ROWS["fare"], "company": [os.urandom(1000).hex() for _ in range(3000)], "tips": ROWS["tips"]})


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("plain.csv", 2.0),
        ("lines.jsonl", 2.0),
        ("table.parquet", 1.0),
        ("table.arrow", 1.0),
        ("table.orc", 1.0),
        ("table.avro", 2.0),
        ("records.tfrecord", 2.0),
    ],
)
def test_how_often_a_file_of_many_blocks_is_fetched(
    server: S3Server, use: Use, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, times: float
) -> None:
    monkeypatch.setattr(data_files, "_BUFFER", 32 << 10)  # as small beside a block as it is with those of the defaults
    use(server.environ)
    source, write = FILES[name]
    content = write(WIDE)
    server.client.put_object(Bucket="rows", Key=f"wide/{name}", Body=content)
    fetched = _count_fetched(monkeypatch)
    _ingest(f"s3://rows/wide/{name}", tmp_path, source, block_bytes=1 << 20)
    assert len(list(tmp_path.glob("Split-train/*.gz"))) > 3
    assert sum(fetched) < (times + 0.4) * len(content)  # each block begins and ends within a buffer


def test_a_folder_gives_its_files_of_the_format(server: S3Server, use: Use) -> None:
    use(server.environ)
    names = [name for name, (source, _) in FILES.items() if source == "csv"]
    assert _files("s3://rows/formats/") == tuple(sorted(f"s3://rows/formats/{name}" for name in names))


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("s3://rows/formats/*.avro", ["formats/table.avro"]),
        ("s3://rows/spans/*/0.csv", ["spans/2024-01-01/0.csv", "spans/2024-01-03/0.csv"]),
        ("s3://rows/spans/**/*-03/[!1].csv", ["spans/2024-01-03/0.csv"]),
        ("s3://rows/**/?.csv", [f"spans/2024-01-0{day}/{part}.csv" for day in (1, 3) for part in (0, 1)]),
    ],
)
def test_globs(server: S3Server, use: Use, pattern: str, found: list[str]) -> None:
    use(server.environ)
    assert _files(pattern) == tuple(f"s3://rows/{name}" for name in found)


@pytest.mark.parametrize("pattern", ["s3://rows/spans/{YYYY}-{MM}-{DD}", "s3://rows/spans/{YYYY}-{MM}-{DD}/*.csv"])
def test_the_newest_span_and_a_chosen_one(server: S3Server, use: Use, pattern: str) -> None:
    use(server.environ)
    newest = find_place(*split_path(pattern))
    assert (newest.span, newest.files) == (
        19725,
        ("s3://rows/spans/2024-01-03/0.csv", "s3://rows/spans/2024-01-03/1.csv"),
    )
    assert find_place(*split_path(pattern), 19723).files[0] == "s3://rows/spans/2024-01-01/0.csv"
    with pytest.raises(DataError, match=r"(?s)No data was found for span 19724.*19723 \(2024-01-01\)"):
        find_place(*split_path(pattern), 19724)


def test_the_fingerprint_follows_the_content(server: S3Server, use: Use) -> None:
    use(server.environ)
    server.client.put_object(Bucket="rows", Key="one", Body=b"a\n1\n")
    first = fingerprint(["s3://rows/one"])
    server.client.put_object(Bucket="rows", Key="one", Body=b"a\n1\n")
    assert fingerprint(["s3://rows/one"]) == first
    server.client.put_object(Bucket="rows", Key="one", Body=b"a\n2\n")
    assert fingerprint(["s3://rows/one"]) != first
    assert first.startswith("files:1,bytes:4,")


def test_a_file_that_is_replaced_while_it_is_read_is_told(server: S3Server, use: Use) -> None:
    use(server.environ)
    server.client.put_object(Bucket="rows", Key="one", Body=b"a" * 3_000_000)
    with open_data("s3://rows/one") as file:
        file.read(10)
        server.client.put_object(Bucket="rows", Key="one", Body=b"b" * 3_000_000)
        with pytest.raises(DataError, match="The data changed while it was read"):
            file.read()


def test_a_file_that_goes_while_it_is_read_is_told(server: S3Server, use: Use) -> None:
    use(server.environ)
    server.client.put_object(Bucket="rows", Key="one", Body=b"a")
    known = fingerprint(["s3://rows/one"])
    with (
        pytest.raises(DataError, match=r"(?s)The data changed while it was read.*the file is gone"),
        unchanged(["s3://rows/one"], known),
    ):
        server.client.delete_object(Bucket="rows", Key="one")


def test_a_file_that_stays_is_looked_at_once_before_and_once_after(
    server: S3Server, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(server.environ)
    files = ["s3://rows/formats/plain.csv"]
    known = fingerprint(files)
    looked: list[str] = []
    entry = S3Store.entry

    def counted(store: S3Store, path: str) -> remote_store.Entry | None:
        looked.append(path)
        return entry(store, path)

    monkeypatch.setattr(S3Store, "entry", counted)
    with unchanged(files, known):
        assert looked == files
    assert looked == files * 2


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("s3://rows/formats/plane.csv", r"(?s)There is no such file.*Did you mean s3://rows/formats/plain.csv\?"),
        ("s3://rows/format", r"(?s)There is no such file.*Did you mean s3://rows/formats\?"),
        ("s3://rows/zzz/*.csv", r"(?s)No file matches the pattern.*s3://rows/zzz is empty"),
        ("s3://rows/empty", r"(?s)holds no CSV file.*s3://rows/empty holds notes.txt"),
        ("s3://nothing", "The bucket of the data is empty"),
        ("s3://no-such-bucket/a.csv", r"(?s)There is no such bucket.*s3://no-such-bucket/a.csv.*AWS_ENDPOINT_URL"),
        ("s3://no-such-bucket/{SPAN}.csv", "There is no such bucket"),
        ("s3://Not_A Bucket/a.csv", "(?s)S3 cannot be asked.*Invalid bucket name"),
        ("s3a://rows/formats/plain.csv", r"(?s)not read from there.*For S3 write s3://"),
        ("http://rows/plain.csv", r"(?s)not read from there.*s3://, gs:// or hdfs://"),
    ],
)
def test_what_is_not_there_is_told(server: S3Server, use: Use, path: str, told: str) -> None:
    use(server.environ)
    with pytest.raises(DataError, match=told):
        _files(path)


def test_whom_the_server_refuses_is_told_and_no_secret_is(tmp_path: Path, use: Use) -> None:
    with s3_server(tmp_path, signed=True) as guarded:
        guarded.put("rows", {"plain.csv": b"a\n1\n"})
        use(guarded.environ)
        assert _files("s3://rows/plain.csv") == ("s3://rows/plain.csv",)
        for keys, told in {
            guarded.powerless: r"(?s)S3 does not let these credentials read the data.*s3:GetObject",
            (guarded.keys[0], "not/the+secret"): r"(?s)S3 does not accept the credentials.*SignatureDoesNotMatch",
            ("AKIANOBODY", "not/the+secret"): r"(?s)S3 does not accept the credentials.*InvalidAccessKeyId",
        }.items():
            use(guarded.environ_of(*keys))
            with pytest.raises(DataError, match=told) as error:
                _files("s3://rows/plain.csv")
            assert keys[1] not in str(error.value)


def test_credentials_that_are_missing_are_told(server: S3Server, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    use(server.environ)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(DataError, match=r"(?s)There are no credentials for S3.*Set AWS_ACCESS_KEY_ID"):
        _files("s3://rows/formats/plain.csv")


def test_an_endpoint_that_is_none_is_told(server: S3Server, use: Use) -> None:
    use({**server.environ, "AWS_ENDPOINT_URL": "localhost:9000"})
    with pytest.raises(DataError, match=r"(?s)The client of S3 cannot be set up.*localhost:9000"):
        _files("s3://rows/formats/plain.csv")


@pytest.mark.slow
def test_a_server_that_goes_away_is_told(tmp_path: Path, use: Use) -> None:
    with s3_server(tmp_path) as server:
        server.put("rows", {"a.csv": b"a\n" + b"1\n" * 2_000_000})
        use(server.environ)
        with open_data("s3://rows/a.csv") as file:
            file.read(10)
            server.kill()
            with pytest.raises(DataError, match=r"(?s)does not answer.*s3://rows/a.csv.*tried 4 times"):
                file.read()


SETTINGS = """\
name: trips
output_dir: OUTPUT/run
data: {source: parquet, path: "s3://rows/formats/table.parquet"}
features:
  fare: {kind: numeric}
  company: {kind: categorical}
label: {kind: binary, expression: tips > 1}
training: {steps: 20}
evaluation: {thresholds: {auc: {lower: 0.0}}}
smoke_check: {enabled: false}
"""


def test_a_whole_run(server: S3Server, use: Use, run_all: Any, tmp_path: Path) -> None:
    use(server.environ)
    (tmp_path / "settings.yaml").write_text(SETTINGS.replace("OUTPUT", str(tmp_path)))
    command = ["run", "-c", str(tmp_path / "settings.yaml"), "--to", "ExampleGen"]
    ended = run_all({"first": command, "again": command})
    assert (ended["first"].code, ended["again"].code) == (0, 0), ended
    everything = "".join(path.read_text(errors="replace") for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert server.keys[1] not in everything
