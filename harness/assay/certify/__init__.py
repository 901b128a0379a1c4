"""Certification: what a runtime claims, what three runs say of it, and a bundle that others can verify offline."""
