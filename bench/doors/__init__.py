"""The processes that the gateway's bench starts: tags, the load, and a peer that stores nothing."""
