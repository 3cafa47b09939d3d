//! What changes now? Turns a verdict into a direction and a measurement into a decision.
