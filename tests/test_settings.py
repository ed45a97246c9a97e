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


def test_prices_come_from_the_environment_as_json():
    given = settings.from_environment({"LUMOS_PRICES": '{"mine/org/m": {"input": "1.5", "output": 2}}'})
    assert given.prices == {"mine/org/m": settings.Price(input=1.5, output=2.0)}


@pytest.mark.parametrize(
    ("prices", "says"),
    [
        ({"a/b": {"input": 1, "output": 2, "cached": 1}}, "unknown field `cached`"),
        ({"a/b": {"input": "dear", "output": 2}}, "Expected `float`, got `str`"),
        ({"a/b": {"input": 1}}, "missing required field `output`"),
        ({"a/b": {"input": -1, "output": 1}}, ">= 0.0"),
        ({"a/b": {"input": float("nan"), "output": 1}}, ">= 0.0"),
        ({"b": {"input": 1, "output": 1}}, 'Write it as {"vendor/model": {"input": 1.0'),
        ({"a/b": 3}, "Expected `object`, got `int`"),
    ],
)
def test_a_price_that_cannot_be_used_is_said_when_it_is_set(prices, says):
    with pytest.raises(SettingsError) as error:
        settings.configure(prices=prices)
    assert says in str(error.value) and "US dollars a million tokens" in error.value.hint


@pytest.mark.parametrize("text", ["3", "[1", "[]"])
@pytest.mark.parametrize("name", ["PRICES", "VENDORS"])
def test_a_table_that_is_none_names_its_variable_and_its_form(name, text):
    with pytest.raises(SettingsError, match=f"LUMOS_{name} = .* cannot be used") as error:
        settings.from_environment({f"LUMOS_{name}": text})
    assert error.value.hint.startswith('Write it as {"'), "as JSON: a variable is read as that"


def test_settings_of_several_values_survive_a_change_of_another():
    settings.configure(prices={"a/b": {"input": 1, "output": 2}}, keys={"a": "k"})
    assert settings.configure(max_steps=3).prices["a/b"] == settings.Price(input=1, output=2)
