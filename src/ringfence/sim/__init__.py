"""Made-up wearers, victims, streets and tags with honest errors; the truth is kept."""
