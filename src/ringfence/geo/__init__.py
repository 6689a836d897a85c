"""Metres and degrees, shapes as arrays. Pure; the only home of shapely and pyproj."""
