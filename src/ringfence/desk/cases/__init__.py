"""Wearers, victims, orders, conditions, zones, tags and fittings."""
