"""A year of the demo account's CloudTrail: what people and machines did in it, and the incident. Standard library only."""
