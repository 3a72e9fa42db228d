"""Conversions of assets: made when they are asked for, kept for a while, never more than a few of an asset."""
