"""config.toml of containerd as people have it, and the templates of k3s and RKE2."""
# ruff: noqa: E501  # a configuration is easier to judge on one line

CRI2 = 'plugins."io.containerd.grpc.v1.cri"'
CRI3 = "plugins.'io.containerd.cri.v1.runtime'"

PACKAGED = f"""version = 2

[plugins]
  [{CRI2}]
    [{CRI2}.cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
"""

DUMPED = f"""disabled_plugins = []
imports = []
oom_score = 0
root = "/var/lib/containerd"
version = 2

[cgroup]
  path = ""

[grpc]
  address = "/run/containerd/containerd.sock"
  uid = 0

[plugins]

  [plugins."io.containerd.gc.v1.scheduler"]
    deletion_threshold = 0

  [{CRI2}]
    cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
    enable_cdi = false
    sandbox_image = "registry.k8s.io/pause:3.8"

    [{CRI2}.cni]
      bin_dir = "/opt/cni/bin"

    [{CRI2}.containerd]
      default_runtime_name = "runc"
      snapshotter = "overlayfs"

      [{CRI2}.containerd.default_runtime]
        runtime_type = ""

        [{CRI2}.containerd.default_runtime.options]

      [{CRI2}.containerd.runtimes]

        [{CRI2}.containerd.runtimes.runc]
          pod_annotations = []
          privileged_without_host_devices = false
          runtime_type = "io.containerd.runc.v2"

          [{CRI2}.containerd.runtimes.runc.options]
            BinaryName = ""
            SystemdCgroup = true

      [{CRI2}.containerd.untrusted_workload_runtime]
        runtime_type = ""

    [{CRI2}.registry]
      config_path = "/etc/containerd/certs.d"

  [plugins."io.containerd.snapshotter.v1.overlayfs"]
    root_path = ""

[timeouts]
  "io.containerd.timeout.shim.cleanup" = "5s"
"""

DUMPED3 = f"""version = 3
root = '/var/lib/containerd'
imports = []

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    snapshotter = 'overlayfs'

  [{CRI3}]
    enable_cdi = true
    cdi_spec_dirs = ['/etc/cdi', '/var/run/cdi']

    [{CRI3}.containerd]
      default_runtime_name = 'runc'

      [{CRI3}.containerd.runtimes]
        [{CRI3}.containerd.runtimes.runc]
          runtime_type = 'io.containerd.runc.v2'
          sandboxer = 'podsandbox'

          [{CRI3}.containerd.runtimes.runc.options]
            BinaryName = ''
            SystemdCgroup = true

    [{CRI3}.cni]
      bin_dirs = ['/opt/cni/bin']

[ttrpc]
  address = ''
"""

SHORT = f"""version = 2
[{CRI2}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{CRI2}.containerd.runtimes.runc.options]
SystemdCgroup = true
"""

FIRST = """[plugins]
  [plugins.cri]
    [plugins.cri.containerd]
      [plugins.cri.containerd.runtimes.runc]
        runtime_type = "io.containerd.runc.v1"
      [plugins.cri.containerd.default_runtime]
        runtime_type = "io.containerd.runtime.v1.linux"
"""

