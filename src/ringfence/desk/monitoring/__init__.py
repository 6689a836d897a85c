"""Reports come in, are stored, and are judged."""
