"""Is this host ready, are its containers: findings, each with evidence and remedy. Nothing here changes a thing."""
