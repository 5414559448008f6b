"""Measures Backbone against its budgets, its peers and its own growth. See docs/performance.md."""
