"""What every room of the desk stands on: guarded models, clock, leases, templates."""
