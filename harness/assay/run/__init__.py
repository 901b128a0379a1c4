"""Running one case on one runtime."""
