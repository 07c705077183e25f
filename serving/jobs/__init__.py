"""Jobs that outlast a request: asked for, kept, run by a child process, fetched."""
