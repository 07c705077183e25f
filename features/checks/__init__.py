"""What keepwell check finds in tables before anything is learned from them."""
