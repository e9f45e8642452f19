"""Images that somebody made to break whoever reads them. Each is the files of a layout or archive, built in memory.

``REFUSED``: nothing of the image is used; the message holds these words. ``BOUNDED``: the image is read without what is
hostile in it, which ``refused`` tells in these words (empty: it is harmless once it is read as it should be).
"""

import gzip
import json
from collections.abc import Callable
from typing import NamedTuple

import zstandard

from linkspan.image import limits
from tests.unit.image import writer as w

Files = dict[str, bytes]
GOOD = {"etc/hostname": "good\n"}


class Case(NamedTuple):
    make: Callable[[], Files]
    words: str


def header(name: bytes, *, size: bytes = b"%011o\0" % 0, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """A ustar header, whatever it claims, with a checksum that is right."""
    head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + size.ljust(12, b"\0") + b"00000000000\0"
    tail = kind + link.ljust(100, b"\0") + b"ustar\x0000"
    data = (head + b" " * 8 + tail).ljust(512, b"\0")
    return data[:148] + b"%06o\0 " % sum(data) + data[156:]


def one(archive: bytes, packing: str = "") -> Files:
    """A layout with one layer of this archive."""
    return w.layout([w.packed(archive, packing)])


def of(*pairs: tuple[str, str | bytes | w.Item]) -> Files:
    return one(w.tar([*pairs, *GOOD.items()]))


def pax(record: bytes, name: bytes = b"file") -> bytes:
    body = record.ljust(-(-len(record) // 512) * 512, b"\0")
    return header(b"pax", size=b"%011o\0" % len(record), kind=b"x") + body + header(name) + bytes(1024)


def record(key: str, value: str) -> bytes:
    text = f" {key}={value}\n"
    length = len(text) + 1
    while len(f"{length}{text}") != length:
        length = len(f"{length}{text}")
    return f"{length}{text}".encode()


def _gzip_bomb() -> Files:
    # Members of one gzip file follow each other: a few kilobytes, repeated by reference in memory only.
    zeros = gzip.compress(bytes(64 << 20), 9)
    return _bomb(zeros * 20, "gzip")


def _zstd_bomb() -> Files:
    return _bomb(zstandard.compress(bytes(64 << 20)) * 20, "zstd")


def _bomb(blob: bytes, packing: str) -> Files:
    start = header(b"zeros", size=b"%011o" % ((1 << 33) - 1))
    pack = gzip.compress if packing == "gzip" else zstandard.compress
    return w.layout([w.Packed(pack(start) + blob, w.digest(b""), packing, "")])


def _window_bomb() -> Files:
    parameters = zstandard.ZstdCompressionParameters(window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=parameters)
    out = packer.compressobj()
    blob = out.compress(w.tar(GOOD)) + out.flush()
    return w.layout([w.Packed(blob, w.digest(w.tar(GOOD)), "zstd", "")])


def _many_entries() -> Files:
    return one(header(b"a") * (limits.ENTRIES + 1) + bytes(1024), "gzip")


def _truncated_gzip() -> Files:
    layer = w.layer({"file": bytes(range(256)) * 4000})
    return w.layout([layer._replace(blob=layer.blob[:-100])])


def _truncated_file() -> Files:
    return one(w.tar({"file": b"x" * 5000})[:2000])


def _wrong_blob() -> Files:
    layer = w.layer(GOOD, "")
    files = w.layout([layer])
    return {**files, w.blob_name(layer.blob): w.tar({"etc/hostname": "evil\n"})}


def _wrong_diff_id() -> Files:
    return w.layout([w.layer(GOOD)._replace(diff_id=w.digest(b"other"))])


def _wrong_config() -> Files:
    files = w.layout([w.layer(GOOD)])
    name = next(name for name, data in files.items() if b'"rootfs"' in data)
    return {**files, name: files[name].replace(b"amd64", b"arm64")}


def _longer_blob() -> Files:
    layer = w.layer(GOOD, "")
    files = w.layout([layer])
    return {**files, w.blob_name(layer.blob): layer.blob + bytes(10240)}


def _nested_indexes() -> Files:
    files, manifest = w.blobs([w.layer(GOOD)])
    for _ in range(limits.NESTING + 3):
        files[w.blob_name(manifest)] = manifest
        manifest = w.index(w.descriptor(manifest))
    return {**files, "oci-layout": b"{}", "index.json": manifest}


def _digest_as_path() -> Files:
    digest = "sha256:../../../../etc/passwd"
    index = {"manifests": [{"digest": digest, "size": 1, "mediaType": "application/vnd.oci.image.manifest.v1+json"}]}
    return {"oci-layout": b"{}", "index.json": json.dumps(index).encode()}


def _huge_manifest() -> Files:
    files = w.layout([w.layer(GOOD)])
    return {**files, "index.json": b" " * (limits.DOCUMENT + 1)}


def _deep_json() -> Files:
    return {"oci-layout": b"{}", "index.json": b'{"manifests":' + b"[" * 200_000}


def _layers_without_end() -> Files:
    layer = w.layer(GOOD, "")
    return w.layout([layer] * (limits.LAYERS + 1))


def _foreign_layer() -> Files:
    layers = [w.layer({"windows": "x"}), w.layer(GOOD)]
    files, manifest = w.blobs(layers)
    document = json.loads(manifest)
    document["layers"][0]["urls"] = ["https://example.com/layer"]
    data = json.dumps(document).encode()
    del files[w.blob_name(layers[0].blob)]
    return {**files, w.blob_name(data): data, "oci-layout": b"{}", "index.json": w.index(w.descriptor(data))}


def _link_circle() -> Files:
    below = w.layer({"a": w.link("b"), "b": w.link("a"), "c": w.link("c/c"), **GOOD}, "")
    return w.layout([below, w.layer({"a/x": "1", "c/y": "2", "a/.wh.z": ""}, "")])


def _deep_names() -> Files:
    return of(("d/" * 1500 + "end", "x"), ("." + "/." * 1500, "y"))


REFUSED = {
    "a gzip bomb": Case(_gzip_bomb, "as bombs do"),
    "a zstd bomb": Case(_zstd_bomb, "as bombs do"),
    "a zstd window of a gigabyte": Case(_window_bomb, "cannot be unpacked"),
    "a million entries": Case(_many_entries, "more than 500,000 paths"),
    "a gzip stream that is cut off": Case(_truncated_gzip, "cannot be unpacked"),
    "an archive that is cut off in a file": Case(_truncated_file, "ends in the middle of a file"),
    "an archive that is cut off in a header": Case(lambda: one(header(b"a")[:300]), "in the middle of a header"),
    "another blob than the manifest names": Case(_wrong_blob, "the blob of the layer is not the one"),
    "a blob that is longer than its size": Case(_longer_blob, "the blob of the layer is not the one"),
    "another archive than the configuration names": Case(_wrong_diff_id, "the tar archive of the layer is not the one"),
    "another configuration than the manifest names": Case(_wrong_config, "the configuration is not the one"),
    "indexes within indexes": Case(_nested_indexes, "lead to each other"),
    "a digest that is a path out of the layout": Case(_digest_as_path, "no SHA-256 digest"),
    "an index of many megabytes": Case(_huge_manifest, "at most 8388608 make sense"),
    "JSON that is nested without end": Case(_deep_json, "index.json is not what it should be"),
    "a thousand layers": Case(_layers_without_end, "more than any engine takes"),
    "a negative size": Case(lambda: one(header(b"a", size=b"\xff" * 12) + bytes(1024)), "claims -1 bytes"),
    "a negative size in digits": Case(lambda: one(header(b"a", size=b"-0000000777\0")), "no size that is a number"),
    "a size beyond every disk": Case(lambda: one(header(b"a", size=b"\x80" + b"\x7f" * 11)), "a member claims"),
    "a pax header of gigabytes": Case(
        lambda: one(header(b"a", size=b"77777777777\0", kind=b"x")), "an extended header claims 8589934591 bytes"
    ),
    "a pax record that is longer than its header": Case(lambda: one(pax(b"999 path=x\n")), "cannot be followed"),
    "a pax record without a length": Case(lambda: one(pax(b"0 path=x\n")), "cannot be followed"),
    "a pax size that is no number": Case(lambda: one(pax(record("size", "1e99"))), "has no number but '1e99'"),
    "a wrong checksum": Case(lambda: one(b"x" + header(b"a")[1:]), "checksum is wrong"),
    "bytes that are no archive": Case(lambda: one(b"MZ" + bytes(range(256)) * 8), "checksum is wrong"),
    "a layer packed with xz": Case(lambda: one(b"\xfd7zXZ\0" + bytes(600)), "packed with xz"),
}
BOUNDED = {
    "a name that leads out": Case(lambda: of(("../../etc/passwd", "x")), "'../../etc/passwd': its name leads out"),
    "a hard link that leads out": Case(lambda: of(("a", w.hard_link("../../etc/shadow"))), "hard link that leads out"),
    "a hard link to nothing": Case(lambda: of(("a", w.hard_link("etc/nothing"))), "a hard link to nothing"),
    "a name that is too long": Case(lambda: of(("n" * 300, "x")), "its name leads out of the image or is too long"),
    "a whiteout of nothing": Case(lambda: of(("usr/.wh...", "")), "a whiteout of nothing"),
    "an unknown kind of member": Case(lambda: of(("a", w.Item(b"Z"))), "unknown kind 'Z'"),
    "a sparse file of exabytes": Case(
        lambda: one(
            pax(record("GNU.sparse.major", "1") + record("GNU.sparse.realsize", "9" * 18))[:-1024] + w.tar(GOOD)
        ),
        "which is not believed",
    ),
    "a layer that is elsewhere": Case(_foreign_layer, "at https://example.com/layer"),
    "an absolute name": Case(lambda: of(("/etc/absolute", "x")), ""),
    "device nodes": Case(lambda: of(("dev/sda", w.Item(b"4")), ("dev/nvidia0", w.Item(b"3"))), ""),
    "a symlink out of the image": Case(lambda: of(("out", w.link("../../../..")), ("out/etc/hostname", "x")), ""),
    "links in a circle": Case(_link_circle, ""),
    "one name a thousand times": Case(lambda: of(*[("etc/twice", str(n)) for n in range(1000)]), ""),
    "names of a thousand folders": Case(_deep_names, ""),
}
