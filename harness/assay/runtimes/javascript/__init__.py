"""What the adapters of runtimes in JavaScript share."""
