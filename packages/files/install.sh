#!/bin/sh
# Puts linkspan in place from this archive, or takes it away again; needs nothing but a Python from 3.11 to 3.14.
set -eu
export LC_ALL=C # sorted so, what is in a folder comes after it

usage="usage: install.sh [--prefix DIR] [--python FILE] [--uninstall]"
prefix=/usr/local
python=
action=install
here=$(dirname "$(readlink -f "$0")")

die() {
  echo "linkspan: $*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --python)
      [ $# -ge 2 ] || die "$1 needs a value; $usage"
      if [ "$1" = --prefix ]; then prefix=${2%/}; else python=$2; fi
      shift
      ;;
    --prefix=*) prefix=${1#*=} prefix=${prefix%/} ;;
    --python=*) python=${1#*=} ;;
    --uninstall) action=uninstall ;;
    -h | --help) echo "$usage" && exit ;;
    *) die "$1 is not an option of install.sh; $usage" ;;
  esac
  shift
done

case $prefix in
  *[!A-Za-z0-9/._+-]*) die "--prefix is '$prefix', which has other characters than letters, digits and /._+-" ;;
  /?*) ;;
  *) die "--prefix is '$prefix', not an absolute path below /" ;;
esac
# Launchers name their modules absolutely, and through no link.
prefix=$(readlink -f "$prefix" || echo "$prefix")
library=$prefix/lib/linkspan
# What was put here, one path a line, folders with a slash at their end: all that a removal takes away.
manifest=$library/manifest

[ "$(id -u)" -eq 0 ] || die "only root can do this: engines run these programs as root"

# Every path of this archive, below the prefix, which is / here.
paths() {
  echo /
  (cd "$here/files" && find . -mindepth 1 -type d | sed 's|^\./||; s|$|/|' && find . ! -type d | sed 's|^\./||')
  echo lib/linkspan/install.sh
}

is_listed() {
  [ -f "$manifest" ] && grep -qxF "$1" "$manifest"
}

existing() {
  while read -r path; do
    if [ -e "$prefix/$path" ] || [ -L "$prefix/$path" ]; then echo "$path"; fi
  done
}

not_listed() {
  if [ -f "$manifest" ]; then grep -vxF -f "$manifest" || true; else cat; fi
}

refuse_what_is_not_ours() {
  [ ! -e "$library" ] || [ -f "$manifest" ] ||
    die "$library is there already and was not put there by install.sh; remove that linkspan first"
  foreign=$(paths | grep -v '/$' | existing | not_listed | head -n 1)
  [ -z "$foreign" ] ||
    die "$prefix/$foreign is there already and is not linkspan's; move it away, then run this again"
}

# Written before anything else, so that an installation which is cut short can be taken away.
write_manifest() {
  paths | while read -r path; do
    case $path in
      */) if [ ! -d "$prefix/$path" ] || is_listed "$path"; then echo "$path"; fi ;;
      *) echo "$path" ;;
    esac
  done >"$1"
}

make_folder() {
  mkdir -p "$1" 2>/dev/null || die "the folder $1 cannot be made; is the disk full or read-only?"
}

put_in_place() {
  [ -d "$here/files" ] || die "$here/files is missing: run install.sh where the archive was unpacked"
  umask 022
  python=$("$here/files/lib/linkspan/maintain" find "$python")
  refuse_what_is_not_ours
  new=$(mktemp) || die "no temporary file can be made"
  trap 'rm -f "$new"' EXIT
  write_manifest "$new"
  remove_outdated "$new"
  make_folder "$library"
  cp "$new" "$manifest" 2>/dev/null || die "$manifest cannot be written; is the disk full or read-only?"
  # tar replaces programs that are running, as cp would not, and makes root the owner of everything.
  (cd "$here/files" && tar -cf - .) | tar -xof - -C "$prefix" ||
    die "the files cannot be written below $prefix; run this again, or with --uninstall"
  tar -cf - -C "$here" install.sh | tar -xof - -C "$library"
  "$library/maintain" python "$python"
  tell_systemd enable
  "$library/maintain" start
  echo "linkspan is installed below $prefix; '$library/install.sh --prefix $prefix --uninstall' takes it away"
}

# What an earlier version had and this one has not.
remove_outdated() {
  [ -f "$manifest" ] || return 0
  "$library/maintain" forget || true
  grep -vxF -f "$1" "$manifest" | remove_paths || true
}

# Files, then folders, the deepest first; a folder stays if something of others is in it.
remove_paths() {
  list=$(cat)
  echo "$list" | grep -v '/$' | (cd "$prefix" && tr '\n' '\0' | xargs -0 rm -f)
  echo "$list" | grep '/$' | sort -r | while read -r path; do
    rmdir "$prefix/$path" 2>/dev/null || true
  done
}

tell_systemd() {
  # It looks for units below /usr and /usr/local.
  case $prefix in /usr | /usr/local) ;; *) return 0 ;; esac
  [ -d /run/systemd/system ] || return 0
  systemctl --quiet "$1" linkspan-refresh.path linkspan-refresh.service 2>/dev/null ||
    echo "linkspan: systemd could not $1 linkspan-refresh.path and linkspan-refresh.service" >&2
}

take_away() {
  [ -f "$manifest" ] || die "nothing of install.sh's is below $prefix; name the folder with --prefix"
  tell_systemd disable
  [ ! -x "$library/maintain" ] || "$library/maintain" stop
  list=$(cat "$manifest")
  rm -f "$manifest"
  echo "$list" | remove_paths
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  echo "linkspan was removed from $prefix"
}

# In braces, hence read whole: this file may be among what is removed.
{
  case $action in
    install) put_in_place ;;
    uninstall) take_away ;;
  esac
  exit
}
