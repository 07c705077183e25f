"""What a customer is worth for as long as it stays: from the models, by the textbook, in parts, under other terms."""
