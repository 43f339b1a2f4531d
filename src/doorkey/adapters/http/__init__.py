"""How we speak HTTP to providers."""
