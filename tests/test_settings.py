"""Settings: who goes before whom, where each value came from, and what is wrong in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.sdk.config import explain_settings
from harness.settings import SETTINGS, Settings, Value, find_home

ALL = {setting.name: setting for setting in SETTINGS}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with a harness.toml, and a folder deep inside."""
    folder = tmp_path / "project"
    (folder / "deep" / "inside").mkdir(parents=True)
    (folder / "harness.toml").write_text('model = "openai:of-project"\nretries = 2\n')
    return folder


def test_the_command_line_goes_before_the_environment_and_so_on_down(project: Path) -> None:
    environment = {"HARNESS_MODEL": "openai:of-environment", "HARNESS_TIMEOUT": "9"}
    settings = Settings({"model": "openai:of-line"}, environment=environment, folder=project)
    assert settings["model"] == "openai:of-line"
    assert settings["timeout"] == 9.0
    assert settings["retries"] == 2
    assert settings["jobs"] == 8
    assert settings.explain() == {
        "home": Value(None, "default"),
        "keys": Value(None, "default"),
        "database": Value(None, "default"),
        "model": Value("openai:of-line", "command line"),
        "fallback_model": Value(None, "default"),
        "judge_model": Value(None, "default"),
        "timeout": Value(9.0, "environment", "HARNESS_TIMEOUT"),
        "retries": Value(2, "project file", str(project / "harness.toml")),
        "jobs": Value(8, "default"),
        "sandbox_seconds": Value(120.0, "default"),
        "sandbox_memory": Value(2048, "default"),
        "sandbox_disk": Value(512, "default"),
        "log_level": Value("WARNING", "default"),
    }


@pytest.mark.parametrize(
    ("flags", "environment", "toml", "expected"),
    [
        ({"model": "a:line"}, {"HARNESS_MODEL": "a:env"}, True, ("a:line", "command line")),
        ({}, {"HARNESS_MODEL": "a:env"}, True, ("a:env", "environment")),
        ({}, {}, True, ("a:domain", "domain")),
        ({}, {}, False, ("a:domain", "domain")),
        ({"model": None}, {"HARNESS_MODEL": ""}, True, ("a:domain", "domain")),
    ],
)
def test_the_domain_stands_between_environment_and_project(
    project: Path, flags, environment, toml: bool, expected
) -> None:
    folder = project if toml else project.parent
    settings = Settings(flags, environment=environment, folder=folder)
    beside = settings.beside("model", "a:domain")
    assert (beside.value, beside.origin) == expected
    assert settings.explain({"model": "a:domain"})["model"] == beside
    without = settings.beside("model", None)
    assert without.origin != "domain"


def test_the_nearest_project_file_above_counts(project: Path) -> None:
    inside = project / "deep" / "inside"
    assert Settings(environment={}, folder=inside)["model"] == "openai:of-project"
    (project / "deep" / "harness.toml").write_text('model = "openai:nearer"\n')
    settings = Settings(environment={}, folder=inside)
    assert settings["model"] == "openai:nearer"
    assert settings["retries"] == 4  # of that file alone, not of both


def test_the_current_folder_is_where_the_search_begins(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "deep")
    monkeypatch.delenv("HARNESS_HOME")
    assert Settings()["model"] == "openai:of-project"


