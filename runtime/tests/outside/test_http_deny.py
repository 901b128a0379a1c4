"""`--http-deny private`: no connection goes to an address that is not globally reachable, however it is written.

Only denied addresses are asked for, so nothing leaves the machine; the whole of the registries is compared in runtime/tests/sys/test_special_addr.c.
"""

from __future__ import annotations

import pytest
from http_servers import Server, saying
from test_http_outgoing import PROGRAM, run

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="touchstone is not built")

PROHIBITED = ["response destination-IP-prohibited"]
LOCAL = [
    *("0.0.0.1", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("[::]", "[::1]", "[::127.0.0.1]", "[::8.8.8.8]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::1]", "[100::1]"),
    *("[2001:2::1]", "[2001:0:7f00:1::]", "[2001:db8::1]", "[2002:7f00:1::1]", "[3fff::1]", "[5f00::1]", "[fc00::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]"),
]


@pytest.mark.parametrize("address", LOCAL)
def test_private_is_what_is_not_globally_reachable(address: str) -> None:
    assert run(["-S", "http", "--http-deny", "private"], "GET", "http", f"{address}:9", "/", "-c", "2000000000") == PROHIBITED


@pytest.mark.parametrize("address", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"])
def test_a_rule_for_an_ipv4_address_holds_inside_ipv6(address: str) -> None:
    with Server(saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        for rule in ("127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.0/104"):
            assert run(["-S", "http", "--http-deny", rule], "GET", "http", f"{address}:{server.port}", "/", "-c", "2000000000") == PROHIBITED
        assert server.connections == 0
