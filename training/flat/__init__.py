"""Models of flat tables: labels that were given, customers without a history."""
