"""Scores on a Spark cluster, from your own tables: exactly those of `keepwell score`, for any number of customers.

    keepwell export shop --out models             # once, where the model was trained
    spark-submit examples/score_on_spark.py --models models --config company.yaml --as-of 2026-01-01 --out s3://lake/scores \
        transactions=s3://lake/orders complaints=s3://lake/complaints

A table is a folder of Parquet files, by its name in docs/data.md; `--partition value_tier` writes a folder for each tier.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from features.reading.config import CompanyConfig, read_config
from features.reading.left_out import read_customer_ids
from features.spark_words import in_our_words, read_parquet
from keepwell.errors import KeepwellError
from serving.plans.policy import read_policy
from serving.spark.scoring import spark_scores
from training.registry import ModelFolder

GUESS_TYPES = "spark.sql.sources.partitionColumnTypeInference.enabled"
"""Unless it is false, Spark takes the folder shop=001 for the number 1."""


def main() -> None:
    """Read the tables and the model, score everybody, write the scores."""
    asked = arguments().parse_args()
    spark = SparkSession.builder.appName("keepwell scores").config(GUESS_TYPES, "false").getOrCreate()
    frames = {name: read_parquet(spark, name, place) for name, _, place in (table.partition("=") for table in asked.tables)}
    config = read_config(asked.config) if asked.config else CompanyConfig()
    models = ModelFolder(asked.models)
    ((company, horizon_days),) = [key for key in models.champions() if asked.horizon in (None, key[1])]
    with spark_scores(
        frames,
        config,
        models.champion(company, horizon_days),
        asked.as_of,
        read_policy(asked.policy),
        previous=spark.read.parquet(asked.previous) if asked.previous else None,
        left_out_customers=left_out(asked.config, config),
    ) as scores:
        scores.write.mode("overwrite").partitionBy(*asked.partition).parquet(asked.out)


def left_out(place: Path | None, config: CompanyConfig) -> tuple[str, ...]:
    """The customers that company.yaml leaves out."""
    return read_customer_ids(place.parent / config.leave_out_customers) if place and config.leave_out_customers else ()


def arguments() -> argparse.ArgumentParser:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", metavar="TABLE=PLACE", help="transactions, and whichever others there are")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="only what happened before this day is known")
    parser.add_argument("--models", type=Path, required=True, help="the folder that `keepwell export` wrote")
    parser.add_argument("--horizon", type=int, help="in days, where the folder has models of several")
    parser.add_argument("--out", required=True, help="the folder to write")
    parser.add_argument("--config", type=Path, help="a company.yaml; company: in it must be that of the model")
    parser.add_argument("--policy", type=Path, help="a policy file")
    parser.add_argument("--previous", help="the folder of the last scores, from which customers move")
    parser.add_argument("--partition", nargs="*", default=(), metavar="COLUMN", help="a folder for each value of these columns")
    return parser


if __name__ == "__main__":
    try:
        with in_our_words():
            main()
    except KeepwellError as error:
        sys.exit(f"Error: {error}")
