"""Everything Django: people look, decide and are recorded here."""
