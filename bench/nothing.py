"""A step that does nothing: when it has run, Spark has started."""
