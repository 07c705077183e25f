"""Features on a Spark cluster, from your own tables: each partition of customers is checked, converted and built where it lies.

    spark-submit examples/features_on_spark.py --as-of 2026-01-01 --out s3://lake/features \
        transactions=s3://lake/orders complaints=s3://lake/complaints

A table is a folder of Parquet files, by its name in docs/data.md; `--config company.yaml` says what your columns are called.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from features.catalog import feature_names
from features.reading.config import CompanyConfig, read_config
from features.spark import spark_panel_of_raw
from features.spark_words import in_our_words, read_parquet
from keepwell.errors import KeepwellError

GUESS_TYPES = "spark.sql.sources.partitionColumnTypeInference.enabled"
"""Unless it is false, Spark takes the folder shop=001 for the number 1."""


def main() -> None:
    """Read the tables, build the panel, write it by date."""
    asked = arguments().parse_args()
    spark = SparkSession.builder.appName("keepwell features").config(GUESS_TYPES, "false").getOrCreate()
    frames = {name: read_parquet(spark, name, place) for name, _, place in (table.partition("=") for table in asked.tables)}
    config = read_config(asked.config) if asked.config else CompanyConfig()
    names = asked.columns.split(",") if asked.columns else feature_names(frames)
    panel = spark_panel_of_raw(frames, config, asked.as_of, names)
    panel.write.mode("overwrite").partitionBy("as_of").parquet(asked.out)


def arguments() -> argparse.ArgumentParser:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", metavar="TABLE=PLACE", help="transactions, and whichever others there are")
    parser.add_argument("--as-of", type=date.fromisoformat, action="append", required=True, help="a date; may be given again")
    parser.add_argument("--out", required=True, help="the folder to write; one folder a date inside")
    parser.add_argument("--config", type=Path, help="a company.yaml")
    parser.add_argument("--columns", help="the features, with commas between them; default: all that the tables allow")
    return parser


if __name__ == "__main__":
    try:
        with in_our_words():
            main()
    except KeepwellError as error:
        sys.exit(f"Error: {error}")
