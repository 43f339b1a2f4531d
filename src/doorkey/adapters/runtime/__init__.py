"""Two small runtimes, for threads and for asyncio, that answer the steps of the same flows."""
