"""Batch scoring, the store, the HTTP service and the retention console."""
