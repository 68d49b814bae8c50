"""One technology per module. Nothing here imports the engine."""
