"""peers.py duckdb|duckdb-default|connectorx|pandas PORT TABLE KEY FILE | peers.py sums FOLDER SUMS

Those that others would take, each in a process of its own under the Python of the bench's environment.
Each says how long the reading and writing took: Python's start and imports are not theirs.
"""
import json
import os
import sys
import time
from pathlib import Path


def duckdb_copy(port, table, file, options):
    import duckdb
    import duckdb_ext

    name = f"extensions/v{duckdb.__version__}/*/mysql_scanner.duckdb_extension"
    (extension,) = [found for folder in duckdb_ext.__path__ for found in Path(folder).glob(name)]
    with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"ATTACH 'host=127.0.0.1 port={port} user=test passwd=test database=test {options}' "
                           "AS source (TYPE mysql, READ_ONLY)")
        started = time.perf_counter()
        connection.execute(f"COPY (SELECT * FROM source.{table}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        return time.perf_counter() - started


def connectorx_copy(port, table, key, file):
    import connectorx
    import pyarrow.parquet

    started = time.perf_counter()
    read = connectorx.read_sql(f"mysql://test:test@127.0.0.1:{port}/test", f"SELECT * FROM {table}",
                               return_type="arrow", partition_on=key, partition_num=2)
    pyarrow.parquet.write_table(read, file, compression="zstd")
    return time.perf_counter() - started


def pandas_copy(port, table, file):
    import pandas
    import pyarrow
    import pyarrow.parquet
    import sqlalchemy

    def widened(field):
        """Inferred from the first rows: later ones may have a digit more."""
        if pyarrow.types.is_decimal(field.type):
            return field.with_type(pyarrow.decimal128(18, field.type.scale))
        return field

    engine = sqlalchemy.create_engine(f"mysql+pymysql://test:test@127.0.0.1:{port}/test")
    started = time.perf_counter()
    writer = schema = None
    with engine.connect().execution_options(stream_results=True) as connection:
        for frame in pandas.read_sql(sqlalchemy.text(f"SELECT * FROM {table}"), connection, chunksize=100_000):
            batch = pyarrow.Table.from_pandas(frame, schema=schema, preserve_index=False)
            if writer is None:
                schema = pyarrow.schema([widened(field) for field in batch.schema])
                batch = batch.cast(schema)
                writer = pyarrow.parquet.ParquetWriter(file, schema, compression="zstd")
            writer.write_table(batch)
    writer.close()
    return time.perf_counter() - started


def sums(folder, wanted):
    import duckdb

    (row,) = duckdb.sql(f"SELECT {wanted.format(length='length')} FROM "
                        f"read_parquet('{folder}/**/*.parquet')").fetchall()
    return [int(each) for each in row]


def main(who, *rest):
    if who == "sums":
        print(json.dumps(sums(*rest)))
        return
    port, table, key, file = rest
    seconds = {
        "duckdb": lambda: duckdb_copy(port, table, file, "ssl_mode=disabled compression=disabled"),
        "duckdb-default": lambda: duckdb_copy(port, table, file, ""),
        "connectorx": lambda: connectorx_copy(port, table, key, file),
        "pandas": lambda: pandas_copy(port, table, file),
    }[who]()
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    # Without the interpreter's tidying up, which is not theirs either.
    os._exit(0)
