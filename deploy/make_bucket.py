"""Make the bucket for MLflow's files, unless it is there: `python make_bucket.py` with BUCKET, S3_ENDPOINT and AWS_* set."""

from __future__ import annotations

import os

import boto3


def main() -> None:
    """Look for the bucket, and make it where there is none. Fails with the store's own words where it may not."""
    store, bucket = boto3.client("s3", endpoint_url=os.environ.get("S3_ENDPOINT") or None), os.environ["BUCKET"]
    if bucket in {known["Name"] for known in store.list_buckets()["Buckets"]}:
        return
    store.create_bucket(Bucket=bucket)


if __name__ == "__main__":
    main()
