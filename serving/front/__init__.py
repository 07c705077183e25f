"""What stands between the network and the service: who calls, how much, how often, and what is noted of it."""
