"""The configuration of container engines: read, edited with the least change, undone exactly.

``jsontext``, ``tomltext`` and ``template`` change text, ``docker``, ``podman``, ``containerd`` and ``crio`` say which
settings an engine wants: text and values in, text and values out. ``places`` knows where the files are, ``journal``
keeps what undo needs, ``change`` brings it all about, ``daemon`` asks what runs.
"""
