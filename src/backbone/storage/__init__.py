"""Where files are kept that a snapshot or the registry names: in a folder, or in an object store."""
