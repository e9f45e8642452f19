"""crio.conf and its drop-ins as people have them."""
# ruff: noqa: E501  # a configuration is easier to judge on one line

PACKAGED = """[crio.image]
signature_policy = "/etc/crio/policy.json"

[crio.runtime]
default_runtime = "crun"

[crio.runtime.runtimes.crun]
runtime_path = "/usr/libexec/crio/crun"
runtime_root = "/run/crun"
monitor_path = "/usr/libexec/crio/conmon"
allowed_annotations = [
    "io.containers.trace-syscall",
]

[crio.runtime.runtimes.runc]
runtime_path = "/usr/libexec/crio/runc"
runtime_root = "/run/runc"
monitor_path = "/usr/libexec/crio/conmon"
"""

STOCK = """# The CRI-O configuration file specifies all of the available configuration
[crio]
# root = "/var/lib/containers/storage"

[crio.api]
listen = "/var/run/crio/crio.sock"

  # indented comment
[crio.runtime]
# default_runtime = "runc"
conmon = ""
conmon_cgroup = "system.slice"
cgroup_manager = "systemd"
hooks_dir = [
\t"/usr/share/containers/oci/hooks.d",
]
default_sysctls = [
]

# The "crio.runtime.runtimes" table defines a list of OCI compatible runtimes.
[crio.runtime.runtimes.runc]
runtime_path = ""
runtime_type = "oci"
runtime_root = "/run/runc"

# Kata
# [crio.runtime.runtimes.kata-runtime]
# runtime_path = "/usr/bin/kata-runtime"

[crio.network]
plugin_dirs = [
\t"/opt/cni/bin/",
]
"""

GOOD = {
    "absent": None,
    "empty": "",
    "a comment alone": "# by hand\n",
    "the packaged drop-in": PACKAGED,
    "the packaged drop-in, line ends of Windows": PACKAGED.replace("\n", "\r\n"),
    "the packaged drop-in, no final line end": PACKAGED.rstrip("\n"),
    "the stock file": STOCK,
    "the stock file, tabs": STOCK.replace("conmon", "\tconmon"),
    "the first table alone": "[crio]\n",
    "the runtime table alone": "[crio.runtime]\n",
    "the runtime table, no line end": "[crio.runtime]",
    "runtimes as a table": '[crio.runtime.runtimes]\n[crio.runtime.runtimes.runc]\nruntime_path = "/usr/bin/runc"\n',
    "runtimes inside": '[crio.runtime]\nruntimes = { runc = { runtime_path = "/usr/bin/runc" } }\n',
    "a runtime inside": '[crio.runtime.runtimes]\nrunc = { runtime_path = "/r", runtime_type = "oci" }  # here\n',
    "empty runtimes inside": "[crio.runtime]\nruntimes = {}\n",
    "dotted": '[crio.runtime]\nruntimes.runc.runtime_path = "/usr/bin/runc"\ndefault_runtime = "runc"\n',
    "dotted from the root": 'crio.runtime.default_runtime = "runc"\ncrio.runtime.cgroup_manager = "cgroupfs"\n',
    "quoted": "[\"crio\".'runtime'.runtimes.\"runc\"]\nruntime_path = '/usr/bin/runc'\n",
    "kata": '[crio.runtime.runtimes.kata]\nruntime_path = "/usr/bin/containerd-shim-kata-v2"\nruntime_type = "vm"\n',
    "a default of kata": '[crio.runtime]\ndefault_runtime = "kata"\n[crio.runtime.runtimes.kata]\nruntime_path = "/k"\n',
    "a default nobody defines": '[crio.runtime]\ndefault_runtime = "youki"\n',
    "the default after its runtime": '[crio.runtime.runtimes.a]\nruntime_path = "/a"\n\n[crio.runtime]\nx = 1\n',
    "indented": '[crio]\n  [crio.runtime]\n    a = 1\n    [crio.runtime.runtimes]\n      [crio.runtime.runtimes.runc]\n'
    '        runtime_path = "/r"\n  [crio.network]\n    b = 2\n',
    "NVIDIA's default nowhere defined": '[crio.runtime]\ndefault_runtime = "nvidia"\n',
    "NVIDIA's of other names": '[crio.runtime.runtimes.nvidia-cdi]\nruntime_path = "/usr/bin/nvidia-container-runtime.cdi"\n',
    "workloads": '[crio.runtime.workloads.management]\nactivation_annotation = "a/b"\n[crio.runtime.workloads.management.'
    'resources]\n"cpushares" = 0\n',
    "metrics before": "[crio.metrics]\nenable_metrics = true\n\n[crio.runtime]\nlog_level = 'info'\n",
    "unicode": '# Für 研究室\n[crio.runtime]\nx = "Größe \\u00e9"\n',
    "strings over lines": '[crio.runtime]\nx = """\n[crio.runtime.runtimes.nvidia]\n"""\n',
    "an array over lines with comments": '[crio.runtime]\nx = [ # ]\n  "a", # "b",\n  "[",\n]\n',
    "a byte order mark": "\ufeff[crio.runtime]\na = 1\n",
    "CDI folders": '[crio.runtime]\ncdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]\n',
    "capabilities": '[crio.runtime]\ndefault_capabilities = ["CHOWN", "KILL"]\nadd_inheritable_capabilities = false\n',
    "blank lines at the end": "[crio.runtime]\na = 1\n\n\n",
    "an image table last": '[crio.runtime.runtimes.crun]\nruntime_path = "/c"\n\n[crio.image]\npause_image = "p"\n',
}  # fmt: skip

NVIDIAS = {
    "NVIDIA's drop-in": '\n[crio]\n\n  [crio.runtime]\n    default_runtime = "nvidia"\n\n    [crio.runtime.runtimes]\n\n'
    '      [crio.runtime.runtimes.nvidia]\n        runtime_path = "/usr/bin/nvidia-container-runtime"\n'
    '        runtime_type = "oci"\n',
    "NVIDIA's, inside": '[crio.runtime.runtimes]\nnvidia = { runtime_path = "/usr/bin/nvidia-container-runtime" }\n',
    "another program": '[crio.runtime.runtimes.nvidia]\nruntime_path = "/opt/wrapper"\nruntime_type = "oci" # c\n',
    "no program": '[crio.runtime.runtimes.nvidia]\nruntime_type = "vm"\n',
}

BROKEN = {
    "no value": "[crio.runtime]\na =\n",
    "an open table": "[crio.runtime\n",
    "an open string": '[crio.runtime]\na = "b\n',
    "twice the same table": "[crio.runtime]\n[crio.runtime]\n",
    "runtimes as a list": "[crio.runtime]\nruntimes = []\n",
    "runtime as a value": "[crio]\nruntime = 1\n",
    "runtimes as an array of tables": '[[crio.runtime.runtimes]]\nname = "runc"\n',
    "YAML": "crio:\n  runtime: crun\n",
}
