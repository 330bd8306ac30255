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
import servers  # noqa: E402
import servers_cases  # noqa: E402


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


# ---- real servers ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def expired(authority):
    """What `server` is, but for its end, which was yesterday."""
    return authority.issue("expired-server", start=pki.now() - 10 * pki.DAY, end=pki.now() - pki.DAY)


@pytest.fixture(scope="module")
def network():
    """The module's tests have a network of their own; they are skipped where there are no real servers."""
    reason = servers.why_not()
    if reason:
        pytest.skip(reason)
    with servers.network():
        yield


@pytest.fixture(scope="module")
def serve(network, tmp_path_factory):
    """serve(recipe, …): a real server, ended after the module's tests."""
    with contextlib.ExitStack() as stack:
        def run(recipe, *arguments):
            folder = tmp_path_factory.mktemp(recipe.__name__)
            return stack.enter_context(contextlib.closing(recipe(folder, *arguments)))
        yield run


@pytest.fixture(scope="module")
def own_files(tmp_path_factory, authority):
    """The folder with our own certificates and secrets (servers_cases.py)."""
    return servers_cases.files(tmp_path_factory.mktemp("own"), authority)


@pytest.fixture(scope="module")
def holdfast(request, world_of_servers, own_files, tmp_path_factory):
    """One daemon with all the upstreams of the module's CASES, once its `world_of_servers` is up."""
    upstreams = [case.upstream(own_files) for case in request.module.CASES]
    with daemon_module.Daemon(tmp_path_factory.mktemp("holdfast"), upstreams) as daemon:
        yield daemon
