"""Pure values and decisions: no clock, no randomness, no IO; time and chance are arguments."""
