"""Settings, URLs, the process and its watch loop."""
