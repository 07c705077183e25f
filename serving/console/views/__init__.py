"""What each address asks of the store, and which page it answers with; one module a page."""
