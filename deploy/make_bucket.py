"""Make the bucket for MLflow's files, unless it is there: `python make_bucket.py` with BUCKET, S3_ENDPOINT and AWS_* set."""

from __future__ import annotations

import os

import boto3
from botocore.exceptions import ClientError

NO_REGION = "us-east-1"  # the one that must not be named


def main() -> None:
    """Look for the bucket, and make it where there is none. Fails with the store's own words where it may not."""
    store, bucket = boto3.client("s3", endpoint_url=os.environ.get("S3_ENDPOINT") or None), os.environ["BUCKET"]
    try:
        store.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        region = store.meta.region_name
        place = {} if region == NO_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        store.create_bucket(Bucket=bucket, **place)


if __name__ == "__main__":
    main()