def test_every_setting_reads_its_own_default() -> None:
    for setting in SETTINGS:
        assert setting.variable == f"HARNESS_{setting.name.upper()}"
        assert setting.about.endswith(".")
        if setting.default is not None:
            assert setting.read(str(setting.default)) == setting.default


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("timeout", "soon", "seconds"),
        ("timeout", "0", "seconds"),
        ("timeout", "-1", "seconds"),
        ("timeout", "inf", "seconds"),
        ("timeout", "nan", "seconds"),
        ("retries", "-1", "a whole number"),
        ("retries", "1.5", "a whole number"),
        ("jobs", "many", "a whole number above 0"),
        ("jobs", "0", "a whole number above 0"),
        ("log_level", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_value_of_the_wrong_form_says_where_and_what_it_has_to_be(
    project: Path, name: str, value: str, form: str
) -> None:
    variable = ALL[name].variable
    with pytest.raises(UsageError, match=f"^{variable} is '{value}'. It has to be {form}.$"):
        Settings(environment={variable: value}, folder=project.parent)
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} is '{value}'"):
        Settings({name: value}, environment={}, folder=project.parent)
    (project / "harness.toml").write_text(f'{name} = "{value}"\n')
    with pytest.raises(UsageError, match=rf"^`{name}` in .*harness\.toml is '{value}'"):
        Settings(environment={}, folder=project)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('modle = "x:y"\n', r"unknown key `modle`. Did you mean `model`\?"),
        ("retrys = 2\n", r"unknown key `retrys`. Did you mean `retries`\?"),
        (
            'colour = "x"\n',
            r"unknown key `colour`. Known: home, keys, database, model, fallback_model",
        ),
        ("model = \n", r"harness\.toml can't be read: .*line 1"),
        ("model = 1\nmodel = 2\n", r"harness\.toml can't be read"),
    ],
)
def test_a_project_file_with_an_error(project: Path, text: str, expected: str) -> None:
    (project / "harness.toml").write_text(text)
    with pytest.raises(UsageError, match=expected):
        Settings(environment={}, folder=project)


def test_a_project_file_that_is_no_text(project: Path) -> None:
    (project / "harness.toml").write_bytes(b"model = '\xff'")
    with pytest.raises(UsageError, match=r"can't be read.*Mend it, or take it away"):
        Settings(environment={}, folder=project)


def test_a_project_file_from_an_editor_on_windows(project: Path) -> None:
    (project / "harness.toml").write_bytes(b'\xef\xbb\xbfmodel = "a:b"\r\njobs = 3\r\n')
    settings = Settings(environment={}, folder=project)
    assert (settings["model"], settings["jobs"]) == ("a:b", 3)


# --- the state folder ------------------------------------------------------------------------


def test_the_search_for_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, domain = tmp_path / "work" / "here", tmp_path / "domains" / "mine"
    for folder in (here, domain):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    plain = Settings(environment={}, folder=tmp_path)
    assert find_home(plain, domain) == here / ".harness"  # nothing there yet: made here
    (tmp_path / "work" / ".harness").mkdir()
    assert find_home(plain, domain) == tmp_path / "work" / ".harness"
    (tmp_path / "domains" / ".harness").mkdir()
    assert find_home(plain, domain) == tmp_path / "domains" / ".harness"
    assert find_home(plain) == tmp_path / "work" / ".harness"
    (domain / ".harness").write_text("a file, not a folder")
    assert find_home(plain, domain) == tmp_path / "domains" / ".harness"
    environment = {"HARNESS_HOME": str(tmp_path / "env")}
    of_environment = Settings(environment=environment, folder=tmp_path)
    assert find_home(of_environment, domain) == tmp_path / "env"
    of_line = Settings({"home": "elsewhere"}, environment=environment, folder=tmp_path)
    assert find_home(of_line, domain) == here / "elsewhere"


def test_a_home_of_the_project_file_is_the_same_from_every_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "harness.toml").write_text('home = "state"\n')
    for folder in (project, project / "deep" / "inside"):
        monkeypatch.chdir(folder)
        assert find_home(Settings(environment={})) == project / "state"


def test_a_home_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings({"home": "~/state"}, environment={}, folder=tmp_path)
    assert find_home(settings) == tmp_path / "state"


# --- explain ---------------------------------------------------------------------------------


def test_explain_says_each_value_and_where_it_came_from(
    write_domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_domain(**{"domain.yaml": "model: openai:of-domain\n"})
    monkeypatch.setenv("HARNESS_JOBS", "3")
    lines = {line.name: line for line in explain_settings(str(folder), {"retries": 1})}
    assert list(lines) == [setting.name for setting in SETTINGS]
    said = {name: (line.value, line.origin) for name, line in lines.items()}
    assert said["model"] == ("openai:of-domain", "domain")
    assert lines["model"].where == "domain.yaml"
    assert said["jobs"] == (3, "environment")
    assert lines["jobs"].where == lines["jobs"].variable == "HARNESS_JOBS"
    assert said["retries"] == (1, "command line")
    assert said["fallback_model"] == (None, "default")
    assert said["home"] == (str(tmp_path / "home"), "environment")
    without = {line.name: line.value for line in explain_settings(None, {})}
    assert without["model"] == "baseline:nearest"
