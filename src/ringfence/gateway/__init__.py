"""Bytes to reports: doors that know no database."""