GOOD = {
    "absent": None,
    "empty": "",
    "blank lines": "\n\n",
    "a comment alone": "# to come\n",
    "a version alone": "version = 2\n",
    "a version alone, no line end": "version = 2",
    "a third version alone": "version = 3\n",
    "a fourth version alone": "version = 4\n",
    "a first version alone": "version = 1\n",
    "Debian's": PACKAGED,
    "Debian's, line ends of Windows": PACKAGED.replace("\n", "\r\n"),
    "Debian's, no final line end": PACKAGED.rstrip("\n"),
    "Docker's": '#   Copyright\n\ndisabled_plugins = ["cri"]\n\n#root = "/var/lib/containerd"\n\n#[grpc]\n#  uid = 0\n',
    "a dump": DUMPED,
    "a dump, tabs": DUMPED.replace("  ", "\t"),
    "a dump, line ends of Windows": DUMPED.replace("\n", "\r\n"),
    "a dump, flat": DUMPED.replace("  ", ""),
    "a dump without SystemdCgroup": DUMPED.replace("            SystemdCgroup = true\n", ""),
    "a dump of version 3": DUMPED3,
    "a dump of version 3, line ends of Windows": DUMPED3.replace("\n", "\r\n"),
    "a dump of version 3, CDI off": DUMPED3.replace("enable_cdi = true", "enable_cdi = false"),
    "kubeadm's": SHORT,
    "kubeadm's, no final line end": SHORT.rstrip("\n"),
    "kubeadm's of version 3": SHORT.replace(CRI2, CRI3).replace("version = 2", "version = 3"),
    "a first version": FIRST,
    "a first version, said": "version = 1\n" + FIRST,
    "a first version with an old shim": FIRST.replace("io.containerd.runc.v1", "io.containerd.runtime.v1.linux"),
    "kata": SHORT + f'[{CRI2}.containerd.runtimes.kata]\nruntime_type = "io.containerd.kata.v2"\n',
    "a default of kata": f'version = 2\n[{CRI2}.containerd]\ndefault_runtime_name = "kata"\n'
    f'[{CRI2}.containerd.runtimes.kata]\nruntime_type = "io.containerd.kata.v2"\nprivileged_without_host_devices = true\n',
    "gVisor": SHORT + f'\n[{CRI2}.containerd.runtimes.runsc]\n  runtime_type = "io.containerd.runsc.v1"\n',
    "crun alone": f'version = 2\n[{CRI2}.containerd.runtimes.crun]\nruntime_type = "io.containerd.runc.v2"\n'
    f'[{CRI2}.containerd.runtimes.crun.options]\nBinaryName = "/usr/bin/crun"\n',
    "comments everywhere": SHORT.replace("\n", "  # here\n") + "# and here\n",
    "runtimes inside": f'version = 2\n[{CRI2}.containerd]\nruntimes = {{ runc = {{ runtime_type = "io.containerd.runc.v2" }} }}\n',
    "a runtime inside": f'version = 2\n[{CRI2}.containerd.runtimes]\nrunc = {{ runtime_type = "io.containerd.runc.v2" }}\n',
    "plugins inside": 'version = 2\nplugins = { "io.containerd.grpc.v1.cri" = { sandbox_image = "x" } }\n',
    "dotted": 'version = 2\nplugins."io.containerd.grpc.v1.cri".sandbox_image = "x"\nroot = "/srv"\n',
    "dotted runtimes": f'version = 2\n[{CRI2}]\ncontainerd.runtimes.runc.runtime_type = "io.containerd.runc.v2"\n',
    "single quotes": SHORT.replace('"io.containerd.grpc.v1.cri"', "'io.containerd.grpc.v1.cri'"),
    "imports": 'version = 2\nimports = ["/etc/containerd/none.d/*.toml"]\n',
    "imports over lines": 'version = 2\nimports = [\n  "conf.d/*.toml", # more\n]\n' + SHORT.partition("\n")[2],
    "registries": f'version = 2\n[{CRI2}.registry.mirrors."docker.io"]\n  endpoint = ["https://m.example"]\n',
    "no CRI": 'version = 2\n[debug]\n  level = "info"\n[metrics]\n  address = "127.0.0.1:1338"\n',
    "proxy plugins": 'version = 2\n[proxy_plugins]\n  [proxy_plugins.stargz]\n    type = "snapshot"\n' + SHORT.partition("\n")[2],
    "unicode": '# Für 研究室\nversion = 2\nroot = "/größe/\\u00e9"\n',
    "NVIDIA's of other names": SHORT + f'[{CRI2}.containerd.runtimes.nvidia-cdi]\nruntime_type = "io.containerd.runc.v2"\n',
    "a byte order mark": "\ufeff" + SHORT,
    "a section between": SHORT.replace(
        f"[{CRI2}.containerd.runtimes.runc.options]", f"[debug]\nlevel = 'warn'\n[{CRI2}.containerd.runtimes.runc.options]"
    ),
    "streams": 'version = 2\n[stream_processors."io.containerd.ocicrypt.decoder.v1.tar"]\n  accepts = ["a+b"]\n  args = [\n    "--x",\n  ]\n',
}  # fmt: skip


def _with(text: str, cri: str, indent: str, program: str = "/usr/bin/nvidia-container-runtime") -> str:
    """A file with the entry that nvidia-ctk makes."""
    entry = f"""
[{cri}.containerd.runtimes.nvidia]
  privileged_without_host_devices = false
  runtime_engine = ""
  runtime_root = ""
  runtime_type = "io.containerd.runc.v2"

  [{cri}.containerd.runtimes.nvidia.options]
    BinaryName = "{program}"
    SystemdCgroup = true
"""
    return text + entry.replace("\n", f"\n{indent}")


NVIDIAS = {
    "NVIDIA's": _with(SHORT, CRI2, ""),
    "NVIDIA's in a dump": _with(DUMPED, CRI2, "        "),
    "NVIDIA's as default": _with(DUMPED.replace('name = "runc"', 'name = "nvidia"'), CRI2, "    "),
    "NVIDIA's of version 3": _with(DUMPED3, CRI3, ""),
    "NVIDIA's of version 1": _with(FIRST, "plugins.cri", "  "),
    "another program": _with(SHORT, CRI2, "", "/opt/wrapper"),
    "a shim": SHORT + f'[{CRI2}.containerd.runtimes.nvidia]\nruntime_type = "io.containerd.runsc.v1"\n',
}

BROKEN = {
    "no value": "version =\n",
    "an open table": "version = 2\n[plugins\n",
    "an open string": 'version = 2\nroot = "/x\n',
    "twice the same table": SHORT + SHORT.partition("\n")[2],
    "twice the same key": "version = 2\nversion = 2\n",
    "plugins as a value": "version = 2\nplugins = 1\n",
    "runtimes as a list": f"version = 2\n[{CRI2}.containerd]\nruntimes = []\n",
    "a version in words": 'version = "two"\n',
    "JSON": '{"version": 2}',
    "a template": '{{ template "base" . }}\n',
}

TEMPLATES = {
    "absent": None,
    "the base": '{{ template "base" . }}\n',
    "the base, no line end": '{{ template "base" . }}',
    "the base and a comment": '{{ template "base" . }}\n# more to come\n',
    "the base, line ends of Windows": '{{ template "base" . }}\r\n\r\n[debug]\r\n  level = "x"\r\n',
    "another runtime": '{{ template "base" . }}\n\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes."custom"]\n'
    '  runtime_type = "io.containerd.runc.v2"\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes."custom".options]\n'
    '  BinaryName = "/usr/bin/custom"\n',
    "a whole one": 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  enable_selinux = {{ .NodeConfig.SELinux }}\n'
    "{{- if .IsRunningInUserNS }}\n  disable_apparmor = true\n{{end}}\n",
    "a loop": '{{range $k, $v := .ExtraRuntimes}}\n[plugins."x".containerd.runtimes."{{$k}}"]\n{{end}}\n',
    "a registry": '{{ template "base" . }}\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/c"\n',
    "unicode": '{{ template "base" . }}\n# für 研究室\n',
    "blank lines": '{{ template "base" . }}\n\n\n\n',
    "empty": "",
}  # fmt: skip
