"""Tests that need root: real mounts, device nodes and containers. Each probes, and skips with a sentence."""
