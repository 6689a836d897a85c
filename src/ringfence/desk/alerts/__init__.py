"""What a person handles: opened, explained, seen through to a decision."""
