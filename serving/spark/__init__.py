"""Batch scoring where a company's rows lie on Spark."""
