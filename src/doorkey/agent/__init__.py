"""The chat's engine: runs, the tools and their fence, and models over our own sign-ins."""
