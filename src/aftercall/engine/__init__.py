"""The work itself, as asyncio tasks over the ports: no SQL, no HTTP library, no settings."""
