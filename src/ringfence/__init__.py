"""Ringfence: from a tag's report to an alert that a person can trust."""
