"""The texts of /etc/os-release, as they stand in the distributions; addresses of their bug trackers left out."""

RELEASES = {
    "debian-11": """PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"
NAME="Debian GNU/Linux"
VERSION_ID="11"
VERSION="11 (bullseye)"
VERSION_CODENAME=bullseye
ID=debian
""",
    "debian-12": """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
""",
    "debian-13": """PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
NAME="Debian GNU/Linux"
VERSION_ID="13"
VERSION="13 (trixie)"
VERSION_CODENAME=trixie
DEBIAN_VERSION_FULL=13.1
ID=debian
""",
    "debian-sid": """PRETTY_NAME="Debian GNU/Linux forky/sid"
NAME="Debian GNU/Linux"
VERSION_CODENAME=forky
ID=debian
""",
    "ubuntu-20.04": """NAME="Ubuntu"
VERSION="20.04.6 LTS (Focal Fossa)"
ID=ubuntu
ID_LIKE=debian
PRETTY_NAME="Ubuntu 20.04.6 LTS"
VERSION_ID="20.04"
VERSION_CODENAME=focal
UBUNTU_CODENAME=focal
""",
    "ubuntu-24.04": """PRETTY_NAME="Ubuntu 24.04.2 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.2 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
""",
    "ubuntu-22.04": """PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=jammy
""",
    "ubuntu-26.04": """PRETTY_NAME="Ubuntu 26.04 LTS"
NAME="Ubuntu"
VERSION_ID="26.04"
VERSION="26.04 LTS (Resolute Raccoon)"
VERSION_CODENAME=resolute
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=resolute
LOGO=ubuntu-logo
""",
    "mint-22": """NAME="Linux Mint"
VERSION="22 (Wilma)"
ID=linuxmint
ID_LIKE="ubuntu debian"
PRETTY_NAME="Linux Mint 22"
VERSION_ID="22"
VERSION_CODENAME=wilma
UBUNTU_CODENAME=noble
""",
    "rhel-9": """NAME="Red Hat Enterprise Linux"
VERSION="9.4 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"
ANSI_COLOR="0;31"
LOGO="fedora-logo-icon"
CPE_NAME="cpe:/o:redhat:enterprise_linux:9::baseos"
""",
    "centos-stream-9": """NAME="CentOS Stream"
VERSION="9"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="9"
PLATFORM_ID="platform:el9"
PRETTY_NAME="CentOS Stream 9"
""",
    "rocky-8": """NAME="Rocky Linux"
VERSION="8.10 (Green Obsidian)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="8.10"
PLATFORM_ID="platform:el8"
PRETTY_NAME="Rocky Linux 8.10 (Green Obsidian)"
""",
    "alma-10": """NAME="AlmaLinux"
VERSION="10.0 (Purple Lion)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="10.0"
PLATFORM_ID="platform:el10"
PRETTY_NAME="AlmaLinux 10.0 (Purple Lion)"
""",
    "oracle-9": """NAME="Oracle Linux Server"
VERSION="9.5"
ID="ol"
ID_LIKE="fedora"
VARIANT="Server"
VARIANT_ID="server"
VERSION_ID="9.5"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Oracle Linux Server 9.5"
""",
    "fedora-42": """NAME="Fedora Linux"
VERSION="42 (Server Edition)"
RELEASE_TYPE=stable
ID=fedora
VERSION_ID=42
VERSION_CODENAME=""
PLATFORM_ID="platform:f42"
PRETTY_NAME="Fedora Linux 42 (Server Edition)"
VARIANT="Server Edition"
VARIANT_ID=server
""",
    "sles-15": """NAME="SLES"
VERSION="15-SP6"
VERSION_ID="15.6"
PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"
ID="sles"
ID_LIKE="suse"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:suse:sles:15:sp6"
""",
    "sles-16": """NAME="SLES"
VERSION="16.0"
ID="sles"
ID_LIKE="suse"
VERSION_ID="16.0"
PRETTY_NAME="SUSE Linux Enterprise Server 16.0"
ANSI_COLOR="0;32"
CPE_NAME="cpe:/o:suse:sles:16:16.0"
""",
    "leap-16": """NAME="openSUSE Leap"
VERSION="16.0"
ID="opensuse-leap"
ID_LIKE="suse opensuse"
VERSION_ID="16.0"
PRETTY_NAME="openSUSE Leap 16.0"
ANSI_COLOR="0;32"
""",
    "leap-15": """NAME="openSUSE Leap"
VERSION="15.6"
ID="opensuse-leap"
ID_LIKE="suse opensuse"
VERSION_ID="15.6"
PRETTY_NAME="openSUSE Leap 15.6"
ANSI_COLOR="0;32"
""",
    "tumbleweed": """NAME="openSUSE Tumbleweed"
# VERSION="20250610"
ID="opensuse-tumbleweed"
ID_LIKE="opensuse suse"
VERSION_ID="20250610"
PRETTY_NAME="openSUSE Tumbleweed"
""",
    "amazon-2": """NAME="Amazon Linux"
VERSION="2"
ID="amzn"
ID_LIKE="centos rhel fedora"
VERSION_ID="2"
PRETTY_NAME="Amazon Linux 2"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2"
""",
    "amazon-2023": """NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023.6.20241212"
""",
    "cos": """NAME="Container-Optimized OS"
ID=cos
PRETTY_NAME="Container-Optimized OS from Google"
VERSION=117
VERSION_ID=117
BUILD_ID=18613.75.37
GOOGLE_CRASH_ID=Lakitu
KERNEL_COMMIT_ID=2fc50ff94c5d7a0d1d8e4e45e0c0d35b06ab2c6a
""",
    "bottlerocket": """NAME=Bottlerocket
ID=bottlerocket
VERSION="1.26.1 (aws-k8s-1.31-nvidia)"
PRETTY_NAME="Bottlerocket OS 1.26.1 (aws-k8s-1.31-nvidia)"
VARIANT_ID=aws-k8s-1.31-nvidia
VERSION_ID=1.26.1
BUILD_ID=943d9a41
""",
    "talos": """NAME="Talos"
ID=talos
VERSION_ID=v1.9.1
PRETTY_NAME="Talos (v1.9.1)"
""",
    "flatcar": """NAME="Flatcar Container Linux by Kinvolk"
ID=flatcar
ID_LIKE=coreos
VERSION=4081.2.1
VERSION_ID=4081.2.1
BUILD_ID=2024-12-16-2259
SYSEXT_LEVEL=1.0
PRETTY_NAME="Flatcar Container Linux by Kinvolk 4081.2.1 (Oklo)"
ANSI_COLOR="38;5;75"
""",
    "nixos": """ANSI_COLOR="1;34"
BUILD_ID="24.11.20241227.d70bd19"
ID=nixos
IMAGE_ID=""
LOGO="nix-snowflake"
NAME=NixOS
PRETTY_NAME="NixOS 24.11 (Vicuna)"
VERSION="24.11 (Vicuna)"
VERSION_CODENAME=vicuna
VERSION_ID="24.11"
""",
    "fedora-coreos": """NAME="Fedora Linux"
VERSION="41.20250105.3.0 (CoreOS)"
RELEASE_TYPE=stable
ID=fedora
VERSION_ID=41.20250105.3.0
VERSION_CODENAME=""
PLATFORM_ID="platform:f41"
PRETTY_NAME="Fedora CoreOS 41.20250105.3.0"
VARIANT="CoreOS"
VARIANT_ID=coreos
OSTREE_VERSION='41.20250105.3.0'
""",
    "silverblue": """NAME="Fedora Linux"
VERSION="41.20250110.0 (Silverblue)"
RELEASE_TYPE=stable
ID=fedora
VERSION_ID=41.20250110.0
VERSION_CODENAME=""
PRETTY_NAME="Fedora Linux 41.20250110.0 (Silverblue)"
VARIANT="Silverblue"
VARIANT_ID=silverblue
OSTREE_VERSION='41.20250110.0'
""",
    "bluefin": """NAME="Bluefin"
VERSION="41 (Silverblue)"
RELEASE_TYPE=stable
ID=bluefin
ID_LIKE="fedora"
VERSION_ID=41
VERSION_CODENAME="Archaeopteryx"
PRETTY_NAME="Bluefin (Version: gts-41)"
VARIANT="Silverblue"
VARIANT_ID=silverblue
OSTREE_VERSION='41.20250112'
""",
    "arch": """NAME="Arch Linux"
PRETTY_NAME="Arch Linux"
ID=arch
BUILD_ID=rolling
""",
}
