"""Translation of an injection: CDI specs, OCI edits, operations. Pure."""
