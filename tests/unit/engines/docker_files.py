"""daemon.json as people have it."""
# ruff: noqa: E501  # a configuration is easier to judge on one line

FRESH_NVIDIA = """{
    "runtimes": {
        "nvidia": {
            "args": [],
            "path": "nvidia-container-runtime"
        }
    }
}"""

GOOD = {
    "absent": None,
    "empty": "",
    "a blank line": "\n",
    "blanks and tabs": " \t\r\n  ",
    "an empty object": "{}",
    "an empty object and a line end": "{}\n",
    "an empty object over two lines": "{\n}\n",
    "an empty object with a blank": "{ }\n",
    "one setting": '{\n  "log-driver": "json-file"\n}\n',
    "one setting, no final line end": '{\n  "log-driver": "json-file"\n}',
    "on one line": '{"log-driver": "journald", "live-restore": true}\n',
    "on one line, tight": '{"log-driver":"journald","log-opts":{"max-size":"10m"}}',
    "kubeadm's": """{
  "exec-opts": ["native.cgroupdriver=systemd"],
  "log-driver": "json-file",
  "log-opts": {
    "max-size": "100m"
  },
  "storage-driver": "overlay2"
}
""",
    "two blanks": '{\n  "data-root": "/srv/docker",\n  "dns": ["10.0.0.2", "8.8.8.8"]\n}\n',
    "four blanks": '{\n    "data-root": "/srv/docker",\n    "dns": [\n        "10.0.0.2"\n    ]\n}\n',
    "three blanks": '{\n   "debug": true,\n   "hosts": ["unix:///run/docker.sock", "tcp://127.0.0.1:2375"]\n}\n',
    "tabs": '{\n\t"debug": true,\n\t"log-opts": {\n\t\t"max-file": "3"\n\t}\n}\n',
    "line ends of Windows": '{\r\n  "debug": true,\r\n  "features": {\r\n    "buildkit": true\r\n  }\r\n}\r\n',
    "mixed line ends": '{\r\n  "debug": true,\n  "ipv6": false\r\n}\n',
    "odd indentation": '{\n      "debug" : true ,\n  "log-opts":\n  {\n     "max-size" :"1m"\n        }\n }\n',
    "a comma first": '{ "debug": true\n, "ipv6": false\n, "log-level": "warn"\n}\n',
    "a brace on the line": '{ "debug": true,\n  "ipv6": false }\n',
    "an empty runtimes": '{\n  "runtimes": {}\n}\n',
    "an empty features": '{\n  "features": {\n  },\n  "debug": false\n}\n',
    "another runtime": '{\n  "runtimes": {\n    "kata": {"path": "/usr/bin/kata-runtime"}\n  }\n}\n',
    "two other runtimes": """{
    "runtimes": {
        "crun": {
            "path": "/usr/bin/crun"
        },
        "runsc": {
            "path": "/usr/bin/runsc",
            "runtimeArgs": [
                "--platform=ptrace"
            ]
        }
    },
    "default-runtime": "crun"
}
""",
    "a shim": '{\n  "runtimes": {\n    "youki": {"runtimeType": "io.containerd.runc.v2"}\n  }\n}\n',
    "runtimes in the middle": '{\n  "debug": true,\n  "runtimes": {"a": {"path": "/a"}},\n  "ipv6": true\n}\n',
    "a default runtime": '{\n  "default-runtime": "runc",\n  "debug": true\n}\n',
    "buildkit": '{\n  "features": {"buildkit": true, "containerd-snapshotter": false}\n}\n',
    "CDI off": '{\n  "features": {\n    "cdi": false\n  }\n}\n',
    "CDI on": '{\n  "features": {\n    "cdi": true\n  }\n}\n',
    "CDI folders": '{\n  "cdi-spec-dirs": ["/etc/cdi/", "/srv/cdi"],\n  "experimental": true\n}\n',
    "mirrors and proxies": """{
  "registry-mirrors": ["https://mirror.example/"],
  "insecure-registries": ["10.1.2.3:5000", "registry.example"],
  "proxies": {
    "http-proxy": "http://proxy.example:3128",
    "no-proxy": "*.example,127.0.0.0/8"
  },
  "default-address-pools": [
    {"base": "172.30.0.0/16", "size": 24},
    {"base": "172.31.0.0/16", "size": 24}
  ]
}
""",
    "unicode": '{\n  "labels": ["rack=Köln-3", "owner=研究室", "note=\U0001f600"],\n  "data-root": "/daten/größe"\n}\n',
    "escapes": '{\n  "labels": ["a=\\u00e9\\n\\"x\\"", "b=\\\\", "\\/"],\n  "runtim\\u0065s-not": 1\n}\n',
    "an escaped key of ours": '{\n  "runtim\\u0065s": {"a": {"path": "/a"}}\n}\n',
    "numbers": '{\n  "mtu": 1450,\n  "x": -0.0,\n  "y": 1E400,\n  "z": 12345678901234567890123,\n  "n": null\n}\n',
    "a byte order mark": '\ufeff{\n  "debug": true\n}\n',
    "deep": '{\n  "a": [[[{"b": [{"c": {"d": [1, {"e": "}"}]}}]}]]]\n}\n',
    "brackets in strings": '{\n  "labels": ["]}{[,:\\"", "//", "/* */"],\n  "x": "\\\\"\n}\n',
    "a comment by key": '{\n  "_comment": "do not touch: ask ops",\n  "debug": false\n}\n',
    "blank lines within": '{\n\n  "debug": true,\n\n\n  "ipv6": true\n\n}\n\n\n',
    "a runtime of another name of NVIDIA's": FRESH_NVIDIA.replace('"nvidia"', '"nvidia-legacy"'),
    "swarm resources": '{\n  "node-generic-resources": ["NVIDIA-GPU=GPU-45cbf7b3"],\n  "swarm-default-advertise-addr": "eth0"\n}\n',
}  # fmt: skip
"""Files that can be configured without more ado."""

