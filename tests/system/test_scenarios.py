"""Each failure code, provoked and judged in the record, the log line, the counters and the exit status of `check`."""
import pytest

import scenarios
import scenarios_local  # noqa: F401
import scenarios_protocol  # noqa: F401
import scenarios_tls  # noqa: F401
import scenarios_transport  # noqa: F401
import world

seen = {}


@world.isolated(setup=world.enter_connected)
def run_alone(row, folder, authority):
    scenarios.run(row, folder, authority)


@pytest.fixture(scope="module", autouse=True)
def the_table():
    yield
    print("\n" + scenarios.table(seen))


@pytest.mark.parametrize("code", sorted(scenarios.SCENARIOS))
def test_code(code, tmp_path, authority):
    seen[code] = "FAILED"
    run_alone(scenarios.SCENARIOS[code], tmp_path, authority)
    seen[code] = "yes"


def test_no_code_is_missing():
    """What `explain` lists is what the scenarios are about."""
    listed = scenarios.listed().keys()
    have = scenarios.SCENARIOS.keys() | scenarios.NOT_YET.keys()
    assert sorted(listed - have) == [] and sorted(have - listed) == []
