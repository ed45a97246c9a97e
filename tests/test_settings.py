"""Settings come from the environment and from code; a wrong one says which and what there is."""

import pytest

from lumos_nb import settings
from lumos_nb.errors import SettingsError


@pytest.fixture(autouse=True)
def as_before():
    yield
    settings.reset()


@pytest.mark.parametrize(("text", "value"), [("0", False), ("false", False), ("1", True), ("TRUE", True)])
def test_a_switch_is_read_from_the_environment(text, value):
    assert settings.from_environment({"LUMOS_ENABLE_TELEMETRY": text}).enable_telemetry is value


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"LUMOS_MAX_STEPS": "many"}, "LUMOS_MAX_STEPS = 'many' cannot be used"),
        ({"LUMOS_ENABLE_TELEMETRY": "perhaps"}, "LUMOS_ENABLE_TELEMETRY = 'perhaps'"),
        ({"LUMOS_VIEW": "fancy"}, "There is: auto, live, static, plain."),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(environment, says):
    with pytest.raises(SettingsError) as error:
        settings.from_environment(environment)
    assert says in str(error.value)


def test_code_changes_settings_and_knows_their_names():
    assert settings.configure(max_steps="3").max_steps == 3
    assert settings.current().max_steps == 3
    with pytest.raises(SettingsError, match="Did you mean 'max_steps'"):
        settings.configure(max_step=3)
