"""linkspan gives containers their GPUs, and tells people why when it does not work.

The host owns the driver and the devices; the image owns the CUDA runtime and the application; linkspan carries
across what was asked for, and nothing else. This file imports nothing, because importing any part of the package
runs it, the start path included.
"""
