"""Runs: plan, stage, audit, publish, record."""
