"""How costs grow with datasets, runs and landed files: measured, fitted, plotted."""
