"""The retention console: server-rendered pages over the store, for people who decide whom to call today."""
