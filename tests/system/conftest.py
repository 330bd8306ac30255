"""Fixtures of the tests of the real programs."""
import contextlib
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import daemon as daemon_module  # noqa: E402
import peers  # noqa: E402
import pki  # noqa: E402


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A CA of this run's own."""
    return pki.Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def server(authority):
    """A good server certificate for localhost, 127.0.0.1 and ::1."""
    return authority.issue("server")


@pytest.fixture
def cleanup():
    """Everything entered here is ended after the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def start(tmp_path, cleanup):
    """start(upstreams, …): a running holdfastd, ended after the test (which fails if it ends badly)."""
    def start_one(upstreams, **options):
        folder = tmp_path / f"daemon{len(os.listdir(tmp_path))}"
        return cleanup.enter_context(daemon_module.Daemon(folder, upstreams, **options))
    return start_one


@pytest.fixture
def peer(cleanup):
    """peer(serve, …): a server of peers.py, closed after the test."""
    def make(serve=peers.hold, **options):
        return cleanup.enter_context(contextlib.closing(peers.Peer(serve, **options)))
    return make
