"""Batches: deliveries of many uploads, followed as one."""
