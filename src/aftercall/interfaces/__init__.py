"""The faces: everything here is thin over `wiring`."""
