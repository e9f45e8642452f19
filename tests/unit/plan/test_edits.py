from linkspan.facts.model import Link
from linkspan.plan.edits import merge, nodes
from linkspan.plan.model import Injection, Loadable, Mount
from tests.unit.plan.hosts import node


def test_what_comes_first_at_a_path_stays():
    first = Injection(
        devices=(node("/dev/a", 1),),
        mounts=(Mount(host_path="/1", container_path="/m"),),
        links=(Link(path="/l", target="1"),),
        loadables=(Loadable(path="/lib/x"),),
        env=("A=1",),
        gids=(44,),
        driver_version="1",
        mask_params=True,
    )
    second = Injection(
        devices=(node("/dev/a", 2), node("/dev/b", 3)),
        mounts=(Mount(host_path="/2", container_path="/m"),),
        links=(Link(path="/l", target="2"), Link(path="/k", target="2")),
        loadables=(Loadable(path="/lib/x"), Loadable(path="/lib/y")),
        env=("A=1", "B=2"),
        gids=(105, 44),
        driver_version="2",
        cuda_version="12.4",
        application_profile=True,
    )
    merged = merge(first, second)
    assert [(found.path, found.minor) for found in merged.devices] == [("/dev/a", 1), ("/dev/b", 3)]
    assert merged.mounts == first.mounts
    assert [(link.path, link.target) for link in merged.links] == [("/l", "1"), ("/k", "2")]
    assert [item.path for item in merged.loadables] == ["/lib/x", "/lib/y"]
    assert (merged.env, merged.gids) == (("A=1", "B=2"), (44, 105))
    assert (merged.driver_version, merged.cuda_version) == ("1", "12.4")
    assert merged.mask_params
    assert merged.application_profile


def test_no_link_is_made_where_a_file_is_mounted():
    mounted = Injection(mounts=(Mount(host_path="/h/libx.so.1", container_path="/lib/libx.so.1"),))
    assert merge(Injection(links=(Link(path="/lib/libx.so.1", target="libx.so.2"),)), mounted).links == ()


def test_nothing_merged_is_nothing():
    assert merge() == Injection()


def test_groups_are_those_of_nodes_that_not_everyone_may_open():
    found = nodes(
        [
            node("/dev/open", mode=0o666, gid=10),
            node("/dev/root", mode=0o660),
            node("/dev/video", mode=0o660, gid=44),
            node("/dev/readable", mode=0o664, gid=45),
            node("/dev/video2", mode=0o660, gid=44),
        ]
    )
    assert found.gids == (44, 45)
    assert len(found.devices) == 5