NVIDIAS = {
    "fresh": FRESH_NVIDIA,
    "as default": FRESH_NVIDIA.replace('{\n    "runtimes"', '{\n    "default-runtime": "nvidia",\n    "runtimes"', 1),
    "with CDI": FRESH_NVIDIA.replace('{\n    "runtimes"', '{\n    "features": {\n        "cdi": true\n    },\n    "runtimes"', 1),
    "absolute": FRESH_NVIDIA.replace('"nvidia-container', '"/usr/bin/nvidia-container'),
    "of the operator": FRESH_NVIDIA.replace('"nvidia-container', '"/usr/local/nvidia/toolkit/nvidia-container'),
    "of the old guide": '{\n  "runtimes": {\n    "nvidia": {\n      "path": "nvidia-container-runtime",\n      "runtimeArgs": []\n    }\n  }\n}\n',
    "by another program": '{"runtimes": {"nvidia": {"path": "/opt/wrapper"}}}\n',
    "by a shim": '{"runtimes": {"nvidia": {"runtimeType": "io.containerd.runsc.v1", "options": {"a": 1}}}}\n',
}  # fmt: skip
"""Files whose runtime ``nvidia`` starts another program."""

BROKEN = {
    "a trailing comma": '{\n  "debug": true,\n}\n',
    "no comma": '{\n  "debug": true\n  "ipv6": true\n}\n',
    "a comment": '{\n  // no\n  "debug": true\n}\n',
    "single quotes": "{'debug': true}\n",
    "cut off": '{\n  "debug": tr',
    "an array": '["debug"]\n',
    "a string": '"debug"\n',
    "two objects": '{}\n{}\n',
    "twice the same key": '{\n  "runtimes": {},\n  "debug": true,\n  "runtimes": {}\n}\n',
    "twice, deep": '{"a": {"b": 1, "b": 2}}',
    "not a number": '{"a": NaN}',
    "runtimes as a list": '{"runtimes": []}',
    "features as a string": '{"features": "cdi"}',
    "a tab in a string": '{"a": "\t"}',
    "too deep": '{"a": ' + "[" * 100000 + "]" * 100000 + "}",
    "TOML": 'debug = true\n',
    "a merge conflict": '{\n<<<<<<< HEAD\n  "debug": true\n=======\n  "debug": false\n>>>>>>> x\n}\n',
}  # fmt: skip
"""Files that are refused, and stay as they are."""
