"""One module a protocol, each a pure function from bytes to reports; none knows another."""
