"""containers.conf as people have it."""
# ruff: noqa: E501  # a configuration is easier to judge on one line

STOCK = """# The containers configuration file specifies all of the available configuration
# command-line options/flags for container engine tools like Podman & Buildah.

[containers]

# List of annotation. Specified as
# "key = value"
#annotations = []

default_capabilities = [
  "CHOWN",
  "KILL", # a comment ] with [ brackets
  "SYS_CHROOT",
]
log_driver = "journald"   # the host's

[network]
#network_backend = ""

[engine]
# Default OCI runtime
#runtime = "crun"
cgroup_manager = "systemd"
events_logger = "journald"

[engine.runtimes]
#crun = [
#            "/usr/bin/crun",
#]

[engine.volume_plugins]
#testplugin = "/run/podman/plugins/test.sock"

[machine]
"""

GOOD = {
    "absent": None,
    "empty": "",
    "a comment alone": "# nothing here\n",
    "a comment without a line end": "# nothing here",
    "blank lines": "\n\n\n",
    "the stock file": STOCK,
    "the stock file, line ends of Windows": STOCK.replace("\n", "\r\n"),
    "the stock file, no final line end": STOCK.rstrip("\n"),
    "an engine": '[engine]\nruntime = "crun"\n',
    "an engine, no final line end": '[engine]\nruntime = "crun"',
    "an engine without anything": "[engine]\n",
    "an engine without anything or a line end": "[engine]",
    "runtimes": '[engine]\n[engine.runtimes]\ncrun = ["/usr/bin/crun", "/usr/local/bin/crun"]\n',
    "runtimes first": '[engine.runtimes]\ncrun = ["/usr/bin/crun"]\n\n[engine]\nruntime = "crun"\n',
    "runtimes without an engine": '[engine.runtimes]\nkata = [\n  "/usr/bin/kata-runtime",\n]\n',
    "an empty runtimes": "[engine.runtimes]\n",
    "runtimes inside": '[engine]\nruntimes = { crun = ["/usr/bin/crun"] }\n',
    "empty runtimes inside": "[engine]\nruntimes = {}\n",
    "an engine inside": 'engine = { runtime = "crun" }\n',
    "an engine with runtimes inside": 'engine = { runtimes = { crun = ["/c"] }, runtime = "crun" }  # all\n',
    "dotted": '[engine]\nruntimes.crun = ["/usr/bin/crun"]\nruntime = "crun"\n',
    "dotted from the root": 'engine.runtime = "crun"\nengine.runtimes.crun = ["/usr/bin/crun"]\nx = 1\n',
    "quoted keys": "['engine'.\"runtimes\"]\n\"crun\" = ['/usr/bin/crun']\n",
    "blanks in keys": '[ engine . runtimes ]\ncrun    =    ["/usr/bin/crun"]    # c\n',
    "indented": '[engine]\n    runtime = "crun"\n    [engine.runtimes]\n        crun = ["/c"]\n\n[network]\n    x = 1\n',
    "tabs": '[engine]\n\truntime = "crun"\n\n\t[engine.runtimes]\n\t\tcrun = ["/c"]\n',
    "unicode": '# Für die Gruppe 研究室\n[containers]\nenv = ["GREETING=Grüße", "E=\\u00e9"]\n',
    "strings over lines": '[containers]\nx = """\n[engine.runtimes]\ncrun = 1\n"""\ny = \'\'\'\n[engine]\'\'\'\'\n',
    "quotes in strings": '[containers]\nx = "\\"[engine]\\\\"\ny = \'"#\'  # "\nz = """a"""""\n',
    "dates and numbers": "[containers]\na = 1979-05-27 07:32:00Z\nb = 0x1F\nc = 1_000\nd = inf\ne = nan\nf = -0.0\n",
    "arrays of tables": '[[secrets]]\nname = "a"\n\n[[secrets]]\nname = "b"\n[secrets.sub]\nx = 1\n',
    "inline tables within arrays": 'list = [{ a = 1, b = [{ c = "}" }] }, { a = 2 }]\n[engine]\n',
    "another default": '[engine]\nruntime = "kata"\n[engine.runtimes]\nkata = ["/usr/bin/kata-runtime"]\n',
    "NVIDIA's of another name": '[engine.runtimes]\nnvidia-legacy = ["/usr/bin/nvidia-container-runtime.legacy"]\n',
    "hooks": '[engine]\nhooks_dir = ["/usr/share/containers/oci/hooks.d"]\n',
    "a byte order mark": '\ufeff[engine]\nruntime = "crun"\n',
    "blank lines at the end": '[engine]\nruntime = "crun"\n\n\n\n',
}  # fmt: skip

NVIDIAS = {
    "NVIDIA's": '[engine.runtimes]\nnvidia = ["/usr/bin/nvidia-container-runtime"]\n',
    "NVIDIA's, several": '[engine.runtimes]\nnvidia = [\n  "/usr/bin/nvidia-container-runtime", # old\n  "/x",\n]\ncrun = ["/c"]\n',
    "NVIDIA's, inside": '[engine]\nruntimes = { nvidia = ["/usr/bin/nvidia-container-runtime"] }\n',
    "another program": '[engine.runtimes]\nnvidia = ["/opt/wrapper"]\n',
    "no program": "[engine.runtimes]\nnvidia = []\n",
}  # fmt: skip

BROKEN = {
    "no value": "[engine]\nruntime =\n",
    "no quotes": "[engine]\nruntime = crun\n",
    "an open table": "[engine\nruntime = 'crun'\n",
    "an open string": '[engine]\nruntime = "crun\n',
    "an open array": '[engine.runtimes]\ncrun = ["/c"\n',
    "twice the same table": "[engine]\n[engine]\n",
    "twice the same key": "[engine]\na = 1\na = 2\n",
    "JSON": '{"engine": {}}\n',
    "engine as a value": 'engine = "crun"\n',
    "runtimes as a list": '[engine]\nruntimes = ["crun"]\n',
    "engine as an array of tables": "[[engine]]\na = 1\n",
    "a merge conflict": "<<<<<<< HEAD\n[engine]\n=======\n",
    "too deep": "a = " + "[" * 100000 + "]" * 100000,
}
